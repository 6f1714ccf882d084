"""Cancels, look-ups, lists, deposits and the public book's update contract."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.balance import Balance
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Asset, MarketRules, Symbol
from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.ambient import AmbientBook
from gridtide.venue.messages import BalancesChanged, BookView, Cancellation, VenueRefusal
from gridtide.venue.venue import Venue
from tests.venue.world import (
    BTC,
    FUNDS,
    NOW,
    SYMBOL,
    USDT,
    D,
    buy,
    diffs,
    free,
    kinds,
    locked,
    move,
    prints,
    sell,
    venue_at,
)

UNKNOWN = "-2011 Unknown order sent."


def test_cancel_gives_the_funds_back() -> None:
    """CANCELED under the cancel's id with the order's id beside it, then balances, then the book (section 9.3)."""
    venue = venue_at()
    buy(venue, "0.1", "39000", client_id="mine")
    done = venue.cancel_order("a", SYMBOL, client_order_id="mine", new_client_order_id="cancel-1", now=NOW)
    assert (done.order.client_order_id, done.order.original_client_order_id) == ("cancel-1", "mine")
    assert done.order.status is OrderStatus.CANCELED
    assert kinds(done.events) == ["CANCELED CANCELED", "balances", "book"]
    assert (free(venue), locked(venue)) == (D(1_000_000), D(0))
    assert venue.order("a", SYMBOL, client_order_id="mine").client_order_id == "mine"
    venue.check()


def test_cancel_of_a_partly_filled_order_keeps_the_fills() -> None:
    venue = venue_at(volume_cap=D("0.1"))
    order = buy(venue, "1", "39000").order
    move(venue, "39000", volume="2.5")
    done = venue.cancel_order("a", SYMBOL, order_id=order.order_id, now=NOW)
    assert done.order.executed_amount == D("0.25")
    assert locked(venue) == 0
    venue.check()


def test_cancelling_what_is_not_open() -> None:
    """Unknown, filled, cancelled, another account's, or two ids that differ: all -2011; no id at all: -1102."""
    venue = venue_at()
    placed = buy(venue, "0.001", "39000", client_id="x").order
    filled = buy(venue, "0.001").order
    with pytest.raises(VenueRefusal, match=UNKNOWN):
        venue.cancel_order("a", SYMBOL, order_id=99, now=NOW)
    with pytest.raises(VenueRefusal, match=UNKNOWN):
        venue.cancel_order("a", SYMBOL, order_id=filled.order_id, now=NOW)
    with pytest.raises(VenueRefusal, match=UNKNOWN):
        venue.cancel_order("b", SYMBOL, order_id=placed.order_id, now=NOW)
    with pytest.raises(VenueRefusal, match=UNKNOWN):
        venue.cancel_order("a", SYMBOL, order_id=placed.order_id, client_order_id="y", now=NOW)
    with pytest.raises(VenueRefusal, match="-1102 Param 'orderId' or 'origClientOrderId' must be sent"):
        venue.cancel_order("a", SYMBOL, now=NOW)
    venue.cancel_order("a", SYMBOL, order_id=placed.order_id, client_order_id="x", now=NOW)
    with pytest.raises(VenueRefusal, match=UNKNOWN):
        venue.cancel_order("a", SYMBOL, order_id=placed.order_id, now=NOW)


def test_cancel_all() -> None:
    """Every open order of the account on the symbol, oldest first; nobody else's; none open is -2011."""
    venue = venue_at()
    for price in ("39000", "39500", "39200"):
        buy(venue, "0.001", price)
    buy(venue, "0.001", "39000", account="b")
    done = venue.cancel_all("a", SYMBOL, NOW)
    assert [each.order.order_id for each in done if isinstance(each, Cancellation)] == [1, 2, 3]
    assert venue.open_orders("a") == ()
    assert len(venue.open_orders("b")) == 1
    with pytest.raises(VenueRefusal, match=UNKNOWN):
        venue.cancel_all("a", SYMBOL, NOW)
    venue.check()


def test_looking_up_an_order() -> None:
    """-2013 for what never was, -2039 where the two ids differ."""
    venue = venue_at()
    order = buy(venue, "0.001", "39000", client_id="x").order
    assert venue.order("a", SYMBOL, order_id=order.order_id, client_order_id="x") == order
    with pytest.raises(VenueRefusal, match=r"-2013 Order does not exist\."):
        venue.order("a", SYMBOL, client_order_id="never")
    with pytest.raises(VenueRefusal, match="-2013"):
        venue.order("b", SYMBOL, order_id=order.order_id)
    with pytest.raises(VenueRefusal, match="-2039"):
        venue.order("a", SYMBOL, order_id=order.order_id, client_order_id="y")


