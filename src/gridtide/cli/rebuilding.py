"""Carries a rebuild out and tells what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gridtide import __version__
from gridtide.bootstrap import Rebuilt, rebuild_books
from gridtide.cli.control_client import no_bot_runs
from gridtide.cli.output import table
from gridtide.cli.wording import count
from gridtide.cli.world import Wish, open_world
from gridtide.domain.money import tidy
from gridtide.exchanges.make_exchange import make_exchange


async def rebuild_wish(wish: Wish, agree: Callable[[Rebuilt], None]) -> tuple[Rebuilt, list[str]]:
    """Read the records, ask `agree` (which raises to refuse), write. Raises `InvalidInput` while a bot runs."""
    no_bot_runs(wish.state_folder)
    async with open_world(wish, keep_alive=True) as world:
        exchange = make_exchange(world.connection)
        try:
            await exchange.connect()
            return await rebuild_books(exchange, world.live_options(__version__), agree)
        finally:
            await exchange.close()


def found_text(rebuilt: Rebuilt) -> str:
    """What the exchange's records come to."""
    base, quote = _assets(rebuilt)
    rows = [
        ("bot", f"{rebuilt.bot.name}, {rebuilt.bot.symbol} on {rebuilt.bot.exchange} ({rebuilt.bot.mode})"),
        ("orders", f"{rebuilt.orders} on record, {rebuilt.open_orders} of them open"),
        ("fills", str(rebuilt.fills)),
        ("put in", f"{tidy(rebuilt.contributions)} {quote}"),
        ("grid profit", f"{tidy(rebuilt.grid_profit)} {quote}"),
        ("holds", f"{tidy(rebuilt.base_held)} {base} and {tidy(rebuilt.quote_held)} {quote}"),
    ]
    lines = ["From the exchange's records:", "", table(rows), ""]
    lines += [f"Not on record: {text}." for text in rebuilt.unknowns]
    if rebuilt.strategy_lost:
        lines.append(
            f"The grid itself cannot be rebuilt: {rebuilt.strategy_lost}. Its books and orders can; it would be paused."
        )
    return "\n".join(lines)


def after_text(rebuilt: Rebuilt, told: list[str]) -> str:
    """What was done and what to do next."""
    lines = [f"The books of {rebuilt.bot.name} were made anew."]
    lines += [f"{text[:1].upper()}{text[1:]}." for text in told]
    if rebuilt.strategy_lost:
        lines.append("Next: `gridtide stop --cancel` or `gridtide stop --liquidate`, then begin a new grid.")
    else:
        levels = rebuilt.waiting_levels
        waiting = f" {count(levels, 'level')} without an order will be placed again." if levels else ""
        lines.append(f"Next: `gridtide doctor` verifies them, `gridtide run` goes on with the grid.{waiting}")
    return "\n".join(lines)


def rebuilt_values(rebuilt: Rebuilt, told: list[str]) -> dict[str, Any]:
    """The same for machines: money as text."""
    return {
        "bot": rebuilt.bot.name,
        "market": rebuilt.bot.symbol,
        "orders": rebuilt.orders,
        "open_orders": rebuilt.open_orders,
        "waiting_levels": rebuilt.waiting_levels,
        "fills": rebuilt.fills,
        "contributions": tidy(rebuilt.contributions),
        "grid_profit": tidy(rebuilt.grid_profit),
        "base_held": tidy(rebuilt.base_held),
        "quote_held": tidy(rebuilt.quote_held),
        "strategy_rebuilt": not rebuilt.strategy_lost,
        "strategy_lost": rebuilt.strategy_lost,
        "not_on_record": list(rebuilt.unknowns),
        "told": told,
    }


def _assets(rebuilt: Rebuilt) -> tuple[str, str]:
    base, _, quote = rebuilt.bot.symbol.partition("/")
    return base, quote
