"""Lossless compression of a path: every swing smaller than a threshold is dropped, and nothing that a grid sees.

What is kept are the turning points. Between two of them the price stays within both (their hull) and nowhere turns back
by the threshold or more; so a grid whose smallest step is at least the threshold crosses the same levels in the same
order on what is kept as on the whole path (proved in the tests).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.domain.errors import InvalidValue
from gridtide.price_path.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Prices = NDArray[Any]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Smallest swing that is kept: `absolute` units of the path, and `relative` to the swing's lower end, added up.

    A grid sees nothing of smaller ones if each of its steps, from price p on, is at least ``absolute + relative·p``.
    """

    absolute: int = 0
    relative: float = 0.0

    def __post_init__(self) -> None:
        if self.absolute < 0 or self.relative < 0 or not (self.absolute or self.relative):
            raise InvalidValue("the smallest swing to keep must be above zero")


def turning_points(prices: Prices, threshold: Threshold, among: Integers | None = None) -> Integers:
    """Indices of the points that are kept, ascending: the first, the last, and each turn of at least `threshold`.

    At both ends, where it is open how far a swing goes, the smaller turns that the hull needs are kept too. `among`:
    the result for a smaller threshold on the same prices; it gives as lossless a result in less time. `prices` must not
    be empty.
    """
    if among is None:
        return _turning_points(prices, threshold.absolute, threshold.relative)
    kept: Integers = among[_turning_points(prices[among], threshold.absolute, threshold.relative)]
    return kept


def extremes_before(prices: Prices, turns: Integers, places: Integers) -> tuple[Integers, Integers]:
    """For each of the ascending `places`: the number of the leg it lies in, and how far that leg had come.

    Leg j ends at ``turns[j]``, which belongs to it; leg 0 is the first point alone. How far: the lowest price so far of
    a falling leg, the highest of a rising one. A place forced into what is kept by these two numbers changes no
    crossing: go to the extreme first, then look at the place's own price.
    """
    return _extremes_before(prices, turns, places)


def extremes_among(
    prices: Prices,
    finer: Integers,
    finer_legs: Integers,
    finer_extremes: Prices,
    turns: Integers,
    places: Integers,
) -> tuple[Integers, Prices]:
    """The same as `extremes_before` in less time, where `turns` were found among `finer` ones: those at their `prices`,
    with what `extremes_before` gave for them."""
    return _extremes_among(prices, finer, finer_legs, finer_extremes, turns, places)


@compiled
def _turning_points(  # noqa: PLR0915  one walk with three parts, which share all they know
    prices: Prices, absolute: float, relative: float
) -> Integers:
    size = prices.size
    kept = np.empty(1024, np.int64)
    count = 1
    kept[0] = 0
    # While it is open which way the first swing goes: each new extreme, by turns.
    high = low = prices[0]
    last, rising, index = 0, 0, 1
    while index < size:
        price = prices[index]
        if price > high or price < low:
            turned = 1 if price > high else -1
            if rising not in (0, turned):
                if count == kept.size:
                    kept = np.concatenate((kept, np.empty_like(kept)))
                kept[count] = last
                count += 1
            rising, last = turned, index
            high, low = max(high, price), min(low, price)
            if high - low >= absolute + relative * low:
                index += 1
                break
        index += 1
    # From here on `last` is the extreme of the swing under way, in the direction of `rising`.
    extreme = prices[last]
    while index < size:
        price = prices[index]
        if rising > 0:
            if price > extreme:
                extreme, last = price, index
                index += 1
                continue
            turns = extreme - price >= absolute + relative * price
        else:
            if price < extreme:
                extreme, last = price, index
                index += 1
                continue
            turns = price - extreme >= absolute + relative * extreme
        if turns:
            if count == kept.size:
                kept = np.concatenate((kept, np.empty_like(kept)))
            kept[count] = last
            count += 1
            extreme, last, rising = price, index, -rising
        index += 1
    if last == 0:
        return np.array([0, size - 1]) if size > 1 else kept[:1]
    # The last swing's extreme, and what shrinks behind it: found backwards, where it grows.
    tail = np.empty(1024, np.int64)
    found = 0
    high = low = prices[size - 1]
    place, rising = size - 1, 0
    for index in range(size - 2, last - 1, -1):
        price = prices[index]
        if price >= high or price <= low:  # the first of equal ones: the walk ends at `last` itself
            turned = 1 if price >= high else -1
            if rising != turned:
                if found == tail.size:
                    tail = np.concatenate((tail, np.empty_like(tail)))
                tail[found] = place
                found += 1
            rising, place = turned, index
            high, low = max(high, price), min(low, price)
    return np.concatenate((kept[:count], np.array([last]), tail[:found][::-1]))


@compiled
def _extremes_before(prices: Prices, turns: Integers, places: Integers) -> tuple[Integers, Integers]:
    legs = np.empty(places.size, np.int64)
    extremes = np.empty(places.size, np.int64)
    leg, index, extreme = 0, 0, prices[0]
    for number in range(places.size):
        place = places[number]
        if turns[leg] < place:
            while turns[leg] < place:
                leg += 1
            index = turns[leg - 1]
            extreme = prices[index]
        falls = leg > 0 and prices[turns[leg]] < prices[turns[leg - 1]]
        while index < place:
            index += 1
            price = prices[index]
            extreme = min(extreme, price) if falls else max(extreme, price)
        legs[number], extremes[number] = leg, extreme
    return legs, extremes


@compiled
def _extremes_among(
    prices: Prices,
    finer: Integers,
    finer_legs: Integers,
    finer_extremes: Prices,
    turns: Integers,
    places: Integers,
) -> tuple[Integers, Prices]:
    legs = np.empty(places.size, np.int64)
    extremes = np.empty_like(finer_extremes)
    # `start` and `stop` are the finer points at the ends of the leg, `index` the last one that `extreme` knows of.
    leg, start, stop, index = 0, 0, 0, 0
    extreme = prices[0]
    for number in range(places.size):
        while turns[leg] < places[number]:
            leg += 1
            start = stop
            while finer[stop] < turns[leg]:
                stop += 1
            index, extreme = start, prices[start]
        falls = leg > 0 and prices[stop] < prices[start]
        while index < finer_legs[number] - 1:
            index += 1
            extreme = min(extreme, prices[index]) if falls else max(extreme, prices[index])
        last = finer_extremes[number]
        legs[number] = leg
        extremes[number] = min(extreme, last) if falls else max(extreme, last)
    return legs, extremes
