"""Jumping from one moment that matters to the next gives what visiting every point gives, fill by fill."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gridtide.bootstrap.backtest import play, prepare
from gridtide.bootstrap.notebook import data_of, settings_of
from gridtide.price_path.candle_path import PathRule
from gridtide.reports.backtest_result import BacktestResult
from tests.backtest.worlds import config, grid_settings, random_candles

SINGLE_RULES = [rule for rule in PathRule if rule is not PathRule.PESSIMISTIC]


def drawn_config(rng: random.Random) -> dict[str, Any]:
    """Any grid, any fees, any way to fill, any latency."""
    low, high = rng.choice([(90, 110), (80, 99), (95, 104), (101, 130), (95, 700)])
    strategy = grid_settings(
        lower_price=str(low),
        upper_price=str(high),
        num_grids=rng.choice([3, 5, 11, 24]),
        spacing=rng.choice(["geometric", "arithmetic"]),
        profit=rng.choice(["quote", "base", "compound"]),
        post_only=rng.random() < 0.7,
        start_outside="allow",
        mirror_after_seconds=rng.choice([5, 600]),
    )
    model = rng.choice(["touch", "touch", "trade_through", "queue"])
    backtest: dict[str, Any] = {
        "fill_model": model,
        "fees": {
            "maker": rng.choice(["0", "0.001"]),
            "taker": "0.001",
            "asset": rng.choice(["received", "quote"]),
        },
        "volume_cap": rng.choice([None, "0.1", "0.9"]),
        "slippage": rng.choice(["0", "0.002"]),
        "volume_slippage": rng.choice(["0", "0.01"]),
        "latency_ms": rng.choice([0, 0, 40, 3_000]),
        "latency_most_ms": rng.choice([None, 20_000]),
        "halt_at_gaps": rng.random() < 0.3,
        "seed": rng.randrange(100),
    }
    return config(strategy, backtest, risk=rng.choice(["off", {}]))


def both_ways(seed: int) -> tuple[BacktestResult, BacktestResult]:
    """The same world jumped through and walked through."""
    rng = random.Random(seed)
    settings = settings_of(drawn_config(rng))
    candles = random_candles(rng, rng.randint(20, 160), step=rng.choice([0.001, 0.004, 0.02]))
    rule = rng.choice(SINGLE_RULES)
    data = data_of(settings, candles)
    jumped, walked = (
        play(settings, prepare(settings, data, rule), version="test", rule=rule, looks_everywhere=everywhere)
        for everywhere in (False, True)
    )
    return jumped, walked


@pytest.mark.parametrize("block", range(4))
def test_jumps_give_what_the_plain_loop_gives(block: int) -> None:
    """Fills, money, state and what the bot said, over random paths, grids, fees, fill models, caps, latencies."""
    fills = 0
    for seed in range(block * 25, block * 25 + 25):
        jumped, walked = both_ways(seed)
        assert list(jumped.fills) == list(walked.fills), f"seed {seed}"
        assert list(jumped.round_trips) == list(walked.round_trips), f"seed {seed}"
        assert jumped.notices == walked.notices, f"seed {seed}"
        same = ("final_equity", "max_drawdown", "grid_profit", "floating_profit", "fees", "sharpe")
        assert [getattr(jumped, name) for name in same] == [getattr(walked, name) for name in same]
        one, other = jumped.markets[0], walked.markets[0]
        assert (one.strategy_state, one.ended_as) == (other.strategy_state, other.ended_as), f"seed {seed}"
        fills += jumped.fill_count
    assert fills > 90, "worlds in which nothing happens prove nothing"
