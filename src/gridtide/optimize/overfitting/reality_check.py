"""Reality check: how often luck alone makes the best of just these sets look as good as it did.

The periods are drawn again in blocks, in the same way for all sets, after each set's mean was taken away: what is
left has the sets' likeness, memory and fat tails, and no skill. Unlike a formula for independent trials it needs no
number of them.

Sources: H. White, "A Reality Check for Data Snooping", Econometrica 68(5), 2000; D. N. Politis and J. P. Romano, "The
Stationary Bootstrap", JASA 89(428), 1994. As in P. R. Hansen, "A Test for Superior Predictive Ability", Journal of
Business & Economic Statistics 23(4), 2005, means are held against their deviation: the Sharpe ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.optimize.overfitting.block_length import automatic_block_length
from gridtide.optimize.overfitting.columns import returns_matrix
from gridtide.optimize.overfitting.stationary_bootstrap import resampled_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class RealityCheck:
    """The best (or the chosen) Sharpe ratio among sets, beside the best of the same sets without skill."""

    luck: float
    """Chance that luck alone makes a best at least as good: the p-value, never quite zero."""
    best: float
    """The highest Sharpe ratio a period, or that of the chosen set."""
    typical_luck: float
    """Median of the best Sharpe ratio a period that luck makes."""
    trials: int
    draws: int
    block_length: float
    """Mean periods of a block."""


def reality_check(
    returns: NDArray[Any],
    generator: np.random.Generator,
    draws: int = 1000,
    block_length: float | None = None,
    chosen: int | None = None,
) -> RealityCheck:
    """White's reality check of the highest Sharpe ratio a period among the columns of `returns`.

    `returns`: of shape (periods, sets), fractions a period, finite; all sets that were tried belong in. Sets that
    never moved have a ratio of 0. `block_length`: mean length in periods; if not given the automatic one of the best
    set's returns. `chosen`: the column that is held against the best that luck makes, if it is not the one with the
    highest ratio. Deterministic for a seeded `generator`. ValueError for other shapes, and for no draws.
    """
    matrix = returns_matrix(returns)
    if draws < 1:
        raise ValueError(f"At least one draw is needed, not {draws}.")
    periods = len(matrix)
    ratios = _ratios(np.full((1, periods), 1.0), matrix)[0]
    winner = int(ratios.argmax()) if chosen is None else chosen
    length = automatic_block_length(matrix[:, winner]) if block_length is None else block_length
    counts = _counts(resampled_places(periods, periods, draws, length, generator), periods)
    luck = np.full(draws, -math.inf)
    for first in range(0, matrix.shape[1], _CHUNK):
        part = matrix[:, first : first + _CHUNK]
        luck = np.maximum(luck, _ratios(counts, part - part.mean(axis=0)).max(axis=1))
    best = float(ratios[winner])
    return RealityCheck(
        luck=(1 + int((luck >= best).sum())) / (draws + 1),
        best=best,
        typical_luck=float(np.median(luck)),
        trials=matrix.shape[1],
        draws=draws,
        block_length=length,
    )


def _counts(places: NDArray[np.int64], periods: int) -> Floats:
    """How often each period was drawn, of shape (draws, periods): sums over a draw become one product of matrices."""
    rows = np.arange(len(places))[:, None] * periods
    flat = np.bincount((places + rows).ravel(), minlength=len(places) * periods)
    return flat.reshape(len(places), periods).astype(np.float64)


def _ratios(counts: Floats, matrix: Floats) -> Floats:
    """Sharpe ratios of shape (draws, sets); 0 where a set does not move."""
    periods = matrix.shape[0]
    means = counts @ matrix / periods
    squares = counts @ np.square(matrix) / periods - np.square(means)
    noise = np.square(1e-7 * np.abs(matrix).max(axis=0))  # what is lost to cancellation
    deviation = np.sqrt(np.maximum(squares, 0) * (periods / (periods - 1)))
    ratios: Floats = np.divide(means, deviation, out=np.zeros_like(means), where=squares > noise)
    return ratios
