"""A sweep of grids is the kernel's, over any part of the time, with either walk through a candle, and is confirmed."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gridtide
from gridtide.bootstrap.sweep import sweeper_of
from gridtide.domain.errors import Defect, InvalidInput
from gridtide.optimize.confirm import differences
from gridtide.optimize.engine_sets import Window
from gridtide.optimize.kernel_rows import unknown_keys
from gridtide.optimize.parameter_sets import sets_of
from gridtide.optimize.sweep_result import SweepResult
from tests.backtest.worlds import MINUTE_MS, START_MS, Candles, config, random_candles
from tests.house.files import ROOT

OFF: dict[str, Any] = {"risk": "off"}
SETS = {"num_grids": [6, 11, 24], "spacing": ["geometric", "arithmetic"], "lower_price": ["85", "92.5"]}


@cache
def candles() -> Candles:
    return random_candles(random.Random(11), 900, step=0.004)


def swept(**backtest: Any) -> SweepResult:
    return gridtide.sweep(config(backtest=backtest, **OFF), candles(), SETS, threads=2, daily=True)


def test_the_kernel_plays_grids_and_every_row_is_confirmed() -> None:
    result = swept()
    assert not result["engine"].any()
    assert result.notes == ()
    assert result["fills"].sum() > 200
    for number in range(len(result)):
        run = result.confirm(number)
        assert result.daily is not None
        assert result.daily[number] == pytest.approx(run.daily, rel=1e-12)


@pytest.mark.parametrize("figure", ["final_equity", "max_drawdown", "fills"])
def test_a_row_that_is_not_the_engines_is_a_defect(figure: str) -> None:
    result = swept()
    wrong = {name: values.copy() for name, values in result.figures.items()}
    wrong[figure][3] *= 1.000001 if figure != "fills" else 2
    with pytest.raises(Defect, match="set 3 was swept wrong"):
        replace(result, figures=wrong).confirm(3)


def test_of_two_walks_through_a_candle_the_worse_is_reported() -> None:
    result = swept(candle_path="pessimistic")
    assert {result.confirm(number).walk for number in range(len(result))} == {0, 1}, (
        "sets of which only one walk is the worse prove nothing"
    )


@pytest.mark.parametrize("start, stop", [(0, 300), (250, 900), (411, 650)])
def test_a_window_is_the_same_for_kernel_and_engine(start: int, stop: int) -> None:
    """Bounds within a candle leave it out, as its open time says."""
    sweeper = sweeper_of(config(**OFF), candles())
    window = Window(START_MS + start * MINUTE_MS - 7, START_MS + stop * MINUTE_MS + 7)
    result = sweeper.play(SETS, threads=1, window=window)
    for number in np.flatnonzero(~result.is_refused).tolist():
        assert list(differences(result.row(number), result.confirm(number))) == []
    assert (~result.is_refused).sum() >= 6


def test_a_refused_grid_has_the_engines_words() -> None:
    result = gridtide.sweep(config(**OFF), candles(), {"num_grids": [300], "lower_price": ["90", "105"]})
    assert result["status"].tolist() == ["refused", "refused"]
    assert "breaks even at" in result.row(0)["reason"]
    assert "is below the grid's range" in result.row(1)["reason"]
    with pytest.raises(InvalidInput, match="breaks even at"):
        result.confirm(0)


def test_refused_grids_on_an_account_with_base_are_not_played_by_the_engine() -> None:
    """The engine would value the base they never touch, one after the other."""
    balance = {"balance": {"USDT": "1500", "ABC": "4"}}
    result = gridtide.sweep(config(backtest=balance, **OFF), candles(), {"num_grids": [300, 11]})
    assert result["status"].tolist() == ["refused", "played"]
    assert not result["engine"].any()


def test_an_account_that_holds_what_its_bot_uses_holds_what_each_set_uses() -> None:
    """Without `backtest.balance` the equity begins with the set's own investment."""
    alone = config(**OFF)
    del alone["backtest"]["balance"]
    result = gridtide.sweep(alone, candles(), {"total_investment": ["500", "2000"]}, daily=True)
    assert result.daily is not None
    assert result.daily[:, 0].tolist() == [500, 2000]
    assert [result.confirm(number).daily[0] for number in range(2)] == [500, 2000]


def test_rules_of_the_market_that_change_send_every_set_to_the_engine() -> None:
    later = {"since": "2021-01-01T05:00:00Z", "min_notional": "50"}
    result = gridtide.sweep(config(backtest={"rules": [later]}, **OFF), candles(), {"num_grids": [5, 9]})
    assert result["engine"].all()
    assert result.notes[0].endswith("cannot express: market rules that change with time (2)")


def test_the_number_of_threads_changes_nothing() -> None:
    one = gridtide.sweep(config(**OFF), candles(), SETS, threads=1)
    for name, values in swept().figures.items():
        assert np.array_equal(one.figures[name], values, equal_nan=True)


def test_no_setting_of_the_config_is_unknown_to_the_sweep() -> None:
    """A new one would send every set to the engine until `kernel_rows` is told what it means."""
    sweeper = sweeper_of(config(), candles())
    assert unknown_keys(sets_of(sweeper.parameters, {"num_grids": [5]})) == []


def test_the_example_of_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb, pandas = pytest.importorskip("duckdb"), pytest.importorskip("pandas")
    text = (ROOT / "docs" / "sweeping.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    frame = pandas.DataFrame(random_candles(random.Random(3), 8_000, step=0.001, price=33_000.0))
    duckdb.connect().from_df(frame).write_parquet(str(tmp_path / "BTCUSDT-1m-2021.parquet"))
    strategy = "{name: grid, lower_price: 30000, upper_price: 36000, num_grids: 11, total_investment: 9000}"
    bot = f"bots: [{{name: b, market: BTC/USDT, risk: off, strategy: {strategy}}}]"
    (tmp_path / "grid.yaml").write_text(bot)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert len(names["sweep"]) == 18
    assert (tmp_path / "sweep.parquet").is_file()
