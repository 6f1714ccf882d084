"""The compression: what is kept crosses the same levels in the same order, and stays within its hull."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridtide.domain.errors import InvalidValue
from gridtide.price_path.compression import Threshold, extremes_among, extremes_before, turning_points

Prices = NDArray[np.int64]

walks = st.lists(st.integers(-6, 6), max_size=120).map(lambda steps: np.cumsum([500, *steps]))
thresholds = st.one_of(
    st.builds(Threshold, absolute=st.integers(1, 25)),
    st.builds(Threshold, relative=st.floats(0.002, 0.05)),
)


def step_at(threshold: Threshold, price: Any) -> Any:
    return threshold.absolute + threshold.relative * price


def crossings(prices: Prices, levels: list[int], start: int) -> list[tuple[int, str]]:
    """A grid on its levels, point by point: which interval bought and sold, in order."""
    vacant = sum(level <= start for level in levels)
    found = []
    holds = [k + 1 > vacant for k in range(len(levels) - 1)]
    for price in prices:
        for k in reversed(range(len(holds))):
            if not holds[k] and price <= levels[k]:
                holds[k] = True
                found.append((k, "buy"))
        for k in range(len(holds)):
            if holds[k] and price >= levels[k + 1]:
                holds[k] = False
                found.append((k, "sell"))
    return found


def grid(data: Any, threshold: Threshold) -> list[int]:
    levels = [data.draw(st.integers(400, 500))]
    for _ in range(data.draw(st.integers(1, 12))):
        step = int(np.ceil(step_at(threshold, levels[-1]))) + data.draw(st.integers(0, 3))
        levels.append(levels[-1] + step)
    return levels


@given(walks, thresholds, st.data())
@settings(max_examples=80, deadline=None)
def test_a_grid_crosses_its_levels_in_the_same_order(
    prices: Prices, threshold: Threshold, data: st.DataObject
) -> None:
    levels = grid(data, threshold)
    kept = prices[turning_points(prices, threshold)]
    # The price stands between the levels of its first order on either side, as a plan sees to.
    assert crossings(prices[1:], levels, prices[0]) == crossings(kept[1:], levels, prices[0])


@given(walks, thresholds)
@settings(max_examples=80, deadline=None)
def test_between_two_turns_the_price_stays_within_both_and_turns_back_by_less(
    prices: Prices, threshold: Threshold
) -> None:
    turns = turning_points(prices, threshold)
    assert turns[0] == 0
    assert turns[-1] == len(prices) - 1
    for start, stop in pairwise(turns.tolist()):
        leg = prices[start : stop + 1]
        assert leg.min() >= min(leg[0], leg[-1])
        assert leg.max() <= max(leg[0], leg[-1])
        if leg[-1] < leg[0]:
            lows = np.minimum.accumulate(leg)
            assert ((leg - lows) < step_at(threshold, lows)).all()
        else:
            back = np.maximum.accumulate(leg) - leg
            assert (back < step_at(threshold, leg)).all()


@given(walks, st.integers(1, 10), st.integers(1, 15), st.data())
@settings(max_examples=60, deadline=None)
def test_from_a_finer_compression_comes_as_lossless_a_one(
    prices: Prices, fine: int, more: int, data: st.DataObject
) -> None:
    threshold = Threshold(absolute=fine + more)
    among = turning_points(prices, Threshold(absolute=fine))
    turns = turning_points(prices, threshold, among)
    places = np.array(sorted(data.draw(st.sets(st.integers(0, len(prices) - 1), min_size=1))))
    finer = extremes_before(prices, among, places)
    for quick, slow in zip(
        extremes_among(prices[among], among, *finer, turns, places),
        extremes_before(prices, turns, places),
        strict=True,
    ):
        assert quick.tolist() == slow.tolist()
    levels = grid(data, threshold)
    kept = prices[turns]
    assert crossings(prices[1:], levels, prices[0]) == crossings(kept[1:], levels, prices[0])


@given(walks, thresholds, st.data())
@settings(max_examples=60, deadline=None)
def test_a_forced_place_is_found_by_its_leg_and_the_extreme_before_it(
    prices: Prices, threshold: Threshold, data: st.DataObject
) -> None:
    """Each is exactly the lowest (or highest) price of its leg so far."""
    turns = turning_points(prices, threshold)
    places = np.array(sorted(data.draw(st.sets(st.integers(0, len(prices) - 1), min_size=1))))
    legs, extremes = extremes_before(prices, turns, places)
    for place, leg, extreme in zip(places, legs, extremes, strict=True):
        assert turns[leg] >= place
        assert leg == 0 or turns[leg - 1] < place
        so_far = prices[turns[leg - 1] if leg else 0 : place + 1]
        falls = leg > 0 and prices[turns[leg]] < prices[turns[leg - 1]]
        assert extreme == (so_far.min() if falls else so_far.max())


def test_a_threshold_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValue, match="above zero"):
        Threshold()
