"""The strategy's life inside the engine: started once, told what happened in its order, woken, and stored by parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gridtide.domain.journal import BotState, PauseReason, StrategyStatePut
from gridtide.engine import liquidation
from gridtide.engine.context import EngineContext, WakeConditions
from gridtide.engine.strategy_host import StrategyHost, StrategyRaised
from gridtide.strategies.protocol import SettledOrder

if TYPE_CHECKING:
    from gridtide.domain.candle import Candle
    from gridtide.domain.market import Timestamp
    from gridtide.domain.order import Slot
    from gridtide.engine.state import EngineState
    from gridtide.strategies.protocol import Strategy

MAX_REPORTS_A_STEP = 10_000
"""A strategy that keeps settling orders without end in one step is a runaway (F65)."""

WAKE = "~wake"
"""The part of the stored state that is the engine's: when the strategy asked to be called."""


def own_parts(stored: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The strategy's own parts of a stored state; None for a strategy that never started."""
    return None if stored is None else {name: part for name, part in stored.items() if name != WAKE}


class StrategyDesk:
    """Calls the one strategy of an engine, and keeps what has to survive a restart."""

    def __init__(self, state: EngineState, strategy: Strategy, stored: Mapping[str, Any] | None) -> None:
        self._state = state
        self._host = StrategyHost(strategy)
        self._stored_parts = {name: _text(part) for name, part in (stored or {}).items()}
        self.was_called = False
        """Since its state was last stored, so that it may have changed."""
        self.context = EngineContext(state)
        self.is_started = stored is not None
        if stored is not None:
            self.context.wake = WakeConditions.from_json(stored[WAKE])

    @property
    def strategy(self) -> Strategy:
        return self._host.strategy

    def start_if_ready(self) -> None:
        """Once in a bot's life, when the books are open and a price is known. One that raises has not started: it
        may try again when its owner resumes."""
        ready = self._state.bot_state is BotState.RUNNING and self._state.book.mid() is not None
        if ready and not self.is_started:
            self.is_started = self._call(self._host.start, self.context)
            self.was_called = self.is_started

    def tell(self) -> None:
        """Report executions and settlements in the order they happened, until nothing new follows from them."""
        for _ in range(MAX_REPORTS_A_STEP):
            if not self._state.reports:
                return
            report = self._state.reports.popleft()
            if not self.is_started:
                continue
            if not isinstance(report, SettledOrder):
                self._call(self._host.fill, report, self.context)
            elif not liquidation.concerns(report):
                self._call(self._host.settled, report, self.context)
        self._state.reports.clear()
        self._state.pause(PauseReason.STRATEGY, "the strategy keeps acting without end in one step")

    def wake_if_due(self) -> bool:
        """Whether the strategy was called. Not before a price is known, and not while its own failure waits for its
        owner: what it asked for stands until it has been called for it."""
        wake, price = self.context.wake, self._state.price
        if price is None or not self.is_started:
            return False
        is_due = (
            (wake.below is not None and price <= wake.below)
            or (wake.above is not None and price >= wake.above)
            or (wake.at is not None and self._state.now >= wake.at)
        )
        if not is_due or not self._may_wake:
            return False
        self.context.wake = WakeConditions()
        if not self._call(self._host.wake, self.context):
            self.context.wake = wake
        return True

    @property
    def wakes_at(self) -> Timestamp | None:
        """When the strategy is to be woken by time; None while it cannot be."""
        moment = self.context.wake.at
        return moment if moment is not None and self._may_wake else None

    @property
    def _may_wake(self) -> bool:
        state = self._state
        waits_for_owner = state.pause_reason is PauseReason.STRATEGY
        return self.is_started and state.price is not None and not waits_for_owner

    @property
    def timeframe(self) -> str | None:
        """Of which candles the strategy is told."""
        return self._host.timeframe

    def candle(self, timeframe: str, candle: Candle) -> None:
        """Hand on a candle of the timeframe the strategy subscribed to; not while its own failure waits for its
        owner."""
        if timeframe == self._host.timeframe and self._may_wake:
            self._call(self._host.candle, candle, self.context)

    def record(self, slot: Slot) -> None:
        """In a rebuild: the records go on with an order of `slot`."""
        if self.is_started:
            self._call(self._host.record, slot, self.context)

    def store(self) -> None:
        """Write the parts of the strategy's state that changed since they were last written."""
        if not self.was_called or not self._state.settings.is_resumable:
            return
        self.was_called = False
        parts = {**self._host.state(), WAKE: self.context.wake.to_json()}
        texts = {name: _text(part) for name, part in parts.items()}
        changed = {name: parts[name] for name in parts if self._stored_parts.get(name) != texts[name]}
        if changed:
            self._stored_parts = texts
            self._state.write(StrategyStatePut(changed))

    def _call(self, callback: Callable[..., None], *args: object) -> bool:
        """Whether the strategy took it; one that raises pauses the bot."""
        self.was_called = True
        try:
            callback(*args)
        except StrategyRaised as error:
            self._state.pause(PauseReason.STRATEGY, str(error))
            return False
        return True


def _text(part: Any) -> str:
    """A part as text, to compare: the strategy may change in place what it handed out."""
    return part if isinstance(part, str) else repr(part)
