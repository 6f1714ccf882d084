"""A strategy file of somebody else runs unchanged live, on an exchange in process, and in a backtest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import gridtide
from gridtide.bootstrap.backtest import ACCOUNT, Prepared, build_world, prepare
from gridtide.bootstrap.bots import allocation_of, gate_of, make_strategy
from gridtide.bootstrap.notebook import settings_of
from gridtide.config.settings import AppSettings
from gridtide.domain.errors import InvalidConfig, InvalidInput
from gridtide.domain.journal import FillAdded, JournalEntry
from gridtide.domain.market import Asset, FeeSchedule
from gridtide.domain.money import FeeRate
from gridtide.engine.engine import Engine
from gridtide.engine.settings import BotIdentity, EngineSettings
from gridtide.exchanges.venue_exchange import VenueExchange
from gridtide.exchanges.venue_side import StraightLine, VenueSide
from gridtide.market_data.load import load_market_data
from gridtide.price_path.candle_path import PathRule
from gridtide.runners.live import LiveRun
from gridtide.storage.memory_journal import MemoryDatabase
from gridtide.venue.settings import AccountFees, VenueSettings
from gridtide.venue.venue import Venue
from tests.backtest.sandbox_session import (
    PATIENCE_SECONDS,
    SYMBOL,
    Traded,
    is_quiet,
    knows,
    replayed,
    session,
    shown,
    traded,
    write_candles,
)
from tests.backtest.worlds import Candles, config, random_candles

pytestmark = pytest.mark.usefixtures("strategies_of_others")
STRATEGY = {"name": "rebuyer", "total_investment": "500", "step": "0.004", "amount": "1.5"}
FEE = FeeRate(gridtide.AppSettings().backtest.fees.maker)


def candles() -> Candles:
    """Something is traded in each: the last price of a live market is that of a trade."""
    found = random_candles(random.Random(6), 40, gap_chance=0)
    return {**found, "volume": found["volume"] + 1}


def in_backtest(settings: AppSettings, prepared: tuple[Prepared, ...]) -> Traded:
    world = build_world(settings, prepared)
    world.run.run()
    return replayed(world, ACCOUNT)


async def on_sandbox(settings: AppSettings, file: Path, folder: Path) -> Traded:
    """The whole bot over real sockets."""
    async with session(settings, file, folder) as living:
        await living.bot_is_done()
        while await living.step():
            pass
        return await living.traded()


async def in_process(settings: AppSettings, prepared: Prepared) -> Traded:
    """The live loop on a venue in this process, as paper trading and simulations have it."""
    return (await lived_in_process(settings, prepared))[0]


async def lived_in_process(settings: AppSettings, prepared: Prepared) -> tuple[Traded, Mapping[str, Any]]:
    """What was traded, and the strategy's state at the end."""
    path, market, bot = prepared.index.path, prepared.market, settings.bots[0]
    now, accepted = [path.time(0)], dict[str, int]()
    venue = Venue([market], VenueSettings(), random.Random(1))
    balances = {Asset(asset): amount for asset, amount in settings.backtest.balance.items()}
    venue.add_account("main", balances, AccountFees(FEE, FEE))
    side = VenueSide(venue, "main", SYMBOL, StraightLine(), lambda: now[0])
    side.move(path.price(0), path.point(0).volume)
    engine = Engine(
        EngineSettings(BotIdentity(bot.name, "main", SYMBOL, 1), allocation_of(bot)),
        market,
        FeeSchedule(FEE, FEE),
        make_strategy(bot),
        gate_of(bot),
        MemoryDatabase().open_bot().load(),
    )
    run = LiveRun(engine, MemoryDatabase().open_bot(), VenueExchange(side, lambda: now[0]), "run")
    booked = 0

    def hear(entry: JournalEntry) -> None:
        nonlocal booked
        booked += isinstance(entry, FillAdded)

    run.on_entry = hear
    await run.start()
    try:
        for number in range(len(path)):
            if number:
                now[0] = path.time(number)
                side.move(path.price(number), path.point(number).volume)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (is_quiet(run) and knows(run, booked, shown(venue))):  # noqa: ASYNC110  makes no event
                    await asyncio.sleep(0)
            for order in venue.orders("main", SYMBOL, 0, 10**9):
                accepted.setdefault(order.original_client_order_id or order.client_order_id, number)
    finally:
        await run.close()
    return traded(venue, "main", accepted.__getitem__), run.engine.strategy.get_state()


