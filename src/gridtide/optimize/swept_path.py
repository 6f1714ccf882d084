"""A market's raw price path and its compressions: what a sweep worker loads once and every set is played on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridtide.domain.market import Market
    from gridtide.price_path.path import PricePath

    Integers = NDArray[np.int64]


class SweptPath:
    """Prices in whole ticks of `market`, times in ms, and what is derived from both when it is first needed."""

    market: Market
    prices: NDArray[Any]
    """Ticks, of int32 or int64, a number each raw point."""
    times: Integers
    """When each raw point is reached, ms UTC."""

    @classmethod
    def of(cls, path: PricePath, market: Market) -> Self:
        """Over a price path, whose prices must be multiples of the market's tick; else `InvalidValue`."""
        raise NotImplementedError

    def window(self, start_ms: int, stop_ms: int) -> SweptPath:
        """The points reached at or after `start_ms` and before `stop_ms`, as a path of their own (nothing is copied but
        what is derived). Raises `InvalidValue` where there is none."""
        raise NotImplementedError

    def prepare(self, sets: NDArray[Any]) -> None:
        """Make the compressions that `sets` need, which `play_sets` would else do at first need."""
        raise NotImplementedError

    @property
    def day_ends(self) -> Integers:
        """Times (ms) that the columns of `Played.daily_equity` stand for: each UTC midnight and the last point."""
        raise NotImplementedError

    def save(self, folder: Path, steps: Sequence[int] = ()) -> None:
        """Write everything that has been derived so far, as files that `load` can map into memory."""
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path, *, mmap: bool = True) -> Self:
        """What `save` wrote; with `mmap` the operating system shares the pages between processes."""
        raise NotImplementedError
