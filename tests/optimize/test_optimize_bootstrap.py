"""Searches of the real parts: workers build what they play from files, and import neither ccxt nor SQLAlchemy."""

from __future__ import annotations

import mmap
import os
import pickle
import random
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from gridtide.bootstrap.notebook import data_of, settings_of
from gridtide.bootstrap.optimize import Prepared, Wish, prepare_optimization, run_optimization
from gridtide.bootstrap.optimize_data import load_data, save_data
from gridtide.bootstrap.optimize_worker import build_evaluator, recipe_of
from gridtide.bootstrap.study_view import study_view
from gridtide.config.settings import AppSettings
from gridtide.domain.errors import InvalidInput
from gridtide.market_data.load import LoadedData, load_market_data
from gridtide.optimize.cluster import mark
from gridtide.optimize.evaluation import Window
from gridtide.optimize.study import Advance, StudyWish
from gridtide.optimize.walk_forward import DAY_MS, WindowWish, cut
from tests.backtest.worlds import START_MS, config, random_candles
from tests.house.files import ROOT

SPACE = {"lower_price": ["-20%", "-10%"], "upper_price": ["10%", "20%"], "num_grids": ["5", "9"]}
STUDY = StudyWish(trials=6, windows=WindowWish(windows=2))
WORKER = """
    import pickle, sys
    from pathlib import Path
    recipe = pickle.loads(Path(sys.argv[1]).read_bytes())
    from gridtide.optimize.workers import play_batch
    from gridtide.optimize.evaluation import Window
    sets = [{"num_grids": 5}, {"num_grids": 9}, {"num_grids": 400}]
    number, answer = play_batch(recipe, 3, sets, Window(*map(int, sys.argv[2:4])), True)
    print([name for name in ("ccxt", "sqlalchemy", "optuna", "aiohttp", "keyring") if name in sys.modules])
    print(answer.figures["final_equity"].tolist(), answer.daily.shape, bool(answer.reasons[2]))
"""


@pytest.fixture
def data() -> LoadedData:
    return twelve_days()


def twelve_days() -> LoadedData:
    """Of hours, a random walk."""
    candles = random_candles(random.Random(3), 12 * 24, 0.01, gap_chance=0.0)
    candles["timestamp"] = START_MS + np.arange(len(candles["open"]), dtype=np.int64) * 3_600_000
    return load_market_data(candles)


def settings(**backtest: Any) -> AppSettings:
    return settings_of(config(backtest=backtest))


def prepared(found: AppSettings, data: LoadedData, **more: Any) -> Prepared:
    (named,) = data_of(found, data)
    return prepare_optimization(found, named, Wish(SPACE, "space.yaml", ("final_equity",), STUDY, **more))


def test_data_written_for_workers_are_those_that_were_loaded(tmp_path: Path, data: LoadedData) -> None:
    save_data(data, tmp_path)
    again = load_data(tmp_path)
    assert again.checksum == data.checksum
    assert np.array_equal(again.columns.timestamps, data.columns.timestamps)
    owner: Any = again.columns.timestamps
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner, mmap.mmap)
    assert not again.columns.timestamps.flags.writeable


