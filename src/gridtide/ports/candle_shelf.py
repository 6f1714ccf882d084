"""Where candles are kept for the long term, beside the files: a database that outlives a folder.

A shelf gives back every digit that was put on it, and knows which time it has been given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gridtide.domain.candle import Candle
    from gridtide.domain.market import Symbol


@dataclass(frozen=True, slots=True)
class CandleSet:
    """The candles of one timeframe of one market on one exchange."""

    exchange: str
    symbol: Symbol
    timeframe: str


@dataclass(frozen=True, slots=True)
class CandleRun:
    """From `start` up to and without `end` (ms) every candle that `origin` had is there."""

    start: int
    end: int
    origin: str


class CandleShelf(Protocol):
    """Raises `StorageFailed` where the database refuses; nothing of that call then is stored."""

    def runs(self, candles: CandleSet) -> tuple[CandleRun, ...]:
        """What has been put there, in order of time."""

    def read(self, candles: CandleSet, start: int, end: int) -> Sequence[Candle]:
        """The candles that open in that time, in order."""

    def put(self, candles: CandleSet, run: CandleRun, rows: Sequence[Candle]) -> None:
        """Keep the candles of a run; they take the place of those that open in its time."""

    def close(self) -> None: ...
