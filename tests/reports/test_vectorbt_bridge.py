"""What VectorBT makes of our fills is worth what we say, and paid the fees that we say.

VectorBT compiles itself for up to a minute, so its own part runs with GRIDTIDE_RESEARCH=1 (`make research`); the rows
it is given are proved here at any time, by the arithmetic of `Portfolio.from_orders` in a few lines. Tolerance: floats,
one part in 10^9.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gridtide
from gridtide.domain.errors import InvalidInput
from gridtide.reports.backtest_result import BacktestResult
from gridtide.reports.saved_run import load_run, save_run
from gridtide.reports.vectorbt_bridge import OrderRows, order_rows, to_vectorbt
from tests.backtest.worlds import config, grid_settings, random_candles

YEAR = Path(__file__).parents[2].parent / "shared" / "data" / "candles" / "BTCUSDT-1m-2021.parquet"
TOLERANCE = 1e-9
"""Relative; of sums of a few thousand floats."""
BNB = {"asset": "BNB", "asset_price": "300"}
ACCOUNTS: dict[str, dict[str, Any]] = {
    "received": {"fees": {"asset": "received"}},
    "quote": {"fees": {"asset": "quote"}},
    "base": {"fees": {"asset": "ABC"}},
    "third": {"fees": BNB, "balance": {"USDT": "1500", "BNB": "5"}},
    "third-runs-out": {"fees": BNB, "balance": {"USDT": "1500", "BNB": "0.002"}},
    "with-base": {"balance": {"USDT": "1500", "ABC": "2.5"}},
}
accounts = pytest.mark.parametrize("account", ACCOUNTS.values(), ids=ACCOUNTS)
with_vectorbt = pytest.mark.skipif(
    not os.environ.get("GRIDTIDE_RESEARCH"), reason="vectorbt compiles for up to a minute: make research"
)
unwarned = pytest.mark.filterwarnings("ignore")  # vectorbt and its plots warn of what they import


def played(account: Mapping[str, Any]) -> BacktestResult:
    return gridtide.backtest(config(backtest=account), random_candles(random.Random(1), 400, step=0.008))


def two_markets() -> BacktestResult:
    bots = [
        {"name": name, "market": f"{name.upper()}/USDT", "strategy": grid_settings(total_investment="700")}
        for name in ("abc", "xyz")
    ]
    data = {
        "ABC/USDT": random_candles(random.Random(1), 400, step=0.008),
        "XYZ/USDT": random_candles(random.Random(3), 300, step=0.008),
    }
    return gridtide.backtest({"bots": bots, "backtest": {"balance": {"USDT": "1500", "XYZ": "1"}}}, data)


def values_of(rows: OrderRows) -> NDArray[np.float64]:
    """What the account is worth after each row, as `Portfolio.from_orders` reckons: cash pays for what is bought and
    for the fee, a sale brings what it sold for less the fee."""
    cash, base, values = rows.cash, np.zeros(len(rows.symbols)), []
    for close, size, price, fees in zip(rows.close, rows.size, rows.price, rows.fees, strict=True):
        for column in np.flatnonzero(~np.isnan(size)):
            cash -= size[column] * price[column] + fees[column]
            base[column] += size[column]
        assert cash > -1e-9, "VectorBT would cut an order that the cash does not pay for"
        assert (base > -1e-9).all(), "VectorBT would cut a sale of more than there is"
        values.append(cash + float(base @ close))
    return np.array(values)


def require_worth(rows: OrderRows, result: BacktestResult) -> None:
    assert len(rows.times) == len(np.unique(rows.times)), "of rows of one time VectorBT would keep one"
    assert (np.diff(rows.times) > 0).all()
    assert np.isfinite(rows.close).all()
    values = values_of(rows)
    assert values[0] == pytest.approx(float(result.initial_equity), rel=TOLERANCE)
    assert values[-1] == pytest.approx(float(result.final_equity), rel=TOLERANCE)
    assert rows.fees.sum() == pytest.approx(float(result.fees), rel=TOLERANCE)


@accounts
def test_the_rows_are_worth_what_the_account_was_at_every_moment_of_its_curve(
    account: dict[str, Any],
) -> None:
    result = played(account)
    rows = order_rows(result)
    require_worth(rows, result)
    orders = np.count_nonzero(~np.isnan(rows.size)) - ("ABC" in account.get("balance", {}))
    assert orders == result.fill_count > 50
    last = np.searchsorted(rows.times // 1_000_000, result.curve.times, side="right") - 1
    np.testing.assert_allclose(values_of(rows)[last], result.curve.equity, rtol=TOLERANCE)


def test_rows_of_several_markets_share_one_cash() -> None:
    result = two_markets()
    rows = order_rows(result)
    assert rows.symbols == ("ABC/USDT", "XYZ/USDT")
    require_worth(rows, result)


def test_a_saved_run_gives_the_same_rows(tmp_path: Path) -> None:
    result = played(ACCOUNTS["third"])
    save_run(result, tmp_path / "run")
    one, other = order_rows(result), order_rows(load_run(tmp_path / "run"))
    for name in ("times", "close", "size", "price", "fees"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_without_vectorbt_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vectorbt", None)
    with pytest.raises(InvalidInput, match=r"vectorbt is not installed.*pip install 'gridtide\[research\]'"):
        to_vectorbt(played(ACCOUNTS["received"]))


# --- the real one ------------------------------------------------------------------------------------


def require_agreement(result: BacktestResult) -> Any:
    portfolio = to_vectorbt(result)
    assert float(portfolio.final_value()) == pytest.approx(float(result.final_equity), rel=TOLERANCE)
    assert portfolio.orders.records["fees"].sum() == pytest.approx(float(result.fees), rel=TOLERANCE)
    assert float(portfolio.total_return()) == pytest.approx(float(result.total_return), rel=1e-6)
    return portfolio


@with_vectorbt
@unwarned
@accounts
def test_vectorbt_agrees_on_final_value_and_fees(account: dict[str, Any]) -> None:
    result = played(account)
    portfolio = require_agreement(result)
    assert len(portfolio.orders.records) - ("ABC" in account.get("balance", {})) == result.fill_count


@with_vectorbt
@unwarned
def test_vectorbt_agrees_on_several_markets() -> None:
    require_agreement(two_markets())


@with_vectorbt
@unwarned
@pytest.mark.skipif(not YEAR.exists(), reason="the shared market data are not on this machine")
@pytest.mark.parametrize(
    "account", [{}, {"fees": {"asset": "quote"}}, {"fees": BNB, "balance": {"USDT": "1500", "BNB": "1"}}]
)
def test_vectorbt_agrees_on_a_real_year_and_gives_its_figures(account: dict[str, Any]) -> None:
    """BTCUSDT, the minutes of 2021. Its drawdown is of fills and moments of the curve, ours of every point."""
    settings = config(grid_settings(lower_price="28000", upper_price="65000", num_grids=50), account)
    settings["bots"][0]["market"] = "BTC/USDT"
    result = gridtide.backtest(settings, YEAR)
    assert result.fill_count > 1000
    portfolio = require_agreement(result)
    assert -float(portfolio.max_drawdown()) == pytest.approx(float(result.max_drawdown), rel=0.05)
    assert portfolio.stats()["Total Trades"] >= 1
