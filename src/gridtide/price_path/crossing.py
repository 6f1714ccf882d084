"""The crossing index: where the price next touches a bound, and how far it ranged, without walking there.

Over the points stands a hierarchy of the lowest and highest price of ever larger blocks. What it answers is what the
plain loop over the points answers (proved in the tests), in logarithmic time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridtide.price_path.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.price_path.path import PricePath

    Prices = NDArray[Any]
    Integers = NDArray[np.int64]

_BLOCK = 64
"""Points of a block of the lowest floor."""
_FAN = 16
"""Blocks of which a block of the next floor is made."""
_LEAST, _MOST = -(2**62), 2**62
"""Beyond every price, and within 64 bits by far."""


class PriceRange(NamedTuple):
    """Lowest and highest price, in units of the path."""

    low: int
    high: int


class Descent(NamedTuple):
    """Where an equity may have fallen deeper than before, and the highest price on the way there (itself included)."""

    place: int
    high: int


class CrossingIndex:
    """Answers about `path`; bounds and prices are in its units. It adds a thirtieth of the prices' size."""

    __slots__ = ("_highs", "_lows", "path")

    def __init__(self, path: PricePath) -> None:
        self.path = path
        length = _hierarchy_length(len(path))
        self._lows = np.empty(length, path.prices.dtype)
        self._highs = np.empty(length, path.prices.dtype)
        _build(path.prices, self._lows, self._highs)

    def next_touch(
        self, start: int, at_or_below: int | None = None, at_or_above: int | None = None
    ) -> int | None:
        """The first point from `start` on whose price is at or beyond a bound; None if there is none."""
        below = _LEAST if at_or_below is None else at_or_below
        above = _MOST if at_or_above is None else at_or_above
        if not (_LEAST <= below <= _MOST and _LEAST <= above <= _MOST):
            below, above = _at_hand(below), _at_hand(above)
        found = _next_touch(self.path.prices, self._lows, self._highs, start, below, above)
        return None if found < 0 else found

    def range_of(self, start: int, stop: int) -> PriceRange:
        """The range of the points from `start` up to, not including, `stop`, of which there must be one."""
        low, high = _range_of(self.path.prices, self._lows, self._highs, start, stop)
        return PriceRange(low, high)

    def ranges_of(self, bounds: Integers) -> tuple[Integers, Integers]:
        """Lowest and highest prices of neighbouring stretches, each from a bound up to, not including, the next."""
        return _ranges_of(self.path.prices, self._lows, self._highs, bounds)

    def stays(self, low: int, high: int, start: int, stop: int) -> Integers:
        """Where the price is from `low` to `high`, both included: rows of first point and first point after, of shape
        (stays, 2), within [start, stop)."""
        turns = _turns(self.path.prices, self._lows, self._highs, _at_hand(low), _at_hand(high), start, stop)
        return turns.reshape(-1, 2)

    def next_descent(
        self, start: int, stop: int, holding: tuple[float, float], peak: float, fraction: float
    ) -> Descent:
        """The first point of [start, stop) at which ``cash + base * price`` is at most `fraction` of its peak so far.

        `holding`: cash, and base in units of equity for a unit of price; `peak`: the highest equity before `start`.
        Without such a point the place is `stop`. Computed in floats, so leave `fraction` some room.
        """
        cash, base = holding
        found, high = _next_descent(
            self.path.prices, self._lows, self._highs, start, stop, cash, base, peak, fraction
        )
        return Descent(found, high)


def _at_hand(bound: int) -> int:
    """A bound that fits into 64 bits and means the same."""
    return min(max(bound, _LEAST), _MOST)


# --- machine code: floors of blocks stand one after the other in `lows` and `highs`, the finest first ----------------


