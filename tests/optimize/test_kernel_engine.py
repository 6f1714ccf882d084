"""The sweep kernel trades as the engine: the same fills one by one, the same money, the same drawdown."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from gridtide.optimize.kernel_sets import Status
from tests.backtest.worlds import Candles, grid_settings, random_candles
from tests.optimize.engine_runs import compare, random_grid, world

SPREAD = 15
"""Makes minutes quarters of an hour, so that a short run has several days."""


def spread_out(candles: Candles) -> Candles:
    times = candles["timestamp"]
    return candles | {"timestamp": times[0] + (times - times[0]) * SPREAD}


def random_world(seed: int, count: int) -> Any:
    rng = random.Random(seed)
    grid, backtest = random_grid(rng)
    candles = random_candles(
        rng, count, step=rng.choice([0.0008, 0.002, 0.006]), gap_chance=rng.choice([0, 0.02])
    )
    return world(grid, backtest, spread_out(candles) if rng.random() < 0.5 else candles)


@pytest.mark.parametrize("block", range(4))
def test_random_grids_on_random_paths_are_played_as_by_the_engine(block: int) -> None:
    """And hardly any is left to the engine."""
    found = Counter(compare(random_world(seed, 150))[0] for seed in range(block * 20, block * 20 + 20))
    assert found[Status.OK] + found[Status.REFUSED] >= 16, found


@pytest.mark.parametrize("seed", range(4))
def test_a_dense_grid_with_hundreds_of_fills(seed: int) -> None:
    rng = random.Random(seed)
    grid, backtest = random_grid(rng)
    grid |= {
        "lower_price": "93",
        "upper_price": "107.5",
        "num_grids": 40,
        "total_investment": "2000",
        "start_outside": "allow",
        "allow_below_break_even": True,
    }
    backtest["balance"]["USDT"] = "2500"
    candles = spread_out(random_candles(rng, 600, step=0.003, gap_chance=0))
    status, fills = compare(world(grid, backtest, candles))
    assert status is Status.OK
    assert fills > 100


def test_a_grid_that_starts_without_a_purchase_opens_its_upper_buys_as_the_price_rises() -> None:
    """Such a buy rests right below the price: any step back fills it, however small."""
    grid = grid_settings(sizing="quote_only", num_grids=30, allow_below_break_even=True)
    for seed in range(6):
        candles = random_candles(random.Random(seed), 250, step=0.003, gap_chance=0)
        status, fills = compare(world(grid, {}, candles))
        assert status is Status.OK
        assert fills


def test_a_start_at_the_very_price_of_a_level() -> None:
    grid = grid_settings(
        sizing="quote_only", lower_price="96", upper_price="104", num_grids=9, spacing="arithmetic"
    )
    for seed in range(6):
        candles = random_candles(random.Random(seed), 60, step=0.002, gap_chance=0)
        candles["open"][0], candles["low"][0] = 100.0, min(candles["low"][0], 100.0)
        candles["high"][0] = max(candles["high"][0], 100.0)
        for changed in ({}, {"sizing": "equal_base"}, {"vacant": "below"}):
            assert compare(world(grid | changed, {}, candles))[0] is Status.OK


def test_money_that_just_does_not_suffice_parks_the_lowest_buys() -> None:
    """Without a reserve the fees are missing; what is earned later opens what waited."""
    statuses = Counter[Status]()
    for seed in range(8):
        grid = grid_settings(reserve="0", num_grids=25, lower_price="92", upper_price="108")
        candles = random_candles(random.Random(seed), 200, step=0.003, gap_chance=0)
        statuses[compare(world(grid, {"fees": {"asset": "quote"}}, candles))[0]] += 1
    assert statuses[Status.OK] >= 6


@pytest.mark.parametrize(
    "changed",
    [
        {"lower_price": "120", "upper_price": "140"},
        {"num_grids": 400},
        {"total_investment": "40"},
        {"lower_price": "100.001", "upper_price": "100.01", "num_grids": 3},
    ],
    ids=["outside the range", "below break-even", "below the minimum notional", "levels on one price"],
)
def test_what_the_plan_refuses_never_trades_in_either(changed: dict[str, Any]) -> None:
    candles = random_candles(random.Random(1), 60)
    assert compare(world(grid_settings(**changed), {}, candles)) == (Status.REFUSED, 0)
