"""ping, time, exchangeInfo."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.market import MarketStatus
from gridtide.sandbox import parameters
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.errors import ApiError, bad_combination
from gridtide.sandbox.wire import ZERO_TEXT, JsonObject, number
from gridtide.venue.filters import ORDER_TYPES
from gridtide.venue.settings import SelfTradePrevention

if TYPE_CHECKING:
    from gridtide.domain.market import Market, MarketRules, PriceBand
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import Listing, SandboxExchange
    from gridtide.venue.settings import VenueSettings

_SYMBOL = parameters.symbol()
_SYMBOLS = parameters.symbols()
_PERMISSIONS = parameters.text("permissions")
_SHOW_SETS = parameters.boolean("showPermissionSets")
_STATUS = parameters.choice("symbolStatus", MarketStatus, ApiError(-1122, "Invalid symbolStatus."))

_NO_BOUND = Decimal("92233720368.54775807")
"""What a filter shows where the market has no upper bound: the largest number the exchange can write."""


def ping(_exchange: SandboxExchange, _call: Call) -> JsonObject:
    return {}


def server_time(exchange: SandboxExchange, _call: Call) -> JsonObject:
    return {"serverTime": exchange.now()}


def exchange_info(exchange: SandboxExchange, call: Call) -> JsonObject:
    markets = [listing.market for listing in selected(exchange, call.get(_SYMBOL), call.get(_SYMBOLS))]
    status = call.get(_STATUS)
    if status is not None:
        if call.get(_SYMBOL) or call.get(_SYMBOLS):
            raise bad_combination()
        markets = [market for market in markets if market.status is status]
    venue = exchange.settings.venue
    return {
        "timezone": "UTC",
        "serverTime": exchange.now(),
        "rateLimits": exchange.limiter.rules(),
        "exchangeFilters": [],
        "symbols": [describe_market(market, venue) for market in markets],
    }


def selected(exchange: SandboxExchange, symbol: str | None, symbols: tuple[str, ...] | None) -> list[Listing]:
    """The markets asked for by ``symbol`` or ``symbols``, or all; raises -1128 for both, -1121 for unknown."""
    if symbol is not None and symbols is not None:
        raise bad_combination()
    if symbol is not None:
        return [exchange.listing(symbol)]
    if symbols is not None:
        return [exchange.listing(each) for each in symbols]
    return list(exchange.listings.values())


def describe_market(market: Market, venue: VenueSettings) -> JsonObject:
    """A market as ``exchangeInfo`` lists it. What this sandbox cannot do is shown as not allowed."""
    rules = market.rules
    return {
        "symbol": market.exchange_id,
        "status": market.status.value,
        "baseAsset": market.base,
        "baseAssetPrecision": rules.base_precision,
        "quoteAsset": market.quote,
        "quotePrecision": rules.quote_precision,
        "quoteAssetPrecision": rules.quote_precision,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters(rules, venue.average_minutes),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": venue.self_trade_prevention.value,
        "allowedSelfTradePreventionModes": [mode.value for mode in SelfTradePrevention],
    }


def filters(rules: MarketRules, average_minutes: int) -> list[JsonObject]:
    """The market's rules as filters (protocol section 7)."""
    found: list[JsonObject] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": number(rules.min_price),
            "maxPrice": number(rules.max_price or _NO_BOUND),
            "tickSize": number(rules.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": number(rules.min_amount),
            "maxQty": number(rules.max_amount or _NO_BOUND),
            "stepSize": number(rules.lot_size),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": number(rules.market_min_amount),
            "maxQty": number(rules.market_max_amount or rules.max_amount or _NO_BOUND),
            "stepSize": ZERO_TEXT,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": number(rules.min_notional),
            "applyMinToMarket": True,
            "maxNotional": number(rules.max_notional or _NO_BOUND),
            "applyMaxToMarket": bool(rules.max_notional),
            "avgPriceMins": average_minutes,
        },
    ]
    if rules.price_band is not None:
        found.insert(1, _price_band(rules.price_band, average_minutes))
    if rules.max_open_orders:
        found.append({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.max_open_orders})
    return found


def _price_band(band: PriceBand, average_minutes: int) -> JsonObject:
    return {
        "filterType": "PERCENT_PRICE_BY_SIDE",
        "bidMultiplierUp": format(band.bid_up, "f"),
        "bidMultiplierDown": format(band.bid_down, "f"),
        "askMultiplierUp": format(band.ask_up, "f"),
        "askMultiplierDown": format(band.ask_down, "f"),
        "avgPriceMins": average_minutes,
    }


def no_contracts(exchange: SandboxExchange, _call: Call) -> JsonObject:
    """What ccxt's default options ask of the futures hosts: nothing is traded there."""
    return {
        "timezone": "UTC",
        "serverTime": exchange.now(),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }


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
    Endpoint(no_contracts, "GET", "/fapi/v1/exchangeInfo"),
    Endpoint(no_contracts, "GET", "/dapi/v1/exchangeInfo"),
)
