"""ping, time, exchangeInfo and the rules beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gridtide.domain.market import MarketStatus
from gridtide.sandbox import parameters
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.market_listing import describe_market, exchange_filters
from gridtide.sandbox.errors import ApiError, bad_combination, invalid_data
from gridtide.sandbox.parameters import Parameter
from gridtide.sandbox.wire import JsonObject

if TYPE_CHECKING:
    from gridtide.domain.market import Market
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.listing import Listing
    from gridtide.venue.settings import VenueSettings

_is_permission = re.compile(r"SPOT|MARGIN|LEVERAGED|TRD_GRP_[0-9]{3}").fullmatch

_SHOWN_PERMISSIONS = ("SPOT", "MARGIN", "LEVERAGED")
"""Markets with one of these are listed unless others are asked for."""


def _decode_permissions(name: str, text: str) -> tuple[str, ...]:
    """One permission, or a JSON list of them."""
    try:
        found = json.loads(text) if text.startswith("[") else [text]
    except (ValueError, RecursionError):
        raise ApiError(-1135, f"JSON sent for parameter '{name}' is not valid") from None
    if not found or not all(isinstance(each, str) and _is_permission(each) for each in found):
        raise invalid_data(name)
    return tuple(found)


_SYMBOL = parameters.symbol()
_SYMBOLS = parameters.symbols()
_PERMISSIONS = Parameter("permissions", _decode_permissions)
_SHOW_SETS = parameters.boolean("showPermissionSets")
_STATUS = parameters.choice("symbolStatus", MarketStatus, ApiError(-1122, "Invalid symbolStatus."))


def ping(_exchange: SandboxExchange, _call: Call) -> JsonObject:
    return {}


def server_time(exchange: SandboxExchange, _call: Call) -> JsonObject:
    return {"serverTime": exchange.now()}


def exchange_info(exchange: SandboxExchange, call: Call) -> JsonObject:
    """All markets of the usual permissions; by ``symbol`` or ``symbols`` alone, or by ``permissions`` and status."""
    settings = exchange.venue.settings
    shows_sets = call.get(_SHOW_SETS) is not False
    return {
        "timezone": "UTC",
        "serverTime": exchange.now(),
        "rateLimits": exchange.limiter.rules(),
        "exchangeFilters": exchange_filters(settings.exchange_filters),
        "symbols": [
            describe_market(market, settings, shows_sets=shows_sets)
            for market in _asked_for(exchange, call, settings)
        ],
    }


def _asked_for(exchange: SandboxExchange, call: Call, settings: VenueSettings) -> list[Market]:
    symbol, symbols = call.get(_SYMBOL), call.get(_SYMBOLS)
    permissions, status = call.get(_PERMISSIONS), call.get(_STATUS)
    markets = [listing.market for listing in selected(exchange, symbol, symbols)]
    if symbol is not None or symbols is not None:
        if permissions is not None or status is not None:
            raise bad_combination()
        return markets
    wanted = set(permissions or _SHOWN_PERMISSIONS)
    return [
        market
        for market in markets
        if any(wanted.intersection(each) for each in settings.filters_of(market.symbol).permission_sets)
        and status in {None, market.status}
    ]


def selected(exchange: SandboxExchange, symbol: str | None, symbols: tuple[str, ...] | None) -> list[Listing]:
    """The markets asked for by ``symbol`` or ``symbols``, or all; raises -1128 for both, -1121 for unknown."""
    if symbol is not None and symbols is not None:
        raise bad_combination()
    if symbol is not None:
        return [exchange.listing(symbol)]
    if symbols is not None:
        return [exchange.listing(each) for each in symbols]
    return list(exchange.listings.values())


def execution_rules(exchange: SandboxExchange, call: Call) -> JsonObject:
    """No market of the sandbox has execution rules."""
    markets = _asked_for(exchange, call, exchange.venue.settings)
    return {"symbolRules": [{"symbol": market.exchange_id, "rules": []} for market in markets]}


def execution_rules_weight(values: Mapping[str, str]) -> int:
    return 2 if values.get("symbol") else 40


def reference_price(exchange: SandboxExchange, call: Call) -> JsonObject:
    """No market of the sandbox has a reference price, so its filters use the average price."""
    exchange.listing(call.need(_SYMBOL))
    raise ApiError(-2043, "This symbol doesn't have a reference price.")


def no_contracts(exchange: SandboxExchange, _call: Call) -> JsonObject:
    """What ccxt's default options ask of the futures hosts: nothing is traded there."""
    return {
        "timezone": "UTC",
        "serverTime": exchange.now(),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }


_REFERENCE = Endpoint(
    reference_price,
    "GET",
    "/api/v3/referencePrice",
    "referencePrice",
    weight=2,
    required=(_SYMBOL,),
    optional=(_STATUS,),
)

ENDPOINTS = (
    Endpoint(ping, "GET", "/api/v3/ping", "ping"),
    Endpoint(ping, "GET", "/api/v1/ping"),
    Endpoint(server_time, "GET", "/api/v3/time", "time"),
    Endpoint(server_time, "GET", "/api/v1/time"),
    Endpoint(
        exchange_info,
        "GET",
        "/api/v3/exchangeInfo",
        "exchangeInfo",
        weight=20,
        optional=(_SYMBOL, _SYMBOLS, _PERMISSIONS, _SHOW_SETS, _STATUS),
    ),
    Endpoint(
        execution_rules,
        "GET",
        "/api/v3/executionRules",
        "executionRules",
        weight=execution_rules_weight,
        optional=(_SYMBOL, _SYMBOLS, _STATUS),
    ),
    _REFERENCE,
    replace(_REFERENCE, path="/api/v3/referencePrice/calculation", ws_name="referencePrice.calculation"),
    Endpoint(no_contracts, "GET", "/fapi/v1/exchangeInfo"),
    Endpoint(no_contracts, "GET", "/dapi/v1/exchangeInfo"),
)
