"""A result adds up: money to the last digit, tables to their totals, and what cannot be played is refused in words."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gridtide
from gridtide.bootstrap.backtest import ACCOUNT, build_world, play, prepare
from gridtide.bootstrap.backtest_checks import check_books
from gridtide.bootstrap.notebook import data_of, settings_of
from gridtide.domain.balance import Balance
from gridtide.domain.errors import Defect, InvalidInput
from gridtide.domain.market import Asset
from gridtide.domain.money import ZERO
from gridtide.price_path.candle_path import PathRule, runs_of
from gridtide.reports.backtest_result import BacktestResult
from gridtide.reports.saved_run import save_run
from tests.backtest.accounting import require_balanced, require_conserved, total
from tests.backtest.worlds import config, grid_settings, random_candles

RECEIVED = {"asset": "received"}
QUOTE = {"asset": "quote"}
BNB = {"asset": "BNB", "asset_price": "300"}
BALANCES: dict[str, dict[str, str]] = {
    "received": {"USDT": "1500"},
    "quote": {"USDT": "1500"},
    "BNB": {"USDT": "1500", "BNB": "5"},
}


def played(
    fees: Mapping[str, str], seed: int = 1, balance: Mapping[str, str] | None = None
) -> BacktestResult:
    """A lively hour or two, with plenty of round trips."""
    candles = random_candles(random.Random(seed), 400, step=0.008)
    backtest = {"fees": dict(fees), "balance": dict(balance or BALANCES[fees["asset"]])}
    return gridtide.backtest(config(backtest=backtest), candles)


@pytest.fixture(scope="module", params=[RECEIVED, QUOTE, BNB], ids=["received", "quote", "BNB"])
def result(request: pytest.FixtureRequest) -> BacktestResult:
    found = played(request.param)
    assert len(found.round_trips) > 20, "a run in which nothing happens proves nothing"
    return found


# --- money -------------------------------------------------------------------------------------------


def test_round_trips_and_fills_add_up_to_the_grid_profit(result: BacktestResult) -> None:
    assert total(result.round_trips["profit"]) == result.grid_profit
    assert total(result.fills["profit"]) == result.grid_profit


def test_what_the_account_gained_is_grid_and_floating_profit(result: BacktestResult) -> None:
    """Equity identity, tolerance zero."""
    require_balanced(result)


def test_fees_are_those_of_the_fills_by_asset_and_in_quote(result: BacktestResult) -> None:
    by_asset: dict[str, Decimal] = {}
    worth = ZERO
    for fill in result.fills:
        asset, fee = fill["fee_asset"], fill["fee"]
        by_asset[asset] = total([by_asset.get(asset, ZERO), fee])
        price = {"ABC": fill["price"], "USDT": Decimal(1), "BNB": Decimal(300)}[asset]
        worth = total([worth, fee * price])
    assert dict(result.fees_by_asset) == by_asset
    assert result.fees == worth > 0


def test_levels_share_out_what_the_whole_grid_did(result: BacktestResult) -> None:
    levels = result.markets[0].level_profits
    assert len(levels) == len(result.markets[0].levels) == 11
    without = [row for row in result.round_trips if row["level"] < 0]
    assert total([*levels["profit"], *(row["profit"] for row in without)]) == result.grid_profit
    assert sum(levels["round_trips"]) + len(without) == len(result.round_trips)
    assert sum(levels["fills"]) == sum(level >= 0 for level in result.fills["level"])


def test_each_fill_leads_from_what_was_held_before_to_what_was_held_after(result: BacktestResult) -> None:
    require_conserved(result.markets[0], Decimal(1000))


def test_base_beside_the_bots_counts_at_the_market_price() -> None:
    """Base that no bot was given is part of equity and moves with the price."""
    with_base = played(RECEIVED, balance={"USDT": "1500", "ABC": "2"})
    alone = played(RECEIVED)
    moved = 2 * Decimal(str(with_base.markets[0].prices[-1] - with_base.markets[0].prices[0]))
    assert float(with_base.final_equity - with_base.initial_equity) == pytest.approx(
        float(alone.final_equity - alone.initial_equity + moved)
    )
    assert list(with_base.fills) == list(alone.fills)


def test_an_asset_of_no_market_counts_for_nothing_and_is_said() -> None:
    found = played(RECEIVED, balance={"USDT": "1500", "DOGE": "1000"})
    assert found.initial_equity == 1500
    assert "the account's DOGE belongs to no market of this run and counts for nothing" in found.notes


# --- fees in a third asset ---------------------------------------------------------------------------


def test_fees_in_a_third_asset_are_valued_in_books_and_equity_alike() -> None:
    """The engine is told the asset's price before its first fill, so the books see the fees that the account pays."""
    found = played(BNB)
    assert set(found.fees_by_asset) == {"BNB"}
    assert found.initial_equity == 1500 + 5 * 300
    assert found.fees == found.fees_by_asset["BNB"] * 300 > 0
    assert not [notice for notice in found.notices if notice[2] == "fee.unpriced"]


