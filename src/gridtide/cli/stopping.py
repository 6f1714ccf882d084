"""Asks a running bot to end, and tells what it answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.cli.control_client import NoBotRuns, ask
from gridtide.cli.embedded import launch_spec, sandbox_folder
from gridtide.cli.output import print_json, say
from gridtide.cli.questions import confirm
from gridtide.cli.wording import count
from gridtide.cli.world import read_wish
from gridtide.config import Mode
from gridtide.domain.commands import StopPolicy
from gridtide.sandbox.process import attach

if TYPE_CHECKING:
    from gridtide.cli.launch import Manner
    from gridtide.cli.world import Wish

STOP_SECONDS = 180.0
"""Cancelling and selling wait for the exchange."""


def ask_to_stop(folder: Path, policy: StopPolicy | None, manner: Manner) -> int:
    """End the bot in `folder`; raises `NoBotRuns` where there is none. The exit code is 1 where books did not agree."""
    bot = ask(folder, "status")
    if policy in (StopPolicy.CANCEL, StopPolicy.LIQUIDATE):
        does = "cancels its orders" + (" and sells all its base" if policy is StopPolicy.LIQUIDATE else "")
        confirm(f"This stops {bot['name']} and {does}.", str(policy), yes=manner.yes)
    values = {} if policy is None else {"policy": policy.value}
    ended = ask(folder, "stop", timeout_seconds=STOP_SECONDS, **values)
    if manner.json:
        print_json(ended)
    else:
        left = ended["open_orders_left"]
        say(f"{ended['name']} stopped after {count(ended['fills'], 'fill')} (policy: {ended['on_stop']}).")
        say(
            f"Left on the exchange: {count(left, 'order')}."
            if left
            else "No order of the bot is left on the exchange."
        )
    return 0 if ended["books_balanced"] and ended["exchange_agrees"] else 1


def end_orphan(wish: Wish, manner: Manner) -> int:
    """End the sandbox of a bot that was killed; raises `NoBotRuns` where nothing runs at all."""
    settings, bot = read_wish(wish)
    folder = sandbox_folder(wish.state_folder, launch_spec(settings, bot, wish.play))
    handle = asyncio.run(attach(folder)) if settings.mode is Mode.SANDBOX else None
    if handle is None:
        raise NoBotRuns(f"no bot runs in {wish.state_folder}: nothing was done")
    asyncio.run(handle.shutdown())
    if manner.json:
        print_json({"stopped": "sandbox", "folder": str(folder)})
    else:
        say(f"No bot runs. The sandbox it left saved its state in {folder} and ended; its orders rest there.")
    return 0
