"""Each arithmetic filter agrees with the published rule restated in exact fractions, for any numbers."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gridtide.domain.market import MarketRules, PriceBand
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.account import Account, OwnRecords
from gridtide.venue.admission import check_position
from gridtide.venue.filters import check_filters, check_iceberg, check_lot_sizes, check_price
from gridtide.venue.market_filters import MarketFilters, NotionalFilter, TrailingBounds
from gridtide.venue.messages import NewOrder, VenueRefusal
from gridtide.venue.settings import SelfTradePrevention
from gridtide.venue.working_order import WorkingOrder
from tests.venue.test_filters_boundaries import desk, order
from tests.venue.world import BTC, FEES, NOW, SYMBOL, D

ZERO = Decimal(0)
NO_RULES = MarketRules(ZERO, ZERO)
BUY, SELL = Side.BUY, Side.SELL


def decimals(least: str, most: str, places: int = 8) -> st.SearchStrategy[Decimal]:
    return st.decimals(D(least), D(most), places=places)


values = decimals("0.00000001", "100000")
bounds = st.just(ZERO) | decimals("0", "100000")
steps = (
    st.just(ZERO)
    | st.sampled_from(["0.00000001", "0.01", "0.25", "3", "7.5"]).map(D)
    | decimals("0.001", "5")
)
multiples = st.integers(1, 10_000)


def refusal_of(check: object, *arguments: object, **how: object) -> str | None:
    """The text of what `check` raises, or None."""
    assert callable(check)
    try:
        check(*arguments, **how)
    except VenueRefusal as refused:
        return refused.message
    return None


def fits(value: Decimal, least: Decimal, most: Decimal, step: Decimal) -> bool:
    """least <= value <= most and value mod step == 0, a zero being no rule, in fractions."""
    exact = Fraction(value)
    return (
        exact >= Fraction(least)
        and (not most or exact <= Fraction(most))
        and (not step or (exact / Fraction(step)).denominator == 1)
    )


@given(value=values, least=bounds, most=bounds, step=steps, times=st.none() | multiples)
def test_price_filter(
    value: Decimal, least: Decimal, most: Decimal, step: Decimal, times: int | None
) -> None:
    """Half of the prices are multiples of the tick, so that each rule decides in some examples."""
    price = step * times if step and times else value
    rules = replace(NO_RULES, min_price=least, max_price=most, tick_size=step)
    expected = None if fits(price, least, most, step) else "Filter failure: PRICE_FILTER"
    assert refusal_of(check_price, price, rules) == expected


@given(
    value=values, least=bounds, most=bounds, step=steps, times=st.none() | multiples, is_market=st.booleans()
)
def test_lot_sizes(
    value: Decimal, least: Decimal, most: Decimal, step: Decimal, times: int | None, is_market: bool
) -> None:
    """LOT_SIZE, and MARKET_LOT_SIZE for MARKET orders only."""
    amount = step * times if step and times else value
    rules = replace(NO_RULES, min_amount=least, max_amount=most, lot_size=step)
    good = fits(amount, least, most, step)
    found = refusal_of(check_lot_sizes, amount, rules, MarketFilters(), is_market=is_market)
    assert found == (None if good else "Filter failure: LOT_SIZE")
    rules = replace(NO_RULES, market_min_amount=least, market_max_amount=most)
    found = refusal_of(
        check_lot_sizes, amount, rules, MarketFilters(market_lot_size=step), is_market=is_market
    )
    assert found == (None if good or not is_market else "Filter failure: MARKET_LOT_SIZE")


multipliers = decimals("0.0001", "5", places=4)


@pytest.mark.parametrize("side", Side)
@given(
    price=values,
    average=decimals("0.00000001", "1000"),
    band=st.builds(PriceBand, multipliers, multipliers, multipliers, multipliers),
    edge=st.booleans(),
)
def test_percent_price(side: Side, price: Decimal, average: Decimal, band: PriceBand, edge: bool) -> None:
    """average * down <= price <= average * up of the order's side; prices on the very edge among them."""
    down, up = (band.bid_down, band.bid_up) if side is BUY else (band.ask_down, band.ask_up)
    price = average * up if edge else price
    where = desk(str(average), rules=replace(NO_RULES, price_band=band))
    good = Fraction(average) * Fraction(down) <= Fraction(price) <= Fraction(average) * Fraction(up)
    asked = order(side=side)._replace(price=price)
    expected = None if good else "Filter failure: PERCENT_PRICE_BY_SIDE"
    assert refusal_of(check_filters, asked, where) == expected


