"""The clock (F53, F54): a wall clock that jumps has the exchange's measured again; one not measured for long pauses."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gridtide.domain.errors import GridtideError
from gridtide.domain.events import TroubleFound, TroubleOver
from gridtide.domain.journal import PauseReason

if TYPE_CHECKING:
    from gridtide.ports.exchange import Exchange
    from gridtide.runners.watchdogs.limits import WatchdogLimits


class ClockWatch:
    """Looks at the age of the last measurement and at steps of the wall clock. `now()` itself never uses the latter."""

    def __init__(
        self,
        limits: WatchdogLimits,
        exchange: Exchange,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._exchange = exchange
        self._wall, self._monotonic = wall, monotonic
        self._offset = wall() - monotonic()

    async def look(self, *, is_paused_for_clock: bool) -> TroubleFound | TroubleOver | None:
        """What the engine has to be told."""
        offset = self._wall() - self._monotonic()
        stepped = abs(offset - self._offset) > self._limits.clock_step_seconds
        if stepped or self._is_old():
            self._offset = offset
            with contextlib.suppress(GridtideError):  # the clock's age says how long that has been so
                await self._exchange.measure_clock()
        if self._is_old():
            text = f"the exchange's clock was not measured for {self._limits.clock_age_seconds:g} s"
            return None if is_paused_for_clock else TroubleFound(PauseReason.CLOCK, text)
        return TroubleOver(PauseReason.CLOCK) if is_paused_for_clock else None

    def _is_old(self) -> bool:
        age, limit = self._exchange.clock_age(), self._limits.clock_age_seconds
        return bool(limit) and age is not None and age > limit
