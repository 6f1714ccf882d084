"""CSCV by the Sharpe ratio, compiled: sums of the blocks' returns and squares are added up instead of their rows.

Each half's Sharpe ratio costs two additions: one from each of two tables with the sums of all subsets of eight
blocks. Columns are taken a few at a time, so that the tables stay in the processor's cache, and no table has a row a
split and a column a set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridtide.price_path.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

_COLUMNS = 128
_FLAT = 1e-14
"""A standard deviation this small beside the largest return is the noise of floats."""


class _Sums(NamedTuple):
    """Sums by block and set of returns less the set's own mean, so that nothing cancels."""

    totals: Any
    """Of these returns, blocks × sets."""
    squares: Any
    """Of their squares."""
    means: Any
    """What was taken off, one a set."""
    floors: Any
    """Squares below which a half is flat, one a set."""
    rows: int
    """Periods of a half."""

    def part(self, first: int) -> _Sums:
        """A few sets from `first` on."""
        part = slice(first, first + _COLUMNS)
        return _Sums(
            self.totals[:, part], self.squares[:, part], self.means[part], self.floors[part], self.rows
        )


def sharpe_outcomes(matrix: Floats, blocks: int, halves: Integers) -> tuple[Integers, Floats, Floats, Floats]:
    """For each half (bit mask of blocks) the column with the highest Sharpe ratio, that ratio, its ratio in the other
    half, and its rank there: 1 the lowest, ties at their middle.

    `matrix`: of shape (periods, sets); the periods are divisible by `blocks`. The i-th half's complement is the i-th
    from the end.
    """
    count = len(halves)
    winners, best = np.zeros(count, np.int64), np.full(count, -np.inf)
    looked_up = np.empty(count)
    below, level = np.zeros((2, count), np.int64)
    sums = _block_sums(matrix, blocks)
    for first in range(0, matrix.shape[1], _COLUMNS):
        _choose(sums.part(first), halves, first, winners, best)
    _look_up(sums, halves, winners, looked_up)
    for first in range(0, matrix.shape[1], _COLUMNS):
        _rank(sums.part(first), halves, looked_up, below, level)
    return winners, best, looked_up, below + (level + 1) / 2


def _block_sums(matrix: Floats, blocks: int) -> _Sums:
    periods, sets = matrix.shape
    totals, squares = np.empty((2, blocks, sets))
    means, floors = np.empty((2, sets))
    for first in range(0, sets, _COLUMNS):
        part = slice(first, first + _COLUMNS)
        returns = matrix[:, part]
        means[part] = returns.mean(axis=0)
        floors[part] = np.square(_FLAT * np.abs(returns).max(axis=0)) * periods
        centred = (returns - means[part]).reshape(blocks, periods // blocks, -1)
        totals[:, part] = centred.sum(axis=1)
        squares[:, part] = np.square(centred).sum(axis=1)
    return _Sums(totals, squares, means, floors, periods // 2)


@compiled
def _subset_sums(sums: Any) -> Any:
    """Row `mask` holds the sum of the rows of `sums` whose bits are set in `mask`, added from the first on."""
    rows, columns = sums.shape
    table = np.zeros((1 << rows, columns))
    for row in range(rows):
        for mask in range(1 << row):
            for column in range(columns):
                table[(1 << row) + mask, column] = table[mask, column] + sums[row, column]
    return table


@compiled
def _tables(sums: Any) -> Any:
    bits = sums.totals.shape[0] // 2
    return (
        _subset_sums(sums.totals[:bits]),
        _subset_sums(sums.totals[bits:]),
        _subset_sums(sums.squares[:bits]),
        _subset_sums(sums.squares[bits:]),
    )


@compiled
def _measure(sums: Any, tables: Any, half: int, ratios: Any) -> None:
    """Sharpe ratios of one half; 0 for a set that is flat there."""
    bits = sums.totals.shape[0] // 2
    below, above = half & ((1 << bits) - 1), half >> bits
    low, high, low2, high2 = tables[0][below], tables[1][above], tables[2][below], tables[3][above]
    for column in range(ratios.size):
        total = low[column] + high[column]
        left = low2[column] + high2[column] - total * total / sums.rows
        is_flat = left <= sums.floors[column]
        deviation = 1.0 if is_flat else np.sqrt(left / (sums.rows - 1))
        ratios[column] = 0.0 if is_flat else (sums.means[column] + total / sums.rows) / deviation


@compiled
def _choose(sums: Any, halves: Any, first: int, winners: Any, best: Any) -> None:
    tables = _tables(sums)
    ratios = np.empty(sums.means.size)
    for split in range(halves.size):
        _measure(sums, tables, halves[split], ratios)
        place = ratios.argmax()
        if ratios[place] > best[split]:
            best[split] = ratios[place]
            winners[split] = first + place


@compiled
def _look_up(sums: Any, halves: Any, winners: Any, looked_up: Any) -> None:
    """The winners in the other halves, added up in the same order as the tables, so equal to the last bit."""
    blocks = sums.totals.shape[0]
    for split in range(halves.size):
        half, column = halves[halves.size - 1 - split], winners[split]
        added = np.zeros((2, 2))
        for block in range(blocks):
            if half >> block & 1:
                added[0, block // (blocks // 2)] += sums.totals[block, column]
                added[1, block // (blocks // 2)] += sums.squares[block, column]
        total = added[0, 0] + added[0, 1]
        left = added[1, 0] + added[1, 1] - total * total / sums.rows
        looked_up[split] = 0.0
        if left > sums.floors[column]:
            mean = sums.means[column] + total / sums.rows
            looked_up[split] = mean / np.sqrt(left / (sums.rows - 1))


@compiled
def _rank(sums: Any, halves: Any, looked_up: Any, below: Any, level: Any) -> None:
    """Counts the columns of this part that are below, and level with, each split's winner in the other half; the
    winner is level with itself."""
    tables = _tables(sums)
    ratios = np.empty(sums.means.size)
    for split in range(halves.size):
        _measure(sums, tables, halves[halves.size - 1 - split], ratios)
        is_below = is_level = 0
        for column in range(ratios.size):
            is_below += ratios[column] < looked_up[split]
            is_level += ratios[column] == looked_up[split]
        below[split] += is_below
        level[split] += is_level
