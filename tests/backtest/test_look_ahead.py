"""Nothing that is yet to come changes what was: fills, orders, books and state up to a moment, whatever follows it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from gridtide.bootstrap.backtest import ACCOUNT, build_world, prepare
from gridtide.bootstrap.notebook import data_of, settings_of
from gridtide.config.settings import AppSettings
from gridtide.domain.market import Symbol
from gridtide.exchanges.direct_venue import DirectVenue
from gridtide.price_path.candle_path import PathRule
from gridtide.runners.backtest import BacktestRun, Seen
from tests.backtest.test_next_event import drawn_config
from tests.backtest.worlds import Candles, config, random_candles

SYMBOL = Symbol("ABC/USDT")
OTHER_FUTURES = 3


def shuffled_behind(rng: random.Random, candles: Candles, row: int) -> Candles:
    """The same candles up to and without `row`; all behind in another order, and the market moved up or down."""
    order = list(range(row, len(candles["timestamp"])))
    rng.shuffle(order)
    factor = rng.choice([0.6, 1.0, 1.0, 1.5])
    other = {"timestamp": candles["timestamp"]}
    for name in ("open", "high", "low", "close", "volume"):
        behind = candles[name][order]
        if name != "volume":
            behind = np.round(
                behind * factor, 2
            )  # to the cent as before: the market's tick is read off the data
        other[name] = np.concatenate([candles[name][:row], behind])
    return other


def lived(
    settings: AppSettings, candles: Candles, until: int, *, looks_everywhere: bool = False
) -> list[tuple[object, ...]]:
    """All that happened before `until` (ms): after each step what was decided, every order at the venue, balances, the
    bot's books and its strategy's state."""
    prepared = prepare(settings, data_of(settings, candles), PathRule.LOW_FIRST)
    world = build_world(settings, prepared, looks_everywhere=looks_everywhere)
    story: list[tuple[object, ...]] = []

    def look(seen: Seen) -> None:
        if seen.now < until:
            engine = seen.lane.engine
            orders = world.venue.orders(ACCOUNT, SYMBOL, 0, 10**9)
            state = engine.state
            books = repr(state.ledger.state()), repr(engine.strategy.get_state()), state.bot_state
            story.append((seen.now, repr(seen.entries), orders, world.venue.balances(ACCOUNT), *books))

    rng, most = random.Random(1), settings.backtest.latency_most_ms or 0
    latency = (lambda: rng.randint(0, most)) if most else None
    BacktestRun(world.run.lanes, DirectVenue(world.venue, ACCOUNT), latency=latency, listener=look).run()
    return story


@pytest.mark.parametrize("block", range(2))
def test_shuffling_the_future_does_not_change_the_past(block: int) -> None:
    """Random grids, paths, fees, ways to fill, caps, latencies; three other futures for each."""
    steps = 0
    for seed in range(block * 7, block * 7 + 7):
        rng = random.Random(seed)
        settings = settings_of(drawn_config(rng))
        candles = random_candles(rng, 80, step=rng.choice([0.004, 0.02]))
        row = rng.randint(20, 70)
        until = int(candles["timestamp"][row])
        story = lived(settings, candles, until)
        whole = lived(settings, candles, 2**62)
        assert whole[: len(story)] == story
        for _ in range(OTHER_FUTURES):
            other = shuffled_behind(rng, candles, row)
            assert lived(settings, other, until) == story, f"seed {seed}, row {row}"
        steps += len(story)
    assert steps > 40, "a past in which nothing happens proves nothing"


@pytest.mark.usefixtures("strategies_of_others")
@pytest.mark.parametrize("timeframe", ["1m", "4m", "1h"])
def test_a_candle_is_not_told_before_it_is_over(timeframe: str) -> None:
    """A strategy that orders by each close, in data with gaps: other futures do not change its past, and stopping at
    every point gives the same as jumping from close to close."""
    strategy = {"name": "watcher", "total_investment": "500", "timeframe": timeframe}
    settings = settings_of(config(strategy))
    rng = random.Random(5)
    candles = random_candles(rng, 150, gap_chance=0.1)
    whole = lived(settings, candles, 2**62)
    assert lived(settings, candles, 2**62, looks_everywhere=True) == whole
    assert len(whole) > 4
    for row in (31, 77, 78, 120):
        until = int(candles["timestamp"][row])
        story = lived(settings, candles, until)
        assert whole[: len(story)] == story
        assert lived(settings, shuffled_behind(rng, candles, row), until) == story