def test_a_worker_builds_its_evaluator_without_exchanges_databases_or_secrets(
    tmp_path: Path, data: LoadedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of its own, as loky and Dask start them, told nothing but the bot and how backtests are played."""
    monkeypatch.setenv("EXCHANGE__API_SECRET", "very-secret-word")
    found = settings()
    save_data(data_of(found, data)[0], tmp_path / "data")
    mark(tmp_path / "data", "k")
    recipe = recipe_of(found, tmp_path / "data", "k")
    pickled = pickle.dumps(recipe)
    assert b"very-secret-word" not in pickled
    assert len(pickled) < 5_000
    (tmp_path / "recipe").write_bytes(pickled)
    window = Window(START_MS + DAY_MS, START_MS + 5 * DAY_MS)
    program = "\n".join(line.removeprefix("    ") for line in WORKER.split("\n"))
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "recipe"), *map(str, window)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    ).stdout.split("\n")
    assert said[0] == "[]"
    here = build_evaluator(recipe.values).evaluate(
        [{"num_grids": 5}, {"num_grids": 9}, {"num_grids": 400}], window, daily=True
    )
    assert here.daily is not None
    assert said[1] == f"{here.figures['final_equity'].tolist()} {here.daily.shape} {bool(here.reasons[2])}"


def test_a_study_of_the_whole_goes_on_with_more_trials(tmp_path: Path, data: LoadedData) -> None:
    first = run_optimization(prepared(settings(), data), tmp_path / "a", config=tmp_path / "grid.yaml")
    more = prepared(settings(), data)
    wish = replace(more.wish, study=replace(STUDY, trials=8))
    second = run_optimization(replace(more, wish=wish), tmp_path / "a", config=tmp_path / "grid.yaml")
    assert (first.plain["tried_ever"], second.plain["tried_ever"]) == (6, 8)
    assert second.plain["trials"]["whole"] == 8


def test_an_account_that_holds_base_is_measured_from_each_windows_own_opening_equity(
    tmp_path: Path,
) -> None:
    """Price doubles over the data, and the account holds base. What a window began with is told with the window, and
    is what the engine's equity there begins with."""
    candles = random_candles(random.Random(3), 12 * 24, 0.002, gap_chance=0.0)
    rise = np.linspace(1, 2, 12 * 24)
    for name in ("open", "high", "low", "close"):
        candles[name] = np.round(candles[name] * rise, 2)
    candles["timestamp"] = START_MS + np.arange(12 * 24, dtype=np.int64) * 3_600_000
    ready = prepared(settings(balance={"USDT": "1500", "ABC": "10"}), load_market_data(candles), jobs=1)
    answer = run_optimization(ready, tmp_path / "a", config=None)
    assert answer.searched.walk is not None
    for told, step in zip(answer.plain["walk_forward"]["windows"], answer.searched.walk.steps, strict=True):
        assert told["out_of_sample_capital"] == pytest.approx(step.equity[0])
        assert told["out_of_sample_capital"] > answer.plain["capital"] * 1.1
        shown = step.equity[-1] / step.equity[0] - 1
        assert told["out_of_sample"]["final_equity"] / told["out_of_sample_capital"] - 1 == pytest.approx(
            shown
        )
    by_page = [window.outside_return for window in study_view(tmp_path / "a").windows]
    assert by_page == pytest.approx(
        [each.equity[-1] / each.equity[0] - 1 for each in answer.searched.walk.steps]
    )


def without_days(*days: int) -> LoadedData:
    """Twelve days of hours without some of them, counted from 0."""
    candles = random_candles(random.Random(3), 12 * 24, 0.01, gap_chance=0.0)
    hours = np.arange(12 * 24, dtype=np.int64)
    candles["timestamp"] = START_MS + hours * 3_600_000
    kept = ~np.isin(hours // 24, days)
    return load_market_data({name: values[kept] for name, values in candles.items()})


def test_days_missing_at_the_edges_of_a_window_leave_equity_where_it_was(tmp_path: Path) -> None:
    """The first day of a window is missing, then the last one: there is a point for each midnight all the same."""
    (first, second) = cut(prepared(settings(), twelve_days()).evaluator.span, STUDY.windows)
    start = (first.outside.start - START_MS) // DAY_MS
    before_second = (second.outside.start - START_MS) // DAY_MS - 1
    ready = prepared(settings(), without_days(start), jobs=1)
    walk = run_optimization(ready, tmp_path / "a", config=None).searched.walk
    assert walk is not None
    assert len(walk.equity) == len(walk.times)
    assert walk.equity[1] == walk.equity[0]
    walk = run_optimization(
        prepared(settings(), without_days(before_second), jobs=1), tmp_path / "b", config=None
    ).searched.walk
    assert walk is not None
    assert len(walk.equity) == len(walk.times)
    days = len(walk.steps[0].equity) - 1
    assert walk.equity[days] == walk.equity[days - 1]


def test_a_window_without_any_data_is_told_before_anything_is_played() -> None:
    (first, _) = cut(prepared(settings(), twelve_days()).evaluator.span, STUDY.windows)
    days = range((first.outside.start - START_MS) // DAY_MS, (first.outside.stop - START_MS) // DAY_MS)
    with pytest.raises(InvalidInput, match=r"the data have nothing from .* to .*, which is a window"):
        prepared(settings(), without_days(*days))


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_stopped_search_and_a_walk_forward_alone_count(
    tmp_path: Path, data: LoadedData, is_stopped: bool
) -> None:
    def listen(advance: Advance) -> None:
        if is_stopped:
            raise KeyboardInterrupt

    ready = prepared(settings(), data, jobs=1, has_whole=is_stopped)
    with suppress(KeyboardInterrupt):
        run_optimization(ready, tmp_path / "a", config=tmp_path / "grid.yaml", listener=listen)
    (study,) = orjson.loads((tmp_path / ".gridtide/verdicts/trials.json").read_bytes())["studies"]
    assert 0 < study["trials"] <= 6


def test_parameters_of_any_strategy_are_searched_also_those_its_config_leaves_out(
    tmp_path: Path, data: LoadedData
) -> None:
    """An order that buys below the price: the engine plays it, `limit` is a percentage, and no grid is asked for."""
    strategy = {"name": "single_order", "total_investment": "1000", "side": "buy", "amount": "1"}
    found = settings_of(config(strategy))
    (named,) = data_of(found, data)
    space = {"amount": ["1", "2"], "limit": {"from": "-3%", "to": "-1%", "step": "1%"}}
    wish = Wish(space, "space.yaml", ("final_equity",), STUDY, jobs=1)
    answer = run_optimization(prepare_optimization(found, named, wish), tmp_path / "a", config=None)
    assert answer.plain["by_engine"] == answer.plain["played"] == 18
    assert set(answer.plain["chosen"]["set"]) == {"amount", "limit"}
    assert answer.judged is not None
    assert answer.judged.survival is None