@given(
    amount=values,
    price=st.none() | values,
    average=values,
    least=bounds,
    most=bounds,
    name=st.sampled_from(["NOTIONAL", "MIN_NOTIONAL"]),
    on_min=st.booleans(),
    on_max=st.booleans(),
)
def test_notional(
    amount: Decimal,
    price: Decimal | None,
    average: Decimal,
    least: Decimal,
    most: Decimal,
    name: NotionalFilter,
    on_min: bool,
    on_max: bool,
) -> None:
    """minNotional <= price * quantity <= maxNotional; without a price the average, where the bound applies."""
    rules = replace(NO_RULES, min_notional=least, max_notional=most)
    filters = MarketFilters(notional_filter=name, apply_min_to_market=on_min, apply_max_to_market=on_max)
    value = Fraction(amount) * Fraction(average if price is None else price)
    too_small = (price is not None or on_min) and value < Fraction(least)
    has_most = bool(most) and name == "NOTIONAL" and (price is not None or on_max)
    too_large = has_most and value > Fraction(most)
    asked = order("MARKET" if price is None else "LIMIT")._replace(amount=amount, price=price)
    expected = f"Filter failure: {name}" if too_small or too_large else None
    assert refusal_of(check_filters, asked, desk(str(average), rules=rules, filters=filters)) == expected


@given(visible=values, amount=values, limit=st.integers(0, 20), parts=st.none() | st.integers(1, 25))
def test_iceberg_parts(visible: Decimal, amount: Decimal, limit: int, parts: int | None) -> None:
    """CEIL(qty / icebergQty) <= limit; whole numbers of parts among the examples."""
    amount = visible * parts if parts else amount
    assume(visible <= amount)
    good = not limit or ceil(Fraction(amount) / Fraction(visible)) <= limit
    found = refusal_of(check_iceberg, visible, amount, NO_RULES, MarketFilters(iceberg_parts=limit))
    assert found == (None if good else "Filter failure: ICEBERG_PARTS")


@given(
    delta=st.integers(0, 60),
    least=st.integers(0, 30),
    most=st.integers(30, 60),
    kind=st.sampled_from(["STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]),
    side=st.sampled_from(Side),
)
def test_trailing_delta(delta: int, least: int, most: int, kind: str, side: Side) -> None:
    """The Above bounds are for STOP_LOSS BUY and TAKE_PROFIT SELL; the Below bounds here let everything pass."""
    waits_above = (kind.removesuffix("_LIMIT"), side) in {("STOP_LOSS", BUY), ("TAKE_PROFIT", SELL)}
    filters = MarketFilters(trailing=TrailingBounds(least, most, 0, 60))
    good = not waits_above or least <= delta <= most
    asked = order(kind, side)._replace(trailing_delta=delta)
    found = refusal_of(check_filters, asked, desk(rules=NO_RULES, filters=filters))
    assert found == (None if good else "Filter failure: TRAILING_DELTA")


@given(
    free=bounds,
    locked=bounds,
    buys=st.lists(values, max_size=4),
    sells=st.lists(values, max_size=2),
    amount=values,
    limit=bounds,
    exact=st.booleans(),
)
def test_max_position(
    free: Decimal,
    locked: Decimal,
    buys: list[Decimal],
    sells: list[Decimal],
    amount: Decimal,
    limit: Decimal,
    exact: bool,
) -> None:
    """free + locked + open buys + quantity <= maxPosition, for buys only; the limit itself is allowed."""
    total = sum(map(Fraction, (free, locked, amount, *buys)), Fraction(0))
    if exact:
        limit = free + locked + amount + sum(buys, ZERO)
    account = Account("a", {BTC: free}, FEES)
    account.locked[BTC] = locked
    account.records[SYMBOL] = OwnRecords()
    for number, (side, size) in enumerate([(BUY, size) for size in buys] + [(SELL, size) for size in sells]):
        asked = NewOrder("a", SYMBOL, side, "LIMIT", size, price=D(1), time_in_force=TimeInForce.GTC)
        account.records[SYMBOL].add(
            WorkingOrder(account, asked, number, f"c{number}", SelfTradePrevention.NONE, NOW)
        )
    where = desk(filters=MarketFilters(max_position=limit))
    good = not limit or total <= Fraction(limit)
    expected = None if good else "Filter failure: MAX_POSITION"
    assert refusal_of(check_position, where, account, BUY, amount) == expected
    assert refusal_of(check_position, where, account, SELL, amount) is None
