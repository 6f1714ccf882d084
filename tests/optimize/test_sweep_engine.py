"""Sets that the kernel cannot express are the engine's, to the last digit, and the reader is told."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pytest

import gridtide
from gridtide.domain.errors import Defect, InvalidConfig, InvalidInput
from gridtide.optimize.sweep_result import SweepResult
from tests.backtest.worlds import MINUTE_MS, START_MS, Candles, config, grid_settings, random_candles

SETS = {"num_grids": [6, 11, 200], "spacing": ["geometric", "arithmetic"], "lower_price": ["85", "115"]}
THROUGH = {"fill_model": "trade_through"}


@cache
def candles() -> Candles:
    return random_candles(random.Random(11), 400, step=0.006)


@cache
def swept() -> SweepResult:
    """Twelve sets with a fill model that only the engine plays."""
    return gridtide.sweep(config(backtest=THROUGH), candles(), SETS, daily=True)


def test_each_row_is_the_backtest_of_its_config() -> None:
    """Every figure, and the day's ends, are those of `gridtide.backtest` with the set written into the config."""
    result, played = swept(), 0
    for row in result:
        varied = {key: str(row[key]) if key == "lower_price" else row[key] for key in SETS}
        if row["status"] == "refused":
            continue
        expected = gridtide.backtest(config(grid_settings(**varied), THROUGH), candles())
        for name in ("final_equity", "grid_profit", "floating_profit", "fees", "max_drawdown"):
            assert row[name] == float(getattr(expected, name))
        assert row["fills"] == expected.fill_count
        assert row["time_in_range"] == expected.time_in_range
        assert np.array_equal(
            row["sharpe"], np.nan if expected.sharpe is None else expected.sharpe, equal_nan=True
        )
        assert result.daily is not None
        assert result.daily[row["set"], 0] == float(expected.initial_equity)
        assert result.daily[row["set"], -1] == pytest.approx(float(expected.final_equity))
        played += expected.fill_count
    assert played > 50


def test_a_set_that_makes_no_grid_is_refused_in_its_row() -> None:
    result = swept()
    reasons = dict(
        zip(zip(result["num_grids"], result["lower_price"], strict=True), result["reason"], strict=True)
    )
    assert reasons[6, 115.0] == "upper_price must be above lower_price"
    assert "breaks even at" in reasons[200, 85.0]
    assert reasons[6, 85.0] == ""
    assert np.isnan(result["final_equity"][result.is_refused]).all()
    assert result.is_refused.sum() == 8


def test_the_reader_is_told_how_many_sets_the_engine_played_and_why() -> None:
    assert swept().notes == (
        "6 of 12 sets were played by the engine, because the kernel cannot express: a fill model other than touch (6)",
        "8 of 12 sets were refused; the column reason says why",
    )
    assert swept()["engine"].sum() == 6


def test_without_the_engine_such_sets_are_refused_and_the_reader_is_told() -> None:
    result = gridtide.sweep(config(backtest=THROUGH), candles(), SETS, use_engine=False)
    assert result.is_refused.all()
    assert not result["engine"].any()
    assert result.notes[0].startswith("6 of 12 sets were left to the engine, which was not asked, because")


def test_the_best_row_is_confirmed_by_the_engine_and_a_wrong_one_is_a_defect() -> None:
    result = swept()
    best = result.best("final_equity")
    assert best["final_equity"] == np.nanmax(result["final_equity"])
    assert float(result.confirm().final_equity) == best["final_equity"]
    least = result.best("max_drawdown")
    assert least["max_drawdown"] == np.nanmin(result["max_drawdown"])
    result_of_somebody_else = SweepResult(
        **{name: getattr(result, name) for name in result.__slots__} | {"figures": dict(result.figures)}
    )
    result_of_somebody_else.figures["fills"] = result.figures["fills"] + 1  # type: ignore[index]  # a wrong table
    with pytest.raises(Defect, match=r"was swept wrong: \d+ fills, the engine has \d+\."):
        result_of_somebody_else.confirm(best)


def test_a_strategy_of_somebody_else_is_swept_over_its_own_settings() -> None:
    strategy = {
        "name": "single_order",
        "total_investment": "1000",
        "side": "BUY",
        "limit": "70",
        "amount": "2",
    }
    result = gridtide.sweep(config(strategy), candles(), {"limit": ["70", "99"], "amount": ["1", "2"]})
    assert result["engine"].all()
    assert result.notes[0].endswith("cannot express: a strategy that is no grid (4)")
    assert result["fills"].tolist() == [0, 0, 1, 1]


def test_a_part_of_the_time_is_what_a_backtest_of_that_part_gives() -> None:
    start, stop = START_MS + 100 * MINUTE_MS, START_MS + 350 * MINUTE_MS
    times = candles()["timestamp"]
    part = {name: column[(times >= start) & (times < stop)] for name, column in candles().items()}
    result = gridtide.sweep(
        config(backtest=THROUGH), candles(), {"num_grids": [9]}, from_="2021-01-01T01:40", to=stop
    )
    expected = gridtide.backtest(config(grid_settings(num_grids=9), THROUGH), part)
    assert result["final_equity"][0] == float(expected.final_equity)
    assert result.data_checksum == expected.data_checksum
    assert result.config_hash != expected.config_hash


def test_of_two_walks_through_a_candle_the_worse_is_reported() -> None:
    pessimistic = {**THROUGH, "candle_path": "pessimistic"}
    result = gridtide.sweep(config(backtest=pessimistic), candles(), {"num_grids": [5, 11]})
    for row in result:
        expected = gridtide.backtest(
            config(grid_settings(num_grids=row["num_grids"]), pessimistic), candles()
        )
        assert row["final_equity"] == float(expected.final_equity)


def test_results_leave_in_every_form(tmp_path: Any) -> None:
    result = swept()
    assert list(result.to_numpy()) == list(result.columns)
    first = result.relation().filter("status = 'played'").order("final_equity desc").limit(1).fetchall()
    assert first[0][0] == result.best()["num_grids"]
    path = result.to_parquet(tmp_path / "deep" / "sweep.parquet")
    import duckdb

    found = duckdb.connect().read_parquet(str(path)).fetchall()
    assert (len(found), len(found[0])) == (12, len(result.columns))
    frame = pytest.importorskip("pandas")
    assert isinstance(result.to_pandas(), frame.DataFrame)


def test_progress_is_told_up_to_the_last_set() -> None:
    told: list[tuple[int, int]] = []
    gridtide.sweep(
        config(backtest=THROUGH),
        candles(),
        {"num_grids": [5, 7]},
        progress=lambda done, of: told.append((done, of)),
    )
    assert told[-1] == (2, 2)


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: swept().best("profit"), "profit is no figure of a sweep"),
        (
            lambda: gridtide.sweep({"bots": []}, candles(), SETS),
            "a sweep varies one bot, and the config has 0",
        ),
        (lambda: gridtide.sweep(config(), candles(), {"num_grids": [1]}), "it must be at least 2"),
        (
            lambda: gridtide.sweep(config(), candles(), SETS, from_="2031-01-01"),
            "holds no candles of that time",
        ),
        (lambda: gridtide.sweep(config(), candles(), SETS, from_="soon"), "'soon' is no date"),
    ],
)
def test_wrong_questions_are_answered_in_a_sentence(call: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        call()


def test_two_bots_are_refused() -> None:
    two = config()
    two["bots"] = [two["bots"][0], {**two["bots"][0], "name": "other", "market": "XYZ/USDT"}]
    with pytest.raises(InvalidConfig, match="the config has 2"):
        gridtide.sweep(two, candles(), SETS)
