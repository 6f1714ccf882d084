"""What happens to a market: its rules, its status, its book and its prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.market import MarketStatus
from gridtide.sandbox.endpoint import Answer
from gridtide.sandbox.faults.knob import (
    Kind,
    Knob,
    Layer,
    Option,
    Options,
    Proceed,
    Send,
    Undo,
    decimal,
    word,
)
from gridtide.sandbox.faults.plan import Where
from gridtide.sandbox.wire import ZERO_TEXT, encode
from gridtide.venue.messages import PriceMoved
from gridtide.venue.rounding import largest_multiple

if TYPE_CHECKING:
    from gridtide.sandbox.faults.schedule import Armed
    from gridtide.sandbox.faults.subjects import Outgoing, Passing
    from gridtide.sandbox.faults.world import World

_RULES = (
    "tick_size",
    "lot_size",
    "min_notional",
    "min_price",
    "max_price",
    "min_amount",
    "max_amount",
    "max_open_orders",
)
_TICKERS = Where(endpoint="/api/v3/ticker*|avgPrice", stream="*icker*|*@avgPrice")
_PRICES = frozenset(
    {
        "price",
        "lastPrice",
        "bidPrice",
        "askPrice",
        "openPrice",
        "highPrice",
        "lowPrice",
        "weightedAvgPrice",
        "prevClosePrice",
    }
)
_STREAM_PRICES = frozenset({"c", "o", "h", "l", "w", "x", "a", "b"})


def change_rules(world: World, where: Where, options: Options) -> Undo:
    """Filters change at once; open orders stay as they are."""
    venue, symbol = world.exchange.venue, world.symbol(where)
    former = venue.market(symbol).rules
    changes: dict[str, Any] = {name: options[name] for name in _RULES if options[name] is not None}
    venue.set_rules(symbol, replace(former, **changes))
    return lambda: world.exchange.venue.set_rules(symbol, former)


def change_status(world: World, where: Where, options: Options) -> Undo:
    venue, symbol = world.exchange.venue, world.symbol(where)
    former = venue.market(symbol).status
    venue.set_status(symbol, MarketStatus(options["status"]))
    return lambda: world.exchange.venue.set_status(symbol, former)


def empty_book(world: World, where: Where, _options: Options) -> Undo:
    """Everybody else takes his orders away: only those of the accounts are left, and market orders find nothing."""
    symbol = world.symbol(where)
    world.exchange.set_liquidity(symbol, is_there=False)
    return lambda: world.exchange.set_liquidity(symbol, is_there=True)


def gap(world: World, where: Where, options: Options) -> None:
    """The price jumps; resting orders on the way fill at their own prices."""
    listing = world.listing(where)
    price = options["price"]
    if price is None:
        last = world.exchange.venue.last_price(listing.symbol) or Decimal(1)
        tick = listing.market.rules.tick_size or Decimal("0.01")
        price = largest_multiple(last * (1 + options["share"]), tick)
    at = listing.record.market_time or world.exchange.now()
    world.exchange.move_market(listing.symbol, PriceMoved(price, options["volume"], at))


async def no_prices_answered(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    answer = await proceed()
    body = answer.body
    if isinstance(body, list):
        return replace(answer, body=[_without(row, _PRICES, options["how"]) for row in body])
    return answer if answer.is_error else replace(answer, body=_without(body, _PRICES, options["how"]))


def no_prices_sent(_armed: Armed, outgoing: Outgoing, options: Options, send: Send) -> None:
    body, how = outgoing.body, options["how"]
    rows = body if isinstance(body, list) else [body]
    changed = [_without(row, _STREAM_PRICES, how) for row in rows]
    send(encode(changed if isinstance(body, list) else changed[0]))


def _without(row: object, names: frozenset[str], how: str) -> object:
    if not isinstance(row, Mapping):
        return row
    if how == "missing":
        return {name: value for name, value in row.items() if name not in names}
    return {name: ZERO_TEXT if name in names else value for name, value in row.items()}


KNOBS = (
    Knob(
        "market.filters",
        "Filters change while running.",
        (
            *(decimal(name, None, "the new value; without it as before") for name in _RULES[:-1]),
            Option("max_open_orders", Kind.WHOLE, None, "the new value; without it as before"),
        ),
        action=change_rules,
        changes_saved=True,
    ),
    Knob(
        "market.status",
        "The market is halted, on a break, or accepts cancels only.",
        (word("status", "HALT", "which", *(status.value for status in MarketStatus)),),
        action=change_status,
        changes_saved=True,
    ),
    Knob("market.empty_book", "The book holds nothing but the accounts' own orders.", action=empty_book),
    Knob(
        "market.gap",
        "The price jumps, through orders on its way.",
        (
            decimal("price", None, "where to"),
            decimal("share", Decimal("-0.1"), "without a price: by this share of the last price"),
            decimal("volume", Decimal(0), "the volume that trades, in base"),
        ),
        action=gap,
    ),
    Knob(
        "market.no_prices",
        "Tickers show zero prices, or none.",
        (word("how", "zero", "zero, or the fields are missing", "zero", "missing"),),
        _TICKERS,
        on_request=no_prices_answered,
        layer=Layer.ANSWER,
        on_event=no_prices_sent,
    ),
)
