"""The counting filters: one order below the limit passes, the one above it does not, whatever else is open."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.market import MarketStatus
from gridtide.domain.order import Side
from gridtide.venue.admission import (
    Counts,
    check_amend,
    check_cancel_replace,
    check_counts,
    check_list_permission,
    count_new,
    count_open,
    exchange_limits,
    market_limits,
)
from gridtide.venue.market_filters import ExchangeFilters, MarketFilters
from gridtide.venue.messages import NewOrder, NewOrderList, VenueRefusal
from tests.venue.test_filters_boundaries import desk, order
from tests.venue.world import NOW, RULES, SYMBOL, D, buy, venue_at

NAMES = ("MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS", "MAX_NUM_ICEBERG_ORDERS", "MAX_NUM_ORDER_LISTS")


@dataclass(frozen=True)
class Open:
    """An open order, as far as it is counted."""

    type: str = "LIMIT"
    iceberg_amount: Decimal | None = None
    order_list: object | None = None


def refused(adding: Counts, already: Counts, limits: Counts, prefix: str = "") -> tuple[int, str] | None:
    try:
        check_counts(adding, already, limits, prefix)
    except VenueRefusal as refusal:
        return refusal.code, refusal.message
    return None


def test_what_counts_as_what() -> None:
    """Stop orders are orders and algo orders, an iceberg of 0 is none, an order list counts once."""
    pair, alone = object(), object()
    opened: Iterable[Open] = [
        Open(),
        Open("MARKET", D(0)),
        Open("LIMIT", D(1)),
        Open("STOP_LOSS", order_list=pair),
        Open("LIMIT_MAKER", order_list=pair),
        Open("TAKE_PROFIT_LIMIT", D(2), order_list=alone),
    ]
    assert count_open(opened) == Counts(orders=6, algo=2, iceberg=2, lists=2)
    assert count_new([order(), order("STOP_LOSS")], lists=1) == Counts(2, 1, 0, 1)


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("prefix", ["", "EXCHANGE_"])
def test_each_limit_has_its_name(which: int, prefix: str) -> None:
    """Up to the limit, with two more than there are; the others do not matter."""
    adding = Counts(*(2 if each == which else 0 for each in range(4)))
    already = Counts(*(8 if each == which else 99 for each in range(4)))
    limits = Counts(10, 10, 10, 10)
    assert refused(adding, already, limits, prefix) is None
    one_less = limits._replace(**{limits._fields[which]: 9})
    assert refused(adding, already, one_less, prefix) == (-2010, f"Filter failure: {prefix}{NAMES[which]}")
    assert refused(adding, already, limits._replace(**{limits._fields[which]: 0}), prefix) is None


counts = st.builds(Counts, *[st.integers(0, 6)] * 4)


@given(adding=counts, already=counts, limits=counts)
def test_the_first_full_count_refuses(adding: Counts, already: Counts, limits: Counts) -> None:
    """Against the rule restated: an order that adds nothing to a count is never refused for it."""
    full = [
        name
        for name, new, old, limit in zip(NAMES, adding, already, limits, strict=True)
        if new > 0 and limit > 0 and old + new > limit
    ]
    expected = (-2010, f"Filter failure: {full[0]}") if full else None
    assert refused(adding, already, limits) == expected


def test_limits_come_from_the_rules_and_the_filters() -> None:
    filters = MarketFilters(max_algo_orders=2, max_iceberg_orders=3, max_order_lists=4)
    assert market_limits(1, filters) == Counts(1, 2, 3, 4)
    assert exchange_limits(ExchangeFilters(5, 6, 7, 8)) == Counts(5, 6, 7, 8)
    assert not any(exchange_limits(ExchangeFilters()))


# --- amendments, lists, cancelReplace ----------------------------------------------------------------


def amend_refusal(
    made: int,
    status: MarketStatus = MarketStatus.TRADING,
    **filters: Any,  # any field of MarketFilters
) -> tuple[int, str] | None:
    try:
        check_amend(desk(status=status, filters=MarketFilters(**filters)), made)
    except VenueRefusal as refusal:
        return refusal.code, refusal.message
    return None


def test_amendments_are_counted_per_order() -> None:
    """The tenth of ten passes, the eleventh does not (-2038); zero is no limit."""
    assert amend_refusal(9) is None
    assert amend_refusal(10) == (-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")
    assert amend_refusal(10, max_order_amends=0) is None
    assert amend_refusal(0, amend_allowed=False) == (-2038, "Order amend is not supported for this symbol.")


@pytest.mark.parametrize("status", [status for status in MarketStatus if status is not MarketStatus.TRADING])
def test_nothing_is_amended_on_a_closed_market(status: MarketStatus) -> None:
    assert amend_refusal(0, status) == (-2038, "Market is closed.")


def test_kinds_of_order_lists_a_market_may_not_allow() -> None:
    """OCO without a working order, OTO with one, OPO where it pays for the legs."""
    legs = (order("LIMIT_MAKER"), order("STOP_LOSS"))
    oco = NewOrderList("a", SYMBOL, legs)
    oto = replace(oco, working=order())
    opo = replace(oto, pays=True)
    for filters, asked, text in (
        (MarketFilters(oco_allowed=False), oco, "OCO orders are not supported for this symbol"),
        (MarketFilters(oto_allowed=False), oto, "OTO orders are not supported for this symbol."),
        (MarketFilters(opo_allowed=False), opo, "OPO orders are not supported for this symbol."),
    ):
        with pytest.raises(VenueRefusal) as refusal:
            check_list_permission(asked, filters)
        assert (refusal.value.code, refusal.value.message) == (-2010, text)
        check_list_permission(asked, MarketFilters())


def test_cancel_replace_may_not_be_allowed() -> None:
    with pytest.raises(VenueRefusal, match=r"-2010 Order cancel-replace is not supported for this symbol\."):
        check_cancel_replace(MarketFilters(cancel_replace_allowed=False))
    check_cancel_replace(MarketFilters())


# --- at the venue ------------------------------------------------------------------------------------


def test_the_venue_counts_amendments_of_each_order() -> None:
    """Two of two are made; another order has its own two."""
    venue = venue_at(filters={SYMBOL: MarketFilters(max_order_amends=2)})
    first, second = (buy(venue, "1", "39000").order.order_id for _ in range(2))
    for new_amount in ("0.9", "0.8"):
        venue.amend_order("a", SYMBOL, order_id=first, new_amount=D(new_amount), now=NOW)
    with pytest.raises(VenueRefusal, match="-2038 Filter failure: MAX_NUM_ORDER_AMENDS"):
        venue.amend_order("a", SYMBOL, order_id=first, new_amount=D("0.7"), now=NOW)
    venue.amend_order("a", SYMBOL, order_id=second, new_amount=D("0.9"), now=NOW)


def test_the_venue_counts_lists_and_their_orders() -> None:
    """One OCO is one list, two orders and one algo order."""
    above = NewOrder("a", SYMBOL, Side.SELL, "LIMIT_MAKER", D("0.1"), price=D(45_000))
    below = NewOrder("a", SYMBOL, Side.SELL, "STOP_LOSS", D("0.1"), stop_price=D(35_000))
    pair = NewOrderList("a", SYMBOL, (above, below))
    for filters, rules, name in (
        (MarketFilters(max_order_lists=1), RULES, "MAX_NUM_ORDER_LISTS"),
        (MarketFilters(max_algo_orders=1), RULES, "MAX_NUM_ALGO_ORDERS"),
        (MarketFilters(), replace(RULES, max_open_orders=3), "MAX_NUM_ORDERS"),
    ):
        venue = venue_at(rules=rules, filters={SYMBOL: filters})
        venue.place_order_list(pair, NOW)
        with pytest.raises(VenueRefusal, match=f"-2010 Filter failure: {name}"):
            venue.place_order_list(pair, NOW)
