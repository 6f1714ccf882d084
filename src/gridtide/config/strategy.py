"""The grid: its range, its levels, how much it invests, and how it trades. Rules: grid-semantics 0 to 5. And any other
strategy, by its name: which names there are, and what their settings mean, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from gridtide.config.values import Fraction, NotNegative, Positive, Section

MAX_LEVELS = 1000


class GridSettings(Section):
    """A grid of buy and sell orders between two prices. Prices and money are in the quote asset."""

    name: Literal["grid"] = "grid"
    """The strategy."""

    lower_price: Positive
    """The lowest level."""

    upper_price: Positive
    """The highest level."""

    num_grids: Annotated[int, Field(ge=2, le=MAX_LEVELS)] | None = None
    """How many price levels, both bounds included. Exchanges count the steps between them: that is `intervals`."""

    intervals: Annotated[int, Field(ge=1, le=MAX_LEVELS - 1)] | None = None
    """How many steps between the bounds: one less than the levels. Give this or `num_grids`, never both."""

    total_investment: NotNegative
    """How much the grid may use, in the quote asset. Part of it buys the base that the sell orders need."""

    spacing: Literal["arithmetic", "geometric"] = "arithmetic"
    """arithmetic: equal price steps. geometric: equal percentage steps."""

    vacant: Literal["nearest", "above", "below"] = "nearest"
    """Which level at the start price stays empty: the nearest, the next one above, or the next one below."""

    sizing: Literal["equal_base", "equal_quote", "quote_only", "base_and_quote"] = "equal_base"
    """equal_base: the same amount at each level. equal_quote: the same value at each level.
    quote_only: no purchase at the start. base_and_quote: `base_amount` makes the sells, `total_investment` the buys."""

    profit: Literal["quote", "base", "compound"] = "quote"
    """What happens to the profit. quote: it stays as quote. base: it stays as base. compound: it is invested again."""

    rounding: Literal["nearest", "down"] = "nearest"
    """How a level is rounded to the market's price step."""

    post_only: bool = True
    """true: orders only rest in the book and pay the maker fee. false: an order may take at once, at the taker fee."""

    mirror_after_seconds: Annotated[int, Field(ge=1)] = 600
    """How long a partly filled order may wait for its rest before the filled part gets its counter-order."""

    start_outside: Literal["refuse", "allow"] = "refuse"
    """What happens when the price is outside the range at the start. allow: the grid waits, one-sided."""

    price_cap: Annotated[Fraction, Field(le=Decimal("0.1"))] = Decimal("0.002")
    """How far above the best ask the purchase at the start may go, as a fraction: 0.002 is 0.2 %."""

    reserve: Fraction | None = None
    """Fraction of the investment kept back for fees and the price cap. Left out, it is computed from the real fees."""

    base_amount: NotNegative = Decimal(0)
    """Base you already hold and want the grid to sell first, beside `total_investment`."""

    base_cost: NotNegative | None = None
    """What that base cost you, in quote, all together: profit is counted from there. Needed with `base_amount`."""

    allow_below_break_even: bool = False
    """true: trade even where a step earns less than its fees."""

    trailing: Literal["none"] = "none"
    """Whether the range follows the price. none: it stays where it is."""

    @property
    def levels(self) -> int:
        """Number of price levels, however it was written."""
        return self.num_grids if self.num_grids is not None else (self.intervals or 0) + 1

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.num_grids is None and self.intervals is None:
            raise ValueError("give num_grids (price levels, bounds included) or intervals (one less)")
        if self.num_grids is not None and self.intervals is not None:
            raise ValueError("give num_grids or intervals, not both")
        if self.upper_price <= self.lower_price:
            raise ValueError("upper_price must be above lower_price")
        if not self.total_investment and not self.base_amount:
            raise ValueError("total_investment is 0 and leaves nothing to trade with")
        if bool(self.base_amount) != (self.base_cost is not None):
            raise ValueError("base_amount and base_cost belong together")
        if self.base_amount and self.sizing == "quote_only":
            raise ValueError("sizing quote_only sells nothing at the start, so base_amount has no use")
        return self


class OtherStrategySettings(BaseModel):
    """A strategy that is no grid: what it may use of the account, and settings of its own beside that."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    name: Annotated[str, Field(min_length=1, max_length=64)]
    """As it is registered: `single_order`, or a name that an installed package offers under `gridtide.strategies`."""

    total_investment: NotNegative = Decimal(0)
    """How much it may use, in the quote asset."""

    base_amount: NotNegative = Decimal(0)
    """Base you already hold that it may use."""

    base_cost: NotNegative | None = None
    """What that base cost you, in quote, all together. Needed with `base_amount`."""

    @property
    def own(self) -> dict[str, Any]:
        """What the strategy itself is told, as it was written."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.total_investment and not self.base_amount:
            raise ValueError(
                "give total_investment, base_amount or both: it may use nothing else of the account"
            )
        if bool(self.base_amount) != (self.base_cost is not None):
            raise ValueError("base_amount and base_cost belong together")
        return self


def _by_name(value: Any, _: ValidatorFunctionWrapHandler) -> GridSettings | OtherStrategySettings:
    """A section without a name is a grid, and the errors of the one that is meant are told, not those of both."""
    if isinstance(value, GridSettings | OtherStrategySettings):
        return value
    name = value.get("name", "grid") if isinstance(value, Mapping) else "grid"
    return (GridSettings if name == "grid" else OtherStrategySettings).model_validate(value)


StrategySettings = Annotated[GridSettings | OtherStrategySettings, WrapValidator(_by_name)]
