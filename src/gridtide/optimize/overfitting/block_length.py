"""Automatic mean block length for the stationary bootstrap: long enough to keep a series' memory, and no longer.

Sources: D. N. Politis and H. White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric
Reviews 23(1), 2004; A. Patton, D. N. Politis and H. White, "Correction", Econometric Reviews 28(4), 2009. Constants
are those of Patton's program, and correlations are taken as in K. Sheppard's arch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.optimize.overfitting.columns import refuse_unfinished

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAST_VALUES = 10


def automatic_block_length(series: NDArray[Any]) -> float:
    """Mean length in values, from 1 to min(3√n, n/3).

    `series`: of shape (n,), finite, stationary, such as returns. A series that never moves has no memory: 1.
    ValueError for fewer than ten values.
    """
    values = np.asarray(series, np.float64).ravel()
    refuse_unfinished(values)
    count = len(values)
    if count < _LEAST_VALUES:
        raise ValueError(f"A block length needs at least {_LEAST_VALUES} values, not {count}.")
    if np.ptp(values) <= 1e-14 * float(np.abs(values).max()):
        return 1.0
    covariances, correlations = _memory(values)
    reach = _reach(correlations, count, len(covariances) - 1)
    lags = np.arange(1, reach + 1)
    window = np.minimum(1.0, 2 * (1 - lags / reach))  # flat top, then down to zero
    change = float(2 * (window * lags * covariances[1 : reach + 1]).sum())
    long_run = float(covariances[0] + 2 * (window * covariances[1 : reach + 1]).sum())
    if long_run == 0:
        return 1.0
    length = (change / long_run) ** 2 * count  # 2·G² / D with D = 2·g²(0) for the stationary bootstrap
    longest = math.ceil(min(3 * math.sqrt(count), count / 3))
    return float(min(max(1.0, length ** (1 / 3)), longest))


def _memory(values: Floats) -> tuple[Floats, Floats]:
    """Autocovariances, and absolute autocorrelations, at lags 0 … √n + K."""
    count = len(values)
    centred = values - values.mean()
    lags = min(math.ceil(math.sqrt(count)) + _run(count), count - 2)
    covariances, correlations = np.empty((2, lags + 1))
    for lag in range(lags + 1):
        product = float(centred[lag:] @ centred[: count - lag])
        covariances[lag] = product / count
        later, earlier = centred[lag + 1 :], centred[: count - lag - 1]
        scale = math.sqrt(float(later @ later) * float(earlier @ earlier))
        correlations[lag] = abs(product) / scale if scale > 0 else 0.0
    return covariances, correlations


def _run(count: int) -> int:
    """Neighbouring lags that must all be insignificant."""
    return max(5, int(math.log10(count)))


def _reach(correlations: Floats, count: int, lags: int) -> int:
    """Lags the estimate looks at: twice those before the first run of insignificant ones."""
    band = 2 * math.sqrt(math.log10(count) / count)
    run = _run(count)
    for first in range(lags - run + 1):
        if (correlations[first : first + run] < band).all():
            return min(2 * max(first, 1), lags)
    return lags