def test_where_the_third_asset_runs_out_the_books_balance_and_the_result_says_so() -> None:
    found = played(BNB, balance={"USDT": "1500", "BNB": "0.001"})
    assert set(found.fees_by_asset) == {"ABC", "BNB", "USDT"}
    require_balanced(found)
    assert any("BNB did not last" in note for note in found.notes)


def two_markets(**backtest: Any) -> dict[str, Any]:
    bots = [
        {"name": name, "market": market, "strategy": grid_settings(total_investment="700")}
        for name, market in (("abc", "ABC/USDT"), ("xyz", "XYZ/USDT"))
    ]
    return {"bots": bots, "backtest": {"balance": {"USDT": "1500"}, **backtest}}


def two_data() -> dict[str, Any]:
    return {
        "ABC/USDT": random_candles(random.Random(1), 400, step=0.008),
        "XYZ/USDT": random_candles(random.Random(3), 400, step=0.008),
    }


@pytest.mark.parametrize("fees", [RECEIVED, BNB], ids=["received", "BNB"])
def test_several_markets_share_one_account_that_is_counted_once(fees: dict[str, str]) -> None:
    balance = BALANCES[fees["asset"]]
    found = gridtide.backtest(two_markets(fees=fees, balance=balance), two_data())
    assert found.initial_equity == 1500 + (1500 if "BNB" in balance else 0)
    require_balanced(found)
    assert all(len(market.round_trips) > 5 for market in found.markets)
    for market in found.markets:
        require_conserved(market, Decimal(700))
    assert found.fill_count == sum(len(market.fills) for market in found.markets)
    assert found.curve.equity[-1] == pytest.approx(float(found.final_equity))
    assert found.curve.equity[0] == pytest.approx(float(found.initial_equity), rel=0.01)


# --- the rule for candles, repetition, JSON ----------------------------------------------------------


def test_pessimistic_reports_the_worse_of_its_two_runs() -> None:
    candles = random_candles(random.Random(3), 200, step=0.02)
    settings = settings_of(config(backtest={"candle_path": "pessimistic"}))
    data = data_of(settings, candles)
    runs = [
        play(settings, prepare(settings, data, rule), version="test", rule=rule)
        for rule in runs_of(PathRule.PESSIMISTIC)
    ]
    outcomes = [run.final_equity for run in runs]
    assert len(set(outcomes)) == 2, "both runs went the same way: nothing to choose"
    found = gridtide.backtest(config(backtest={"candle_path": "pessimistic"}), candles)
    worse = runs[outcomes.index(min(outcomes))]
    assert (found.final_equity, list(found.fills)) == (min(outcomes), list(worse.fills))
    assert found.notes == worse.notes
    assert found.settings["backtest"]["candle_path"] == "pessimistic"


_ONCE = """
import sys
from dataclasses import replace
from pathlib import Path
from gridtide.reports.saved_run import save_run
from tests.backtest.test_results import BNB, played
save_run(replace(played(BNB), seconds=0, total_seconds=0), Path(sys.argv[1]))
"""


