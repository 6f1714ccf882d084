"""Candles and the average price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.candles import LENGTHS, KlineRow
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.market import SYMBOL
from gridtide.sandbox.endpoints.paging import END, LIMIT, START, first_or_last, is_within
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.kline_zones import rows_in_zone, time_zone
from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange

_COLUMNS = 12
_INTERVAL = parameters.word("interval", LENGTHS, ApiError(-1120, "Invalid interval."))
_TIME_ZONE = time_zone()


def klines(exchange: SandboxExchange, call: Call) -> list[KlineRow]:
    """Candles by their own (market) time: oldest first from ``startTime``, else the newest up to ``endTime``."""
    listing = exchange.listing(call.need(SYMBOL))
    start, end, limit = call.get(START), call.get(END), call.get(LIMIT) or 500
    rows = rows_in_zone(listing.record.candles, call.need(_INTERVAL), call.get(_TIME_ZONE) or 0)
    inside = [row for row in rows if is_within(row[0], start, end)]
    return [row[:_COLUMNS] for row in first_or_last(inside, start, limit)]


def average_price(exchange: SandboxExchange, call: Call) -> JsonObject:
    listing = exchange.listing(call.need(SYMBOL))
    return {
        "mins": exchange.settings.venue.average_minutes,
        "price": number(listing.average_price()),
        "closeTime": listing.record.last_trade_at,
    }


def _klines(name: str) -> Endpoint:
    return Endpoint(
        klines,
        "GET",
        f"/api/v3/{name}",
        name,
        weight=2,
        required=(SYMBOL, _INTERVAL),
        optional=(START, END, LIMIT, _TIME_ZONE),
    )


ENDPOINTS = (
    _klines("klines"),
    _klines("uiKlines"),
    Endpoint(average_price, "GET", "/api/v3/avgPrice", "avgPrice", weight=2, required=(SYMBOL,)),
)
