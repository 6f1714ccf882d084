"""Which market a file is about and which rules to play it under, from its name and its numbers.

A guess never makes the market coarser than its data: the tick is at least as fine as the prices seen.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.errors import DataUnusable
from gridtide.domain.market import Asset, Market, MarketRules, PriceBand, Symbol
from gridtide.domain.money import ONE

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USD", "EUR", "TRY", "BTC", "ETH", "BNB")
_STEPS = {
    "BTC/USDT": ("0.01", "0.00001"),
    "ETH/USDT": ("0.01", "0.0001"),
    "BNB/USDT": ("0.01", "0.001"),
    "SOL/USDT": ("0.01", "0.001"),
    "XRP/USDT": ("0.0001", "0.1"),
    "ADA/USDT": ("0.0001", "0.1"),
    "DOGE/USDT": ("0.00001", "1"),
    "LTC/USDT": ("0.01", "0.001"),
    "SUI/USDT": ("0.0001", "0.1"),
    "ETH/BTC": ("0.00001", "0.0001"),
    "XRP/ETH": ("0.0000001", "1"),
}
"""Tick and lot as the exchange publishes them."""
_MIN_NOTIONALS = {"BTC": "0.0001", "ETH": "0.001", "BNB": "0.01"}
_MIN_NOTIONAL = Decimal(5)
_BAND = PriceBand(Decimal("0.2"), Decimal(5), Decimal("0.2"), Decimal(5))
_MAX_PRICE = Decimal(1_000_000)
_MAX_AMOUNT = Decimal(90_000_000)
_MOST_STEPS = Decimal(10_000_000_000)
"""An unknown market with a coarse tick or lot has higher bounds: bitcoin costs millions of lira, PEPE is traded by the
billion."""
_MAX_OPEN_ORDERS = 200
_FINEST_PLACES = 8


def known_symbols() -> tuple[str, ...]:
    """Markets whose tick and lot are known without data."""
    return tuple(_STEPS)


def symbol_of_name(file_name: str) -> Symbol:
    """``BTCUSDT-1m-2021.parquet`` -> ``BTC/USDT``, also ``BTC_USDT…`` and ``BTC-USDT…``; else `DataUnusable`."""
    upper = file_name.upper()
    separated = re.match(rf"([A-Z0-9]+)[-_]({'|'.join(_QUOTES)})(?![A-Z0-9])", upper)
    joined = re.match(rf"([A-Z0-9]+?)({'|'.join(_QUOTES)})(?![A-Z0-9])", upper)
    found = separated or joined
    if found is None:
        raise DataUnusable(
            f"the name of {file_name} does not tell its market: "
            "rename it like BTCUSDT-1m-2021.parquet or name the market"
        )
    return Symbol(f"{found[1]}/{found[2]}")


def market_of(symbol: Symbol, prices: Iterable[Decimal] = (), amounts: Iterable[Decimal] = ()) -> Market:
    """The market with its known tick and lot, or those that `prices` and `amounts` show."""
    base, _, quote = symbol.partition("/")
    if not base or not quote:
        raise DataUnusable(f"{symbol!r} names no market: write base and quote, as in BTC/USDT")
    known = _STEPS.get(symbol)
    seen_tick = _finest_step(prices)
    if known is not None:
        tick, lot = Decimal(known[0]), Decimal(known[1])
        rules = _rules(min(tick, seen_tick), lot, quote)
    else:
        rules = _with_roomy_bounds(_rules(seen_tick, _finest_step(amounts), quote))
    return Market(symbol, Asset(base), Asset(quote), rules)


def _with_roomy_bounds(rules: MarketRules) -> MarketRules:
    return replace(
        rules,
        max_price=max(_MAX_PRICE, rules.tick_size * _MOST_STEPS),
        max_amount=max(_MAX_AMOUNT, rules.lot_size * _MOST_STEPS),
    )


def _finest_step(values: Iterable[Decimal]) -> Decimal:
    """The power of ten that every value is a multiple of: 0.01 for 5 and 7.25; 1 without values."""
    places = max((_places(value) for value in values), default=0)
    return ONE.scaleb(-min(places, _FINEST_PLACES))


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rules(tick: Decimal, lot: Decimal, quote: str) -> MarketRules:
    return MarketRules(
        tick_size=tick,
        lot_size=lot,
        min_notional=Decimal(_MIN_NOTIONALS.get(quote, _MIN_NOTIONAL)),
        min_price=tick,
        max_price=_MAX_PRICE,
        min_amount=lot,
        max_amount=_MAX_AMOUNT,
        price_band=_BAND,
        max_open_orders=_MAX_OPEN_ORDERS,
    )
