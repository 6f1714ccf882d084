"""What a backtest says happened is what happens: the real bot over real sockets gives the same orders and fills."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridtide.bootstrap.backtest import ACCOUNT, Prepared, build_world, prepare
from gridtide.bootstrap.notebook import settings_of
from gridtide.config.settings import AppSettings
from gridtide.market_data.files import open_market
from gridtide.market_data.load import load_market_data
from gridtide.price_path.candle_path import PathRule
from tests.backtest.sandbox_session import Traded, replayed, session, write_candles
from tests.backtest.worlds import config, grid_settings, random_candles

SPEED = 3000
"""Market seconds a second: the next point comes while the bot still answers to the last."""
RULE = PathRule.NEARER_EXTREME_FIRST


def settings(spacing: str, volume_cap: str | None, **changes: Any) -> AppSettings:
    """A grid of narrow steps. Its clocks run on wall time when it is live: no deadline may fall into the session."""
    strategy = grid_settings(
        lower_price="97",
        upper_price="103",
        num_grids=15,
        spacing=spacing,
        mirror_after_seconds=10**6,
        **changes,
    )
    return settings_of(config(strategy, {"volume_cap": volume_cap}))


def world(
    folder: Path, asked: AppSettings, seed: int, candles: int = 60
) -> tuple[Path, tuple[Prepared, ...]]:
    """Candles as a file and as the backtest takes them."""
    walk = random_candles(random.Random(seed), candles, step=0.004, gap_chance=0)
    walk["volume"] += 0.01  # a market without a print has no news of its last price
    file = write_candles(folder, walk)
    prepared = prepare(asked, [load_market_data(file)], RULE)
    assert open_market(file).market == prepared[0].market
    return file, prepared


def fills_in_parts(traded: Traded) -> bool:
    return len(traded.fills) > 1.5 * sum(order.executed > 0 for order in traded.orders)


def points_of(recording: list[dict[str, Any]]) -> dict[int, tuple[int, Decimal, Decimal]]:
    """Time, price and volume of each step of the market, by its number."""
    moves = {event["number"]: event["what"] for event in recording if event["event"] == "moved"}
    return {
        number: (time, Decimal(price), Decimal(volume))
        for number, (_, time, price, volume, _) in moves.items()
    }


@pytest.mark.parametrize("spacing, volume_cap", [("geometric", None), ("arithmetic", "0.02")])
async def test_in_lock_step_the_bot_does_what_the_backtest_says(
    tmp_path: Path, spacing: str, volume_cap: str | None
) -> None:
    """The sandbox waits for the bot after each point; then nothing differs, not even after which point an order was
    accepted."""
    asked = settings(spacing, volume_cap)
    file, prepared = world(tmp_path, asked, seed=1)
    async with session(asked, file, tmp_path) as living:
        await living.bot_is_done()
        while await living.step():
            pass
        live = await living.traded()
    backtest = build_world(asked, prepared)
    backtest.run.run()
    played = replayed(backtest, ACCOUNT)
    assert played.fills == live.fills
    assert played.orders == live.orders
    assert len(live.fills) > 12
    assert volume_cap is None or fills_in_parts(live), "nothing came in parts"


@pytest.mark.parametrize("spacing, volume_cap", [("arithmetic", None), ("geometric", "0.02")])
async def test_a_recorded_session_is_what_the_backtest_says_with_its_arrivals(
    tmp_path: Path, spacing: str, volume_cap: str | None
) -> None:
    """The market runs on while the bot hears, decides and sends: with the moments at which its requests were accepted
    the backtest gives the same orders and fills, one by one, and not without them."""
    asked = settings(spacing, volume_cap)
    file, prepared = world(tmp_path, asked, seed=2)
    async with session(asked, file, tmp_path) as living:
        await living.bot_is_done()  # the plan is made at a price, and no arrival tells at which
        await living.play(speed=SPEED)
        live, arrivals = await living.traded(), await living.arrivals()
        seen = points_of(await living.recording())
    path = prepared[0].index.path
    assert seen == {number: path.point(number)[:3] for number in range(1, len(path))}
    backtest = build_world(asked, prepared, arrivals=arrivals)
    backtest.run.run()
    played = replayed(backtest, ACCOUNT)
    assert played.fills == live.fills
    assert played.orders == live.orders
    assert len(live.fills) > 6
    assert volume_cap is None or fills_in_parts(live), "nothing came in parts"
    assert arrivals.left == ()
    at_once = build_world(asked, prepared)
    at_once.run.run()
    assert replayed(at_once, ACCOUNT) != live, "no request was under way while the market moved"


async def test_a_reply_does_not_overtake_what_the_stream_tells_of_earlier_executions(tmp_path: Path) -> None:
    """Orders that take are executed in their replies. With a stream behind the replies, two buys were heard the other
    way round, and the remainder of one went into the other's sell: a lot more in one order, a lot less in another."""
    asked = settings("arithmetic", None, post_only=False)
    file, prepared = world(tmp_path, asked, seed=0)
    async with session(asked, file, tmp_path, stream_lag=0.012) as living:
        await living.bot_is_done()
        await living.play(speed=SPEED)
        live, arrivals = await living.traded(), await living.arrivals()
    backtest = build_world(asked, prepared, arrivals=arrivals)
    backtest.run.run()
    played = replayed(backtest, ACCOUNT)
    assert played.fills == live.fills
    assert played.orders == live.orders
    assert any(not fill.is_maker for fill in live.fills[1:]), "no order took"
