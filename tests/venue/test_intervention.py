"""What a stranger or the exchange itself does to open orders: funds stay conserved, lists end as they should."""

import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.messages import NewOrderList
from tests.venue.world import BTC, NOW, SYMBOL, D, buy, free, kinds, locked, move, request, venue_at


def test_a_stranger_takes_part_of_an_order_past_better_prices() -> None:
    """The order is far from the market and fills at its own price."""
    venue = venue_at("40000")
    order_id = buy(venue, "1", "30000").order.order_id
    venue.hit_order("a", SYMBOL, order_id, D("0.4"), NOW)
    order = venue.order("a", SYMBOL, order_id)
    assert (order.status, order.executed_amount, order.executed_quote) == (
        OrderStatus.PARTIALLY_FILLED,
        D("0.4"),
        D("12000"),
    )
    assert locked(venue) == D("18000")
    venue.check()


@pytest.mark.parametrize("amount", ["0", "1.1"])
def test_nobody_takes_more_than_rests(amount: str) -> None:
    venue = venue_at("40000")
    order_id = buy(venue, "1", "30000").order.order_id
    with pytest.raises(InvalidInput, match="does not rest"):
        venue.hit_order("a", SYMBOL, order_id, D(amount), NOW)
    venue.check()


def _oco() -> NewOrderList:
    above = request(Side.SELL, "1", "41000", kind="LIMIT_MAKER")
    below = request(Side.SELL, "1", None, kind="STOP_LOSS", stop="39000")
    return NewOrderList("a", SYMBOL, (above, below))


def test_everything_expires_lists_included() -> None:
    """Each order once, everything unlocked, and no list is left open."""
    venue = venue_at("40000")
    before = free(venue), free(venue, BTC)
    buy(venue, "1", "30000")
    venue.place_order_list(_oco(), NOW)
    events = venue.expire_orders("a", SYMBOL, NOW)
    assert kinds(events).count("EXPIRED EXPIRED") == 3
    assert {order.status for order in venue.orders("a", SYMBOL)} == {OrderStatus.EXPIRED}
    assert (free(venue), free(venue, BTC)) == before
    assert venue.open_order_lists("a") == ()
    venue.check()


def test_an_order_that_is_hit_ends_the_other_leg() -> None:
    venue = venue_at("40000")
    placed = venue.place_order_list(_oco(), NOW)
    limit = next(order for order in placed.orders if order.type == "LIMIT_MAKER")
    venue.hit_order("a", SYMBOL, limit.order_id, D("1"), NOW)
    assert sorted(order.status for order in venue.orders("a", SYMBOL)) == ["EXPIRED", "FILLED"]
    venue.check()


def test_a_deserted_book_fills_again() -> None:
    """Nothing but the account's order is left, even after the market moved; then all are back."""
    venue = venue_at("40000")
    buy(venue, "1", "30000")
    before = venue.book(SYMBOL)
    venue.desert(SYMBOL, NOW, is_deserted=True)
    assert [tuple(level) for level in venue.book(SYMBOL).bids] == [(D("30000"), D("1"))]
    assert venue.book(SYMBOL).asks == ()
    move(venue, "40001")
    assert venue.book(SYMBOL).asks == ()
    move(venue, "40000")
    venue.desert(SYMBOL, NOW, is_deserted=False)
    after = venue.book(SYMBOL)
    assert (after.bids, after.asks) == (before.bids, before.asks)
    venue.check()
