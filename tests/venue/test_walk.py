"""How a moving market meets resting orders (design.md 6): which, in which order, how much, and what is printed."""

from dataclasses import replace

import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import MarketStatus, Timestamp
from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.messages import OrderChanged, PriceMoved
from gridtide.venue.settings import FillModel
from tests.venue.world import SYMBOL, D, buy, kinds, move, prints, sell, venue_at


def filled_prices(events: object) -> list[str]:
    assert isinstance(events, tuple)
    return [str(e.fill.price) for e in events if isinstance(e, OrderChanged) and e.fill is not None]


def test_the_book_forms_around_the_price() -> None:
    """Bid one tick below, ask one tick above, levels of the set depth behind them; the same for the same seed."""
    venue = venue_at(depth_levels=12)
    book = venue.book(SYMBOL)
    assert (book.bids[0].price, book.asks[0].price) == (D("39999.99"), D("40000.01"))
    assert len(book.bids) == len(book.asks) == 12
    assert list(book.bids) == sorted(book.bids, reverse=True)
    assert list(book.asks) == sorted(book.asks)
    assert all(level.amount > 0 for level in book.bids + book.asks)
    assert venue_at(depth_levels=12).book(SYMBOL) == book
    assert venue_at(depth_levels=12, seed=2).book(SYMBOL) != book


def test_a_level_keeps_its_amount_while_the_price_moves() -> None:
    """Amounts are a function of price level and seed, so a book followed by diffs changes little."""
    venue = venue_at()
    before = dict(venue.book(SYMBOL).asks)
    move(venue, "40001.50")
    kept = [level for level in venue.book(SYMBOL).asks if level.price in before]
    assert len(kept) > 15
    assert all(before[level.price] == level.amount for level in kept)


def test_a_price_off_the_tick_lies_within_the_spread() -> None:
    """Foreign data may be finer than the tick: the book stays on it."""
    venue = venue_at("40000.005")
    assert (venue.best(SYMBOL).bid, venue.best(SYMBOL).ask) == (D("40000.00"), D("40000.01"))


def test_near_zero_the_bid_side_may_be_empty() -> None:
    """There is no price below one tick."""
    venue = venue_at("0.01", rules=replace(venue_at().market(SYMBOL).rules, min_notional=D(0)))
    assert venue.book(SYMBOL).bids == ()
    assert venue.best(SYMBOL).ask == D("0.02")


def test_touch_fills_at_the_orders_own_price_in_order() -> None:
    """Falling, the highest bid first, at one price the oldest; each at its own price as maker."""
    venue = venue_at()
    for price in ("39700", "39900", "39800", "39900", "39600"):
        buy(venue, "0.01", price)
    events = move(venue, "39700")
    fills = [e.fill for e in events if isinstance(e, OrderChanged) and e.fill is not None]
    assert [(fill.order_id, int(fill.price)) for fill in fills] == [
        (2, 39900),
        (4, 39900),
        (3, 39800),
        (1, 39700),
    ]
    assert all(fill.is_maker for fill in fills)
    assert [order.order_id for order in venue.open_orders("a")] == [5]
    venue.check()


def test_rising_meets_the_sells() -> None:
    venue = venue_at()
    for price in ("40300", "40100", "40200"):
        sell(venue, "0.01", price)
    buy(venue, "0.01", "39900")
    assert filled_prices(move(venue, "40200")) == ["40100", "40200"]
    venue.check()


def test_an_order_at_the_present_price_waits_for_the_price_to_come() -> None:
    """A bid at the very price the market stands at is left behind when price rises, and met when it stays."""
    venue = venue_at()
    buy(venue, "0.01", "40000.00")
    assert filled_prices(move(venue, "40000.01")) == []
    assert filled_prices(move(venue, "40000.00")) == ["40000.00"]
    buy(venue, "0.01", "40000.00")
    assert filled_prices(move(venue, "40000.00")) == ["40000.00"]


def test_trade_through_needs_one_tick_beyond() -> None:
    """Reaching the price is not enough."""
    venue = venue_at(fill_model=FillModel.TRADE_THROUGH)
    buy(venue, "0.01", "39900")
    sell(venue, "0.01", "40100")
    assert venue.nearest_prices(SYMBOL) == (D("39899.99"), D("40100.01"))
    assert filled_prices(move(venue, "39900")) == []
    assert filled_prices(move(venue, "39899.99")) == ["39900"]
    assert filled_prices(move(venue, "40100")) == []
    assert filled_prices(move(venue, "40100.01")) == ["40100"]
    venue.check()


