"""New orders: what rests, what matches, what expires, and what everybody is told."""

from dataclasses import replace

import pytest

from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Timestamp
from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.venue.messages import BookLevel, Placement, VenueRefusal
from gridtide.venue.settings import VenueSettings
from tests.venue.world import (
    BTC,
    FREE,
    NOW,
    RULES,
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

IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


def ended(placement: Placement) -> tuple[str, str]:
    return placement.order.status.value, placement.order.expiry_reason


def test_a_limit_order_rests_and_locks_its_value() -> None:
    """Funds are locked at the limit price; the events are NEW, balances, book (section 9.3)."""
    venue = venue_at()
    placed = buy(venue, "0.5", "39000", client_id="mine")
    assert (placed.order.status, placed.order.order_id, placed.fills) == (OrderStatus.NEW, 1, ())
    assert kinds(placed.events) == ["NEW NEW", "balances", "book"]
    assert (free(venue), locked(venue)) == (D(980_500), D(19_500))
    sell(venue, "0.5", "41000")
    assert (free(venue, BTC), locked(venue, BTC)) == (D("9.5"), D("0.5"))
    venue.check()


def test_orders_of_accounts_stand_in_the_public_book() -> None:
    """Each level shows ambient and accounts' amounts together; the diff carries the new total."""
    venue = venue_at()
    behind = venue.book(SYMBOL).bids[1]
    placed = buy(venue, "0.5", str(behind.price))
    (diff,) = diffs(placed.events)
    assert diff.bids == (BookLevel(behind.price, behind.amount + D("0.5")),)
    assert diff.asks == ()
    assert venue.book(SYMBOL).bids[1] == diff.bids[0]


def test_a_market_order_takes_the_best_ask() -> None:
    """The best ask is one tick above the price; the fee comes out of the base received."""
    venue = venue_at()
    placed = buy(venue, "0.001")
    assert ended(placed) == ("FILLED", "")
    (fill,) = placed.fills
    assert (fill.price, fill.amount, fill.is_maker) == (D("40000.01"), D("0.001"), False)
    assert (fill.fee, fill.fee_asset) == (D("0.000001"), BTC)
    assert kinds(placed.events) == ["NEW NEW", "TRADE FILLED", "trade", "balances", "book"]
    assert free(venue) == D(1_000_000) - D("40.00001")
    assert free(venue, BTC) == D("10.000999")
    venue.check()


def test_a_taker_walks_up_the_levels_and_they_stay_empty_until_the_next_move() -> None:
    """Consumed ambient liquidity is gone; after a move the book forms anew, in full."""
    venue = venue_at()
    asks = venue.book(SYMBOL).asks
    wanted = asks[0].amount + asks[1].amount + RULES.lot_size
    placed = buy(venue, str(wanted))
    assert [fill.price for fill in placed.fills] == [level.price for level in asks[:3]]
    assert venue.book(SYMBOL).asks[0] == BookLevel(asks[2].price, asks[2].amount - RULES.lot_size)
    move(venue, "40000")
    assert venue.book(SYMBOL).asks == asks


def test_a_crossing_limit_order_takes_up_to_its_price_and_rests() -> None:
    """The rest stands in the book at the limit; what a better price saved is free again."""
    venue = venue_at()
    asks = venue.book(SYMBOL).asks
    limit = asks[1].price
    placed = buy(venue, str(asks[0].amount + asks[1].amount + 1), str(limit))
    assert placed.order.status is OrderStatus.PARTIALLY_FILLED
    assert venue.book(SYMBOL).bids[0] == BookLevel(limit, D(1))
    assert locked(venue) == limit
    paid = sum(fill.quote_amount for fill in placed.fills)
    assert free(venue) == D(1_000_000) - limit - paid
    venue.check()


def test_price_time_priority_among_accounts() -> None:
    """Best price first, at one price the oldest first, accounts' orders before ambient ones."""
    venue = venue_at(fees=FREE)
    inside = venue_at(fees=FREE)
    assert venue.best(SYMBOL) == inside.best(SYMBOL)
    first = sell(venue, "1", "40000.01", account="b").order.order_id
    better = sell(venue, "1", "40000", account="b").order.order_id
    second = sell(venue, "1", "40000.01", account="b").order.order_id
    placed = buy(venue, "2.5")
    assert [trade.seller_order_id for trade in prints(placed.events)] == [better, first, second]
    assert [fill.amount for fill in placed.fills] == [D(1), D(1), D("0.5")]
    assert kinds(placed.events, "b") == [
        *["TRADE FILLED", "trade"] * 2,
        "TRADE PARTIALLY_FILLED",
        "trade",
        "balances",
        "book",
    ]
    venue.check()


def test_a_trade_between_accounts_pays_both_exactly() -> None:
    """Buyer pays what the seller gets; each pays the fee of its own role."""
    venue = venue_at()
    sell(venue, "1", "40000", account="b")
    buy(venue, "1", "40000")
    assert free(venue, USDT) == D(960_000)
    assert free(venue, BTC) == D("10.999")
    assert free(venue, USDT, "b") == D(1_000_000) + D(40_000) - D(40)
    assert venue.fills("b", SYMBOL)[0].is_maker
    venue.check()


def test_post_only_rests_or_is_refused() -> None:
    """LIMIT_MAKER may stand next to the spread but not take, also not from an account."""
    venue = venue_at()
    buy(venue, "0.01", "40000.00", kind="LIMIT_MAKER")
    for side, price in ((buy, "40000.01"), (sell, "40000.00")):
        with pytest.raises(VenueRefusal, match="Order would immediately match and take"):
            side(venue, "0.01", price, kind="LIMIT_MAKER", account="b")


def test_ioc_takes_what_is_there_and_expires() -> None:
    venue = venue_at()
    best = venue.book(SYMBOL).asks[0]
    placed = buy(venue, str(best.amount + 1), str(best.price), tif=IOC)
    assert ended(placed) == ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED")
    assert placed.order.executed_amount == best.amount
    assert kinds(placed.events) == [
        "NEW NEW",
        "TRADE PARTIALLY_FILLED",
        "trade",
        "EXPIRED EXPIRED",
        "balances",
        "book",
    ]
    assert locked(venue) == 0
    venue.check()


def test_fok_fills_whole_or_not_at_all() -> None:
    venue = venue_at()
    best = venue.book(SYMBOL).asks[0]
    placed = buy(venue, str(best.amount + RULES.lot_size), str(best.price), tif=FOK)
    assert ended(placed) == ("EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED")
    assert placed.order.executed_amount == 0
    assert (free(venue), locked(venue)) == (D(1_000_000), D(0))
    assert ended(buy(venue, str(best.amount), str(best.price), tif=FOK)) == ("FILLED", "")
    venue.check()


def test_a_market_order_in_a_thin_book_expires_with_what_it_got() -> None:
    """The fills stay, the rest is EXPIRED for want of liquidity (section 6.3)."""
    venue = venue_at(funds={BTC: D(50)})
    depth = sum(level.amount for level in venue.book(SYMBOL).bids)
    placed = sell(venue, "50")
    assert ended(placed) == ("EXPIRED", "INSUFFICIENT_LIQUIDITY")
    assert placed.order.executed_amount == depth
    assert venue.book(SYMBOL).bids == ()
    assert venue.best(SYMBOL).bid is None
    assert locked(venue, BTC) == 0
    venue.check()


def test_a_market_order_without_any_price_expires() -> None:
    """Before the first move there is no ambient book."""
    venue = venue_at(None)
    assert ended(buy(venue, "1")) == ("EXPIRED", "INSUFFICIENT_LIQUIDITY")
    assert ended(buy(venue, None, quote="100")) == ("EXPIRED", "INSUFFICIENT_LIQUIDITY")
    venue.check()


def test_market_buy_sized_in_quote() -> None:
    """It buys as many lots as the quote amount pays for, and not one more."""
    venue = venue_at()
    placed = buy(venue, None, quote="100")
    assert ended(placed) == ("FILLED", "")
    assert placed.order.amount == placed.order.executed_amount == D("0.00249")
    assert placed.order.quote_amount == 100
    assert (free(venue), locked(venue)) == (D(1_000_000) - D("0.00249") * D("40000.01"), D(0))
    venue.check()


def test_market_buy_sized_in_quote_spends_a_whole_balance() -> None:
    """It may use up all that is free, across levels, and never goes below zero."""
    venue = venue_at()
    placed = buy(venue, None, quote="150000")
    assert len(placed.fills) > 3
    assert D(150_000) - D("0.00001") * 40_300 < placed.order.executed_quote <= D(150_000)
    venue.check()


def test_slippage_worsens_what_takers_pay() -> None:
    """A fixed fraction on the ambient price, rounded to the worse tick; a limit is never passed, and what rests keeps
    its price."""
    venue = venue_at(slippage=D("0.001"))
    assert buy(venue, "0.001").fills[0].price == D("40040.02")
    assert sell(venue, "0.001").fills[0].price == D("39959.99")
    assert buy(venue, "0.001", "40100", tif=IOC).fills[0].price == D("40040.02")
    assert buy(venue, "0.001", "40001", tif=IOC).fills[0].price == D("40001")
    assert sell(venue, "0.001", "39900").fills[0].price == D("39959.99")
    assert sell(venue, "0.001", "39990").fills[0].price == D("39990")
    resting = buy(venue, "0.001", "39000")
    move(venue, "39000")
    assert venue.order("a", SYMBOL, resting.order.order_id).executed_quote == D("39")
    venue.check()


def test_slippage_by_volume_grows_with_the_share_of_what_traded() -> None:
    """One per cent for an order as large as the last five minutes, a tenth of that for a tenth, on top of the fixed
    part; never more than for all of it."""
    venue = venue_at(volume_slippage=D("0.01"), slippage=D("0.001"), depth_quote=D(10_000_000))
    assert buy(venue, "0.1").fills[0].price == D("40080.02"), (
        "a tenth of the 1 BTC that traded: 0.1 % + 0.1 %"
    )
    assert buy(venue, None, quote="4000").fills[0].price == D("40080.02")
    assert sell(venue, "1").fills[0].price == D("39559.99")
    assert sell(venue, "3").fills[0].price == D("39559.99")
    move(venue, "40000", volume="9")
    assert buy(venue, "1").fills[0].price == D("40080.02")
    assert buy(venue, "1", "40010", tif=IOC).fills[0].price == D("40010"), "no further than the limit"
    venue.check()


def test_in_a_market_without_trades_any_order_is_all_of_it() -> None:
    venue = venue_at(None, volume_slippage=D("0.01"))
    move(venue, "40000", volume="0")
    assert buy(venue, "0.001").fills[0].price == D("40400.02")


def test_slippages_together_stay_below_one() -> None:
    for fixed, by_volume in (("-0.1", "0"), ("0", "-0.1"), ("0.5", "0.5")):
        with pytest.raises(InvalidValue, match="must not be below 0, and together they must be below 1"):
            VenueSettings(slippage=D(fixed), volume_slippage=D(by_volume))


@pytest.mark.parametrize(
    "mode, taker, maker",
    [
        ("NONE", "FILLED", "FILLED"),
        ("", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_MAKER", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_TAKER", "EXPIRED_IN_MATCH", "NEW"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
    ],
)
def test_self_trade_prevention(mode: str, taker: str, maker: str) -> None:
    """The taker's mode decides; by default the resting order expires and the new one goes on."""
    venue = venue_at()
    resting = sell(venue, "1", "40000.00").order
    placed = buy(venue, "1", "40000.00", prevention=mode)
    assert placed.order.status.value == taker
    assert venue.order("a", SYMBOL, order_id=resting.order_id).status.value == maker
    assert ("TRADE_PREVENTION EXPIRED_IN_MATCH" in kinds(placed.events)) == (mode != "NONE")
    venue.check()


def test_a_self_trade_shows_one_trade_id_twice() -> None:
    """F38: with prevention off an account trades with itself; both fills carry the same id."""
    venue = venue_at()
    sell(venue, "1", "40000.00")
    buy(venue, "1", "40000.00", prevention="NONE")
    fills = venue.fills("a", SYMBOL)
    assert [fill.trade_id for fill in fills] == [2, 2]
    assert {fill.side for fill in fills} == set(Side)
    assert {fill.order_id for fill in fills} == {1, 2}
    venue.check()


def test_client_ids_are_unique_among_open_orders_only() -> None:
    """Free again after a fill or cancel; look-up by a reused id finds the newest."""
    venue = venue_at()
    first = buy(venue, "0.001", "39000", client_id="x").order
    with pytest.raises(VenueRefusal, match="Duplicate order sent"):
        buy(venue, "0.001", "38000", client_id="x")
    buy(venue, "0.001", "38000", client_id="x", account="b")
    venue.cancel_order("a", SYMBOL, client_order_id="x", now=NOW)
    second = buy(venue, "0.001", "38000", client_id="x").order
    assert venue.order("a", SYMBOL, client_order_id="x").order_id == second.order_id
    assert venue.order("a", SYMBOL, order_id=first.order_id).status is OrderStatus.CANCELED


def test_ids_grow_per_symbol() -> None:
    """Order, trade and execution ids count up on each market by itself."""
    venue = venue_at()
    bnb = venue.markets()[1].symbol
    move(venue, "300", symbol=bnb)
    first = [buy(venue, "0.001").order.order_id for _ in range(3)]
    other = buy(venue, "1", symbol=bnb).order.order_id
    assert first == [1, 2, 3]
    assert other == 1
    ids = [fill.trade_id for fill in venue.fills("a", SYMBOL)]
    assert ids == sorted(set(ids))


def test_rules_may_change_while_orders_rest() -> None:
    """Resting orders stay as they are; new ones obey the new rules."""
    venue = venue_at()
    buy(venue, "0.001", "39000.01")
    venue.set_rules(SYMBOL, replace(RULES, tick_size=D("0.1")))
    with pytest.raises(VenueRefusal, match="PRICE_FILTER"):
        buy(venue, "0.001", "39000.01")
    move(venue, "39500")
    assert venue.best(SYMBOL).bid == D("39499.9")
    move(venue, "39000")
    assert venue.orders("a", SYMBOL)[0].status is OrderStatus.FILLED
    venue.check()


def test_the_exchange_clock_stamps_what_happens() -> None:
    """Creation and change carry the time handed in with the call."""
    venue = venue_at()
    order = buy(venue, "0.001", "39000").order
    later = Timestamp(NOW + 5)
    cancelled = venue.cancel_order("a", SYMBOL, order_id=order.order_id, now=later).order
    assert (cancelled.created_at, cancelled.updated_at) == (NOW, later)
