"""Self-trades that do not happen: the scenarios of the exchange's STP FAQ, what is recorded and what is released."""

from random import Random

import pytest

from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.market_filters import MarketFilters
from gridtide.venue.messages import OrderChanged, Placement, PreventedMatch, VenueOrder
from gridtide.venue.settings import SelfTradePrevention
from gridtide.venue.venue import Venue
from tests.venue.world import BTC, NOW, SYMBOL, D, buy, kinds, locked, sell, venue_at

MODES = MarketFilters(prevention_modes=tuple(mode.value for mode in SelfTradePrevention))
EXPIRED = OrderStatus.EXPIRED_IN_MATCH


def quiet() -> Venue:
    """A venue where accounts meet only each other: before its first price there is nobody else."""
    return venue_at(None, filters={SYMBOL: MODES})


def state(venue: Venue, order: VenueOrder) -> VenueOrder:
    return venue.order(order.account_id, order.symbol, order_id=order.order_id)


def amounts(placed: Placement) -> list[tuple[int, str | None, str | None]]:
    """Match id, and what was prevented of taker and maker."""
    return [
        (
            match.match_id,
            None if match.taker_prevented_amount is None else str(match.taker_prevented_amount),
            None if match.maker_prevented_amount is None else str(match.maker_prevented_amount),
        )
        for match in placed.prevented
    ]


def three_bids(venue: Venue) -> list[VenueOrder]:
    return [
        buy(venue, amount, price, prevention="NONE").order
        for amount, price in (("1.2", "40120"), ("1.3", "40110"), ("8.1", "40100"))
    ]


def test_scenario_a_none_trades() -> None:
    """Both orders fill and nothing is recorded."""
    venue = quiet()
    maker = buy(venue, "1", "40100", prevention="NONE").order
    placed = sell(venue, "1", "40100", prevention="NONE")
    assert (placed.order.status, state(venue, maker).status) == (OrderStatus.FILLED, OrderStatus.FILLED)
    assert placed.prevented == venue.prevented_matches("a", SYMBOL) == ()
    venue.check()


def test_scenario_b_expire_maker_goes_through_all_of_them() -> None:
    """Each resting order expires with its own record; the new order rests whole."""
    venue = quiet()
    makers = three_bids(venue)
    placed = sell(venue, "3", "40100", prevention="EXPIRE_MAKER")
    assert placed.order.status is OrderStatus.NEW
    assert (placed.order.prevented_amount, placed.order.prevented_match_id) == (D(0), None)
    assert amounts(placed) == [(0, None, "1.2"), (1, None, "1.3"), (2, None, "8.1")]
    for number, maker in enumerate(makers):
        ended = state(venue, maker)
        assert (ended.status, ended.prevented_match_id) == (EXPIRED, number)
        assert ended.prevented_amount == ended.amount
    assert (locked(venue), locked(venue, BTC)) == (D(0), D(3))
    venue.check()


def test_scenario_c_expire_taker_leaves_the_makers() -> None:
    """The new order expires at the first meeting."""
    venue = quiet()
    makers = three_bids(venue)
    placed = sell(venue, "3", "40100", prevention="EXPIRE_TAKER")
    assert (placed.order.status, placed.order.prevented_match_id) == (EXPIRED, 0)
    assert placed.order.prevented_amount == 3
    assert amounts(placed) == [(0, "3", None)]
    assert {state(venue, maker).status for maker in makers} == {OrderStatus.NEW}
    assert {state(venue, maker).prevented_amount for maker in makers} == {D(0)}
    venue.check()


def test_scenario_d_expire_both() -> None:
    """Each loses all that is left of it."""
    venue = quiet()
    maker = buy(venue, "1", "40100", prevention="NONE").order
    placed = sell(venue, "3", "40100", prevention="EXPIRE_BOTH")
    assert (placed.order.status, state(venue, maker).status) == (EXPIRED, EXPIRED)
    assert amounts(placed) == [(0, "3", "1")]
    assert (locked(venue), locked(venue, BTC)) == (D(0), D(0))
    venue.check()


def test_scenario_e_the_takers_mode_decides() -> None:
    """A resting EXPIRE_MAKER order has no say against an EXPIRE_TAKER one."""
    venue = quiet()
    maker = buy(venue, "1", "40100", prevention="EXPIRE_MAKER").order
    placed = sell(venue, "1", "40100", prevention="EXPIRE_TAKER")
    assert (placed.order.status, state(venue, maker).status) == (EXPIRED, OrderStatus.NEW)


def test_scenario_f_a_market_order_is_left_without_liquidity() -> None:
    """EXPIRE_MAKER clears the way, and there is nothing behind."""
    venue = quiet()
    maker = buy(venue, "1", "40100", prevention="NONE").order
    placed = sell(venue, "1", prevention="EXPIRE_MAKER")
    assert (placed.order.status, placed.order.expiry_reason) == (
        OrderStatus.EXPIRED,
        "INSUFFICIENT_LIQUIDITY",
    )
    assert state(venue, maker).status is EXPIRED
    assert amounts(placed) == [(0, None, "1")]
    venue.check()


