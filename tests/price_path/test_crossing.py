"""The crossing index answers what the plain loop over every point answers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.price_path import crossing
from gridtide.price_path.crossing import CrossingIndex
from tests.price_path.builders import walk, wanderings

FAR = 200_000


def plain_touch(prices: list[int], start: int, below: int | None, above: int | None) -> int | None:
    for index, price in enumerate(prices[start:], start):
        if (below is not None and price <= below) or (above is not None and price >= above):
            return index
    return None


def bounds(data: st.DataObject, prices: list[int]) -> tuple[int | None, int | None]:
    near = st.none() | st.integers(min(prices) - 2, max(prices) + 2) | st.sampled_from([2**70, -(2**70)])
    return data.draw(near), data.draw(near)


def stretch(data: st.DataObject, prices: list[int]) -> tuple[int, int]:
    start = data.draw(st.integers(0, len(prices) - 1))
    return start, data.draw(st.integers(start + 1, len(prices)))


@given(prices=wanderings(), data=st.data())
def test_next_touch(prices: list[int], data: st.DataObject) -> None:
    """From any point, for any bounds, one or both or none."""
    index = CrossingIndex(walk(prices))
    for _ in range(4):
        start = data.draw(st.integers(0, len(prices) + 70))
        below, above = bounds(data, prices)
        assert index.next_touch(start, below, above) == plain_touch(prices, start, below, above)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_next_touch_over_every_floor(dtype: type) -> None:
    """A single price far away is found from everywhere, up and down through all floors of blocks."""
    prices = np.full(FAR, 50, np.int64)
    for place in 0, 63, 64, 65, 1023, 1024, 16_384, 70_001, FAR - 1:
        prices[place] = 10
        path = walk(prices)
        path.prices = path.prices.astype(dtype)
        index = CrossingIndex(path)
        for start in {0, max(0, place - 1), max(0, place - 1500), place}:
            assert index.next_touch(start, 10, None) == place
            assert index.next_touch(start, None, 51) is None
        assert index.next_touch(place + 1, 10, 51) is None
        assert index.range_of(0, FAR) == (10, 50)
        prices[place] = 50


@given(prices=wanderings(), data=st.data())
def test_range_of(prices: list[int], data: st.DataObject) -> None:
    """Lowest and highest of any stretch."""
    index = CrossingIndex(walk(prices))
    for _ in range(3):
        start, stop = stretch(data, prices)
        assert index.range_of(start, stop) == (min(prices[start:stop]), max(prices[start:stop]))


@pytest.mark.parametrize("edge", [1, 60, 63, 64, 65, 128, 1020, 1024, 1025, 16_380, 16_384, 16_390])
def test_a_stretch_ends_where_it_ends(edge: int) -> None:
    """What stands right before the start or right at the stop does not count, at the edges of blocks of every floor."""
    prices = np.full(40_000, 50, np.int64)
    prices[[edge - 1, 2 * edge]] = 1, 99
    index = CrossingIndex(walk(prices))
    assert index.range_of(edge, 2 * edge) == (50, 50)
    assert index.range_of(edge - 1, 2 * edge + 1) == (1, 99)
    assert index.next_descent(edge, 2 * edge, (0.0, 1.0), 0.0, 0.99) == (2 * edge, 50)


@given(prices=wanderings(), data=st.data())
def test_ranges_of_neighbours(prices: list[int], data: st.DataObject) -> None:
    """All stretches between fills at once."""
    starts = sorted(data.draw(st.sets(st.integers(0, len(prices) - 1), min_size=1, max_size=9)))
    bounds = [*starts, len(prices)]
    lows, highs = CrossingIndex(walk(prices)).ranges_of(np.array(bounds))
    assert lows.tolist() == [min(prices[start:end]) for start, end in pairwise(bounds)]
    assert highs.tolist() == [max(prices[start:end]) for start, end in pairwise(bounds)]


@given(prices=wanderings(), data=st.data())
def test_stays(prices: list[int], data: st.DataObject) -> None:
    """Every stretch within a range of prices, and nothing else."""
    start, stop = stretch(data, prices)
    low = data.draw(st.integers(min(prices) - 1, max(prices) + 1))
    high = data.draw(st.integers(low, max(prices) + 2))
    stays = CrossingIndex(walk(prices)).stays(low, high, start, stop).tolist()
    inside = {index for first, after in stays for index in range(first, after)}
    assert inside == {index for index in range(start, stop) if low <= prices[index] <= high}
    assert all(before[1] < after[0] for before, after in pairwise(stays))


def test_more_stays_than_fit_at_first() -> None:
    """A price that leaves and comes back all the time."""
    stays = CrossingIndex(walk([1, 2] * 1000)).stays(2, 2, 0, 2000)
    assert stays.tolist() == [[number, number + 1] for number in range(1, 2000, 2)]


def test_a_range_wider_than_any_price() -> None:
    """A bound may be a number that 64 bits do not hold."""
    assert CrossingIndex(walk([1, 2])).stays(-(2**80), 2**80, 0, 2).tolist() == [[0, 2]]


def plain_descent(
    prices: list[int], holding: tuple[float, float], peak: float, fraction: float
) -> tuple[int, int]:
    (cash, base), high = holding, 0
    for index, price in enumerate(prices):
        value = cash + base * price
        high = max(high, price)
        if value > peak:
            peak = value
        elif value <= fraction * peak:
            return index, high
    return len(prices), high


@given(prices=wanderings(), data=st.data(), fraction=st.sampled_from([0.2, 0.5, 0.9, 0.99, 0.999, 1 + 1e-12]))
def test_next_descent(prices: list[int], data: st.DataObject, fraction: float) -> None:
    """The first fall to a fraction of the peak so far, for any holding, also where whole blocks are skipped."""
    start, stop = stretch(data, prices)
    cash, base = data.draw(st.sampled_from([(0.0, 1.0), (1000.0, 1.0), (5.0, 0.0), (123.45, 0.37)]))
    peak = data.draw(st.sampled_from([0.0, cash + base * prices[start], cash + base * max(prices)]))
    place, high = plain_descent(prices[start:stop], (cash, base), peak, fraction)
    index = CrossingIndex(walk(prices))
    assert index.next_descent(start, stop, (cash, base), peak, fraction) == (start + place, high)


@pytest.mark.parametrize("length", [64, 128, 1024, 5000, 20_000])
def test_a_peak_that_was_skipped_counts(length: int) -> None:
    """A fall to the half of a peak that stands somewhere in blocks nobody looked into."""
    prices = np.full(length + 70, 150, np.int64)
    prices[length // 3] = 200
    prices[length + 66] = 100
    assert CrossingIndex(walk(prices)).next_descent(0, length + 70, (0.0, 1.0), 0.0, 0.5) == (
        length + 66,
        200,
    )


@pytest.mark.parametrize("fraction", [0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("start", [0, 64, 777])
def test_next_descent_over_every_floor(fraction: float, start: int) -> None:
    """From large blocks that cannot be skipped down to small ones that can."""
    prices = (1000 + np.cumsum(np.random.default_rng(7).integers(-2, 3, 50_001))).clip(1).tolist()
    place, high = plain_descent(prices[start:], (50.0, 1.0), 0.0, fraction)
    index = CrossingIndex(walk(prices))
    assert index.next_descent(start, len(prices), (50.0, 1.0), 0.0, fraction) == (start + place, high)


@given(prices=wanderings(most=300), data=st.data())
def test_machine_code_is_the_python_it_was_compiled_from(prices: list[int], data: st.DataObject) -> None:
    """The kernels' plain functions give the same, so they can be read, stepped through and trusted."""
    path = walk(prices)
    index = CrossingIndex(path)
    lows, highs = np.empty_like(index._lows), np.empty_like(index._highs)  # noqa: SLF001 - the floors themselves
    crossing._build.py_func(path.prices, lows, highs)  # type: ignore[attr-defined]  # noqa: SLF001 - numba's reference
    assert (lows.tolist(), highs.tolist()) == (index._lows.tolist(), index._highs.tolist())  # noqa: SLF001 - as above
    start = data.draw(st.integers(0, len(prices) - 1))
    below = data.draw(st.integers(0, max(prices)))
    found = crossing._next_touch.py_func(path.prices, lows, highs, start, below, 2**62)  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    assert (None if found < 0 else found) == index.next_touch(start, below)
