"""What held on a market of a backtest from a moment on, where it was not what the market has today."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gridtide.config.values import MarketName, NotNegative, Positive, Section


def _moment(value: Any) -> Any:
    """A date, or a date and time, in a file or as text; UTC unless it says otherwise."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("write a date such as 2019-01-01, or 2019-01-01T12:00") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]


class MarketRulesSettings(Section):
    """What is left out stays as it was before; items of one market stand in the order of their times."""

    market: MarketName | None = None
    """Where it held. Left out: on every market of the run."""

    since: Moment | None = None
    """From when on, such as 2019-01-01, UTC. Left out: from the first row of the data on."""

    tick_size: Positive | None = None
    """The step of prices."""

    lot_size: Positive | None = None
    """The step of amounts, and the smallest amount."""

    min_notional: NotNegative | None = None
    """The smallest value of an order, in quote."""

    max_open_orders: Annotated[int, Field(ge=0)] | None = None
    """How many orders may be open at once; 0 is no limit."""

    status: Literal["trading", "halted", "delisted"] | None = None
    """halted: new orders are refused, open ones stay. delisted: open ones end as well, and nothing is traded again."""

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        said = (self.tick_size, self.lot_size, self.min_notional, self.max_open_orders, self.status)
        return all(value is None for value in said)
