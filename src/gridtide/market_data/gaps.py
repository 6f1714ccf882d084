"""Where candles are missing, named; nothing is ever put in their place here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridtide.domain.errors import DataUnusable
from gridtide.market_data.series import Span, time_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAMED = 10


class GapPolicy(StrEnum):
    """What becomes of gaps."""

    KEEP = "keep"
    """They are named; the price jumps over them."""
    REPAIR = "repair"
    """Others are asked for them: the bulk archive, then the market trades of that time; what nobody has is kept."""
    REFUSE = "refuse"
    """Data with a gap is not used."""


class MissingCandles(NamedTuple):
    """No candle opens from `start` up to and without `end`, though `candles` should."""

    start: int
    end: int
    candles: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    def __str__(self) -> str:
        return f"{time_text(self.start)} to {time_text(self.end)} ({self.candles:,})"


def find_missing(
    timestamps: NDArray[np.int64], timeframe_ms: int, wanted: Span | None = None
) -> tuple[MissingCandles, ...]:
    """Every gap in ascending open times, and with `wanted` also those at its two ends.

    Open times off the minute are as good as others: a gap is where at least one whole candle is missing.
    """
    gaps = []
    times = timestamps
    if wanted is not None:
        first = -(-wanted.start // timeframe_ms) * timeframe_ms
        times = np.concatenate(([first - timeframe_ms], times, [max(wanted.end, first)]))
    steps = np.diff(times)
    for index in np.flatnonzero(steps > timeframe_ms):
        count = int(steps[index] // timeframe_ms) - 1
        if count > 0:
            start, end = int(times[index]) + timeframe_ms, int(times[index + 1])
            gaps.append(MissingCandles(start, end, count))
    return tuple(gaps)


def refuse_gaps(gaps: tuple[MissingCandles, ...], what: str) -> None:
    """Raise `DataUnusable` naming the gaps, if there are any."""
    if gaps:
        raise DataUnusable(
            f"{what} has {gaps_text(gaps)}; nothing was made up for them: repair them with `gridtide download "
            "--gaps repair`, choose another time, or allow gaps"
        )


def gaps_text(gaps: tuple[MissingCandles, ...]) -> str:
    """``2 gaps, 369 candles: 2021-02-11 03:41 to …``; the first few by name."""
    if not gaps:
        return "no gap"
    named = "; ".join(str(gap) for gap in gaps[:_NAMED])
    more = f"; and {len(gaps) - _NAMED} more" if len(gaps) > _NAMED else ""
    missing = sum(gap.candles for gap in gaps)
    return f"{len(gaps)} gap{'s' if len(gaps) > 1 else ''}, {missing:,} candles: {named}{more}"
