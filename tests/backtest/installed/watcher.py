"""A strategy of somebody else that lives on candles: one buy below the last close, and what it saw."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.money import Amount
from gridtide.domain.order import Side, Slot

if TYPE_CHECKING:
    from gridtide import ExecutionContext
    from gridtide.domain.candle import Candle
    from gridtide.domain.fill import Fill
    from gridtide.strategies.protocol import SettledOrder

BUY = Slot("WAT", Side.BUY)


class Watcher:
    """Settings: `timeframe`."""

    def __init__(self, timeframe: str) -> None:
        self.timeframe = timeframe
        self.seen: list[list[str]] = []
        """Open time, prices and volume of each candle."""
        self.told_at: list[int] = []
        self._below = Decimal(0)

    @classmethod
    def from_settings(cls, symbol: str, settings: Mapping[str, Any]) -> Watcher:
        return cls(settings["timeframe"])

    def on_start(self, context: ExecutionContext) -> None:
        self._buy(context.current_price(), context)

    def on_candle(self, candle: Candle, context: ExecutionContext) -> None:
        values = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        self.seen.append([str(candle.timestamp), *(format(value.normalize(), "f") for value in values)])
        self.told_at.append(context.now)
        self._below = candle.close
        if context.order(BUY) is None:
            self._buy(candle.close, context)
        else:
            context.cancel_order(BUY)

    def on_order_settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        if order.remaining and self._below:
            self._buy(self._below, context)

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None:
        """Nothing to decide."""

    def _buy(self, price: Decimal, context: ExecutionContext) -> None:
        rules = context.market.rules
        context.place_order(BUY, rules.floor_price(price * Decimal("0.998")), Amount(Decimal("0.1")))

    def get_state(self) -> Mapping[str, Any]:
        return {"version": 1, "timeframe": self.timeframe, "seen": self.seen, "told_at": self.told_at}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Watcher:
        strategy = cls(state["timeframe"])
        strategy.seen, strategy.told_at = list(state["seen"]), list(state["told_at"])
        return strategy
