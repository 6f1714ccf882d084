"""Market rules: what they refuse, with the rule's name, checked against arithmetic of its own."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.market import (
    Asset,
    FeeSchedule,
    Market,
    MarketRules,
    PriceBand,
    Symbol,
    TopOfBook,
)
from gridtide.domain.money import FeeRate, Price
from gridtide.domain.order import OrderType, Side

D = Decimal


def rules(**changes: Any) -> MarketRules:
    values: dict[str, Any] = {
        "tick_size": D("0.01"),
        "lot_size": D("0.00001"),
        "min_notional": D(5),
        "max_notional": D(9_000_000),
        "min_price": D("0.01"),
        "max_price": D(1_000_000),
        "min_amount": D("0.00001"),
        "max_amount": D(9000),
        "market_max_amount": D(100),
        "price_band": PriceBand(D("0.2"), D("1.2"), D("0.8"), D(5)),
    }
    return MarketRules(**(values | changes))


@pytest.mark.parametrize(
    "price, amount, rule",
    [
        ("100", "0.1", None),
        ("0", "1", "price_bounds"),
        ("-1", "1", "price_bounds"),
        ("0.001", "1", "price_bounds"),
        ("1000000.01", "1", "price_bounds"),
        ("100.005", "1", "tick"),
        ("100", "0", "amount_bounds"),
        ("100", "-1", "amount_bounds"),
        ("100", "0.000001", "amount_bounds"),
        ("100", "9000.1", "amount_bounds"),
        ("100", "0.100001", "lot"),
        ("100", "0.04999", "min_notional"),
        ("100", "0.05", None),
        ("999999", "9.01", "max_notional"),
    ],
)
def test_each_fixed_rule_refuses_by_its_name(price: str, amount: str, rule: str | None) -> None:
    """F13: and the bounds themselves are allowed."""
    found = rules(price_band=None).violation(Side.BUY, OrderType.LIMIT, D(price), D(amount))
    assert (found.rule if found else None) == rule
    assert found is None or (found.detail and not found.moving)


@pytest.mark.parametrize(
    "side, price, is_refused",
    [
        (Side.BUY, "120", False),
        (Side.BUY, "120.01", True),
        (Side.BUY, "20", False),
        (Side.BUY, "19.99", True),
        (Side.SELL, "80", False),
        (Side.SELL, "79.99", True),
        (Side.SELL, "500", False),
        (Side.SELL, "500.01", True),
    ],
)
def test_the_price_band_moves_with_the_average_and_differs_by_side(
    side: Side, price: str, is_refused: bool
) -> None:
    found = rules().violation(side, OrderType.LIMIT, D(price), D(1), D(100))
    assert (found is not None) == is_refused
    assert found is None or (found.rule, found.moving) == ("price_band", True)
    assert rules().violation(side, OrderType.LIMIT, D(price), D(1)) is None


def test_market_orders_have_amount_bounds_of_their_own() -> None:
    """The tighter bound counts, and a bound of zero is no bound."""
    assert rules().violation(Side.BUY, OrderType.MARKET, None, D("100.1"), D(10)) is not None
    assert (
        rules(market_max_amount=D(0)).violation(Side.BUY, OrderType.MARKET, None, D("100.1"), D(10)) is None
    )
    assert rules(max_amount=D(0)).violation(Side.BUY, OrderType.MARKET, None, D("100.1"), D(10)) is not None
    assert (
        rules(market_min_amount=D(1)).violation(Side.BUY, OrderType.MARKET, None, D("0.9"), D(10)) is not None
    )
    found = rules().violation(Side.BUY, OrderType.MARKET, None, D("0.001"), D(100))
    assert found is not None
    assert found.rule == "min_notional"


def test_bounds_of_zero_are_no_rules() -> None:
    free = MarketRules(D(0), D(0))
    assert free.violation(Side.SELL, OrderType.LIMIT, D("1e-11"), D("1e-11"), D(1)) is None


@given(
    price=st.decimals("0.000001", "1000", places=10),
    amount=st.decimals("0.00000001", "1000", places=12),
    tick=st.sampled_from(["0.00000001", "0.0001", "0.01", "0.25", "1"]),
    lot=st.sampled_from(["0.00000001", "0.00001", "0.1", "1"]),
)
def test_what_our_own_rounding_builds_no_rule_of_step_refuses(
    price: Decimal, amount: Decimal, tick: str, lot: str
) -> None:
    """F13, F15: every order built passes an independent checker; a buy never pays more, a sell never takes less."""
    built = MarketRules(D(tick), D(lot))
    bid, ask, size = built.floor_price(price), built.ceil_price(price), built.floor_amount(amount)
    assert bid <= price <= ask
    assert size <= amount
    assert bid <= built.nearest_price(price) <= ask
    for value, step in ((bid, tick), (ask, tick), (size, lot)):
        assert (Fraction(value) / Fraction(step)).denominator == 1
    if bid and size:
        assert built.violation(Side.BUY, OrderType.LIMIT, bid, size) is None
        assert built.violation(Side.SELL, OrderType.LIMIT, ask, size) is None


def test_tradable_means_amount_and_value_reach_their_minimum() -> None:
    assert rules().is_tradable(D(100), D("0.05"))
    assert not rules().is_tradable(D(100), D("0.04999"))
    assert not rules(min_notional=D(0), min_amount=D(1)).is_tradable(D(100), D("0.9"))
    assert not MarketRules(D(0), D(0)).is_tradable(D(100), D(0))


def test_the_mid_gives_way_to_the_last_price() -> None:
    """Grid-semantics 0: where a side is empty or the spread is over 0.5 %, a spread of just 0.5 % is fine."""
    bid, last = Price(D(1000)), Price(D(7))
    assert TopOfBook(bid, Price(D(1002)), last).mid() == 1001
    assert TopOfBook(Price(D(399)), Price(D(401)), last).mid() == 400
    assert TopOfBook(Price(D(399)), Price(D("401.01")), last).mid() == 7
    assert TopOfBook(None, bid, last).mid() == TopOfBook(bid, None, last).mid() == 7
    assert TopOfBook(None, None).mid() is None


def test_names_and_fees_of_a_market() -> None:
    market = Market(Symbol("BTC/USDT"), Asset("BTC"), Asset("USDT"), rules())
    assert market.exchange_id == "BTCUSDT"
    rate = FeeRate(D("0.001"))
    assert FeeSchedule(rate, rate).taken_from_received
    assert not FeeSchedule(rate, rate, Asset("BNB")).taken_from_received
