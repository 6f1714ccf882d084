"""Whether the exchange answers: failed rounds of reads follow each other at growing distances, told once, not at each.

Three in a row open the circuit breaker: nothing is placed and no conclusion drawn until a round succeeds (F50).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.journal import PauseReason

if TYPE_CHECKING:
    from gridtide.domain.market import Timestamp
    from gridtide.engine.state import EngineState

BREAKER_FAILURES = 3


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


def polling_wait(state: EngineState) -> int:
    """How soon to ask for one order again: seldom while nobody answers."""
    times = state.settings.times
    return times.longest_wait if state.health.is_blind else times.poll
