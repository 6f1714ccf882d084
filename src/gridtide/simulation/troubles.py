"""What goes wrong in one simulated run: rates drawn once from the seed, and the dice that decide each case.

All dice are of one generator, so a seed decides everything. `calm` ends all trouble.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from gridtide.domain.events import BalancesUpdated, BookUpdated, OrderUpdated, StreamInterrupted

if TYPE_CHECKING:
    from gridtide.domain.events import StreamEvent

WRITES = ("submit", "cancel")
HARMED_EVENTS = (OrderUpdated, BalancesUpdated, BookUpdated, StreamInterrupted)
"""Of these an event may be lost, late or told twice; "the stream is back" always arrives, once."""
LONGEST_LAG_MS = 120_000
LONGEST_QUEUE_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each thing happens, as a probability a case; zero is a calm world."""

    request_lost: float = 0.0
    answer_lost: float = 0.0
    delayed: float = 0.0
    engine_waits: float = 0.0
    read_fails: float = 0.0
    read_lags: float = 0.0
    record_late: float = 0.0
    event_lost: float = 0.0
    event_repeated: float = 0.0
    event_delayed: float = 0.0
    kill: float = 0.0
    freeze: float = 0.0
    disk_refuses: float = 0.0
    disk_unknown: float = 0.0


_NAMES = tuple(field.name for field in fields(Rates))


def draw_rates(rng: random.Random) -> Rates:
    """Rates of one run: each trouble is absent, rare or frequent, so that runs differ in kind."""
    return Rates(
        request_lost=rng.choice((0.0, 0.02, 0.1)),
        answer_lost=rng.choice((0.0, 0.02, 0.1)),
        delayed=rng.choice((0.0, 0.1, 0.5)),
        engine_waits=rng.choice((0.0, 0.0, 0.05)),
        read_fails=rng.choice((0.0, 0.02, 0.2)),
        read_lags=rng.choice((0.0, 0.1, 0.5)),
        record_late=rng.choice((0.0, 0.0, 0.1)),
        event_lost=rng.choice((0.0, 0.05, 0.3)),
        event_repeated=rng.choice((0.0, 0.05, 0.3)),
        event_delayed=rng.choice((0.0, 0.1, 0.5)),
        kill=rng.choice((0.001, 0.0025, 0.005)),
        freeze=rng.choice((0.0, 0.0, 0.003)),
        disk_refuses=rng.choice((0.0, 0.0, 0.003)),
        disk_unknown=rng.choice((0.0, 0.0, 0.003)),
    )


class Troubles:
    """The dice of one run: line and host ask them at each case. `counts` says what happened how often."""

    def __init__(self, rng: random.Random, rates: Rates) -> None:
        self._rng = rng
        self._draw = rng.random
        self.counts = dict.fromkeys(_NAMES, 0)
        self.rates = rates

    @property
    def rates(self) -> Rates:
        """How often each thing happens from now on."""
        return self._rates

    @rates.setter
    def rates(self, rates: Rates) -> None:
        self._rates = rates
        self._rate = {name: getattr(rates, name) for name in _NAMES}

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        self.rates = Rates()

    def spare_host(self) -> None:
        """From now on the process lives."""
        self.rates = replace(self.rates, kill=0.0, freeze=0.0, disk_refuses=0.0, disk_unknown=0.0)

    def _falls(self, name: str) -> bool:
        rate = self._rate[name]
        if not rate or self._draw() >= rate:
            return False
        self.counts[name] += 1
        return True

    # --- the line ------------------------------------------------------------------------------------

    def outward(self, what: str) -> float | None:
        if self._falls("request_lost"):
            return None
        return (
            self._delay("delayed", (0.05, 1.0, 6.0, 20.0))
            if what in WRITES
            else self._delay("delayed", (0.05, 1.0))
        )

    def queue(self, what: str) -> float:
        if what in WRITES and self._falls("engine_waits"):
            return self._rng.choice((0.5, 8.0, 12.0, LONGEST_QUEUE_SECONDS))
        return 0.0

    def homeward(self, what: str) -> float | None:
        if self._falls("answer_lost"):
            return None
        return self._delay("delayed", (0.05, 1.0, 9.0))

    def failure(self, what: str) -> str:
        return "HTTP 502" if self._falls("read_fails") else ""

    def lag(self, what: str) -> int:
        if not self._falls("read_lags"):
            return 0
        return self._rng.choice((100, 2_000, 15_000, LONGEST_LAG_MS))

    def record_delay(self) -> float:
        return self._delay("record_late", (2.0, 20.0, 120.0))

    def deliveries(self, event: StreamEvent) -> Sequence[float]:
        if not isinstance(event, HARMED_EVENTS):
            return (0.0,)
        if self._falls("event_lost"):
            return ()
        first = self._delay("event_delayed", (0.05, 1.0, 10.0))
        if self._falls("event_repeated"):
            return (first, first + self._rng.choice((0.0, 3.0, 60.0)))
        return (first,)

    def _delay(self, name: str, choices: Sequence[float]) -> float:
        return self._rng.choice(choices) * self._rng.random() if self._falls(name) else 0.0

    # --- the host ------------------------------------------------------------------------------------

    def kills(self) -> bool:
        if self._draw() >= self._rates.kill:
            return False
        self.counts["kill"] += 1
        return True

    def freezes(self) -> float:
        if not self._rates.freeze or not self._falls("freeze"):
            return 0.0
        return self._rng.choice((1.0, 4.0, 30.0, 120.0))

    def disk_fails(self) -> str:
        if self._falls("disk_refuses"):
            return "refused"
        return "unknown" if self._falls("disk_unknown") else ""
