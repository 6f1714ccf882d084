"""Calls a strategy and contains it: one that raises is stopped, its orders stay safe, its owner is told (F63)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gridtide.domain.errors import GridtideError, InvalidInput
from gridtide.strategies.protocol import (
    ReactsToCandles,
    ReactsToRecords,
    ReactsToSettlement,
    ReactsToWake,
)

if TYPE_CHECKING:
    from gridtide.domain.candle import Candle
    from gridtide.domain.fill import Fill
    from gridtide.domain.order import Slot
    from gridtide.strategies.protocol import ExecutionContext, SettledOrder, Strategy, StrategyState


class StrategyRaised(GridtideError):
    """A strategy's callback failed; the text is for its owner."""


class StrategyHost:
    """A strategy and what it can be called for."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.timeframe = strategy.timeframe if isinstance(strategy, ReactsToCandles) else None
        self._on_settled = strategy.on_order_settled if isinstance(strategy, ReactsToSettlement) else None
        self._on_wake = strategy.on_wake if isinstance(strategy, ReactsToWake) else None
        self._on_candle = strategy.on_candle if isinstance(strategy, ReactsToCandles) else None
        self._on_record = strategy.on_record if isinstance(strategy, ReactsToRecords) else None

    def start(self, context: ExecutionContext) -> None:
        self._call(self.strategy.on_start, context)

    def fill(self, fill: Fill, context: ExecutionContext) -> None:
        self._call(self.strategy.on_fill, fill, context)

    def settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        if self._on_settled is not None:
            self._call(self._on_settled, order, context)

    def wake(self, context: ExecutionContext) -> None:
        if self._on_wake is not None:
            self._call(self._on_wake, context)

    def candle(self, candle: Candle, context: ExecutionContext) -> None:
        if self._on_candle is not None:
            self._call(self._on_candle, candle, context)

    def record(self, slot: Slot, context: ExecutionContext) -> None:
        if self._on_record is not None:
            self._call(self._on_record, slot, context)

    def state(self) -> StrategyState:
        return self.strategy.get_state()

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        try:
            callback(*args)
        except InvalidInput as error:  # its own sentence to its owner
            raise StrategyRaised(str(error)) from error
        except Exception as error:  # a strategy is other people's code: whatever it raises is contained here
            name = getattr(callback, "__name__", "a callback")
            raise StrategyRaised(f"{name} raised {type(error).__name__}: {error}") from error
