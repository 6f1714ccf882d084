"""Asks a running bot to end, and tells what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.cli.control_client import ask
from gridtide.cli.output import print_json, say
from gridtide.cli.questions import confirm
from gridtide.domain.commands import StopPolicy

if TYPE_CHECKING:
    from gridtide.cli.launch import Manner

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
        say(f"{ended['name']} stopped after {ended['fills']} fills (policy: {ended['on_stop']}).")
        say(
            f"{left} orders rest at the exchange." if left else "No order of the bot is left on the exchange."
        )
    return 0 if ended["books_balanced"] and ended["exchange_agrees"] else 1
