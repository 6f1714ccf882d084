"""The exchange's clock: wall time, at every playing speed (design.md 6), and the same gone wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gridtide.domain.market import Timestamp

if TYPE_CHECKING:
    from gridtide.ports.clock import Clock


class WallClock:
    """Milliseconds of the wall clock for everything shown, monotonic seconds for everything that waits."""

    def now(self) -> Timestamp:
        return Timestamp(time.time_ns() // 1_000_000)

    def monotonic(self) -> float:
        return time.monotonic()


class DriftingClock:
    """Another clock that is `offset_seconds` ahead and gains `drift` seconds a second. Waiting is not affected."""

    def __init__(self, true: Clock, offset_seconds: float, drift: float) -> None:
        self.true = true
        self._offset_seconds = offset_seconds
        self._drift = drift
        self._since = true.monotonic()

    def now(self) -> Timestamp:
        gained = (self.true.monotonic() - self._since) * self._drift
        return Timestamp(self.true.now() + round((self._offset_seconds + gained) * 1000))

    def monotonic(self) -> float:
        return self.true.monotonic()