@pytest.mark.parametrize("mode", ["DECREMENT", "TRANSFER"])
def test_scenario_g_decrement_takes_the_smaller_from_both(mode: str) -> None:
    """The smaller order expires, the larger rests on with less, and keeps locked what that needs. TRANSFER within one
    account is the same."""
    venue = quiet()
    maker = buy(venue, "6", "40100", prevention="NONE").order
    placed = sell(venue, "2", "40100", prevention=mode)
    assert (placed.order.status, placed.order.prevented_amount) == (EXPIRED, D(2))
    rests = state(venue, maker)
    assert (rests.status, rests.prevented_amount, rests.prevented_match_id) == (OrderStatus.NEW, D(2), 0)
    assert amounts(placed) == [(0, "2", "2")]
    assert (locked(venue), locked(venue, BTC)) == (4 * D(40_100), D(0))
    assert kinds(placed.events) == [
        "NEW NEW",
        "TRADE_PREVENTION NEW",
        "TRADE_PREVENTION EXPIRED_IN_MATCH",
        "balances",
        "book",
    ]
    venue.check()
    assert sell(venue, "4", "40100", account="b").order.status is OrderStatus.FILLED
    assert state(venue, maker).status is OrderStatus.FILLED, "executed and prevented make the whole"
    venue.check()


def test_decrement_goes_on_to_the_next_order() -> None:
    """A larger taker outlives the smaller maker, trades with others in turn, and rests with what is left."""
    venue = quiet()
    own = buy(venue, "1", "40120", prevention="NONE").order
    buy(venue, "0.5", "40110", account="b")
    placed = sell(venue, "2", "40100", prevention="DECREMENT")
    rests = placed.order
    assert state(venue, own).status is EXPIRED
    assert (rests.status, rests.executed_amount, rests.prevented_amount) == (
        OrderStatus.PARTIALLY_FILLED,
        D("0.5"),
        D(1),
    )
    assert locked(venue, BTC) == D("0.5")
    venue.check()


def test_equal_orders_both_expire() -> None:
    """With DECREMENT."""
    venue = quiet()
    own = buy(venue, "1", "40120", prevention="NONE").order
    placed = sell(venue, "1", "40120", prevention="DECREMENT")
    assert (placed.order.status, state(venue, own).status) == (EXPIRED, EXPIRED)
    assert (locked(venue), locked(venue, BTC)) == (D(0), D(0))
    venue.check()


@pytest.mark.parametrize("mode", ["EXPIRE_TAKER", "EXPIRE_BOTH", "EXPIRE_MAKER", "DECREMENT"])
def test_market_orders_sized_in_quote(mode: str) -> None:
    """What they would have bought is what is prevented; all they locked comes back."""
    venue = quiet()
    sell(venue, "0.01", "39900", prevention="NONE")
    placed = buy(venue, None, quote="798", prevention=mode)
    assert locked(venue) == 0
    prevented = {"EXPIRE_MAKER": "0", "DECREMENT": "0.01"}.get(mode, "0.02")
    assert placed.order.prevented_amount == D(prevented)
    assert placed.order.amount == placed.order.executed_amount + placed.order.prevented_amount
    venue.check()


def test_records_are_kept_by_market_and_found_in_every_way() -> None:
    """By id, by order, in pages; ids count from 0 on each market."""
    venue = quiet()
    makers = three_bids(venue)
    taker = sell(venue, "3", "40100", prevention="EXPIRE_MAKER").order
    found = venue.prevented_matches("a", SYMBOL)
    assert [match.match_id for match in found] == [0, 1, 2]
    assert found[0] == PreventedMatch(
        "a",
        SYMBOL,
        0,
        taker.order_id,
        makers[0].order_id,
        "EXPIRE_MAKER",
        D(40_120),
        None,
        D("1.2"),
        NOW,
        D("1.2"),
    )
    assert venue.prevented_matches("a", SYMBOL, match_id=1) == (found[1],)
    assert venue.prevented_matches("a", SYMBOL, order_id=makers[2].order_id) == (found[2],)
    assert venue.prevented_matches("a", SYMBOL, order_id=taker.order_id) == found
    assert venue.prevented_matches("a", SYMBOL, from_match_id=1, limit=1) == (found[1],)
    assert venue.prevented_matches("b", SYMBOL) == ()


@pytest.mark.parametrize("mode", ["EXPIRE_TAKER", "EXPIRE_BOTH", "EXPIRE_MAKER", "DECREMENT"])
def test_a_record_tells_what_would_have_traded(mode: str) -> None:
    """The smaller of what either order had left, whatever the mode takes of them."""
    venue = quiet()
    three_bids(venue)
    sell(venue, "3", "40120", prevention=mode)
    assert [match.amount for match in venue.prevented_matches("a", SYMBOL)] == [D("1.2")]
    restored = Venue.from_state(venue.state(), Random(0))
    assert restored.prevented_matches("a", SYMBOL) == venue.prevented_matches("a", SYMBOL)


def test_the_event_carries_the_record() -> None:
    """For what the user stream tells beside the order."""
    venue = quiet()
    three_bids(venue)
    placed = sell(venue, "1", "40120", prevention="DECREMENT")
    told = [event for event in placed.events if isinstance(event, OrderChanged) and event.prevented]
    assert [event.order.side for event in told] == [Side.BUY, Side.SELL]
    assert {event.prevented for event in told} == set(placed.prevented)
