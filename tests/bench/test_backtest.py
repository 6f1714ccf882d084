"""The backtest benchmark still runs, and what it compares is comparable; how fast is for `make bench` to say."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from benchmarks import backtest
from benchmarks.backtest_peers import next_trade
from benchmarks.backtest_turns import Contender, Found, Turn, cost_of_one_more_fill, ratio
from benchmarks.backtest_worlds import Sources, grid, load, with_idle_candles, with_idle_trades


@pytest.fixture(scope="module")
def sources() -> Sources:
    return load(minutes=1_200, trades=16_000)


@pytest.fixture(scope="module")
def figures(sources: Sources) -> Iterator[dict[str, Any]]:
    """All contenders but VectorBT, whose compiling alone takes longer than a test may."""
    gc.freeze()  # else each turn collects what all tests before have left
    try:
        yield json.loads(json.dumps(backtest.report(sources, 1, with_vectorbt=False)))
    finally:
        gc.unfreeze()


def test_the_whole_report_on_little_data(figures: dict[str, Any]) -> None:
    """Every contender found something to trade, and the parts are the whole."""
    year = figures["contenders"][backtest.YEAR]
    assert year["fills"] > 3
    assert set(year["parts_cpu_seconds"]) == {"path and index", "engine", "figures"}
    assert sum(year["parts_cpu_seconds"].values()) == pytest.approx(year["cpu_seconds"], rel=0.2, abs=0.005)
    assert 0 < figures["megabytes_above_data"] < 40
    assert backtest.YEAR in backtest.as_text(figures)


def test_the_plain_loop_trades_our_grid(figures: dict[str, Any]) -> None:
    """Fill for fill and to a thousandth of the money, or its time says nothing about ours."""
    found = figures["peers_against_ours"]
    assert set(found) == {backtest.LOOP, backtest.LOOP_MANY}
    for each in found.values():
        assert abs(each["fills"]) <= backtest.ALIKE
        assert abs(each["final_value"]) < 0.001


def test_idle_data_add_points_and_no_fills(sources: Sources) -> None:
    for data, doubled in (
        (sources.year, with_idle_candles(sources.year)),
        (sources.half, with_idle_trades(sources.half)),
    ):
        assert len(doubled.columns) == 2 * len(data.columns)
        assert backtest.play(grid(doubled)).fill_count == backtest.play(grid(data)).fill_count > 0


def test_what_vectorbt_is_asked_for_in_a_bar() -> None:
    """One order for each level on the way, then none, and the next bar begins at its first point."""
    levels, state = np.array([10.0, 11.0, 12.0, 13.0]), np.array([2, 0, 1])
    bar = np.array([12.0, 9.5, 12.4, 12.4])
    asked = [next_trade(bar, levels, state) for _ in range(5)]
    assert asked == [1, 1, -1, -1, 0]
    assert state.tolist() == [2, 0, 1]


def test_ratio_and_cost_are_of_the_same_round() -> None:
    """Rounds that a busy machine doubles leave both as they are."""
    slow = [Turn(cpu, cpu, Found(20, 1.0), {}) for cpu in (0.2, 0.4, 0.2)]
    fast = [Turn(cpu, cpu, Found(10, 1.0), {}) for cpu in (0.1, 0.2, 0.1)]
    one, other = Contender(lambda: Found(0, 0), 0, turns=slow), Contender(lambda: Found(0, 0), 0, turns=fast)
    assert ratio(one, other) == 2
    assert cost_of_one_more_fill(other, one) == pytest.approx(10_000)