def _hierarchy_length(points: int) -> int:
    size = -(-points // _BLOCK)
    length = size
    while size > _FAN:
        size = -(-size // _FAN)
        length += size
    return length


@compiled
def _build(prices: Prices, lows: Prices, highs: Prices) -> None:
    whole = prices.size // _BLOCK
    for node in range(whole):
        block = prices[node * _BLOCK : (node + 1) * _BLOCK]
        low = high = block[0]
        for place in range(_BLOCK):  # a fixed count becomes vector instructions, eight times as fast
            low = min(low, block[place])
            high = max(high, block[place])
        lows[node] = low
        highs[node] = high
    size = (prices.size + _BLOCK - 1) // _BLOCK
    if size > whole:
        lows[whole] = prices[whole * _BLOCK :].min()
        highs[whole] = prices[whole * _BLOCK :].max()
    offset = 0
    while size > _FAN:
        above = offset + size
        for node in range((size + _FAN - 1) // _FAN):
            first = offset + node * _FAN
            last = min(first + _FAN, above)
            lows[above + node] = lows[first:last].min()
            highs[above + node] = highs[first:last].max()
        offset = above
        size = (size + _FAN - 1) // _FAN


@compiled
def _next_touch(prices: Prices, lows: Prices, highs: Prices, start: int, below: int, above: int) -> int:
    node = start // _BLOCK + 1
    for index in range(start, min(node * _BLOCK, prices.size)):
        if prices[index] <= below or prices[index] >= above:
            return index
    node = _next_block(prices.size, lows, highs, node, below, above)
    for index in range(node * _BLOCK, min((node + 1) * _BLOCK, prices.size)):
        if prices[index] <= below or prices[index] >= above:
            return index
    return -1


@compiled
def _next_block(points: int, lows: Prices, highs: Prices, node: int, below: int, above: int) -> int:
    """The first block of the lowest floor, from `node` on, with a price at or beyond a bound; a number of no block if
    there is none: up the floors while nothing is found, and down to what was found."""
    offset, span = 0, _BLOCK
    size = (points + span - 1) // span
    while node < size and lows[offset + node] > below and highs[offset + node] < above:
        node += 1
        if node % _FAN == 0 and size > _FAN:
            offset += size
            size = (size + _FAN - 1) // _FAN
            span *= _FAN
            node //= _FAN
    if node >= size:
        return points
    while offset:
        span //= _FAN
        node *= _FAN
        offset -= (points + span - 1) // span
        while lows[offset + node] > below and highs[offset + node] < above:
            node += 1
    return node


@compiled
def _widest_block(points: int, index: int, stop: int) -> tuple[int, int]:
    """The largest block that begins at `index` and ends by `stop`: its place and its span; span 0 if there is none."""
    span, offset = _BLOCK, 0
    if index % span or index + span > stop:
        return 0, 0
    size = (points + span - 1) // span
    while size > _FAN and index % (span * _FAN) == 0 and index + span * _FAN <= stop:
        offset += size
        span *= _FAN
        size = (points + span - 1) // span
    return offset + index // span, span


@compiled
def _range_of(prices: Prices, lows: Prices, highs: Prices, start: int, stop: int) -> tuple[int, int]:
    low = high = prices[start]
    index = start
    while index < stop:
        place, span = _widest_block(prices.size, index, stop)
        if span:
            low, high = min(low, lows[place]), max(high, highs[place])
            index += span
        else:
            low, high = min(low, prices[index]), max(high, prices[index])
            index += 1
    return low, high


@compiled
def _ranges_of(prices: Prices, lows: Prices, highs: Prices, bounds: Prices) -> tuple[Prices, Prices]:
    found_lows = np.empty(bounds.size - 1, np.int64)
    found_highs = np.empty(bounds.size - 1, np.int64)
    for number in range(bounds.size - 1):
        low, high = _range_of(prices, lows, highs, bounds[number], bounds[number + 1])
        found_lows[number] = low
        found_highs[number] = high
    return found_lows, found_highs


@compiled
def _turns(prices: Prices, lows: Prices, highs: Prices, low: int, high: int, start: int, stop: int) -> Prices:
    """Where the price comes inside and leaves again, by turns; an even number of points, the last maybe `stop`."""
    turns = np.empty(256, np.int64)
    count = 0
    index = start
    while 0 <= index < stop:
        price = prices[index]
        is_inside = low <= price <= high
        if is_inside != count % 2:
            if count == turns.size:
                turns = np.concatenate((turns, np.empty_like(turns)))
            turns[count] = index
            count += 1
        if is_inside:
            index = _next_touch(prices, lows, highs, index, low - 1, high + 1)
        elif price < low:
            index = _next_touch(prices, lows, highs, index, _LEAST, low)
        else:
            index = _next_touch(prices, lows, highs, index, high, _MOST)
    if count % 2:
        turns = np.append(turns[:count], stop)
        count += 1
    return turns[:count]


@compiled
def _next_descent(
    prices: Prices,
    lows: Prices,
    highs: Prices,
    start: int,
    stop: int,
    cash: float,
    base: float,
    peak: float,
    fraction: float,
) -> tuple[int, int]:
    high = prices[start]
    index = start
    while index < stop:
        place, span = _widest_block(prices.size, index, stop)
        top = peak
        while span:
            top = max(peak, cash + base * highs[place])
            if cash + base * lows[place] > fraction * top:
                break
            place, span = _widest_block(prices.size, index, index + span // _FAN)
        if span:
            peak, high = top, max(high, highs[place])
            index += span
            continue
        for point in range(index, min(stop, (index // _BLOCK + 1) * _BLOCK)):
            price = prices[point]
            value = cash + base * price
            high = max(high, price)
            if value > peak:
                peak = value
            elif value <= fraction * peak:
                return point, high
        index = (index // _BLOCK + 1) * _BLOCK
    return stop, high
