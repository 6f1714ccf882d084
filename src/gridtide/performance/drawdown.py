"""The deepest fall of equity below its former peak, over every point of the walk, exact to the last digit.

Stretches that cannot hold it are skipped by their lowest and highest price; what decides is compared in integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import EXACT, ZERO, Money, divide_down

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.performance.equity import Equity
    from gridtide.performance.walk import Scan

    Integers = NDArray[np.int64]

_ROOM = 1 + 1e-12
"""The search in floats may offer a little too much; it must never miss."""


@dataclass(frozen=True, slots=True)
class Drawdown:
    """From the peak to the trough. `fraction` of the peak is positive, cut to 12 decimals; 0 where equity never fell.

    Source of the definition: Magdon-Ismail and Atiya, "Maximum drawdown", Risk 17(10), 2004.
    """

    fraction: Decimal
    peak: Money
    trough: Money
    peak_index: int
    trough_index: int


class _Stretch(NamedTuple):
    """Points [start, stop) over which the same is held; equity is ``cash + base * price``, all of them integers."""

    start: int
    stop: int
    cash: int
    base: int

    def value(self, price: int) -> int:
        return self.cash + self.base * price


class _Level(NamedTuple):
    """An equity, the price it stood at (None: the opening), and where its stretch starts."""

    value: int
    price: int | None
    start: int


def max_drawdown(equity: Equity) -> Drawdown:
    """The maximum drawdown of a run whose cash and base are never negative.

    Costs about a microsecond a holding, whatever the length of the walk. Raises `InvalidValue` for a run that began
    without money.
    """
    if equity.opening <= 0:
        raise InvalidValue("a run that began without money has no drawdown: give it cash or base")
    lows, highs = equity.scan.ranges_of(equity.bounds)
    rows = _that_matter(equity, lows, highs).tolist()
    holdings, places = [equity.holdings[row] for row in rows], equity.scan.path.places
    scale = max(_places(equity.opening), *(_places(each.cash) for each in holdings))
    scale = max(scale, *(_places(each.base) + places for each in holdings))
    search = _Search(equity.scan, _scaled(equity.opening, scale), equity.start)
    for row, holding in zip(rows, holdings, strict=True):
        cash, base = _scaled(holding.cash, scale), _scaled(holding.base, scale - places)
        stretch = _Stretch(holding.from_index, int(equity.bounds[row + 1]), cash, base)
        search.pass_over(stretch, int(lows[row]), int(highs[row]))
    return search.result(scale)


def _that_matter(equity: Equity, lows: Integers, highs: Integers) -> Integers:
    """Rows of the holdings that may set a new peak, or fall deeper from it than is sure to have happened.

    In floats, with room for their errors: it leaves out what surely decides nothing, and no more.
    """
    least, most = equity.during(lows), equity.during(highs)
    peaks = np.maximum.accumulate(np.concatenate(([float(equity.opening)], most)))
    surely = float((least / peaks[:-1]).min())
    may_climb = most * _ROOM >= peaks[1:]
    may_fall = least <= surely * peaks[1:] * _ROOM
    return np.flatnonzero(may_climb | may_fall)


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _scaled(value: Decimal, places: int) -> int:
    return int(EXACT.scaleb(value, places))


class _Search:
    """Walks over stretches with the peak so far; keeps the pair with the smallest trough / peak."""

    def __init__(self, scan: Scan, value: int, start: int) -> None:
        self._scan = scan
        opening = _Level(value, None, start)
        self._peak = opening
        self._worst = (opening, opening)

    def pass_over(self, stretch: _Stretch, low: int, high: int) -> None:
        """A stretch with its range of prices; only one that brings a new peak and may bring a deeper fall too must
        be looked into."""
        if stretch.value(high) <= self._peak.value:
            self._note(stretch, low)
        elif self._is_deeper(stretch.value(low), stretch.value(high)):
            self._look_into(stretch)
        self._climb(stretch, high)

    def _is_deeper(self, trough: int, peak: int) -> bool:
        worst_peak, worst_trough = self._worst
        return trough * worst_peak.value < worst_trough.value * peak

    def _note(self, stretch: _Stretch, low: int) -> None:
        if self._is_deeper(stretch.value(low), self._peak.value):
            self._worst = (self._peak, _Level(stretch.value(low), low, stretch.start))

    def _climb(self, stretch: _Stretch, high: int) -> None:
        if stretch.value(high) > self._peak.value:
            self._peak = _Level(stretch.value(high), high, stretch.start)

    def _look_into(self, stretch: _Stretch) -> None:
        """From one fall that may be the deepest to the next; each ends where the peak is passed."""
        place = stretch.start
        while place < stretch.stop:
            place, high = self._scan.next_descent(
                place, stretch.stop, (float(stretch.cash), float(stretch.base)), *self._floats()
            )
            self._climb(stretch, high)
            if place < stretch.stop:
                end = self._passed(stretch, place)
                self._note(stretch, self._scan.range_of(place, end)[0])
                place = end

    def _floats(self) -> tuple[float, float]:
        """The peak, and the fraction of a peak that a fall must reach to count."""
        worst_peak, worst_trough = self._worst
        return float(self._peak.value), worst_trough.value / worst_peak.value * _ROOM

    def _passed(self, stretch: _Stretch, place: int) -> int:
        """Where equity first is above the peak, or the stretch ends."""
        if not stretch.base:
            return stretch.stop
        above = (self._peak.value - stretch.cash) // stretch.base + 1
        found = self._scan.next_touch(place, at_or_above=above)
        return stretch.stop if found is None else min(found, stretch.stop)

    def result(self, scale: int) -> Drawdown:
        peak, trough = self._worst
        high, low = (Money(EXACT.scaleb(Decimal(each.value), -scale)) for each in self._worst)
        peak_index = self._first(peak, peak.start, at_or_above=peak.price)
        trough_index = self._first(trough, max(peak_index, trough.start), at_or_below=trough.price)
        fraction = divide_down(high - low, high) if high > low else ZERO
        return Drawdown(fraction, high, low, peak_index, trough_index)

    def _first(
        self, level: _Level, start: int, at_or_below: int | None = None, at_or_above: int | None = None
    ) -> int:
        """The first point from `start` on that is as low, or as high, as a level."""
        if level.price is None:
            return level.start
        found = self._scan.next_touch(start, at_or_below, at_or_above)
        return start if found is None else found
