"""Which matches a fault strikes. Every draw depends only on seed, fault and match number, never on other faults."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gridtide.sandbox.faults.knob import Kind
from gridtide.sandbox.faults.plan import Span

if TYPE_CHECKING:
    from gridtide.sandbox.faults.knob import Knob, Option, Options, Undo
    from gridtide.sandbox.faults.plan import Fault, Where


@dataclass(slots=True, eq=False)
class Armed:
    """A fault in force, with its counters. Its `where` has the knob's own patterns where the fault has none."""

    name: str
    fault: Fault
    knob: Knob
    where: Where
    seed: int
    armed_at: float
    """Monotonic seconds."""
    matches: int = 0
    strikes: int = 0
    memory: dict[str, Any] = field(default_factory=dict)
    """What an effect keeps between two events."""
    undo: Undo | None = None
    timers: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What cancels its timers: for its next time, and for its end."""

    def strike(self, now: float) -> Options | None:
        """Count a match; the drawn options where it is struck, else None."""
        if not self.is_open(now):
            return None
        self.matches += 1
        draw = random.Random(f"{self.seed}/{self.name}/{self.matches}")  # noqa: S311  a seeded choice
        if not self._is_its_turn() or draw.random() >= self.fault.when.probability:
            return None
        self.strikes += 1
        return self._options(draw)

    def is_open(self, now: float) -> bool:
        """Whether its time has come and is not over, and it has not struck often enough."""
        when, age = self.fault.when, now - self.armed_at
        if self.is_worn_out:
            return False
        return when.from_seconds <= age and (when.until_seconds is None or age < when.until_seconds)

    @property
    def is_worn_out(self) -> bool:
        """Whether it has struck as often as it may."""
        return self.fault.when.count is not None and self.strikes >= self.fault.when.count

    def options(self) -> Options:
        """Drawn options of a fault that lasts rather than strikes."""
        return self._options(random.Random(f"{self.seed}/{self.name}"))  # noqa: S311  a seeded choice

    def ends_in(self, now: float) -> float | None:
        """Seconds until it is over; None where it lasts."""
        until = self.fault.when.until_seconds
        return None if until is None else max(0.0, self.armed_at + until - now)

    def _is_its_turn(self) -> bool:
        when = self.fault.when
        if when.every is None:
            return when.nth is None or self.matches == when.nth
        first = when.every if when.nth is None else when.nth
        return self.matches >= first and (self.matches - first) % when.every == 0

    def _options(self, draw: random.Random) -> Options:
        given = self.fault.options
        drawn = {
            option.name: _drawn(option, given.get(option.name, option.default), draw)
            for option in self.knob.options
        }
        return {**drawn, "draw": draw, "armed": self}


def _drawn(option: Option, value: object, draw: random.Random) -> object:
    if not isinstance(value, Span):
        return value
    if option.kind is Kind.WHOLE:
        return draw.randint(round(value.low), round(value.high))
    return draw.uniform(value.low, value.high)