def test_volume_cap_fills_in_parts() -> None:
    """Orders share the fraction of the move's volume in price-time priority; the book is never crossed meanwhile,
    and the rest fills with the next volume, even if the price turns away."""
    venue = venue_at(volume_cap=D("0.1"))
    buy(venue, "0.06", "39900")
    buy(venue, "0.06", "39800")
    assert filled_prices(move(venue, "39700", volume="1")) == ["39900", "39800"]
    assert [order.executed_amount for order in venue.orders("a", SYMBOL)] == [D("0.06"), D("0.04")]
    venue.check()
    assert venue.best(SYMBOL).bid == 39800
    assert venue.best(SYMBOL).ask == D("39800.01")
    below, _ = venue.nearest_prices(SYMBOL)
    assert below == 39800, "above the market's price: the next move matters wherever it goes"
    assert filled_prices(move(venue, "39750", volume="0.05")) == ["39800"]
    assert filled_prices(move(venue, "39850", volume="1")) == ["39800"]
    assert venue.orders("a", SYMBOL)[1].status is OrderStatus.FILLED
    venue.check()


def test_no_volume_no_fill_under_a_cap() -> None:
    venue = venue_at(volume_cap=D("0.1"))
    buy(venue, "0.06", "39900")
    assert filled_prices(move(venue, "39000", volume="0")) == []
    venue.check()


def test_public_trades_of_a_walk() -> None:
    """One print for each account fill, then the market's own at the new price with the volume that is left."""
    venue = venue_at()
    buy(venue, "0.01", "39900")
    printed = prints(move(venue, "39800", volume="3"))
    assert [(p.trade.price, p.trade.amount, p.trade.side) for p in printed] == [
        (D(39900), D("0.01"), Side.SELL),
        (D(39800), D("2.99"), Side.SELL),
    ]
    assert printed[0].buyer_is_maker
    assert printed[0].buyer_order_id == 1
    assert venue.trades(SYMBOL)[-2:] == tuple(printed)
    assert venue.last_price(SYMBOL) == 39800
    ids = [p.trade.trade_id for p in venue.trades(SYMBOL)]
    assert ids == list(range(1, len(ids) + 1))


def test_a_dead_candle_prints_nothing() -> None:
    """No volume, no trade; the price moves nevertheless."""
    venue = venue_at()
    assert prints(move(venue, "39990", volume="0")) == []
    assert venue.last_price(SYMBOL) == 39990


def test_events_of_a_maker_fill() -> None:
    """TRADE, public trades, then balances once for each account and one book diff (section 9.3)."""
    venue = venue_at()
    buy(venue, "0.01", "39900")
    buy(venue, "0.01", "39890")
    assert kinds(move(venue, "39800")) == [
        *["TRADE FILLED", "trade"] * 2,
        "trade",
        "balances",
        "book",
    ]


def test_a_closed_market_moves_without_executions() -> None:
    """While halted nothing fills or prints; with the next move after the reopening what was passed fills."""
    venue = venue_at()
    buy(venue, "0.01", "39900")
    venue.set_status(SYMBOL, MarketStatus.HALT)
    events = move(venue, "39800")
    assert filled_prices(events) == []
    assert prints(events) == []
    venue.check()
    venue.set_status(SYMBOL, MarketStatus.TRADING)
    assert filled_prices(move(venue, "39850")) == ["39900"]
    venue.check()


def test_nearest_prices() -> None:
    """The next prices at which something happens: best own bid and best own ask, whoever's."""
    venue = venue_at()
    assert venue.nearest_prices(SYMBOL) == (None, None)
    for price in ("39700", "39900"):
        buy(venue, "0.01", price)
        sell(venue, "0.01", str(80000 - int(price)), account="b")
    assert venue.nearest_prices(SYMBOL) == (D(39900), D(40100))


def test_average_price_forgets_after_some_market_minutes() -> None:
    """Volume-weighted over the last minutes of market time, whatever the wall clock says."""
    venue = venue_at(None)
    assert venue.average_price(SYMBOL) is None
    for minute, price, volume in ((0, 100, 1), (1, 200, 3), (5, 300, 0)):
        venue.move_market(SYMBOL, PriceMoved(D(price), D(volume), Timestamp(minute * 60_000)), Timestamp(7))
    assert venue.average_price(SYMBOL) == 200
    venue.move_market(SYMBOL, PriceMoved(D(50), D(0), Timestamp(60 * 60_000)), Timestamp(7))
    assert venue.average_price(SYMBOL) == 50, "nothing traded lately: the last price"


@pytest.mark.parametrize("price, volume", [("0", "1"), ("-1", "1"), ("NaN", "1"), ("1", "-1")])
def test_impossible_moves_are_refused(price: str, volume: str) -> None:
    venue = venue_at()
    with pytest.raises(InvalidInput):
        move(venue, price, volume)
