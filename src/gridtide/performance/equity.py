"""Equity at any point of a walk: between two fills it is cash + base × price, and only what is held changes by fills.

Money at single points is exact; whole curves are floats, for charts and statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import EXACT, Money
from gridtide.performance.days import midnights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.performance.walk import Scan

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


class Holding(NamedTuple):
    """What is held from a point on: quote and base, both after the fills at that point."""

    from_index: int
    cash: Decimal
    base: Decimal


class Curve(NamedTuple):
    """Equal-length arrays: points of the walk, their times (ms), equity in quote, and the share of it held in base."""

    indices: Integers
    times: Integers
    equity: Floats
    exposure: Floats


class Equity:
    """A run over the points [`start`, `stop`) of a walk.

    `holdings` are in order; the first is what the run began with, valued at the price of its point. Of several at one
    point the last counts, but for that beginning. Raises `InvalidValue` for holdings that are none or out of order.
    """

    __slots__ = ("_bases", "_cash", "_starts", "bounds", "holdings", "opening", "scan", "start", "stop")

    def __init__(self, scan: Scan, holdings: Sequence[Holding], stop: int | None = None) -> None:
        self.scan = scan
        self.stop = len(scan.path) if stop is None else stop
        self.holdings = _standing(holdings, self.stop)
        self.start = self.holdings[0].from_index
        self.opening = self._value(holdings[0], self.start)
        self._starts = np.array([each.from_index for each in self.holdings], np.int64)
        self.bounds = np.append(self._starts, self.stop)
        self._cash = np.array([float(each.cash) for each in self.holdings])
        self._bases = np.array([float(each.base) for each in self.holdings]) / 10.0**scan.path.places

    def exactly_at(self, index: int) -> Money:
        """Equity at a point of the run, exact."""
        row = int(self._rows(np.array([index]))[0])
        return self._value(self.holdings[row], index)

    def closing(self) -> Money:
        """Equity at the last point, exact."""
        return self._value(self.holdings[-1], self.stop - 1)

    def _value(self, holding: Holding, index: int) -> Money:
        with localcontext(EXACT):
            return Money(holding.cash + holding.base * self.scan.path.price(index))

    def at(self, indices: Integers) -> Floats:
        """Equity at points of the run."""
        return self._cash[self._rows(indices)] + self._in_base(indices)

    def during(self, prices: Integers) -> Floats:
        """Equity at a price, in units of the walk, for each of `holdings`; row by row they stand between `bounds`."""
        return self._cash + self._bases * prices

    def cash_at(self, indices: Integers) -> Floats:
        """The quote that is held at points of the run."""
        return self._cash[self._rows(indices)]

    def _rows(self, indices: Integers) -> Integers:
        return np.searchsorted(self._starts, indices, side="right") - 1

    def _in_base(self, indices: Integers) -> Floats:
        value: Floats = self._bases[self._rows(indices)] * self.scan.path.prices[indices]
        return value

    def curve(self, samples: int = 2000) -> Curve:
        """At `samples` moments evenly spread in time, and at every fill besides."""
        return self._curve(np.union1d(self._evenly(samples), self._starts))

    def mean_exposure(self, samples: int = 2000) -> float:
        """Share of equity held in base, averaged over as many moments evenly spread in time."""
        return float(self._curve(self._evenly(samples)).exposure.mean())

    def _curve(self, indices: Integers) -> Curve:
        equity, in_base = self.at(indices), self._in_base(indices)
        exposure = np.divide(in_base, equity, out=np.zeros_like(equity), where=equity > 0)
        return Curve(indices, self.scan.path.times(indices), equity, exposure)

    def _evenly(self, samples: int) -> Integers:
        path = self.scan.path
        first, last = path.time(self.start), path.time(self.stop - 1)
        return self._right_before(np.linspace(first, last, samples).astype(np.int64) + 1)

    def _right_before(self, times_ms: Integers) -> Integers:
        """The last points of the run that are reached before times."""
        return np.clip(self.scan.path.firsts_at(times_ms) - 1, self.start, self.stop - 1)

    def daily(self) -> Floats:
        """Equity at the beginning, right before each UTC midnight, and at the end."""
        path = self.scan.path
        ends = self._right_before(midnights(path.time(self.start), path.time(self.stop - 1)))
        return np.concatenate(([float(self.opening)], self.at(np.append(ends, self.stop - 1))))


def _standing(holdings: Sequence[Holding], stop: int) -> tuple[Holding, ...]:
    """Without those that another one follows at the same point."""
    points = [each.from_index for each in holdings]
    if not points or points != sorted(points) or points[0] < 0 or points[-1] >= stop:
        raise InvalidValue("holdings must follow one another within the run, and there must be one")
    last = {each.from_index: each for each in holdings}
    return tuple(last.values())
