"""Probability of backtest overfitting by combinatorially symmetric cross-validation (CSCV).

The periods are cut into S blocks; each way to take half of them as in-sample chooses its winner there and looks it up
in the other half. All ways are taken, so nothing here is random.

Source: D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu, "The Probability of Backtest Overfitting",
Journal of Computational Finance 20(4), 2017 (working paper of February 2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.optimize.overfitting.columns import refuse_unfinished, returns_matrix
from gridtide.optimize.overfitting.cscv_sharpe import sharpe_outcomes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

Statistic = Callable[["Floats"], "Floats"]
"""From returns of shape (periods, sets) to one figure a set; more is better."""

LEAST_PERIODS = 20
"""Four blocks of five."""
_LEAST_ROWS_A_BLOCK = 5
_MOST_BLOCKS = 16
"""12,870 splits, as in the paper; more blocks shorten each half's memory without a better estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class Cscv:
    """What CSCV found. Arrays have one value for each of the `splits`; performance is in the statistic's unit."""

    trials: int
    """Sets of parameters, N."""
    blocks: int
    """Blocks the periods were cut into, S."""
    periods: int
    """Periods used: the oldest ones are left out where S does not divide them."""
    overfitting: float
    """Share of splits whose winner was, in the other half, not above the median set: the PBO."""
    loss: float
    """Share of splits whose winner fell below the threshold (default 0) in the other half."""
    slope: float
    """Of the line of out-of-sample on in-sample performance of the winners; NaN if the latter do not differ."""
    intercept: float
    logits: Floats
    """ln(ω / (1 − ω)), ω the winner's relative rank in the other half."""
    winners: Integers
    """Columns chosen in-sample."""
    in_sample: Floats
    out_of_sample: Floats

    @property
    def splits(self) -> int:
        """Ways to halve the blocks: S! / (S/2)!²."""
        return len(self.logits)


def usual_blocks(periods: int) -> int:
    """The largest even number of blocks up to 16 with at least five periods each. ValueError below 20 periods, where
    not even four such blocks exist."""
    blocks = min(_MOST_BLOCKS, periods // _LEAST_ROWS_A_BLOCK // 2 * 2)
    if periods < LEAST_PERIODS:
        raise ValueError(
            f"Cross-validation needs at least {LEAST_PERIODS} periods of returns, not {periods}."
        )
    return blocks


def cscv(
    returns: NDArray[Any],
    blocks: int | None = None,
    statistic: Statistic | None = None,
    loss_below: float = 0.0,
) -> Cscv:
    """The probability that choosing the best set in-sample is worthless out-of-sample.

    `returns`: of shape (periods, sets), equal periods in their order, fractions. `blocks`: even; `usual_blocks` of
    the periods if not given. `statistic`: what "best" means; the Sharpe ratio a period (mean over sample standard
    deviation, riskless rate 0; 0 for a set that never moved) if not given, for which 20,000 sets and 16 blocks take
    seconds and less memory than the matrix itself. Another statistic is called once for each half of each split. A
    winner's rank is counted from 1 (worst) to N, ties at their middle, and ω = rank / (N + 1).

    ValueError for a matrix that is none, values that are not finite, or a number of blocks that is odd or leaves a
    block without periods.
    """
    matrix = returns_matrix(returns)
    blocks = usual_blocks(len(matrix)) if blocks is None else blocks
    if blocks < 2 or blocks % 2 or blocks > 20:
        raise ValueError(f"The number of blocks must be even, from 2 to 20, not {blocks}.")
    rows = len(matrix) // blocks
    if rows * blocks < 4:
        raise ValueError(f"{len(matrix)} periods are too few for {blocks} blocks.")
    matrix = matrix[len(matrix) - rows * blocks :]
    halves = _halves(blocks)
    if statistic is None:
        outcome = sharpe_outcomes(matrix, blocks, halves)
    else:
        outcome = _outcomes(matrix, blocks, halves, statistic)
    return _summary(matrix, blocks, outcome, loss_below)


def _summary(
    matrix: Floats, blocks: int, outcome: tuple[Integers, Floats, Floats, Floats], loss_below: float
) -> Cscv:
    winners, inside, outside, ranks = outcome
    relative = ranks / (matrix.shape[1] + 1)
    slope, intercept = _line(inside, outside)
    return Cscv(
        trials=matrix.shape[1],
        blocks=blocks,
        periods=len(matrix),
        overfitting=float((relative <= 0.5).mean()),
        loss=float((outside < loss_below).mean()),
        slope=slope,
        intercept=intercept,
        logits=np.log(relative / (1 - relative)),
        winners=winners,
        in_sample=inside,
        out_of_sample=outside,
    )


def _halves(blocks: int) -> Integers:
    """One bit mask of blocks for each half; the complement of the i-th is the i-th from the end."""
    return np.array(
        [sum(1 << block for block in half) for half in combinations(range(blocks), blocks // 2)], np.int64
    )


def _outcomes(
    matrix: Floats, blocks: int, halves: Integers, statistic: Statistic
) -> tuple[Integers, Floats, Floats, Floats]:
    """By any statistic: each half is measured once, as in-sample of one split and out-of-sample of another."""
    parts = matrix.reshape(blocks, -1, matrix.shape[1])
    winners = np.empty(len(halves), np.int64)
    inside, outside, ranks = np.empty((3, len(halves)))
    for split in range(len(halves) // 2):
        mirrored = len(halves) - 1 - split
        here, there = (
            _measured(statistic, parts[[block for block in range(blocks) if half >> block & 1]])
            for half in (int(halves[split]), int(halves[mirrored]))
        )
        for place, chosen_by, looked_up in ((split, here, there), (mirrored, there, here)):
            winner = winners[place] = int(chosen_by.argmax())
            inside[place], outside[place] = chosen_by[winner], looked_up[winner]
            below, level = (looked_up < outside[place]).sum(), (looked_up == outside[place]).sum()
            ranks[place] = below + (level + 1) / 2
    return winners, inside, outside, ranks


def _measured(statistic: Statistic, part: Floats) -> Floats:
    measured = np.asarray(statistic(part.reshape(-1, part.shape[2])), np.float64)
    if measured.shape != (part.shape[2],):
        raise ValueError(f"The statistic must give one figure a set, not shape {measured.shape}.")
    refuse_unfinished(measured)
    return measured


def _line(inside: Floats, outside: Floats) -> tuple[float, float]:
    """Slope and intercept of least squares; NaN where the winners' in-sample performance is always the same."""
    spread = inside - inside.mean()
    squares = float(spread @ spread)
    if squares <= len(inside) * (1e-12 * max(1e-300, float(np.abs(inside).max()))) ** 2:
        return math.nan, math.nan
    slope = float(spread @ outside) / squares
    return slope, float(outside.mean() - slope * inside.mean())