def test_paging_through_orders_and_fills() -> None:
    """`from_id` means "at least", ascending; without it the newest (sections 5.3 and 16)."""
    venue = venue_at()
    for _ in range(6):
        buy(venue, "0.001")
    ids = [order.order_id for order in venue.orders("a", SYMBOL)]
    assert ids == [1, 2, 3, 4, 5, 6]
    assert [order.order_id for order in venue.orders("a", SYMBOL, from_id=3, limit=2)] == [3, 4]
    assert [order.order_id for order in venue.orders("a", SYMBOL, limit=2)] == [5, 6]
    trades = [fill.trade_id for fill in venue.fills("a", SYMBOL)]
    assert [f.trade_id for f in venue.fills("a", SYMBOL, from_id=trades[1], limit=2)] == trades[1:3]
    assert [f.trade_id for f in venue.fills("a", SYMBOL, limit=2)] == trades[-2:]
    assert [f.trade_id for f in venue.fills("a", SYMBOL, order_id=4)] == [trades[3]]
    assert venue.fills("a", SYMBOL, order_id=99) == ()


def test_public_trades_are_kept_up_to_a_number() -> None:
    """Own orders and fills are kept for good, public trades are not."""
    venue = venue_at(kept_trades=5)
    for _ in range(9):
        move(venue, "40000")
    ids = [printed.trade.trade_id for printed in venue.trades(SYMBOL)]
    assert ids == [6, 7, 8, 9, 10]
    assert [p.trade.trade_id for p in venue.trades(SYMBOL, limit=2, from_id=7)] == [7, 8]
    assert [p.trade.trade_id for p in venue.trades(SYMBOL, limit=2)] == [9, 10]


def test_open_orders_of_one_or_all_symbols() -> None:
    venue = venue_at()
    bnb = venue.markets()[1].symbol
    buy(venue, "0.001", "39000")
    buy(venue, "1", "300", symbol=bnb)
    assert [order.symbol for order in venue.open_orders("a")] == [SYMBOL, bnb]
    assert [order.symbol for order in venue.open_orders("a", bnb)] == [bnb]


def test_deposits_and_withdrawals() -> None:
    """A deposit is free at once, a withdrawal needs free funds; locked ones cannot leave."""
    venue = venue_at()
    buy(venue, "1", "39000")
    events = venue.deposit("a", USDT, D(-961_000), NOW)
    assert events == (BalancesChanged("a", ((USDT, Balance(D(0), D(39_000))),), NOW),)
    with pytest.raises(VenueRefusal, match="insufficient balance"):
        venue.deposit("a", USDT, D(-1), NOW)
    venue.deposit("a", Asset("DOGE"), D("0.5"), NOW)
    assert venue.balances("a")[Asset("DOGE")] == Balance(D("0.5"), D(0))
    with pytest.raises(InvalidInput, match="8 behind"):
        venue.deposit("a", USDT, D("0.000000001"), NOW)
    venue.check()


def test_unknown_names() -> None:
    """A symbol that is not listed is -1121 everywhere; an account that does not exist is the caller's mistake."""
    venue = venue_at()
    for read in (venue.market, venue.book, venue.best, venue.trades, venue.nearest_prices, venue.last_price):
        with pytest.raises(VenueRefusal, match=r"-1121 Invalid symbol\."):
            read(Symbol("NO/SUCH"))
    with pytest.raises(InvalidInput, match="does not exist"):
        venue.balances("nobody")
    with pytest.raises(InvalidInput, match="exists already"):
        venue.add_account("a", FUNDS, venue.fees("a"))
    assert venue.accounts() == ("a", "b")


