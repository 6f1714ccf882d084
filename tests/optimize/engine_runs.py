"""The same grid through the engine and through the sweep kernel, fill by fill."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from gridtide.bootstrap.backtest import Prepared, play, prepare
from gridtide.bootstrap.bots import grid_config
from gridtide.bootstrap.notebook import data_of, settings_of
from gridtide.config.settings import AppSettings
from gridtide.optimize.kernel import play_sets, traced_fills
from gridtide.optimize.kernel_sets import HAS_RESULT, SET_DTYPE, FeeAsset, Status, Terms, set_row
from gridtide.optimize.swept_path import SweptPath
from gridtide.price_path.candle_path import PathRule
from gridtide.reports.backtest_result import BacktestResult
from tests.backtest.worlds import Candles, config

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class World:
    """A config with its data, ready for both."""

    settings: AppSettings
    prepared: tuple[Prepared, ...]
    path: SweptPath
    row: np.void


def world(grid: Mapping[str, Any], backtest: Mapping[str, Any], candles: Candles) -> World:
    settings = settings_of(config(grid, backtest, risk="off"))
    rule = PathRule(settings.backtest.candle_path)
    prepared = prepare(settings, data_of(settings, candles), rule)
    path = SweptPath.of(prepared[0].index.path, prepared[0].market)
    return World(settings, prepared, path, set_row(grid_config(settings.bots[0]), terms_of(settings)))


def terms_of(settings: AppSettings) -> Terms:
    backtest = settings.backtest
    known = {"received": FeeAsset.RECEIVED, "quote": FeeAsset.QUOTE}
    asset = known.get(backtest.fees.asset, FeeAsset.THIRD)
    return Terms(
        backtest.fees.maker,
        backtest.fees.taker,
        asset,
        balance_quote=backtest.balance.get("USDT", NOTHING),
        balance_base=backtest.balance.get("ABC", NOTHING),
        balance_third=backtest.balance.get(backtest.fees.asset, NOTHING),
        fee_asset_price=backtest.fees.asset_price or NOTHING,
        max_open_orders=1_000_000,
    )


def compare(of: World) -> tuple[Status, int]:
    """Status and number of fills, after everything the kernel gives was held against the engine; nothing is where it
    gives nothing."""
    played = play_sets(of.path, np.array([of.row], SET_DTYPE), daily=True)
    mine = played.results[0]
    status = Status(mine["status"])
    if status not in HAS_RESULT:
        return status, 0
    theirs = play(of.settings, of.prepared, version="test")
    fills = fills_of(theirs, of.path)
    traced = [(fill.point, fill.is_sell, fill.price, fill.lots) for fill in traced_fills(of.path, of.row)]
    assert traced == fills, next(pair for pair in zip(traced, fills, strict=False) if pair[0] != pair[1])
    assert mine["fills"] == len(fills)
    for name in ("final_equity", "initial_equity", "grid_profit", "floating_profit", "fees"):
        assert_close(float(getattr(theirs, name)), float(mine[name]), name)
    # A result cuts its drawdown to 12 decimals.
    assert_close(float(theirs.max_drawdown), float(mine["max_drawdown"]), "max_drawdown", 1e-12)
    assert_close(theirs.time_in_range, float(mine["time_in_range"]), "time_in_range")
    if theirs.sharpe is None:
        assert np.isnan(mine["sharpe"])
    else:
        assert_close(theirs.sharpe, float(mine["sharpe"]), "sharpe")
    assert played.daily_equity is not None
    assert_close(float(theirs.final_equity), float(played.daily_equity[0, -1]), "the last day's equity")
    return status, len(fills)


def fills_of(result: BacktestResult, path: SweptPath) -> list[tuple[int, bool, int, int]]:
    """Raw point, whether it sold, ticks and lots of each of the engine's fills."""
    rules = path.market.rules
    points = np.searchsorted(path.times, [fill["time"] for fill in result.markets[0].fills])
    return [
        (
            int(point),
            str(fill["side"]) == "SELL",
            int(fill["price"] / rules.tick_size),
            int(fill["amount"] / rules.lot_size),
        )
        for point, fill in zip(points, result.markets[0].fills, strict=True)
    ]


def assert_close(theirs: float, mine: float, what: str, absolute: float = 1e-9) -> None:
    assert abs(theirs - mine) <= 1e-9 * max(abs(theirs), abs(mine)) + absolute, (what, theirs, mine)


def random_grid(rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of a grid around 100 and of its backtest: every spacing, sizing, profit mode, vacant rule and kind of
    fee, with money that just suffices now and then."""
    low = Decimal(str(round(rng.uniform(80, 101), rng.choice([0, 1, 2, 3]))))
    high = round(low * Decimal(str(rng.uniform(1.02, 1.5))), rng.choice([0, 1, 2, 3]))
    sizing = rng.choice(["equal_base"] * 3 + ["equal_quote", "quote_only", "quote_only", "base_and_quote"])
    base = "0"
    if sizing == "base_and_quote" or (sizing != "quote_only" and rng.random() < 0.2):
        base = str(round(rng.uniform(0.5, 10), rng.choice([1, 5, 8])))
    grid: dict[str, Any] = {
        "name": "grid",
        "lower_price": str(low),
        "upper_price": str(high),
        "num_grids": rng.randint(2, rng.choice([6, 15, 50])),
        "total_investment": rng.choice(["100", "300", "1000", "1234.56"]),
        "spacing": rng.choice(["geometric", "arithmetic"]),
        "vacant": rng.choice(["nearest", "above", "below"]),
        "sizing": sizing,
        "profit": rng.choice(["quote", "base", "compound"]),
        "rounding": rng.choice(["nearest", "nearest", "down"]),
        "post_only": rng.random() < 0.7,
        "start_outside": rng.choice(["allow", "allow", "refuse"]),
        "allow_below_break_even": rng.random() < 0.7,
        "price_cap": rng.choice(["0.002", "0.01", "0"]),
        "reserve": rng.choice([None, None, "0", "0", "0.05"]),
    }
    if base != "0":
        grid |= {"base_amount": base, "base_cost": "500.5"}
    asset = rng.choice(["received", "received", "quote", "BNB"])
    fees = {
        "maker": rng.choice(["0.001", "0.00075", "0"]),
        "taker": rng.choice(["0.001", "0.002"]),
        "asset": asset,
    }
    balance = {"USDT": str(Decimal(grid["total_investment"]) + rng.choice([0, 500])), "ABC": base}
    if asset == "BNB":
        fees["asset_price"] = rng.choice(["300", "333.33"])
        balance["BNB"] = rng.choice(["0", "0.001", "5"])
    rule = rng.choice(["nearer_extreme_first", "close_direction"])
    return grid, {"balance": balance, "fees": fees, "candle_path": rule}
