"""From the sweep's daily equity to the matrix of returns that the statistics take.

Sets without a result have no column: they stay in the number of trials only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def daily_returns(
    daily_equity: NDArray[Any], initial_equity: NDArray[Any]
) -> tuple[Floats, NDArray[np.int64]]:
    """Returns a day, of shape (days, sets with a result), and the rows of these sets.

    `daily_equity`: of shape (sets, days), quote at each day's end, NaN rows for sets without a result, as the sweep
    kernel gives it; `initial_equity`: of shape (sets,). A day after which nothing is left returns −1, the days after
    it 0. ValueError for other shapes.
    """
    ends, starts = np.asarray(daily_equity, np.float64), np.asarray(initial_equity, np.float64)
    if ends.ndim != 2 or starts.shape != ends.shape[:1]:
        raise ValueError(
            f"Equity of {starts.shape} at the start does not go with {ends.shape} sets and days."
        )
    rows = np.flatnonzero(np.isfinite(ends).all(axis=1) & np.isfinite(starts))
    curve = np.column_stack((starts[rows], ends[rows])).T
    before = curve[:-1]
    returns: Floats = np.divide(curve[1:] - before, before, out=np.zeros_like(before), where=before > 0)
    return returns, rows
