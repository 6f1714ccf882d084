"""Amend keep priority: a smaller amount, the same id, the same place in the queue (the exchange's FAQ on it)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gridtide.domain.market import MarketStatus
from gridtide.domain.order import OrderStatus
from gridtide.venue.market_filters import MarketFilters
from gridtide.venue.messages import Amendment, OrderAmendment, OrderChanged, VenueRefusal
from gridtide.venue.venue import Venue
from tests.venue.world import BTC, NOW, SYMBOL, D, buy, free, kinds, locked, move, sell, venue_at


def amend(venue: Venue, amount: str, **which: Any) -> Amendment:
    return venue.amend_order("a", SYMBOL, new_amount=Decimal(amount), now=NOW, **which)


def refused(venue: Venue, amount: str, **which: Any) -> tuple[int, str]:
    """Code and text of the refusal, which must change nothing."""
    before = venue.state()
    with pytest.raises(VenueRefusal) as refusal:
        amend(venue, amount, **which)
    assert venue.state() == before
    return refusal.value.code, refusal.value.message


def test_an_amended_order_keeps_its_place() -> None:
    """The FAQ's example: second in the queue before and after; a cancel and a new order would be third."""
    venue = venue_at()
    buy(venue, "1", "39000", account="b")
    mine = buy(venue, "5.5", "39000").order
    buy(venue, "4", "39000", account="b")
    done = amend(venue, "5", order_id=mine.order_id)
    assert (done.order.order_id, done.order.amount) == (mine.order_id, D(5))
    move(venue, "39000.01")
    events = sell(venue, "6", "39000", account="b", prevention="NONE").events
    makers = [e.order.order_id for e in events if isinstance(e, OrderChanged) and e.fill and e.fill.is_maker]
    assert makers[:2] == [1, mine.order_id]
    venue.check()


def test_it_releases_funds_and_tells_it() -> None:
    """REPLACED under the new client id with the former one beside it; the history keeps both."""
    venue = venue_at()
    order = buy(venue, "1", "39000", client_id="one").order
    done = amend(venue, "0.4", client_order_id="one", new_client_order_id="two")
    assert (locked(venue), free(venue)) == (D(15_600), D(1_000_000 - 15_600))
    assert kinds(done.events) == ["REPLACED NEW", "balances", "book"]
    assert (done.order.client_order_id, done.order.original_client_order_id) == ("two", "one")
    told = done.events[0]
    assert isinstance(told, OrderChanged)
    assert done.record == OrderAmendment(
        SYMBOL, order.order_id, told.execution_id, "one", "two", D(1), D("0.4"), NOW
    )
    assert venue.amendments("a", SYMBOL, order.order_id) == (done.record,)
    assert venue.order("a", SYMBOL, client_order_id="two").amount == D("0.4")
    with pytest.raises(VenueRefusal, match="-2013"):
        venue.order("a", SYMBOL, client_order_id="one")
    venue.check()


def test_the_new_name_is_derived_or_kept() -> None:
    """Without one the venue makes one up; the present one may stay."""
    venue = venue_at()
    order = buy(venue, "1", "39000", client_id="one").order
    derived = amend(venue, "0.9", order_id=order.order_id).order.client_order_id
    assert derived not in {"", "one"}
    kept = amend(venue, "0.8", order_id=order.order_id, new_client_order_id=derived).order
    assert kept.client_order_id == kept.original_client_order_id == derived
    history = venue.amendments("a", SYMBOL, order.order_id)
    assert [row.new_amount for row in history] == [D("0.9"), D("0.8")]
    assert (
        venue.amendments("a", SYMBOL, order.order_id, from_execution_id=history[1].execution_id)
        == history[1:]
    )
    assert venue.amendments("a", SYMBOL, order.order_id, limit=1) == history[1:]
    buy(venue, "0.1", "39000", client_id="one")
    assert venue.order("a", SYMBOL, client_order_id="one").order_id != order.order_id
    venue.check()


def test_a_waiting_order_can_be_amended() -> None:
    """It keeps waiting, with less locked."""
    venue = venue_at()
    order = sell(venue, "1", kind="STOP_LOSS", stop="39000").order
    amend(venue, "0.4", order_id=order.order_id)
    assert locked(venue, BTC) == D("0.4")
    venue.check()
    move(venue, "38900")
    done = venue.order("a", SYMBOL, order_id=order.order_id)
    assert done.status is not OrderStatus.NEW
    assert done.amount == D("0.4")
    venue.check()


def test_a_partly_filled_order_can_be_amended_down_to_more_than_was_executed() -> None:
    """Not to it, and not below."""
    venue = venue_at(depth_levels=1, depth_quote=D("0.01"))
    order = buy(venue, "1", "40100").order
    sell(venue, "0.6", "40100", account="b")
    executed = venue.order("a", SYMBOL, order_id=order.order_id).executed_amount
    assert refused(venue, str(executed), order_id=order.order_id) == (-2038, "Invalid quantity.")
    assert refused(venue, "0.1", order_id=order.order_id) == (-2038, "Invalid quantity.")
    done = amend(venue, "0.8", order_id=order.order_id).order
    assert (done.status, done.executed_amount) == (OrderStatus.PARTIALLY_FILLED, executed)
    assert locked(venue) == (D("0.8") - executed) * D(40_100)
    venue.check()


@pytest.mark.parametrize(
    "amount, which, expected",
    [
        ("2", {"order_id": 1}, (-2038, "Order amend (quantity increase) is not supported.")),
        ("1", {"order_id": 1}, (-2038, "The requested action would change no state; rejecting")),
        ("0.5", {"order_id": 9}, (-2038, "Unknown order sent.")),
        ("0.5", {"order_id": 1, "client_order_id": "other"}, (-2038, "Unknown order sent.")),
        ("0.5", {"order_id": 1, "new_client_order_id": "taken"}, (-2038, "Duplicate order sent.")),
        (
            "0.5",
            {},
            (-1102, "Param 'orderId' or 'origClientOrderId' must be sent, but both were empty/null!"),
        ),
        ("0", {"order_id": 1}, (-1013, "Invalid quantity.")),
        ("0.123456789", {"order_id": 1}, (-1111, "Parameter 'newQty' has too much precision.")),
        ("0.123456", {"order_id": 1}, (-1013, "Filter failure: LOT_SIZE")),
        ("0.0001", {"order_id": 1}, (-1013, "Filter failure: NOTIONAL")),
        (
            "0.5",
            {"order_id": 1, "new_client_order_id": "no spaces"},
            (
                -1100,
                "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
            ),
        ),
    ],
)
def test_refusals(amount: str, which: dict[str, Any], expected: tuple[int, str]) -> None:
    """Each with its code and text, and nothing changed."""
    venue = venue_at()
    buy(venue, "1", "39000", client_id="one")
    buy(venue, "1", "39000", client_id="taken")
    assert refused(venue, amount, **which) == expected


def test_closed_markets_and_limits() -> None:
    """No amendments while the market is not trading, on a market without them, or beyond their number."""
    venue = venue_at(filters={SYMBOL: MarketFilters(max_order_amends=1)})
    buy(venue, "1", "39000")
    venue.set_status(SYMBOL, MarketStatus.HALT)
    assert refused(venue, "0.5", order_id=1) == (-2038, "Market is closed.")
    venue.set_status(SYMBOL, MarketStatus.TRADING)
    amend(venue, "0.5", order_id=1)
    assert refused(venue, "0.4", order_id=1) == (-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")
    venue.set_filters(SYMBOL, replace(venue.filters(SYMBOL), amend_allowed=False))
    assert refused(venue, "0.4", order_id=1)[0] == -2038
