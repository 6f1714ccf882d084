"""Places one order and watches it until it is settled, or rests."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide import __version__
from gridtide.bootstrap import build_order
from gridtide.cli.launch import Logging, Manner, run_to_end
from gridtide.cli.output import print_json, say
from gridtide.cli.questions import confirm
from gridtide.cli.world import Wish, open_world, read_wish
from gridtide.config import Mode
from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import Refused, Transient
from gridtide.domain.market import Symbol
from gridtide.domain.money import plain, tidy
from gridtide.domain.order import Side
from gridtide.strategies.single_order import SingleOrderStrategy

if TYPE_CHECKING:
    from gridtide.runners.live import LiveRun

SETTLE_SECONDS = 30.0
REST_SECONDS = 1.0
"""How long a limit order must have rested before we leave it there."""


def place_order(
    wish: Wish, side: Side, market: str, amount: Decimal, limit: Decimal | None, manner: Manner
) -> int:
    """Place it and tell. Raises what kept it from being placed."""
    settings, _ = read_wish(replace(wish, bot=None), needs_bot=False)
    if settings.mode is Mode.LIVE:
        at = f"at {tidy(limit)}" if limit is not None else "at the market's price"
        confirm(
            f"REAL MONEY: {side.value.lower()} {tidy(amount)} of {market} {at}.",
            side.value.lower(),
            yes=manner.yes,
        )
    with Logging(settings, wish, console=True):
        outcome = run_to_end(_place(wish, side, Symbol(market), amount, limit))
    if manner.json:
        print_json(outcome)
    else:
        say(_text(outcome))
    return 0
