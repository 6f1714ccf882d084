"""A recorded order book as everybody else's liquidity: exact, consumed, never crossed, with ids that follow it."""

import json
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import MarketStatus
from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.messages import BookChanged, VenueEvent
from gridtide.venue.settings import FillModel
from gridtide.venue.venue import Venue
from tests.venue.recording import ASKS, BIDS, Recording
from tests.venue.world import BTC, FREE, SYMBOL, USDT, buy, diffs, move, prints, sell, venue_at

D = Decimal
FUNDS = {BTC: D(10**6), USDT: D(10**9)}


def recorded(**settings: object) -> Recording:
    return Recording(venue_at(None, fees=FREE, funds=FUNDS, **settings))  # type: ignore[arg-type]  # any field of the settings


def book(venue: Venue) -> tuple[dict[str, str], dict[str, str]]:
    view = venue.book(SYMBOL, 1000)
    bids, asks = ({f"{price:f}": f"{amount:f}" for price, amount in side} for side in (view.bids, view.asks))
    return bids, asks


def test_the_public_book_is_the_recorded_one() -> None:
    """Levels and best prices as told; a zero removes, a snapshot replaces all."""
    recording = recorded()
    venue = recording.venue
    assert book(venue) == (BIDS, ASKS)
    recording.tell({"100": "0", "99.5": "7"}, {"101": "1"})
    assert book(venue) == ({"99.5": "7", "99": "8", "98": "20"}, {**ASKS, "101": "1"})
    assert (venue.best(SYMBOL).bid, venue.best(SYMBOL).ask_amount) == (D("99.5"), D(1))
    recording.last_id += 500
    recording.begin({"90": "1"}, {"91": "2"})
    assert book(venue) == ({"90": "1"}, {"91": "2"})
    venue.check()


def test_thousands_of_levels_stay_sorted() -> None:
    """In whatever order they are told."""
    recording = recorded()
    prices = list(range(1, 4000))
    random.Random(1).shuffle(prices)
    recording.tell({f"{price / 100 + 20:.2f}": "1" for price in prices})
    bids = [level.price for level in recording.venue.book(SYMBOL, 5000).bids]
    assert len(bids) == 4002
    assert bids == sorted(bids, reverse=True)


def test_update_ids_are_the_recorded_ones_until_an_order_comes() -> None:
    """Own changes shift them by an offset that grows; no id is left out."""
    recording = recorded()
    venue = recording.venue
    assert venue.book(SYMBOL).last_update_id == 1000
    (changed,) = diffs(recording.tell({"99": "9"}, ids=7))
    assert (changed.first_update_id, changed.last_update_id) == (1001, 1007)
    (changed,) = diffs(buy(venue, "1", "97").events)
    assert (changed.first_update_id, changed.last_update_id) == (1008, 1008)
    (changed,) = diffs(recording.tell({"99": "7"}, ids=3))
    assert (changed.first_update_id, changed.last_update_id) == (1009, 1011)


def test_an_update_that_changes_nothing_still_takes_its_ids() -> None:
    recording = recorded()
    (changed,) = diffs(recording.tell({"42": "0"}, ids=5))
    assert (changed.first_update_id, changed.last_update_id, changed.bids) == (1001, 1005, ())


def test_a_gap_is_refused_and_old_news_passed_over() -> None:
    """Nothing changes either way; an update that overlaps the book is applied."""
    recording = recorded()
    before = recording.venue.state()
    recording.last_id += 1
    with pytest.raises(InvalidInput, match="has a gap: update 1000 is followed by 1002"):
        recording.tell({"100": "1"})
    recording.last_id = 990
    assert recording.tell({"100": "1"}) == ()
    assert recording.venue.state() == before
    recording.last_id = 998
    recording.tell({"100": "1"}, ids=5)
    assert recording.venue.best(SYMBOL).bid_amount == 1


def test_takers_consume_levels_until_they_are_told_anew() -> None:
    recording = recorded()
    venue = recording.venue
    taken = buy(venue, "5")
    assert [(fill.price, fill.amount) for fill in taken.fills] == [(D(101), D(4)), (D(102), D(1))]
    assert book(venue)[1] == {"102": "5", "103": "30"}
    recording.tell(asks={"103": "31"})
    assert book(venue)[1] == {"102": "5", "103": "31"}, "what was not told anew stays consumed"
    recording.tell(asks={"101": "4", "102": "6"})
    assert book(venue)[1] == {**ASKS, "103": "31"}
    venue.check()


