"""Exchange time: our monotonic clock plus an offset measured against the exchange, never the wall clock.

The wall clock is read once, as a first guess for the time before the first measurement.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from statistics import median

from gridtide.domain.errors import Transient
from gridtide.domain.market import Timestamp

SAMPLES = 5
FEWEST_SAMPLES = 3
_STEP_MS = 1_000
"""A correction backwards of less than this is hidden by standing still; a larger one is a real step."""


class ExchangeClock:
    """Milliseconds since the epoch as the exchange counts them."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self._monotonic = monotonic
        self._offset_ms = (wall() - monotonic()) * 1_000
        self._latest = 0
        self._measured_at: float | None = None

    def age(self) -> float:
        """Seconds since the last measurement; infinite before the first."""
        return float("inf") if self._measured_at is None else self._monotonic() - self._measured_at

    def now(self) -> Timestamp:
        """Exchange time; does not run backwards over the small corrections of a refresh."""
        moment = int(self._monotonic() * 1_000 + self._offset_ms)
        if 0 < self._latest - moment < _STEP_MS:
            return Timestamp(self._latest)
        self._latest = moment
        return Timestamp(moment)

    async def measure(self, ask: Callable[[], Awaitable[int]]) -> None:
        """Take the median offset of five samples of the exchange's time (F53).

        Each sample assumes that the exchange read its clock half-way between question and answer. Raises
        `Transient` where fewer than three samples came back; the offset then stays as it was.
        """
        offsets: list[float] = []
        failure: Transient | None = None
        for _ in range(SAMPLES):
            asked = self._monotonic()
            try:
                server_ms = await ask()
            except Transient as error:
                failure = error
                continue
            # The exchange cuts its answer to whole milliseconds: half of one is the fair guess of what was cut.
            offsets.append(server_ms + 0.5 - (asked + self._monotonic()) * 500)
        if len(offsets) < FEWEST_SAMPLES:
            raise failure or Transient("The exchange's clock could not be read.")
        self._offset_ms = median(offsets)
        self._measured_at = self._monotonic()
