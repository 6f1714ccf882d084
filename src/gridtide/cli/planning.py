"""Reaches an exchange to look and not to trade: for the plan and for the checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gridtide.bootstrap import Preview, default_bot, has_grid
from gridtide.bootstrap.preview import preview
from gridtide.cli.check_outcome import Check
from gridtide.cli.checks import run_checks
from gridtide.cli.world import Wish, World, open_world
from gridtide.domain.errors import PlanRefused
from gridtide.domain.money import ZERO
from gridtide.exchanges.make_exchange import make_exchange

if TYPE_CHECKING:
    from gridtide.config import BotSettings
    from gridtide.ports.exchange import Exchange


async def plan_wish(wish: Wish) -> tuple[Preview, bool]:
    """The plan of the bot that is meant, and whether that bot has a grid already. Raises `PlanRefused`."""
    async with open_world(wish, keep_alive=True) as world, _exchange(world) as exchange:
        await exchange.connect()
        bot = await _bot(world, exchange)
        has_run = has_grid(world.database_url, bot, world.settings.mode)
        return await preview(exchange, bot, is_funded=has_run), has_run


async def check_wish(wish: Wish) -> list[Check]:
    """All checks of the bot that is meant; a failed one is a result, not an error."""
    async with open_world(wish, keep_alive=True) as world, _exchange(world) as exchange:
        return [check async for check in run_checks(world, exchange, lambda: _bot(world, exchange))]


@asynccontextmanager
async def _exchange(world: World) -> AsyncIterator[Exchange]:
    exchange = make_exchange(world.connection)
    try:
        yield exchange
    finally:
        await exchange.close()


async def _bot(world: World, exchange: Exchange) -> BotSettings:
    """The bot of the config, or the one that `run` makes without a config."""
    if world.bot is not None:
        return world.bot
    market = exchange.market(world.symbol)
    price = (await exchange.top_of_book(world.symbol)).mid()
    if price is None:
        raise PlanRefused(f"{world.symbol} has no price yet: try again when it trades")
    balances = await exchange.balances()
    return default_bot(market, price, balances[market.quote].free if market.quote in balances else ZERO)
