"""Markets, fees and books for the strategy tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gridtide.domain.market import Asset, FeeSchedule, Market, MarketRules, Symbol, TopOfBook
from gridtide.domain.money import FeeRate, Price
from gridtide.strategies.grid import GridConfig

BASE, QUOTE, THIRD = Asset("BTC"), Asset("USDT"), Asset("BNB")
SYMBOL = Symbol("BTC/USDT")
D = Decimal


def market(tick: str = "0.01", lot: str = "0.00000001", min_notional: str = "0", **rules: Any) -> Market:
    """BTC/USDT with the rules that matter to a test; every other rule is off."""
    return Market(SYMBOL, BASE, QUOTE, MarketRules(D(tick), D(lot), D(min_notional), **rules))


def fees(rate: str = "0.001", taker: str | None = None, asset: Asset | None = None) -> FeeSchedule:
    """A schedule; without `asset` each fee is taken from what is received."""
    return FeeSchedule(FeeRate(D(rate)), FeeRate(D(taker if taker is not None else rate)), asset)


FREE = fees("0", "0", QUOTE)


def book(price: str, tick: str = "0") -> TopOfBook:
    """Best prices `tick` away from `price` on both sides."""
    middle, distance = D(price), D(tick)
    return TopOfBook(Price(middle - distance), Price(middle + distance), Price(middle))


def grid(lower: str, upper: str, levels: int, investment: str = "10000", **options: Any) -> GridConfig:
    """A config on `SYMBOL`; options as the fields of `GridConfig`."""
    return GridConfig(SYMBOL, D(lower), D(upper), levels, D(investment), **options)


def at(price: int | str, amount: str | Decimal) -> tuple[Decimal, Decimal]:
    """Price and amount of a resting order, as `World.resting` shows them."""
    return D(price), D(amount)
