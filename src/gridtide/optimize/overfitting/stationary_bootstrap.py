"""Stationary bootstrap: a series drawn again in blocks of random length, which keeps its short memory.

It draws from the generator it is handed and from nothing else, so a seed gives the same draws everywhere.

Source: D. N. Politis and J. P. Romano, "The Stationary Bootstrap", Journal of the American Statistical Association
89(428), 1994.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def resampled_places(
    values: int, length: int, draws: int, block_length: float, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Places to take from a series of `values`, of shape (draws, length), each from 0 to values − 1.

    A block begins anywhere with equal chance, ends after each value with chance 1/`block_length` (its mean length, at
    least 1), and goes on at the series' beginning when it passes its end. ValueError for counts below one.
    """
    if min(values, length, draws) < 1:
        raise ValueError("A bootstrap needs at least one value, one place and one draw.")
    if not block_length >= 1:
        raise ValueError(f"Blocks have a mean length of at least 1, not {block_length}.")
    begins = generator.random((draws, length), np.float32) < 1 / block_length
    begins[:, 0] = True
    steps = np.arange(length)
    since = steps - np.maximum.accumulate(np.where(begins, steps, 0), axis=1)
    starts = generator.integers(values, size=int(begins.sum()))
    numbers = np.cumsum(begins).reshape(begins.shape) - 1
    places: NDArray[np.int64] = (starts[numbers] + since) % values
    return places
