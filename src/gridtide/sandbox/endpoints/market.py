"""The public book and the public trades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridtide.domain.market import MarketStatus
from gridtide.domain.money import notional
from gridtide.sandbox import parameters
from gridtide.sandbox.aggregates import AggregateTrade, aggregated
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.general import selected
from gridtide.sandbox.endpoints.paging import END, LIMIT, START, first_or_last, is_within
from gridtide.sandbox.errors import ApiError, bad_combination
from gridtide.sandbox.market_events import partial_depth
from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.listing import Listing
    from gridtide.venue.messages import TradePrinted

SYMBOL = parameters.symbol()
SYMBOLS = parameters.symbols()
STATUS = parameters.choice("symbolStatus", MarketStatus, ApiError(-1122, "Invalid symbolStatus."))
_DEPTH_LIMIT = parameters.limit(5000, default=100)
_FROM_ID = parameters.integer("fromId")


def asked_for(exchange: SandboxExchange, call: Call) -> list[Listing]:
    """The markets of ``symbol`` or ``symbols``, or all, that have the status asked for.

    Raises -1220 where the one market asked for has another.
    """
    found = selected(exchange, call.get(SYMBOL), call.get(SYMBOLS))
    status = call.get(STATUS)
    if status is None:
        return found
    fitting = [listing for listing in found if listing.market.status is status]
    if call.get(SYMBOL) is not None and not fitting:
        raise ApiError(-1220, "The symbol's status does not match the requested symbolStatus.")
    return fitting


# --- the book ----------------------------------------------------------------------------------------


def depth(exchange: SandboxExchange, call: Call) -> JsonObject:
    return partial_depth(asked_for(exchange, call)[0].book(call.get(_DEPTH_LIMIT) or 100))


def depth_weight(values: Mapping[str, str]) -> int:
    text = values.get("limit", "100")
    asked = int(text) if text.isdecimal() and len(text) < 10 else 100
    return next((weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if asked <= most), 250)


# --- trades ------------------------------------------------------------------------------------------


def trades(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    listing = exchange.listing(call.need(SYMBOL))
    printed = exchange.venue.trades(listing.symbol, call.get(LIMIT) or 500, call.get(_FROM_ID))
    return [_trade(each) for each in printed]


def _trade(printed: TradePrinted) -> JsonObject:
    trade = printed.trade
    return {
        "id": trade.trade_id,
        "price": number(trade.price),
        "qty": number(trade.amount),
        "quoteQty": number(notional(trade.price, trade.amount)),
        "time": trade.timestamp,
        "isBuyerMaker": printed.buyer_is_maker,
        "isBestMatch": True,
    }


def aggregate_trades(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    """Joined from all trades kept, so that an aggregate has the same id in every answer."""
    listing = exchange.listing(call.need(SYMBOL))
    from_id, start, end = call.get(_FROM_ID), call.get(START), call.get(END)
    timed = start is not None or end is not None
    if from_id is not None and timed:
        raise bad_combination()
    limit = call.get(LIMIT) or 500
    kept = aggregated(exchange.venue.trades(listing.symbol, exchange.settings.venue.kept_trades))
    if from_id is not None:
        return [_aggregate(each) for each in kept if each.aggregate_id >= from_id][:limit]
    inside = [each for each in kept if not timed or is_within(each.first.trade.timestamp, start, end)]
    return [_aggregate(each) for each in first_or_last(inside, start, limit)]


def _aggregate(joined: AggregateTrade) -> JsonObject:
    trade = joined.first.trade
    return {
        "a": joined.aggregate_id,
        "p": number(trade.price),
        "q": number(joined.amount),
        "f": joined.aggregate_id,
        "l": joined.last_id,
        "T": trade.timestamp,
        "m": joined.first.buyer_is_maker,
        "M": True,
    }


ENDPOINTS = (
    Endpoint(
        depth,
        "GET",
        "/api/v3/depth",
        "depth",
        weight=depth_weight,
        required=(SYMBOL,),
        optional=(_DEPTH_LIMIT, STATUS),
    ),
    Endpoint(
        trades,
        "GET",
        "/api/v3/trades",
        "trades.recent",
        weight=25,
        required=(SYMBOL,),
        optional=(LIMIT,),
    ),
    Endpoint(
        trades,
        "GET",
        "/api/v3/historicalTrades",
        "trades.historical",
        weight=25,
        required=(SYMBOL,),
        optional=(LIMIT, _FROM_ID),
    ),
    Endpoint(
        aggregate_trades,
        "GET",
        "/api/v3/aggTrades",
        "trades.aggregate",
        weight=4,
        required=(SYMBOL,),
        optional=(LIMIT, _FROM_ID, START, END),
    ),
)
