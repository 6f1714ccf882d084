"""How many independent trials many similar ones are worth: always a second figure beside their true number.

Grids on the same prices gain and lose together. Both estimates here lie between one and the number of sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.optimize.overfitting.columns import returns_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CHUNK = 1024


def trials_by_correlation(returns: NDArray[Any]) -> float:
    """ρ̄ + (1 − ρ̄)·N, ρ̄ the average correlation between two different sets, taken as 0 if below.

    `returns`: of shape (periods, N), finite. A set that never moved correlates with none. Source: D. H. Bailey and
    M. López de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5), 2014, appendix.
    """
    matrix = returns_matrix(returns)
    sets = matrix.shape[1]
    together = np.zeros(len(matrix))
    for first in range(0, sets, _CHUNK):
        together += _standardised(matrix[:, first : first + _CHUNK]).sum(axis=1)
    moving = _moving(matrix)
    average = (float(together @ together) - moving) / (sets * (sets - 1))
    average = min(1.0, max(0.0, average))
    return float(average + (1 - average) * sets)


def trials_by_clusters(returns: NDArray[Any], correlation: float = 0.7) -> int:
    """Groups of sets that do the same thing: each set joins the first group whose founder it correlates with by at
    least `correlation`, or founds one.

    `returns`: of shape (periods, N), finite. Sets that never moved are one group. A plain stand-in for the
    clustering of M. López de Prado and M. J. Lewis, "Detection of False Investment Strategies Using Unsupervised
    Learning Methods", Quantitative Finance 19(9), 2019, which also counts groups of correlated trials. ValueError
    for a correlation that is not above 0 and at most 1.
    """
    if not 0 < correlation <= 1:
        raise ValueError(f"Sets are alike from a correlation above 0 up to 1, not {correlation}.")
    scaled = _standardised(returns_matrix(returns))
    moving = np.flatnonzero(np.square(scaled).sum(axis=0) > 0.5)
    groups = int(len(moving) < scaled.shape[1])
    left = np.ascontiguousarray(scaled[:, moving].T)
    while len(left):
        groups += 1
        left = left[1:][left[1:] @ left[0] < correlation]
    return groups


def _standardised(matrix: Floats) -> Floats:
    """Columns with mean zero and length one, so that products are correlations; zeros for a set that never moved."""
    centred = matrix - matrix.mean(axis=0)
    length = np.sqrt(np.square(centred).sum(axis=0))
    noise = 1e-13 * np.sqrt(len(matrix)) * np.abs(matrix).max(axis=0)
    scaled: Floats = np.divide(centred, length, out=np.zeros_like(centred), where=length > noise)
    return scaled


def _moving(matrix: Floats) -> int:
    """Sets that moved at all."""
    return sum(
        int((np.square(_standardised(matrix[:, first : first + _CHUNK])).sum(axis=0) > 0.5).sum())
        for first in range(0, matrix.shape[1], _CHUNK)
    )
