"""The public record of one market: candles, the last 24 hours, the last trade. Fed by the venue's own prints."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, notional
from gridtide.sandbox.candles import CandleBook, ClosedKline, DayFigures, DayWindow

if TYPE_CHECKING:
    from gridtide.venue.messages import TradePrinted

MINUTE = "1m"


class MarketRecord:
    """What everybody may know of a market's past."""

    def __init__(self, kept_candles: int) -> None:
        self.candles = CandleBook(kept_candles)
        self.market_time = Timestamp(0)
        """Of the last move; zero before the first."""
        self.last_amount = ZERO
        self.last_trade_at = Timestamp(0)
        """Wall time of the last trade."""
        self.version = 0
        """Grows with every change."""
        self._day = DayWindow()

    @property
    def has_prices(self) -> bool:
        """Whether the price was ever anywhere."""
        return self.candles.current(MINUTE) is not None

    def advance(self, market_time: Timestamp, price: Decimal) -> list[ClosedKline]:
        """The price went to `price`; gives the candles that closed because time went on."""
        self.market_time = max(self.market_time, market_time)
        self.version += 1
        closed = self.candles.advance(self.market_time, price)
        for timeframe, kline in closed:
            if timeframe == MINUTE:
                self._day.add(kline)
        return closed

    def print(self, printed: TradePrinted, now: Timestamp) -> list[ClosedKline]:
        """Book a public trade at the present market time (wall time where nothing ever moved the market)."""
        trade = printed.trade
        closed = self.advance(self.market_time or now, trade.price)
        self.candles.trade(
            trade.amount,
            notional(trade.price, trade.amount),
            trade.trade_id,
            buyer_took=not printed.buyer_is_maker,
        )
        self.last_amount, self.last_trade_at = trade.amount, now
        return closed

    def day(self) -> DayFigures:
        """The last 24 hours of market time; zeros before the first move."""
        return self._day.figures(self.candles.current(MINUTE))

    def state(self) -> dict[str, Any]:
        """Everything, JSON-compatible."""
        return {
            "market_time": self.market_time,
            "last_amount": str(self.last_amount),
            "last_trade_at": self.last_trade_at,
            "candles": self.candles.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what `state` was taken of."""
        self.market_time = Timestamp(state["market_time"])
        self.last_amount = Decimal(state["last_amount"])
        self.last_trade_at = Timestamp(state["last_trade_at"])
        self.candles.restore(state["candles"])
        self._day.refill(state["candles"]["rows"][MINUTE])
        self.version += 1
