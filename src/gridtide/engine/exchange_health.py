"""Whether the exchange answers: failed rounds of reads follow each other at growing distances, told once, not at each.

Three in a row open the circuit breaker: nothing is placed and no conclusion drawn until a round succeeds (F50).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.journal import PauseReason
from gridtide.domain.lifecycle import IntentState

if TYPE_CHECKING:
    from gridtide.domain.market import Timestamp
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder

BREAKER_FAILURES = 3
POLLS_AN_AGE = 4
"""An order of unknown fate is asked for about this often while its age doubles."""


@dataclass(slots=True)
class ExchangeHealth:
    """Rounds of reads that failed in a row."""

    failures: int = 0
    since: Timestamp | None = None
    alarmed: bool = False

    @property
    def is_blind(self) -> bool:
        """Whether the breaker is open."""
        return self.failures >= BREAKER_FAILURES


def round_failed(state: EngineState, message: str) -> int:
    """Count a round that failed; how long to wait for the next one, ms."""
    health, times = state.health, state.settings.times
    health.failures += 1
    health.since = state.now if health.since is None else health.since
    if health.failures == BREAKER_FAILURES:
        state.pause(PauseReason.EXCHANGE, f"the account cannot be read ({message}); orders stay as they are")
    if not health.alarmed and state.now - health.since >= times.blackout_alarm:
        health.alarmed = True
        minutes = (state.now - health.since) // 60_000
        text = f"the account could not be read for {minutes} minutes; nothing is placed, resting orders stay"
        state.notice("alarm", "exchange.unreachable", text)
    return min(times.longest_wait, 2 * times.poll << min(health.failures - 1, 10))


def round_succeeded(state: EngineState) -> None:
    """The exchange answers (again)."""
    if state.health.is_blind:
        state.notice("info", "exchange.back", "the account can be read again; everything is compared first")
    state.health.failures = 0
    state.health.since = None
    state.health.alarmed = False


def polling_wait(state: EngineState, order: TrackedOrder) -> int:
    """How soon to ask for one order again, ms: seldom while nobody answers, and ever more seldom while "does not
    exist" proves nothing (before `dead_after`), lest a few lost answers eat the request weight (F11)."""
    times = state.settings.times
    if state.health.is_blind:
        return times.longest_wait
    if order.state is not IntentState.UNKNOWN or order.signed_at is None:
        return times.poll
    age = state.now - order.signed_at
    return max(times.poll, min(age // POLLS_AN_AGE, times.longest_poll, times.dead_after + 1 - age))
