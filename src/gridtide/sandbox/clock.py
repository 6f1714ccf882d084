"""The exchange's clock: wall time, at every playing speed (design.md 6)."""

from __future__ import annotations

import time

from gridtide.domain.market import Timestamp


class WallClock:
    """Milliseconds of the wall clock for everything shown, monotonic seconds for everything that waits."""

    def now(self) -> Timestamp:
        return Timestamp(time.time_ns() // 1_000_000)

    def monotonic(self) -> float:
        return time.monotonic()
