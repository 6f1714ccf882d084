"""Filters and fees as JSON-compatible values and back. A field that is missing in a saved state has its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.market import Asset, Symbol
from gridtide.domain.money import FeeRate, plain
from gridtide.venue.market_filters import ExchangeFilters, MarketFilters, TrailingBounds
from gridtide.venue.settings import AccountFees, CommissionRates, FeeTier

if TYPE_CHECKING:
    from gridtide.venue.settings import VenueSettings

Json = dict[str, Any]  # the shape is private to save and load, which stand side by side

_RATES = ("maker", "taker", "buyer", "seller")
_DECIMALS = ("market_lot_size", "max_position")
_TUPLES = ("order_types", "prevention_modes")


# --- filters -----------------------------------------------------------------------------------------


def save_all_filters(settings: VenueSettings) -> Json:
    """The filters of the markets and of the exchange."""
    exchange = settings.exchange_filters
    limits = {asset: plain(limit) for asset, limit in exchange.max_assets.items()}
    return {
        "filters": {symbol: save_filters(filters) for symbol, filters in settings.filters.items()},
        "exchange_filters": {**asdict(exchange), "max_assets": limits},
    }


def load_filters_by_market(saved: Json) -> dict[Symbol, MarketFilters]:
    return {Symbol(symbol): load_filters(row) for symbol, row in saved.get("filters", {}).items()}


def load_exchange_filters(saved: Json) -> ExchangeFilters:
    row = saved.get("exchange_filters", {})
    limits = {Asset(asset): Decimal(limit) for asset, limit in row.get("max_assets", {}).items()}
    return ExchangeFilters(**{**row, "max_assets": limits})


def save_filters(filters: MarketFilters) -> Json:
    saved = asdict(filters)
    for name in _DECIMALS:
        saved[name] = plain(saved[name])
    for name in _TUPLES:
        saved[name] = list(saved[name])
    saved["permission_sets"] = [list(each) for each in filters.permission_sets]
    return saved


def load_filters(saved: Mapping[str, Any]) -> MarketFilters:
    known = {each.name for each in fields(MarketFilters)}
    values = {name: value for name, value in saved.items() if name in known}
    for name in _DECIMALS:
        values[name] = Decimal(values[name])
    for name in _TUPLES:
        values[name] = tuple(values[name])
    values["permission_sets"] = tuple(tuple(each) for each in values["permission_sets"])
    if values["trailing"] is not None:
        values["trailing"] = TrailingBounds(**values["trailing"])
    return MarketFilters(**values)


# --- fees --------------------------------------------------------------------------------------------


def save_fees(fees: AccountFees) -> Json:
    return {
        **_save_rates(fees.standard),
        "asset": fees.asset,
        "discount": plain(fees.discount),
        "asset_price": None if fees.asset_price is None else plain(fees.asset_price),
        "tax": _save_rates(fees.tax),
        "special": _save_rates(fees.special),
        "tiers": [[plain(tier.volume_from), plain(tier.maker), plain(tier.taker)] for tier in fees.tiers],
        "markets": {symbol: _save_rates(rates) for symbol, rates in fees.markets.items()},
    }


def load_fees(saved: Json) -> AccountFees:
    price = saved["asset_price"]
    return AccountFees(
        FeeRate(Decimal(saved["maker"])),
        FeeRate(Decimal(saved["taker"])),
        saved["asset"],
        Decimal(saved["discount"]),
        None if price is None else Decimal(price),
        FeeRate(Decimal(saved.get("buyer", 0))),
        FeeRate(Decimal(saved.get("seller", 0))),
        _load_rates(saved.get("tax", {})),
        _load_rates(saved.get("special", {})),
        tuple(
            FeeTier(Decimal(volume), FeeRate(Decimal(maker)), FeeRate(Decimal(taker)))
            for volume, maker, taker in saved.get("tiers", ())
        ),
        {Symbol(symbol): _load_rates(row) for symbol, row in saved.get("markets", {}).items()},
    )


def _save_rates(rates: CommissionRates) -> Json:
    return {name: plain(getattr(rates, name)) for name in _RATES}


def _load_rates(saved: Mapping[str, str]) -> CommissionRates:
    return CommissionRates(*(FeeRate(Decimal(saved.get(name, 0))) for name in _RATES))
