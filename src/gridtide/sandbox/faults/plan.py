"""What shall go wrong, as plain values: no clock, no generator, nothing that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """A number drawn anew, evenly, each time the fault strikes."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Where:
    """What a fault applies to; an empty pattern means what its knob says. ``*`` stands for anything, ``|`` for or."""

    endpoint: str = ""
    """``POST /api/v3/order``, a path, the name of the WebSocket API, or one of trading, reads, public."""
    stream: str = ""
    """A market stream's name, or ``user`` for user events."""
    event: str = ""
    """The event's type, such as ``executionReport``."""
    account: str = ""
    market: str = ""
    """Name of a market, with or without its slash."""


@dataclass(frozen=True, slots=True)
class When:
    """Which of the requests or events that match are struck, and for how long. Seconds count from the arming."""

    nth: int | None = None
    """The nth match only; with `every` the nth and each `every`-th after it."""
    every: int | None = None
    probability: float = 1.0
    count: int | None = None
    """At most so often."""
    from_seconds: float = 0.0
    until_seconds: float | None = None
    repeat_seconds: float | None = None
    """For what happens by itself: again and again, this far apart."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One knob turned: what, where, when. `scenario.fault` builds a checked one from plain values."""

    knob: str
    where: Where = Where()
    when: When = When()
    options: Mapping[str, object] = field(default_factory=dict)
    name: str = ""
    """To tell it from others in the log and to remove it; empty: the knob's name and a number."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults from the start. The same seed and the same sequence of requests give the same faults."""

    seed: int = 0
    faults: tuple[Fault, ...] = ()
