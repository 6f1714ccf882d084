"""Checks what every statistic here takes: a matrix of returns, one row a period, one column a set of parameters.

A value that is not a number is refused, never skipped: leaving out a set changes how many were tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def returns_matrix(returns: NDArray[Any], least_sets: int = 2) -> Floats:
    """`returns` as float64 of shape (periods, sets), without a copy where it is that already.

    ValueError for another shape, for fewer than `least_sets`, and for values that are not finite.
    """
    matrix = np.asarray(returns, np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"Returns must be a matrix of periods by sets, not of shape {matrix.shape}.")
    if matrix.shape[1] < least_sets:
        raise ValueError("A choice needs at least two sets of parameters to choose from.")
    refuse_unfinished(matrix)
    return matrix


def refuse_unfinished(values: Floats) -> None:
    """ValueError if a value is infinite or not a number."""
    if not np.isfinite(values).all():
        raise ValueError(
            "Returns must be finite numbers; sets that were refused count as trials, but have no column here."
        )