def test_diffs_keep_a_follower_in_step() -> None:
    """Whoever applies every diff to a snapshot sees the venue's book: no gap in the update ids, only levels that
    changed, never crossed (section 8)."""
    venue = venue_at(volume_cap=D("0.01"))
    follower = Follower(venue)
    for number in range(200):
        price = 40_000 + (number * 7919) % 400 - 200
        side = (buy, sell)[number % 2]
        follower.apply(side(venue, "0.2", str(price), account="ab"[number % 3 == 0]).events)
        follower.apply(move(venue, str(40_000 + (number * 104_729) % 300 - 150)))
        if number % 5 == 0:
            for account in "ab":
                for order in venue.open_orders(account)[:1]:
                    follower.apply(
                        venue.cancel_order(account, SYMBOL, order_id=order.order_id, now=NOW).events
                    )
        follower.compare()
    assert follower.changes < 200 * 3 * 45, "only what changed travels"


class Follower:
    """A client that keeps a local book as the exchange's documentation tells it to."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        book = venue.book(SYMBOL, depth=5000)
        self.last_update_id = book.last_update_id
        self.bids, self.asks = dict(book.bids), dict(book.asks)
        self.changes = 0

    def apply(self, events: object) -> None:
        assert isinstance(events, tuple)
        for diff in diffs(events):
            assert diff.first_update_id == self.last_update_id + 1
            self.last_update_id = diff.last_update_id
            for side, changes in ((self.bids, diff.bids), (self.asks, diff.asks)):
                for price, amount in changes:
                    assert side.get(price, D(0)) != amount, "a level that did not change was sent"
                    side[price] = amount
                    if not amount:
                        del side[price]
                    self.changes += 1
            best_bid, best_ask = diff.best_bid, diff.best_ask
            assert (best_bid and best_bid.price) == max(self.bids, default=None)
            assert (best_ask and best_ask.price) == min(self.asks, default=None)

    def compare(self) -> None:
        book: BookView = self.venue.book(SYMBOL, depth=5000)
        assert (dict(book.bids), dict(book.asks)) == (self.bids, self.asks)
        assert book.last_update_id == self.last_update_id
        if self.bids and self.asks:
            assert max(self.bids) < min(self.asks)


def test_a_quiet_venue_does_the_same_without_telling_the_public() -> None:
    """`publishes` off changes neither fills nor balances nor the book, only what is told (backtests)."""
    loud, quiet = venue_at(), venue_at(publishes=False)
    for venue in (loud, quiet):
        buy(venue, "0.5", "39900")
        sell(venue, "0.5", "40100", account="b")
        move(venue, "39800")
        buy(venue, "3")
        sell(venue, "0.5", "39500")
        move(venue, "40200")
    assert quiet.balances("a") == loud.balances("a")
    assert quiet.balances("b") == loud.balances("b")
    assert quiet.book(SYMBOL).bids == loud.book(SYMBOL).bids
    assert quiet.last_price(SYMBOL) == loud.last_price(SYMBOL)
    events = move(quiet, "39000")
    assert not prints(events)
    assert not diffs(events)
    assert [f.price for f in quiet.fills("a", SYMBOL)] == [f.price for f in loud.fills("a", SYMBOL)]


def test_top_of_book() -> None:
    """Bid, ask, their amounts and the last price."""
    venue = venue_at()
    best, book = venue.best(SYMBOL), venue.book(SYMBOL, depth=1)
    assert (best.bid, best.bid_amount) == book.bids[0]
    assert (best.ask, best.ask_amount) == book.asks[0]
    assert best.last == 40_000
    assert best.mid() == 40_000
    assert (len(book.bids), len(book.asks)) == (1, 1)
    assert venue_at(None).best(SYMBOL).mid() is None


def test_balances_name_every_asset_of_every_market() -> None:
    assert list(venue_at(funds={USDT: D(5)}).balances("a")) == [USDT, BTC, Asset("BNB")]


@given(
    price=st.decimals("0.001", "70000", places=4),
    apart=st.decimals("0", "100", places=4),
    tick=st.sampled_from(["0.01", "0.5", "1"]),
)
def test_best_prices_are_those_of_the_levels(price: Decimal, apart: Decimal, tick: str) -> None:
    """Found without the levels, on the tick or between two, with or without room for a bid."""
    rules = MarketRules(tick_size=D(tick), lot_size=D("0.00001"))
    quick, built = (AmbientBook(7, 5, None, rules) for _ in range(2))
    for book in (quick, built):
        book.form(price, price + apart)
    for side in Side:
        built.side(side)
    assert (
        quick.best_prices()
        == built.best_prices()
        == tuple(next(built.levels(side), (None, None))[0] for side in (Side.BUY, Side.SELL))
    )
