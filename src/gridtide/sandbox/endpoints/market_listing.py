"""A market and its filters as the exchange lists them: field names, order and types of ``exchangeInfo`` (section 5.2).

Every number comes from `MarketRules` or `MarketFilters`; nothing is known here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridtide.domain.market import Asset, Market, MarketRules, PriceBand
    from gridtide.venue.market_filters import ExchangeFilters, MarketFilters, TrailingBounds
    from gridtide.venue.settings import VenueSettings

NO_BOUND = Decimal("92233720368.54775807")
"""What a filter shows where the market has no upper bound: the largest number the exchange can write."""


def describe_market(market: Market, settings: VenueSettings, *, shows_sets: bool = True) -> JsonObject:
    """A market as ``exchangeInfo`` lists it; `shows_sets` False leaves its permission sets empty."""
    rules, filters = market.rules, settings.filters_of(market.symbol)
    return {
        "symbol": market.exchange_id,
        "status": market.status.value,
        "baseAsset": market.base,
        "baseAssetPrecision": rules.base_precision,
        "quoteAsset": market.quote,
        "quotePrecision": rules.quote_precision,
        "quoteAssetPrecision": rules.quote_precision,
        "baseCommissionPrecision": filters.base_commission_precision,
        "quoteCommissionPrecision": filters.quote_commission_precision,
        "orderTypes": list(filters.order_types),
        **_permissions(filters),
        "filters": list(_filters(rules, filters, settings.average_minutes_of(market.symbol))),
        "permissions": [],
        "permissionSets": [list(each) for each in filters.permission_sets] if shows_sets else [],
        "defaultSelfTradePreventionMode": settings.default_prevention(market.symbol),
        "allowedSelfTradePreventionModes": list(filters.prevention_modes),
    }


def _permissions(filters: MarketFilters) -> JsonObject:
    return {
        # This sandbox knows neither icebergs nor pegged orders, whatever the market's filters allow.
        "icebergAllowed": False,
        "ocoAllowed": filters.oco_allowed,
        "otoAllowed": filters.oto_allowed,
        "opoAllowed": filters.opo_allowed,
        "quoteOrderQtyMarketAllowed": filters.quote_amount_allowed,
        "allowTrailingStop": filters.trailing_allowed,
        "cancelReplaceAllowed": filters.cancel_replace_allowed,
        "amendAllowed": filters.amend_allowed,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": filters.is_spot,
        "isMarginTradingAllowed": any("MARGIN" in each for each in filters.permission_sets),
    }


# --- filters of a market -----------------------------------------------------------------------------


def _filters(rules: MarketRules, filters: MarketFilters, average_minutes: int) -> Iterator[JsonObject]:
    yield {
        "filterType": "PRICE_FILTER",
        "minPrice": number(rules.min_price),
        "maxPrice": number(rules.max_price or NO_BOUND),
        "tickSize": number(rules.tick_size),
    }
    yield _lot_size("LOT_SIZE", rules.min_amount, rules.max_amount, rules.lot_size)
    if filters.iceberg_parts:
        yield {"filterType": "ICEBERG_PARTS", "limit": filters.iceberg_parts}
    most = rules.market_max_amount or rules.max_amount
    yield _lot_size("MARKET_LOT_SIZE", rules.market_min_amount, most, filters.market_lot_size)
    if filters.trailing is not None:
        yield _trailing(filters.trailing)
    if rules.price_band is not None:
        yield _price_band(rules.price_band, filters, average_minutes)
    yield _notional(rules, filters, average_minutes)
    if rules.max_open_orders:
        yield {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.max_open_orders}
    yield from account_filters(filters)


def _lot_size(name: str, least: Decimal, most: Decimal, step: Decimal) -> JsonObject:
    return {
        "filterType": name,
        "minQty": number(least),
        "maxQty": number(most or NO_BOUND),
        "stepSize": number(step),
    }


def _trailing(bounds: TrailingBounds) -> JsonObject:
    return {
        "filterType": "TRAILING_DELTA",
        "minTrailingAboveDelta": bounds.min_above,
        "maxTrailingAboveDelta": bounds.max_above,
        "minTrailingBelowDelta": bounds.min_below,
        "maxTrailingBelowDelta": bounds.max_below,
    }


def _price_band(band: PriceBand, filters: MarketFilters, average_minutes: int) -> JsonObject:
    if filters.price_band_filter == "PERCENT_PRICE":
        multipliers = {"multiplierUp": band.bid_up, "multiplierDown": band.bid_down}
    else:
        multipliers = {
            "bidMultiplierUp": band.bid_up,
            "bidMultiplierDown": band.bid_down,
            "askMultiplierUp": band.ask_up,
            "askMultiplierDown": band.ask_down,
        }
    texts = {name: format(value, "f") for name, value in multipliers.items()}
    return {"filterType": filters.price_band_filter, **texts, "avgPriceMins": average_minutes}


def _notional(rules: MarketRules, filters: MarketFilters, average_minutes: int) -> JsonObject:
    if filters.notional_filter == "MIN_NOTIONAL":
        return {
            "filterType": "MIN_NOTIONAL",
            "minNotional": number(rules.min_notional),
            "applyToMarket": filters.apply_min_to_market,
            "avgPriceMins": average_minutes,
        }
    return {
        "filterType": "NOTIONAL",
        "minNotional": number(rules.min_notional),
        "applyMinToMarket": filters.apply_min_to_market,
        "maxNotional": number(rules.max_notional or NO_BOUND),
        "applyMaxToMarket": filters.apply_max_to_market,
        "avgPriceMins": average_minutes,
    }


# --- filters over what an account has ----------------------------------------------------------------


def account_filters(filters: MarketFilters) -> list[JsonObject]:
    """A market's filters that look at the account, but for MAX_NUM_ORDERS."""
    found: list[JsonObject] = [
        {"filterType": name, field: limit}
        for name, field, limit in (
            ("MAX_NUM_ORDER_LISTS", "maxNumOrderLists", filters.max_order_lists),
            ("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", filters.max_algo_orders),
            ("MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", filters.max_iceberg_orders),
            ("MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends", filters.max_order_amends),
        )
        if limit
    ]
    if filters.max_position:
        found.append({"filterType": "MAX_POSITION", "maxPosition": number(filters.max_position)})
    return found


def exchange_filters(filters: ExchangeFilters) -> list[JsonObject]:
    """The filters over all markets."""
    return [
        {"filterType": f"EXCHANGE_{name}", field: limit}
        for name, field, limit in (
            ("MAX_NUM_ORDERS", "maxNumOrders", filters.max_orders),
            ("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", filters.max_algo_orders),
            ("MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", filters.max_iceberg_orders),
            ("MAX_NUM_ORDER_LISTS", "maxNumOrderLists", filters.max_order_lists),
        )
        if limit
    ]


def asset_filters(filters: ExchangeFilters, assets: tuple[Asset, ...]) -> list[JsonObject]:
    """MAX_ASSET of those of `assets` that have one."""
    return [
        {"filterType": "MAX_ASSET", "asset": asset, "limit": number(filters.max_assets[asset])}
        for asset in assets
        if asset in filters.max_assets
    ]