def test_the_recorded_book_moves_through_an_order() -> None:
    """It fills as maker at its own price, for as much as crosses; what is left over of the crossing level shows."""
    recording = recorded()
    venue = recording.venue
    order = buy(venue, "3", "100").order
    events = recording.tell({"100": "0", "99": "0"}, {"99.5": "1", "99.8": "1"})
    fills = venue.fills("a", SYMBOL)
    assert [(fill.price, fill.amount, fill.is_maker) for fill in fills] == [(D(100), D(1), True)] * 2
    assert [event.trade.side for event in prints(events)] == [Side.SELL, Side.SELL]
    assert venue.best(SYMBOL).bid == 100
    assert venue.best(SYMBOL).ask == 101
    recording.tell(asks={"99.5": "4"})
    assert venue.order("a", SYMBOL, order.order_id).status is OrderStatus.FILLED
    assert (venue.best(SYMBOL).ask, venue.best(SYMBOL).ask_amount) == (D("99.5"), D(3))
    venue.check()


def test_a_closed_market_hides_what_crosses() -> None:
    """Nobody trades, and the public book is not crossed; the levels show again when the order goes."""
    recording = recorded()
    venue = recording.venue
    order = sell(venue, "3", "101").order
    venue.set_status(SYMBOL, MarketStatus.HALT)
    (changed,) = diffs(recording.tell({"102": "5"}, {"101": "0", "102": "0"}))
    assert changed.best_bid is not None
    assert changed.best_bid.price == 100
    assert not venue.fills("a", SYMBOL)
    venue.check()
    (changed,) = diffs(venue.cancel_order("a", SYMBOL, order_id=order.order_id, now=order.created_at).events)
    assert (D(102), D(5)) in changed.bids
    assert venue.best(SYMBOL).bid == 102


def test_a_market_reopened_makes_up_for_what_crossed() -> None:
    recording = recorded()
    venue = recording.venue
    sell(venue, "3", "101")
    venue.set_status(SYMBOL, MarketStatus.HALT)
    recording.tell({"102": "5"}, {"101": "0", "102": "0"})
    venue.set_status(SYMBOL, MarketStatus.TRADING)
    recording.tell({"42": "1"})
    assert [fill.price for fill in venue.fills("a", SYMBOL)] == [101]
    assert venue.best(SYMBOL).bid_amount == 2


def test_recorded_trades_are_printed_as_they_were() -> None:
    """Under their own ids where these grow."""
    recording = recorded()
    (first,) = prints(recording.trade("100", "0.5", Side.SELL, trade_id=7000))
    assert (first.trade.trade_id, first.trade.price, first.trade.amount) == (7000, D(100), D("0.5"))
    assert first.buyer_is_maker
    (second,) = prints(recording.trade("101", "1", Side.BUY, trade_id=7000))
    assert (second.trade.trade_id, second.buyer_is_maker) == (7001, False)
    assert recording.venue.last_price(SYMBOL) == 101
    assert recording.venue.average_price(SYMBOL) == D("100.66666666")


def test_a_trade_fills_what_it_touches_and_prints_the_rest() -> None:
    """With `touch`: at its price on the side it took from, and beyond; all together no more than it was over."""
    recording = recorded()
    venue = recording.venue
    buy(venue, "1", "100")
    buy(venue, "1", "100.5")
    events = recording.trade("100", "1.5", Side.BUY, trade_id=1)
    assert [(p.trade.price, p.trade.amount) for p in prints(events)] == [
        (D("100.5"), D(1)),
        (D(100), D("0.5")),
    ]
    events = recording.trade("100", "0.4", Side.SELL)
    assert [(p.trade.price, p.trade.amount) for p in prints(events)] == [(D(100), D("0.4"))]
    assert venue.open_orders("a")[0].executed_amount == D("0.4")
    venue.check()


def test_trade_through_needs_a_trade_beyond() -> None:
    recording = recorded(fill_model=FillModel.TRADE_THROUGH)
    buy(recording.venue, "1", "100")
    recording.trade("100", "5", Side.SELL)
    assert not recording.venue.fills("a", SYMBOL)
    recording.trade("99.99", "5", Side.SELL)
    assert [fill.amount for fill in recording.venue.fills("a", SYMBOL)] == [1]


def test_a_volume_cap_bounds_what_a_trade_fills() -> None:
    recording = recorded(volume_cap=D("0.1"))
    buy(recording.venue, "1", "100")
    recording.trade("99", "5", Side.SELL)
    assert [fill.amount for fill in recording.venue.fills("a", SYMBOL)] == [D("0.5")]


