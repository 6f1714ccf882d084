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
from gridtide.domain.journal import BotState
from gridtide.domain.market import Symbol
from gridtide.domain.money import plain, round_half_up, tidy
from gridtide.runners.view_builder import build_view
from gridtide.strategies.single_order import SingleOrderStrategy

if TYPE_CHECKING:
    from gridtide.domain.order import Side
    from gridtide.runners.live import LiveRun
    from gridtide.strategies.protocol import SettledOrder

SETTLE_SECONDS = 30.0
REST_SECONDS = 1.0
"""How long a limit order must have rested before we leave it there."""


def place_order(wish: Wish, side: Side, amount: Decimal, limit: Decimal | None, manner: Manner) -> int:
    """Place it on the market of `wish` and tell. Raises what kept it from being placed."""
    settings, _ = read_wish(wish)
    market = Symbol(wish.for_market or "")
    if settings.mode is Mode.LIVE:
        at = f"at {tidy(limit)}" if limit is not None else "at the market's price"
        question = f"REAL MONEY: {side.value.lower()} {tidy(amount)} of {market} {at}."
        confirm(question, side.value.lower(), yes=manner.yes)
    with Logging(settings, wish, console=True):
        outcome = run_to_end(_place(wish, side, market, amount, limit))
    if manner.json:
        print_json(outcome)
    else:
        say(_text(outcome, market))
    return 0


async def _place(
    wish: Wish, side: Side, market: Symbol, amount: Decimal, limit: Decimal | None
) -> dict[str, Any]:
    async with open_world(wish, keep_alive=True) as world:
        options = replace(world.live_options(__version__), bot=None, symbol=market)
        run = await build_order(world.connection, options, side, amount, limit)
        try:
            await run.start()
            if world.embedded is not None:
                await world.embedded.handle.resume()
            outcome = await _watch(run, rests=limit is not None)
            await run.stop(StopPolicy.KEEP if outcome["status"] == "resting" else StopPolicy.CANCEL)
        finally:
            await run.close()
    return {
        "side": side.value.lower(),
        "market": market,
        "limit": None if limit is None else plain(limit),
        **outcome,
    }


async def _watch(run: LiveRun, *, rests: bool) -> dict[str, Any]:
    """Until the order is settled or, if it `rests`, has stood in the book for a moment."""
    strategy = run.engine.strategy
    assert isinstance(strategy, SingleOrderStrategy)
    deadline = time.monotonic() + SETTLE_SECONDS
    open_since: float | None = None
    while time.monotonic() < deadline:
        if strategy.outcome is not None:
            return _settled(strategy.outcome, run)
        view = build_view(run, name="manual", mode="")
        if view.parked:
            await run.stop(StopPolicy.CANCEL)
            reason = view.parked[0].reason.replace("_", " ")
            raise Refused(f"the order was not placed: {reason} ({view.parked[0].detail})")
        if view.state.startswith(BotState.PAUSED):
            raise Refused(f"the order was not placed: {view.state_detail or view.state}")
        if rests and view.open_orders:
            open_since = open_since or time.monotonic()
            if time.monotonic() - open_since >= REST_SECONDS:
                return _resting(run)
        await asyncio.sleep(0.05)
        await run.wait(0)  # raises what ended the run
    raise Transient(
        f"the order has no outcome after {SETTLE_SECONDS:g} s; it may rest: look at the exchange before you repeat it"
    )


def _settled(outcome: SettledOrder, run: LiveRun) -> dict[str, Any]:
    average = outcome.executed_quote / outcome.executed_amount if outcome.executed_amount else None
    return {
        "status": outcome.ending.value,
        "amount": plain(outcome.amount),
        "executed_amount": plain(outcome.executed_amount),
        "executed_quote": plain(outcome.executed_quote),
        "average_price": None if average is None else plain(round_half_up(average, 8)),
        "received": plain(outcome.received),
        "fees_by_asset": {asset: plain(fee) for asset, fee in run.engine.state.ledger.fees_paid().items()},
    }


def _resting(run: LiveRun) -> dict[str, Any]:
    (order,) = run.engine.state.orders
    return {
        "status": "resting",
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "amount": plain(order.intent.amount),
        "executed_amount": plain(order.filled_amount),
    }


def _text(outcome: dict[str, Any], market: Symbol) -> str:
    base, _, quote = market.partition("/")
    amount = f"{outcome['side']} {tidy(Decimal(outcome['amount']))} {base}"
    if outcome["status"] == "resting":
        at = tidy(Decimal(outcome["limit"]))
        return f"{amount} at {at} {quote} rests in the book (order {outcome['order_id']})."
    executed = tidy(Decimal(outcome["executed_amount"]))
    if outcome["average_price"] is None:
        return f"{amount}: {outcome['status'].replace('_', ' ')}, nothing was executed."
    fees = (
        ", ".join(f"{tidy(Decimal(fee))} {asset}" for asset, fee in outcome["fees_by_asset"].items())
        or "none"
    )
    price = tidy(Decimal(outcome["average_price"]))
    status = outcome["status"].replace("_", " ")
    return f"{amount}: {status}; {executed} {base} at {price} {quote}, fees {fees}."