def test_the_same_run_twice_is_equal_byte_for_byte(tmp_path: Path) -> None:
    """Here and in another process, whose sets and dicts of text are ordered by another hash."""
    save_run(replace(played(BNB), seconds=0, total_seconds=0), tmp_path / "here")
    subprocess.run([sys.executable, "-c", _ONCE, str(tmp_path / "there")], check=True)
    here = {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
    assert len(here) == 5
    assert here == {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}


def test_the_summary_has_the_keys_that_tools_rely_on(result: BacktestResult) -> None:
    """design.md 8: money as text, `fills` a count, `fees` one amount, `fees_by_asset` an object."""
    summary = json.loads(json.dumps(result.summary()))
    money = ("final_equity", "grid_profit", "floating_profit", "fees", "max_drawdown")
    assert all(Decimal(summary[name]) == getattr(result, name) for name in money)
    assert all(isinstance(summary[name], str) for name in (*money, "data_checksum", "config_hash"))
    assert summary["fills"] == len(result.fills)
    assert {asset: Decimal(fee) for asset, fee in summary["fees_by_asset"].items()} == result.fees_by_asset
    assert 0 < result.max_drawdown < 1
    assert summary["seconds"] > 0
    assert {"sharpe", "notes", "version", "baselines", "time_in_range"} <= summary.keys()


def test_tables_can_be_taken_as_a_relation_arrays_and_a_frame(result: BacktestResult) -> None:
    fills = result.fills
    assert fills.to_numpy()["price"].dtype == "float64"
    assert fills.to_numpy()["time"].dtype == "int64"
    frame = fills.to_pandas()
    assert list(frame.columns) == list(fills.columns)
    count, profit = fills.relation().aggregate("count(*), sum(profit)").fetchall()[0]
    assert count == len(frame) == len(fills)
    assert profit == pytest.approx(float(result.grid_profit))


# --- refused -----------------------------------------------------------------------------------------


def _two_on_one() -> dict[str, Any]:
    settings = two_markets()
    settings["bots"][1]["market"] = "ABC/USDT"
    return settings


def _two_quotes() -> dict[str, Any]:
    settings = two_markets(balance={"USDT": "1500", "EUR": "1500"})
    settings["bots"][1]["market"] = "XYZ/EUR"
    return settings


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"bots": []}, "the config has no bots"),
        (
            config(backtest={"balance": {"USDT": "999"}}),
            "the bots are to use 1000 USDT, but backtest.balance has 999",
        ),
        (
            config(backtest={"balance": {"EUR": "2000"}}),
            "the bots are to use 1000 USDT, but backtest.balance has 0",
        ),
        (two_markets(balance={"USDT": "1399"}), "the bots are to use 1400 USDT"),
        (_two_quotes(), "all markets of a backtest need one quote asset, these have EUR, USDT"),
        (_two_on_one(), "two bots trade ABC/USDT"),
        (config(backtest={"fees": {"asset": "BNB"}}), "backtest.fees.asset_price is missing"),
        (two_markets(fees={"asset": "XYZ", "asset_price": "3"}), "fees cannot be paid in XYZ"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as refused:
        gridtide.backtest(settings, two_data() if len(settings["bots"]) > 1 else two_data()["ABC/USDT"])
    assert "\n" not in str(refused.value)


def test_data_of_another_market_are_refused_with_both_names(tmp_path: Path) -> None:
    candles = two_data()["ABC/USDT"]
    lines = [",".join(candles), *(",".join(map(str, row)) for row in zip(*candles.values(), strict=True))]
    file = tmp_path / "ETHUSDT-1m.csv"
    file.write_text("\n".join(lines))
    with pytest.raises(InvalidInput, match=r"no data for ABC/USDT of bot abc.*ETHUSDT-1m.csv \(ETH/USDT\)"):
        gridtide.backtest(config(), file)


@pytest.mark.parametrize("asset, settings", [("ABC", RECEIVED), ("USDT", QUOTE)])
def test_fees_in_the_markets_own_assets_need_no_price(asset: str, settings: dict[str, str]) -> None:
    """Named by itself, an asset of the market is valued by the market."""
    named = played(settings, balance={"USDT": "1500"})
    found = gridtide.backtest(
        config(backtest={"fees": {"asset": asset}}), random_candles(random.Random(1), 400, step=0.008)
    )
    require_balanced(found)
    assert asset in found.fees_by_asset
    assert len(found.fills) > 0.8 * len(named.fills)


# --- the check behind every run ----------------------------------------------------------------------


def test_books_that_differ_from_the_venue_give_no_result() -> None:
    settings = settings_of(config())
    data = data_of(settings, two_data()["ABC/USDT"])
    world = build_world(settings, prepare(settings, data, PathRule.CLOSE_DIRECTION))
    world.run.run()
    world.venue.check()
    balances = dict(world.venue.balances(ACCOUNT))
    check_books(world.run.lanes, {"USDT": Decimal(1500)}, balances)
    asset = Asset("ABC")
    balances[asset] = Balance(balances[asset].free + Decimal("1e-8"), balances[asset].locked)
    with pytest.raises(Defect, match=r"the venue holds .* ABC, the books"):
        check_books(world.run.lanes, {"USDT": Decimal(1500)}, balances)


def test_steps_that_were_guessed_from_the_data_are_said() -> None:
    """Where no volume was recorded the data tell no lot: then it must not hinder."""
    candles = random_candles(random.Random(5), 50)
    found = gridtide.backtest(config(), candles | {"volume": np.zeros(50)})
    assert (
        "ABC/USDT: its rules at the time are not known: tick 0.01 and lot 0.00000001 are read off the whole data, "
        "later rows included; state them in backtest.rules" in found.notes
    )
    assert found.markets[0].ended_as == "RUNNING"


@pytest.mark.parametrize("investment", ["1000", "1000000"])
def test_the_first_purchase_is_bought_whole_however_large(investment: str) -> None:
    """No depth was recorded, so none is made up that would leave a large account without its coins."""
    candles = random_candles(random.Random(5), 50)
    settings = config(grid_settings(total_investment=investment), {"balance": {"USDT": investment}})
    first = next(iter(gridtide.backtest(settings, candles).fills))
    assert first["quote_amount"] / Decimal(investment) == pytest.approx(Decimal("0.515"), abs=Decimal("0.01"))


def test_the_first_purchase_pays_slippage_up_to_its_cap() -> None:
    """It takes with a limit: the ask plus slippage, and never more than the limit."""
    candles = random_candles(random.Random(5), 50)

    def paid(slippage: str) -> Decimal:
        settings = config(grid_settings(price_cap="0.002"), {"slippage": slippage})
        first = next(iter(gridtide.backtest(settings, candles).fills))
        assert not first["is_maker"]
        price: Decimal = first["price"]
        return price

    ask = paid("0")
    assert paid("0.001") == (ask * Decimal("1.001")).quantize(Decimal("0.01"), rounding=ROUND_CEILING)
    assert paid("0.01") == (ask * Decimal("1.002")).quantize(Decimal("0.01"), rounding=ROUND_FLOOR)


def test_a_part_of_the_time_is_played_on_demand() -> None:
    """By text and by datetimes, the same as with that part of the data alone; the end is not included."""
    candles = random_candles(random.Random(5), 120, gap_chance=0)
    cut = {name: column[30:90] for name, column in candles.items()}
    start, end = (datetime.fromtimestamp(int(candles["timestamp"][row]) / 1000, UTC) for row in (30, 90))
    whole, part = gridtide.backtest(config(), candles), gridtide.backtest(config(), cut)
    assert gridtide.backtest(config(), candles, from_=start, to=end).final_equity == part.final_equity
    assert (
        gridtide.backtest(config(), candles, from_=start.isoformat()).markets[0].start
        == part.markets[0].start
    )
    assert part.final_equity != whole.final_equity
    with pytest.raises(InvalidInput, match="is not after"):
        gridtide.backtest(config(), candles, from_=end, to=start)


def test_of_many_notices_of_a_kind_the_first_and_the_last_are_kept() -> None:
    """A price that keeps crossing a bound told its owner so a thousand times; one line says how many there were."""
    candles = random_candles(random.Random(5), 60, gap_chance=0)
    edges = {"open": 100.0, "high": 101.5, "low": 98.5, "close": 100.0}
    candles |= {name: np.full(60, price) for name, price in edges.items()}
    narrow = grid_settings(lower_price="99.5", upper_price="100.5", num_grids=3)
    found = gridtide.backtest(config(narrow, {"fees": {"maker": 0, "taker": 0}}), candles)
    told = [(at, text) for at, _, kind, text in found.notices if kind == "grid.out_of_range"]
    assert len(told) == 41
    (number,) = (int(text.split()[0]) for _, text in told if "left out here" in text)
    assert number > 0
    assert told == sorted(told, key=lambda each: each[0])


def test_a_slow_way_is_no_lost_answer() -> None:
    """A minute of latency: the bot waits for its answers instead of calling each order unknown."""
    strategy = grid_settings(lower_price="97", upper_price="103", num_grids=15)
    candles = random_candles(random.Random(1), 200, gap_chance=0)
    found = gridtide.backtest(config(strategy, {"latency_ms": 60_000}), candles)
    assert {kind for _, _, kind, _ in found.notices} <= {"grid.planned", "grid.out_of_range", "grid.in_range"}
    assert found.fill_count > 20