def test_a_recorded_market_is_not_moved_by_hand() -> None:
    recording = recorded()
    with pytest.raises(InvalidInput, match="follows a recorded order book"):
        move(recording.venue, "100")


def test_a_trade_without_a_recorded_book_walks_the_price() -> None:
    """As market-trade files do: orders on its way fill, its id is kept."""
    venue = venue_at("100", fees=FREE)
    buy(venue, "1", "99")
    recording = Recording.__new__(Recording)
    recording.venue = venue
    events = recording.trade("98", "3", Side.SELL, trade_id=900)
    assert [(p.trade.price, p.trade.amount) for p in prints(events)] == [(D(99), D(1)), (D(98), D(2))]
    assert prints(events)[-1].trade.trade_id == 900


def test_nonsense_is_refused() -> None:
    recording = recorded()
    with pytest.raises(InvalidInput, match="nobody trades"):
        recording.trade("0", "1", Side.BUY)
    with pytest.raises(InvalidInput, match="level"):
        recording.tell({"100": "-1"})


def rebuilt(shown: dict[bool, dict[Decimal, Decimal]], events: tuple[VenueEvent, ...]) -> None:
    """Follow the diffs as a client does."""
    for changed in events:
        if isinstance(changed, BookChanged):
            for is_bid, levels in ((True, changed.bids), (False, changed.asks)):
                for price, amount in levels:
                    if amount:
                        shown[is_bid][price] = amount
                    else:
                        del shown[is_bid][price]


amounts = st.integers(0, 9).map(str)
actions = st.one_of(
    st.tuples(st.just("tell"), st.integers(-5, 5), st.dictionaries(st.integers(0, 6), amounts, max_size=4)),
    st.tuples(st.just("order"), st.sampled_from(Side), st.integers(90, 110), st.integers(1, 9)),
    st.tuples(st.just("trade"), st.sampled_from(Side), st.integers(90, 110), st.integers(1, 9)),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("status"), st.sampled_from([MarketStatus.HALT, MarketStatus.TRADING])),
    st.tuples(st.just("restore")),
)


@pytest.mark.parametrize("model", FillModel)
@given(script=st.lists(actions, max_size=30))
def test_whatever_happens(model: FillModel, script: list[tuple[object, ...]]) -> None:
    """The book is never crossed, the diffs rebuild it, ids have no gap, funds are conserved, a state restores."""
    recording = recorded(fill_model=model)
    last_id = recording.venue.book(SYMBOL).last_update_id
    shown = {True: {D(p): D(a) for p, a in BIDS.items()}, False: {D(p): D(a) for p, a in ASKS.items()}}
    for action in script:
        events = act(recording, action)
        for changed in diffs(events):
            assert changed.first_update_id == last_id + 1
            last_id = changed.last_update_id
        rebuilt(shown, events)
        view = recording.venue.book(SYMBOL, 1000)
        assert view.last_update_id == last_id
        assert (dict(view.bids), dict(view.asks)) == (shown[True], shown[False])
        recording.venue.check()


def act(recording: Recording, action: tuple[object, ...]) -> tuple[VenueEvent, ...]:
    venue = recording.venue
    match action:
        case "tell", int(middle), dict(rows):
            # Whatever the recording held around the new middle goes, so that it does not cross itself.
            bids = {f"{price}": "0" for price in range(100 + middle, 120)}
            asks = {f"{price}": "0" for price in range(90, 101 + middle)}
            bids |= {f"{99 + middle - offset}": amount for offset, amount in rows.items()}
            asks |= {f"{101 + middle + offset}": amount for offset, amount in rows.items()}
            return recording.tell(bids, asks, ids=3)
        case "order", side, price, amount:
            place = buy if side is Side.BUY else sell
            if venue.market(SYMBOL).status is MarketStatus.TRADING:
                return place(venue, f"{amount}", f"{price}", account=f"{'ab'[int(str(amount)) % 2]}").events
        case "trade", Side() as side, price, amount:
            return recording.trade(f"{price}", f"{amount}", side)
        case "cancel", int(number):
            orders = [*venue.open_orders("a"), *venue.open_orders("b")]
            if orders:
                order = orders[number % len(orders)]
                return venue.cancel_order(
                    order.account_id, SYMBOL, order_id=order.order_id, now=order.created_at
                ).events
        case "status", MarketStatus() as status:
            venue.set_status(SYMBOL, status)
        case _:
            saved = json.loads(json.dumps(venue.state()))
            recording.venue = Venue.from_state(saved, random.Random(0))
            assert recording.venue.state() == venue.state()
    return ()
