"""The preflight: everything that can be known before money is at risk, each with what to do about it."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.bootstrap import has_grid
from gridtide.cli.account_checks import check_account, check_instance, check_keys
from gridtide.cli.check_outcome import Check, Outcome
from gridtide.cli.plan_text import fees_text, percent
from gridtide.domain.errors import GridtideError
from gridtide.domain.market import MarketStatus, Symbol
from gridtide.domain.money import ONE, round_half_up

if TYPE_CHECKING:
    from gridtide.cli.world import World
    from gridtide.config import BotSettings
    from gridtide.ports.exchange import Exchange

MAX_CLOCK_OFFSET_MS = 1_000
ADVISED_SHARE = 75
"""Percent of the account's quote that grids should use at most (grid-semantics 8)."""


async def run_checks(
    world: World, exchange: Exchange, find_bot: Callable[[], Awaitable[BotSettings]]
) -> AsyncIterator[Check]:
    """All checks, in the order in which they make sense; those that need a failed one are left out."""
    for check in (
        *check_secrets(),
        check_database(world.database_url),
        check_instance(world.wish.state_folder),
    ):
        yield check
    try:
        await exchange.connect()
    except GridtideError as error:
        yield Check("exchange", Outcome.FAILED, str(error))
        return
    yield Check("exchange", Outcome.PASSED, f"{world.settings.exchange.name} answers")
    yield check_clock(exchange)
    async for check in check_keys(
        exchange,
        needs_keys=world.settings.mode.needs_keys,
        allow_any_address=world.settings.exchange.allow_any_address,
    ):
        yield check
    async for check in check_grid(
        exchange, find_bot, lambda bot: has_grid(world.database_url, bot, world.settings.mode)
    ):
        yield check


def check_secrets() -> list[Check]:
    """Whether keys lie where others can read them."""
    found = []
    env_file = Path(".env")
    if env_file.is_file() and env_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        found.append(Check("secrets", Outcome.WARNING, ".env can be read by others: run `chmod 600 .env`"))
    return found or [Check("secrets", Outcome.PASSED, "no key lies open")]


def check_database(url: str) -> Check:
    """Whether the books can be kept there."""
    from gridtide.config import without_password
    from gridtide.storage.reader import open_reader

    place = without_password(url)
    path = Path(url.partition("///")[2]) if url.startswith("sqlite:///") else None
    if path is not None and not path.exists():
        folder = path.absolute().parent
        can_write = folder.is_dir() and _is_writable(folder)
        outcome = Outcome.PASSED if can_write else Outcome.FAILED
        return Check(
            "database", outcome, f"{place} {'will be made' if can_write else 'cannot be made there'}"
        )
    try:
        with open_reader(url) as reader:
            reader.bots()
    except GridtideError as error:
        return Check("database", Outcome.FAILED, str(error))
    return Check("database", Outcome.PASSED, f"{place} can be read")


def check_clock(exchange: Exchange) -> Check:
    """How far this machine's clock is from the exchange's; orders are signed with the exchange's time."""
    offset = exchange.now() - int(time.time() * 1000)
    outcome = Outcome.PASSED if abs(offset) <= MAX_CLOCK_OFFSET_MS else Outcome.WARNING
    text = f"this machine is {abs(offset)} ms {'behind' if offset > 0 else 'ahead of'} the exchange"
    return Check("clock", outcome, text if outcome is Outcome.PASSED else f"{text}: set it by NTP")


async def check_grid(
    exchange: Exchange, find_bot: Callable[[], Awaitable[BotSettings]], has_run: Callable[[BotSettings], bool]
) -> AsyncIterator[Check]:
    """Market, rules, fees against break-even, funds: what `gridtide plan` shows in full.

    A grid that stands already is not planned anew: its money is in its orders, and the price may have left it.
    """
    from gridtide.bootstrap.preview import check_strategy, preview

    try:
        bot = await find_bot()
        market = exchange.market(Symbol(bot.market))
        is_open = market.status is MarketStatus.TRADING
        text = f"{market.symbol} is {market.status}" + ("" if is_open else ": try again when it trades")
        yield Check("market", Outcome.PASSED if is_open else Outcome.FAILED, text)
        async for check in check_account(exchange, market, has_run=has_run(bot)):
            yield check
        if has_run(bot):
            yield Check(
                "grid", Outcome.PASSED, f"{bot.name} has a grid already, and the next run goes on with it"
            )
            return
        if not bot.is_grid:
            await check_strategy(exchange, bot)
            text = f"{bot.strategy.name} is there, and so is what it may use; what it places, only it knows"
            yield Check("strategy", Outcome.PASSED, text)
            return
        shown = await preview(exchange, bot)
    except GridtideError as error:
        yield Check("grid", Outcome.FAILED, str(error))
        return
    plan = shown.plan
    yield Check("rules", Outcome.PASSED, f"all {len(plan.levels)} levels fit the rules of {market.symbol}")
    yield Check("fees", Outcome.PASSED, fees_text(shown.fees))
    step, needed = plan.tightest_ratio - ONE, plan.break_even_ratio - ONE
    pays = Outcome.PASSED if step > needed else Outcome.WARNING
    yield Check("break-even", pays, f"the tightest step is {percent(step)}, its fees cost {percent(needed)}")
    free = shown.balances[market.quote].free
    share = round_half_up(plan.total_investment / free * 100, 1) if free else round_half_up(ONE, 1)
    enough = Outcome.PASSED if share <= ADVISED_SHARE else Outcome.WARNING
    yield Check(
        "funds", enough, f"the grid uses {share} % of the free {market.quote}; {ADVISED_SHARE} % is advised"
    )
    for warning in plan.warnings:
        yield Check("plan", Outcome.WARNING, warning)
    if bot.grid.levels - 1 > bot.risk.max_open_orders:
        text = f"{bot.grid.levels - 1} orders are planned, risk.max_open_orders allows {bot.risk.max_open_orders}"
        yield Check("risk", Outcome.WARNING, text)


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