async def test_a_strategy_of_somebody_else_does_the_same_in_every_world(tmp_path: Path) -> None:
    """Found by its entry point, it buys, sells, withdraws and is woken by prices: order by order, fill by fill."""
    settings = settings_of(config(STRATEGY))
    file = write_candles(tmp_path, candles())
    prepared = prepare(settings, [load_market_data(file)], PathRule.NEARER_EXTREME_FIRST)
    backtest = in_backtest(settings, prepared)
    assert await on_sandbox(settings, file, tmp_path) == backtest
    assert await in_process(settings, prepared[0]) == backtest
    assert len(backtest.fills) > 8
    assert {order.status for order in backtest.orders} >= {"FILLED", "CANCELED"}


WATCHED_MINUTES = 30


async def test_candles_are_told_in_every_world(tmp_path: Path) -> None:
    """A strategy that subscribes gets each candle once it is closed, with the same values in each world: in the
    backtest at the very moment of its close, elsewhere when the market goes on behind it."""
    settings = settings_of(config({"name": "watcher", "total_investment": "500", "timeframe": "5m"}))
    minutes = random_candles(random.Random(3), WATCHED_MINUTES, gap_chance=0)
    minutes["volume"] += 1
    file = write_candles(tmp_path, minutes)
    prepared = prepare(settings, [load_market_data(file)], PathRule.NEARER_EXTREME_FIRST)
    state = gridtide.backtest(settings, file).markets[0].strategy_state
    expected = [
        [
            str(minutes["timestamp"][k]),
            *(
                format(Decimal(str(value)).normalize(), "f")
                for value in (
                    minutes["open"][k],
                    minutes["high"][k : k + 5].max(),
                    minutes["low"][k : k + 5].min(),
                    minutes["close"][k + 4],
                    round(minutes["volume"][k : k + 5].sum(), 5),
                )
            ),
        ]
        for k in range(0, WATCHED_MINUTES - 5, 5)  # the last one is not over when the data end
    ]
    assert state["seen"] == expected
    assert state["told_at"] == [int(opened) + 300_000 for opened, *_ in expected]
    async with session(settings, file, tmp_path) as living:
        await living.bot_is_done()
        while await living.step():
            pass
        sandbox = living.run.engine.strategy.get_state()["seen"]
    without_volume = [
        row[:5] for row in expected
    ]  # the sandbox prints no more digits of a volume than the lot has
    assert [row[:5] for row in sandbox] == without_volume
    _, in_here = await lived_in_process(settings, prepared[0])
    assert in_here["seen"] == expected[1:], "nobody recorded how the candle that the bot came into began"


def test_candles_that_the_data_are_too_coarse_for_are_refused() -> None:
    """Nothing finer can be made of them."""
    settings = config({"name": "watcher", "total_investment": "500", "timeframe": "90s"})
    with pytest.raises(InvalidInput, match="give finer data"):
        gridtide.backtest(settings, candles())


def test_both_contexts_are_the_one_that_every_world_has() -> None:
    """What a strategy sees and does cannot differ: it is the same class, and has all that the protocol asks for."""
    assert gridtide.BacktestContext is gridtide.LiveContext
    asked = {name for name in vars(gridtide.ExecutionContext) if not name.startswith("_")}
    assert asked <= set(dir(gridtide.LiveContext))
    assert "place_order" in asked


@pytest.mark.parametrize(
    "strategy, sentence",
    [
        ({"name": "rebuyer"}, "give total_investment, base_amount or both"),
        (
            {**STRATEGY, "name": "gird"},
            "'gird' is unknown; there are broken, grid, rebuyer, single_order, watcher",
        ),
        ({**STRATEGY, "name": "broken"}, "bots.abc, strategy: 'broken' cannot be imported"),
        ({**STRATEGY, "step": "x"}, "does not take these settings"),
        ({**STRATEGY, "name": "grid"}, "unknown setting"),
    ],
)
def test_what_is_wrong_with_a_strategy_is_said(strategy: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidConfig, match=sentence):
        make_strategy(settings_of(config(strategy)).bots[0])


def test_a_result_is_given_for_any_strategy() -> None:
    """Levels are a grid's; all else a result has."""
    result = gridtide.backtest(config(STRATEGY), candles())
    assert result.fill_count > 8
    assert result.markets[0].levels == ()
    assert result.markets[0].strategy_state["rounds"] > 1
