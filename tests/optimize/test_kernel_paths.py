"""A swept path can be cut, saved and mapped, and played by several threads: the numbers stay the same."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from gridtide.domain.errors import InvalidValue
from gridtide.optimize.kernel import play_sets
from gridtide.optimize.kernel_sets import SET_DTYPE, Rows, Status
from gridtide.optimize.levels import refusal
from gridtide.optimize.swept_path import SweptPath
from tests.backtest.worlds import grid_settings, random_candles
from tests.optimize.engine_runs import World, world


def a_world(**changes: object) -> World:
    candles = random_candles(random.Random(3), 400, step=0.003)
    times = candles["timestamp"]
    return world(grid_settings(**changes), {}, candles | {"timestamp": times[0] + (times - times[0]) * 15})


def sets_of(rows: int) -> tuple[SweptPath, Rows]:
    first = a_world()
    sets = np.array([first.row] * rows, SET_DTYPE)
    sets["num_grids"] = 5 + np.arange(rows) % 20
    sets["spacing"] = np.arange(rows) % 2
    return first.path, sets


def same(one: Rows, other: Rows) -> bool:
    return one.tobytes() == other.tobytes()


def test_threads_change_no_number() -> None:
    path, sets = sets_of(1100)
    one, two = (play_sets(path, sets, threads, daily=True) for threads in (1, 2))
    assert same(one.results, two.results)
    assert one.daily_equity is not None
    assert two.daily_equity is not None
    assert same(one.daily_equity, two.daily_equity)
    assert (one.results["status"] == Status.OK).all()
    assert one.daily_equity.shape == (1100, len(path.day_ends))


@pytest.mark.parametrize("mmap", [True, False])
def test_a_saved_path_plays_the_same(tmp_path: Path, mmap: bool) -> None:
    path, sets = sets_of(30)
    path.prepare(sets)
    before = play_sets(path, sets).results
    path.save(tmp_path / "path")
    loaded = SweptPath.load(tmp_path / "path", mmap=mmap)
    assert same(before, play_sets(loaded, sets).results)
    assert loaded.market == path.market


def test_a_window_is_a_path_of_its_own() -> None:
    """Its first point is the start, its last one the end; an empty one is refused."""
    path, sets = sets_of(3)
    start, stop = int(path.times[200]), int(path.times[900])
    window = path.window(start, stop)
    assert (int(window.times[0]), int(window.times[-1])) == (start, int(path.times[899]))
    assert window.start_price == path.prices[200] * path.market.rules.tick_size
    copied = SweptPath(path.prices[200:900].copy(), path.times[200:900].copy(), path.market)
    assert same(play_sets(window, sets).results, play_sets(copied, sets).results)
    with pytest.raises(InvalidValue, match="no price"):
        path.window(start, start)


def test_what_the_kernel_does_not_play_has_no_figures() -> None:
    """More orders than are allowed at once have to wait: only the engine knows for how long."""
    path, sets = sets_of(2)
    sets["max_open_orders"][0] = 3
    sets["balance_quote"][1] = 0
    played = play_sets(path, sets, daily=True)
    assert played.results["status"].tolist() == [Status.NEEDS_ENGINE, Status.NO_MONEY]
    assert np.isnan(played.results["final_equity"]).all()
    assert played.daily_equity is not None
    assert np.isnan(played.daily_equity).all()


def test_rules_of_risk_that_are_on_go_to_the_engine() -> None:
    path, sets = sets_of(2)
    sets["stop_loss"][1] = 7_500_000
    assert play_sets(path, sets).results["status"].tolist() == [Status.OK, Status.NEEDS_ENGINE]


def test_a_refusal_has_the_strategys_own_words() -> None:
    refused = a_world(lower_price="120", upper_price="140")
    assert "below the grid's range" in refusal(refused.row, refused.path.market, refused.path.start_price)
    assert refusal(a_world().row, refused.path.market, refused.path.start_price) == ""


def test_an_empty_sweep_is_empty() -> None:
    path, _ = sets_of(1)
    assert len(play_sets(path, np.zeros(0, SET_DTYPE)).results) == 0
