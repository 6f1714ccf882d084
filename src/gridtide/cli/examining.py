"""Carries an examination out and tells what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridtide import __version__
from gridtide.bootstrap import examine
from gridtide.cli.wording import count
from gridtide.cli.world import Wish, open_world
from gridtide.config import without_password
from gridtide.exchanges.make_exchange import make_exchange
from gridtide.storage.findings import Outcome

if TYPE_CHECKING:
    from gridtide.bootstrap import Examination


async def examine_wish(wish: Wish) -> Examination:
    """Look at the bot that is meant. Raises `InvalidInput` where there is nothing to look at."""
    async with open_world(wish, keep_alive=True) as world:
        exchange = make_exchange(world.connection)
        try:
            place = without_password(world.database_url)
            return await examine(exchange, world.live_options(__version__), place)
        finally:
            await exchange.close()


def exit_code(found: Examination) -> int:
    """0 all well, 1 something is broken, 2 the exchange could not be asked."""
    if not found.could_ask:
        return 2
    return 1 if found.broken else 0


def examination_text(found: Examination) -> str:
    """One line a finding, and below a broken one what to do."""
    state = "running, and goes on" if found.is_running else "not running"
    lines = [f"{found.bot} ({state}), {found.place}", ""]
    for item in found.findings:
        if item.outcome is Outcome.UNCHECKED:
            continue
        detail = f": {item.detail}" if item.detail else ""
        lines.append(f"{item.outcome.value:<9}  {item.id:<8}  {item.says}{detail}")
        if item.advice and item.outcome is Outcome.BROKEN:
            lines.append(f"{'':<21}-> {item.advice}")
    for why in dict.fromkeys(_reasons(found)):
        names = ", ".join(
            item.id for item in found.findings if (item.outcome, item.detail) == (Outcome.UNCHECKED, why)
        )
        lines.append(f"{Outcome.UNCHECKED.value:<9}  {names}: {why}")
    broken, unchecked = len(found.broken), _count(found, Outcome.UNCHECKED)
    lines.append("")
    if broken:
        lines.append(
            f"{count(broken, 'thing')} broken, {unchecked} unchecked, {_count(found, Outcome.HELD)} held."
        )
    else:
        rest = f", {unchecked} could not be checked" if unchecked else ""
        lines.append(f"All is well: {_count(found, Outcome.HELD)} held{rest}.")
    return "\n".join(lines)


def examination_values(found: Examination) -> dict[str, Any]:
    """The same for machines."""
    return {
        "bot": found.bot,
        "database": found.place,
        "running": found.is_running,
        "well": not found.broken and found.could_ask,
        "broken": [item.id for item in found.broken],
        "findings": [
            {
                "id": item.id,
                "says": item.says,
                "outcome": item.outcome.value,
                "detail": item.detail,
                "advice": item.advice,
            }
            for item in found.findings
        ],
    }


def _reasons(found: Examination) -> list[str]:
    return [item.detail for item in found.findings if item.outcome is Outcome.UNCHECKED]


def _count(found: Examination, outcome: Outcome) -> int:
    return sum(item.outcome is outcome for item in found.findings)
