"""Binance's exchangeInfo as markets with their rules, and as rate limits. Unknown filters are passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gridtide.domain.market import Asset, Market, MarketRules, MarketStatus, PriceBand, Symbol
from gridtide.domain.money import ZERO, parse_decimal
from gridtide.exchanges.binance_wire import check_symbol
from gridtide.exchanges.rate_budget import LimitKind, RateLimit
from gridtide.exchanges.rows import UNREADABLE, Row

if TYPE_CHECKING:
    from decimal import Decimal

_INTERVAL_MS = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}

USUAL_LIMITS = (
    RateLimit(LimitKind.REQUEST_WEIGHT, 60_000, 6_000),
    RateLimit(LimitKind.ORDERS, 10_000, 50),
)
"""What to keep to until the exchange has told its limits."""


def read_markets(info: Any) -> dict[Symbol, Market]:
    """The spot markets of an exchangeInfo answer by symbol; rows that cannot be read are left out."""
    markets: dict[Symbol, Market] = {}
    for row in info["symbols"]:
        if not row.get("isSpotTradingAllowed", True):
            continue
        try:
            market = read_market(row)
        except UNREADABLE:
            continue
        markets[market.symbol] = market
    return markets


def read_market(row: Row) -> Market:
    """One symbol of exchangeInfo. A status we do not know counts as a halt (F49)."""
    base, quote = Asset(row["baseAsset"]), Asset(row["quoteAsset"])
    try:
        status = MarketStatus(row["status"])
    except ValueError:
        status = MarketStatus.HALT
    market = Market(Symbol(f"{base}/{quote}"), base, quote, _rules(row), status)
    check_symbol(row["symbol"], market)
    return market


def _rules(row: Row) -> MarketRules:
    filters: dict[str, Row] = {entry["filterType"]: entry for entry in row["filters"]}
    price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    market_lot = filters.get("MARKET_LOT_SIZE", {})
    value = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    return MarketRules(
        tick_size=_number(price, "tickSize"),
        lot_size=_number(lot, "stepSize"),
        min_notional=_number(value, "minNotional"),
        max_notional=_number(value, "maxNotional"),
        min_price=_number(price, "minPrice"),
        max_price=_number(price, "maxPrice"),
        min_amount=_number(lot, "minQty"),
        max_amount=_number(lot, "maxQty"),
        market_min_amount=_number(market_lot, "minQty"),
        market_max_amount=_number(market_lot, "maxQty"),
        price_band=_price_band(filters),
        max_open_orders=int(filters.get("MAX_NUM_ORDERS", {}).get("maxNumOrders", 0)),
        base_precision=int(row["baseAssetPrecision"]),
        quote_precision=int(row.get("quoteAssetPrecision", row["quotePrecision"])),
    )


def _price_band(filters: Mapping[str, Row]) -> PriceBand | None:
    by_side = filters.get("PERCENT_PRICE_BY_SIDE")
    if by_side is not None:
        return PriceBand(
            bid_down=_number(by_side, "bidMultiplierDown"),
            bid_up=_number(by_side, "bidMultiplierUp"),
            ask_down=_number(by_side, "askMultiplierDown"),
            ask_up=_number(by_side, "askMultiplierUp"),
        )
    both = filters.get("PERCENT_PRICE")
    if both is None:
        return None
    down, up = _number(both, "multiplierDown"), _number(both, "multiplierUp")
    return PriceBand(bid_down=down, bid_up=up, ask_down=down, ask_up=up)


def _number(entry: Row, key: str) -> Decimal:
    """A filter's bound without its trailing zeros; 0 ("no such rule") where the filter does not state it."""
    text = entry.get(key, "0")
    if isinstance(text, str) and "." in text:
        text = text.rstrip("0").rstrip(".")
    return parse_decimal(text) if text else ZERO


def read_rate_limits(info: Any) -> tuple[RateLimit, ...]:
    """The limiters of an exchangeInfo answer; kinds we do not know are left out."""
    kinds = {kind.value for kind in LimitKind}
    return tuple(
        RateLimit(
            LimitKind(row["rateLimitType"]),
            int(row["intervalNum"]) * _INTERVAL_MS[row["interval"]],
            int(row["limit"]),
        )
        for row in info.get("rateLimits", ())
        if row.get("rateLimitType") in kinds and row.get("interval") in _INTERVAL_MS
    )
