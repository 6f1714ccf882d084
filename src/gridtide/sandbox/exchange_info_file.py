"""Markets out of the real exchange's ``exchangeInfo``: what a symbol entry says becomes a market and its filters.

Nothing is guessed: an entry with a filter or a word that the venue does not know is refused by name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, get_args

from gridtide.domain.errors import InvalidInput, InvalidValue
from gridtide.domain.market import Asset, Market, MarketRules, MarketStatus, PriceBand, Symbol
from gridtide.domain.money import ZERO, parse_decimal
from gridtide.sandbox.endpoints.market_listing import NO_BOUND
from gridtide.venue.market_filters import MarketFilters, NotionalFilter, PriceBandFilter, TrailingBounds

Json = Mapping[str, Any]
"""JSON of the exchange, checked field by field."""

_NOTIONALS = get_args(NotionalFilter)
_BANDS = get_args(PriceBandFilter)
_FILTERS = {
    *_NOTIONALS,
    *_BANDS,
    "PRICE_FILTER",
    "LOT_SIZE",
    "MARKET_LOT_SIZE",
    "ICEBERG_PARTS",
    "TRAILING_DELTA",
    "MAX_NUM_ORDERS",
    "MAX_NUM_ALGO_ORDERS",
    "MAX_NUM_ICEBERG_ORDERS",
    "MAX_NUM_ORDER_LISTS",
    "MAX_NUM_ORDER_AMENDS",
    "MAX_POSITION",
}
_PERMISSIONS = {
    "iceberg_allowed": "icebergAllowed",
    "oco_allowed": "ocoAllowed",
    "oto_allowed": "otoAllowed",
    "opo_allowed": "opoAllowed",
    "quote_amount_allowed": "quoteOrderQtyMarketAllowed",
    "trailing_allowed": "allowTrailingStop",
    "cancel_replace_allowed": "cancelReplaceAllowed",
    "amend_allowed": "amendAllowed",
}
_BEFORE_PREVENTION = ("NONE",)
"""What markets allowed before there was self-trade prevention."""


def markets_from_exchange_info(
    info: Json, symbols: Collection[str] | None = None
) -> dict[str, tuple[Market, MarketFilters]]:
    """Markets and filters by the exchange's name, in the file's order; `symbols` picks some of them.

    Raises `InvalidInput` for the first entry that cannot be read and for names that are not there.
    """
    entries = {entry["symbol"]: entry for entry in info["symbols"]}
    missing = set(symbols or ()) - set(entries)
    if missing:
        raise InvalidInput(f"the exchangeInfo does not list {', '.join(sorted(missing))}")
    return {
        name: market_from_exchange_info(entry)
        for name, entry in entries.items()
        if symbols is None or name in symbols
    }


def market_from_exchange_info(symbol_entry: Json) -> tuple[Market, MarketFilters]:
    """The market and the filters of one entry of ``symbols``. Raises `InvalidInput` that says what it lacks."""
    name = symbol_entry.get("symbol", "?")
    try:
        filters = _by_type(symbol_entry)
        return _market(symbol_entry, filters), _market_filters(symbol_entry, filters)
    except KeyError as error:
        raise InvalidInput(f"the exchangeInfo of {name} has no {error.args[0]}") from None
    except (InvalidInput, InvalidValue, ValueError) as error:
        raise InvalidInput(f"the exchangeInfo of {name} cannot be used: {error}") from None


def _by_type(entry: Json) -> dict[str, Json]:
    filters = {each["filterType"]: each for each in entry["filters"]}
    unknown = set(filters) - _FILTERS
    if unknown:
        raise InvalidInput(f"the sandbox does not know the filter {', '.join(sorted(unknown))}")
    for older_and_newer in (_NOTIONALS, _BANDS):
        if len(set(older_and_newer) & set(filters)) > 1:
            raise InvalidInput(f"it has both {' and '.join(older_and_newer)}")
    return filters


# --- the market --------------------------------------------------------------------------------------


def _market(entry: Json, filters: Mapping[str, Json]) -> Market:
    base, quote = Asset(entry["baseAsset"]), Asset(entry["quoteAsset"])
    market = Market(
        Symbol(f"{base}/{quote}"), base, quote, _rules(entry, filters), MarketStatus(entry["status"])
    )
    if market.exchange_id != entry["symbol"]:
        raise InvalidInput(f"its name is not made of {base} and {quote}")
    return market


def _rules(entry: Json, filters: Mapping[str, Json]) -> MarketRules:
    price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    market_lot = filters.get("MARKET_LOT_SIZE", {})
    notional = next((filters[name] for name in _NOTIONALS if name in filters), {})
    return MarketRules(
        tick_size=_decimal(price, "tickSize"),
        lot_size=_decimal(lot, "stepSize"),
        min_notional=_decimal(notional, "minNotional", ZERO),
        max_notional=_decimal(notional, "maxNotional", ZERO),
        min_price=_decimal(price, "minPrice"),
        max_price=_decimal(price, "maxPrice"),
        min_amount=_decimal(lot, "minQty"),
        max_amount=_decimal(lot, "maxQty"),
        market_min_amount=_decimal(market_lot, "minQty", ZERO),
        market_max_amount=_decimal(market_lot, "maxQty", ZERO),
        price_band=_price_band(filters),
        max_open_orders=_count(filters, "MAX_NUM_ORDERS", "maxNumOrders"),
        base_precision=entry["baseAssetPrecision"],
        quote_precision=entry.get("quoteAssetPrecision", entry["quotePrecision"]),
    )


def _price_band(filters: Mapping[str, Json]) -> PriceBand | None:
    if "PERCENT_PRICE_BY_SIDE" in filters:
        found = filters["PERCENT_PRICE_BY_SIDE"]
        names = ("bidMultiplierDown", "bidMultiplierUp", "askMultiplierDown", "askMultiplierUp")
        return PriceBand(*(_decimal(found, name) for name in names))
    if "PERCENT_PRICE" in filters:
        found = filters["PERCENT_PRICE"]
        down, up = _decimal(found, "multiplierDown"), _decimal(found, "multiplierUp")
        return PriceBand(down, up, down, up)
    return None


# --- what only the exchange knows --------------------------------------------------------------------


def _market_filters(entry: Json, filters: Mapping[str, Json]) -> MarketFilters:
    allowed = {ours: bool(entry.get(theirs, False)) for ours, theirs in _PERMISSIONS.items()}
    modes = tuple(entry.get("allowedSelfTradePreventionModes", _BEFORE_PREVENTION))
    notional = next((filters[name] for name in _NOTIONALS if name in filters), {})
    return MarketFilters(
        notional_filter=next((name for name in _NOTIONALS if name in filters), "NOTIONAL"),
        apply_min_to_market=bool(notional.get("applyMinToMarket", notional.get("applyToMarket", False))),
        apply_max_to_market=bool(notional.get("applyMaxToMarket", False)),
        price_band_filter=next((name for name in _BANDS if name in filters), "PERCENT_PRICE_BY_SIDE"),
        average_minutes=_average_minutes(filters),
        market_lot_size=_decimal(filters.get("MARKET_LOT_SIZE", {}), "stepSize", ZERO),
        iceberg_parts=_count(filters, "ICEBERG_PARTS", "limit"),
        trailing=_trailing(filters.get("TRAILING_DELTA")),
        max_algo_orders=_count(filters, "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders"),
        max_iceberg_orders=_count(filters, "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders"),
        max_order_lists=_count(filters, "MAX_NUM_ORDER_LISTS", "maxNumOrderLists"),
        max_order_amends=_count(filters, "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends"),
        max_position=_decimal(filters.get("MAX_POSITION", {}), "maxPosition", ZERO),
        order_types=tuple(entry["orderTypes"]),
        **allowed,
        prevention_modes=modes,
        default_prevention=entry.get("defaultSelfTradePreventionMode", modes[0]),
        permission_sets=_permission_sets(entry),
        base_commission_precision=entry.get("baseCommissionPrecision", entry["baseAssetPrecision"]),
        quote_commission_precision=entry.get("quoteCommissionPrecision", entry["quotePrecision"]),
    )


def _average_minutes(filters: Mapping[str, Json]) -> int | None:
    found = {filters[name]["avgPriceMins"] for name in (*_NOTIONALS, *_BANDS) if name in filters}
    if len(found) > 1:
        raise InvalidInput("its filters average over different minutes")
    return found.pop() if found else None


def _trailing(found: Json | None) -> TrailingBounds | None:
    if found is None:
        return None
    return TrailingBounds(
        found["minTrailingAboveDelta"],
        found["maxTrailingAboveDelta"],
        found["minTrailingBelowDelta"],
        found["maxTrailingBelowDelta"],
    )


def _permission_sets(entry: Json) -> tuple[tuple[str, ...], ...]:
    sets = entry.get("permissionSets") or [entry.get("permissions") or ["SPOT"]]
    return tuple(tuple(each) for each in sets)


def _count(filters: Mapping[str, Json], filter_type: str, field: str) -> int:
    return int(filters[filter_type][field]) if filter_type in filters else 0


def _decimal(found: Json, field: str, default: Decimal | None = None) -> Decimal:
    """A decimal of a filter; the largest number the exchange can write is no bound."""
    if default is not None and field not in found:
        return default
    value = parse_decimal(found[field])
    return ZERO if value == NO_BOUND else value
