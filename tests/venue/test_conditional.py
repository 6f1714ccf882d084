"""Orders that wait for a price: when they trigger, what they lock, what they become (protocol document, 6.1, 6.3)."""

from decimal import Decimal

import pytest

from gridtide.domain.market import MarketStatus, Timestamp
from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.venue.messages import OrderChanged, PriceMoved, VenueEvent, VenueOrder
from gridtide.venue.settings import FillModel
from gridtide.venue.venue import Venue
from tests.venue.world import (
    BTC,
    FREE,
    NOW,
    SYMBOL,
    USDT,
    D,
    buy,
    free,
    kinds,
    locked,
    move,
    refusal,
    request,
    sell,
    venue_at,
)

BUY, SELL = Side.BUY, Side.SELL
CASES = [
    ("STOP_LOSS", BUY, "40500", "40600"),
    ("STOP_LOSS", SELL, "39500", "39400"),
    ("TAKE_PROFIT", BUY, "39500", "39400"),
    ("TAKE_PROFIT", SELL, "40500", "40600"),
]


def state(venue: Venue, order: VenueOrder) -> VenueOrder:
    return venue.order(order.account_id, order.symbol, order_id=order.order_id)


def told(events: tuple[VenueEvent, ...]) -> list[tuple[int, str, str]]:
    """(order id, execution type, status) of every order event."""
    return [
        (event.order.order_id, event.execution_type, event.order.status.value)
        for event in events
        if isinstance(event, OrderChanged)
    ]


@pytest.mark.parametrize("kind, side, stop, beyond", CASES)
def test_it_waits_and_triggers_at_its_stop_price(kind: str, side: Side, stop: str, beyond: str) -> None:
    """Accepted it is NEW and works nowhere; one tick short of the stop price nothing happens; at it, it executes."""
    venue = venue_at()
    order = venue.place_order(request(side, "0.1", kind=kind, stop=stop), NOW).order
    assert (order.status, order.working_at, order.is_working) == (OrderStatus.NEW, -1, False)
    short = D(stop) - D("0.01") if D(stop) > 40_000 else D(stop) + D("0.01")
    move(venue, str(short))
    assert state(venue, order).working_at == -1
    now = Timestamp(NOW + 7)
    events = venue.move_market(SYMBOL, _moved(beyond), now)
    done = state(venue, order)
    assert (done.status, done.type, done.working_at) == (OrderStatus.FILLED, kind, now)
    words = [word for _, word, _ in told(events)]
    assert (words[0], set(words[1:])) == ("NEW", {"TRADE"})
    assert done.executed_amount == D("0.1")
    edge = D(stop) + (D("0.01") if side is BUY else -D("0.01"))
    assert venue.fills("a", SYMBOL)[0].price == edge, "it meets the book as it stood at its stop price"
    venue.check()


def _moved(price: str) -> PriceMoved:
    return PriceMoved(D(price), D(1), NOW)


@pytest.mark.parametrize("kind, side, stop, _beyond", CASES)
def test_what_would_trigger_at_once_is_refused(kind: str, side: Side, stop: str, _beyond: str) -> None:
    """At the last price, or with the last price already beyond the stop price."""
    wrong = "39500" if D(stop) > 40_000 else "40500"
    for price in ("40000", wrong):
        for kind_and_limit in ((kind, None), (f"{kind}_LIMIT", "40000")):
            asked = request(side, "0.1", kind_and_limit[1], kind=kind_and_limit[0], stop=price)
            assert refusal(venue_at(), asked) == (-2010, "Order would trigger immediately.")


def test_what_waits_locks_its_funds() -> None:
    """Sells their amount, limit buys their value, market buys theirs at the stop price; cancels give it back."""
    venue = venue_at()
    orders = [
        sell(venue, "0.5", kind="STOP_LOSS", stop="39000").order,
        sell(venue, "0.25", "38000", kind="STOP_LOSS_LIMIT", stop="39000").order,
        buy(venue, "0.1", "41000", kind="STOP_LOSS_LIMIT", stop="40500").order,
        buy(venue, "0.1", kind="STOP_LOSS", stop="40500").order,
        buy(venue, "0.1", kind="STOP_LOSS", trailing=100).order,
    ]
    assert locked(venue, BTC) == D("0.75")
    assert locked(venue) == D(4100) + D(4050) + D(4000)
    venue.check()
    assert len(venue.open_orders("a", SYMBOL)) == 5
    for order in orders:
        venue.cancel_order("a", SYMBOL, order_id=order.order_id, now=NOW)
    assert (locked(venue), locked(venue, BTC)) == (D(0), D(0))
    move(venue, "50000")
    move(venue, "30000")
    assert venue.fills("a", SYMBOL) == ()
    venue.check()


def test_the_lock_of_market_buys_can_be_larger() -> None:
    """`stop_lock_margin` is a choice, because the exchange does not say what it locks."""
    venue = venue_at(stop_lock_margin=D("0.02"))
    buy(venue, "0.1", kind="STOP_LOSS", stop="41000")
    assert locked(venue) == D("4182")
    venue.check()


def test_short_funds_are_refused_when_it_is_placed() -> None:
    """Not when it triggers."""
    venue = venue_at(funds={USDT: D(4049), BTC: D("0.1")})
    text = (-2010, "Account has insufficient balance for requested action.")
    assert refusal(venue, request(BUY, "0.1", kind="STOP_LOSS", stop="40500")) == text
    assert refusal(venue, request(SELL, "0.2", kind="STOP_LOSS", stop="39500")) == text


def test_a_triggered_market_buy_pays_with_what_is_free_and_expires_for_the_rest() -> None:
    """Its lock at the stop price is a little short of the book's price: free funds help out as far as they go."""
    rich = venue_at(fees=FREE, funds={USDT: D(4051)})
    order = buy(rich, "0.1", kind="STOP_LOSS", stop="40500").order
    move(rich, "41000")
    assert state(rich, order).status is OrderStatus.FILLED
    assert (free(rich), locked(rich)) == (D(4051) - D("4050.001"), D(0))
    poor = venue_at(fees=FREE, funds={USDT: D(4050)})
    order = buy(poor, "0.1", kind="STOP_LOSS", stop="40500").order
    move(poor, "41000")
    done = state(poor, order)
    assert (done.status, done.expiry_reason, done.executed_amount) == (
        OrderStatus.EXPIRED,
        "REJECTED",
        D("0.09999"),
    )
    assert locked(poor) == 0
    for venue in (rich, poor):
        venue.check()


def test_a_triggered_order_in_a_thin_book_expires_for_want_of_liquidity() -> None:
    """It keeps what it got, like any market order."""
    venue = venue_at(funds={BTC: D(50)})
    order = sell(venue, "50", kind="STOP_LOSS", stop="39000").order
    move(venue, "38990")
    done = state(venue, order)
    assert (done.status, done.expiry_reason) == (OrderStatus.EXPIRED, "INSUFFICIENT_LIQUIDITY")
    assert 0 < done.executed_amount < 50
    assert locked(venue, BTC) == 0
    venue.check()


@pytest.mark.parametrize(
    "tif, status",
    [
        (TimeInForce.GTC, OrderStatus.NEW),
        (TimeInForce.IOC, OrderStatus.EXPIRED),
        (TimeInForce.FOK, OrderStatus.EXPIRED),
    ],
)
def test_a_triggered_limit_order_out_of_reach(tif: TimeInForce, status: OrderStatus) -> None:
    """It rests, or ends at once, as its time in force says."""
    venue = venue_at()
    order = sell(venue, "0.1", "39800", kind="STOP_LOSS_LIMIT", stop="39500", tif=tif).order
    events = move(venue, "39500")
    done = state(venue, order)
    assert (done.status, done.working_at) == (status, NOW)
    assert [word for _, word, _ in told(events)] == ["NEW", "EXPIRED"][: 1 if tif is TimeInForce.GTC else 2]
    venue.check()
    move(venue, "40000")
    assert (state(venue, order).status is OrderStatus.FILLED) == (tif is TimeInForce.GTC)
    venue.check()


def test_one_walk_meets_fills_and_triggers_in_the_order_of_their_prices() -> None:
    """A limit sell below, a stop between, a limit sell above: so they execute, whoever was placed first."""
    venue = venue_at()
    high = sell(venue, "0.1", "40900", account="b").order.order_id
    stop = buy(venue, "0.1", kind="STOP_LOSS", stop="40600").order.order_id
    low = sell(venue, "0.1", "40300", account="b").order.order_id
    events = move(venue, "41000")
    trades = [(order_id, word) for order_id, word, _ in told(events)]
    assert trades == [(low, "TRADE"), (stop, "NEW"), (stop, "TRADE"), (high, "TRADE")]
    venue.check()


def test_at_one_price_resting_orders_come_first() -> None:
    """A stop at the price of a resting order triggers after the fill that pays this price."""
    venue = venue_at()
    stop = buy(venue, "0.001", kind="STOP_LOSS", stop="40300").order.order_id
    rests = sell(venue, "0.1", "40300", account="b").order.order_id
    assert [order_id for order_id, _, _ in told(move(venue, "40300"))] == [rests, stop, stop]
    venue.check()


def test_what_a_trigger_places_is_met_further_on_the_same_walk() -> None:
    """A stop-limit sell that triggers on the way down rests above; on the way up it would be passed: here a take
    profit triggers going up and its limit above fills before the walk ends."""
    venue = venue_at()
    order = sell(venue, "0.1", "40800", kind="TAKE_PROFIT_LIMIT", stop="40300").order
    events = move(venue, "41000")
    assert [(word, status) for _, word, status in told(events)] == [("NEW", "NEW"), ("TRADE", "FILLED")]
    assert venue.fills("a", SYMBOL)[0].is_maker
    assert state(venue, order).executed_quote == D(4080)
    venue.check()


def test_trades_between_accounts_trigger_after_the_taker_is_done() -> None:
    """A taker walks the book through two stops; both execute after its last fill, in the order of their prices."""
    venue = venue_at(depth_levels=1, depth_quote=D(40), fees=FREE)
    sell(venue, "1", "40100", account="b")
    sell(venue, "1", "40200", account="b")
    sell(venue, "5", "40300", account="b")
    later = buy(venue, "0.1", kind="STOP_LOSS", stop="40150").order.order_id
    first = buy(venue, "0.1", kind="STOP_LOSS", stop="40050").order.order_id
    placed = buy(venue, "1.5")
    mine = [
        (order_id, word)
        for order_id, word, _ in told(placed.events)
        if order_id in (first, later, placed.order.order_id)
    ]
    taker = placed.order.order_id
    assert mine[0] == (taker, "NEW")
    assert mine[-4:] == [(first, "NEW"), (first, "TRADE"), (later, "NEW"), (later, "TRADE")]
    assert {word for order_id, word in mine[1:-4]} == {"TRADE"}
    assert placed.order.status is OrderStatus.FILLED, "the answer shows the order as its own matching left it"
    venue.check()


def test_a_cascade_of_stops_comes_to_an_end() -> None:
    """Each stop's own trade triggers the next, far beyond where the market itself went."""
    venue = venue_at(depth_levels=1, depth_quote=D(1), fees=FREE)
    for number in range(1, 6):
        buy(venue, "0.01", str(40_000 - 100 * number - 60), account="b")
        sell(venue, "0.01", kind="STOP_LOSS", stop=str(40_000 - 100 * number + 50))
    move(venue, "39950")
    statuses = {order.status for order in venue.orders("a", SYMBOL)}
    assert statuses == {OrderStatus.FILLED}
    assert venue.last_price(SYMBOL) == 39_950, "the market stands where the move ended"
    assert min(fill.price for fill in venue.fills("a", SYMBOL)) == 39_440
    venue.check()


def test_a_closed_market_triggers_nothing_until_it_opens() -> None:
    """The price may go through the stop while the market halts; the first move after that sees it."""
    venue = venue_at()
    order = sell(venue, "0.1", kind="STOP_LOSS", stop="39500").order
    venue.set_status(SYMBOL, MarketStatus.HALT)
    move(venue, "39000")
    assert state(venue, order).status is OrderStatus.NEW
    venue.set_status(SYMBOL, MarketStatus.TRADING)
    move(venue, "39001")
    assert state(venue, order).status is OrderStatus.FILLED
    assert venue.fills("a", SYMBOL)[0].price == D("38999.99")
    venue.check()


def test_with_trade_through_limits_and_stops_keep_their_order() -> None:
    """Fills need one tick beyond; triggers are met at their price."""
    venue = venue_at(fill_model=FillModel.TRADE_THROUGH)
    stop = buy(venue, "0.1", kind="STOP_LOSS", stop="40300").order.order_id
    rests = sell(venue, "0.1", "40300", account="b").order.order_id
    assert [order_id for order_id, _, _ in told(move(venue, "40300"))] == [stop, rests, stop], (
        "triggered, the stop takes the resting order itself"
    )
    venue.check()


# --- the nearest prices ------------------------------------------------------------------------------


def test_nearest_prices_know_triggers() -> None:
    """The nearer of fills and triggers on each side; whoever skips moves between may."""
    venue = venue_at()
    buy(venue, "0.1", "39000")
    sell(venue, "0.1", "41000")
    assert venue.nearest_prices(SYMBOL) == (D(39_000), D(41_000))
    sell(venue, "0.1", kind="STOP_LOSS", stop="39500")
    assert venue.nearest_prices(SYMBOL) == (D(39_500), D(41_000))
    buy(venue, "0.1", kind="STOP_LOSS", stop="40500")
    assert venue.nearest_prices(SYMBOL) == (D(39_500), D(40_500))
    buy(venue, "0.1", kind="STOP_LOSS", stop="40700", trailing=100)
    assert venue.nearest_prices(SYMBOL) == (D(39_500), D(40_500)), "it does not follow the market yet"


def test_with_a_trailing_order_every_move_matters() -> None:
    """Its trigger moves with the best price seen, so no move may be skipped."""
    venue = venue_at()
    sell(venue, "0.1", kind="STOP_LOSS", trailing=100)
    assert venue.nearest_prices(SYMBOL) == (D(40_000), D(40_000))


# --- trailing orders: the scenarios of the exchange's FAQ ----------------------------------------------


def follow(venue: Venue, order: VenueOrder, *path: str) -> list[int]:
    """Move along the path; the positions at which the order has triggered."""
    return [
        number for number, price in enumerate(path) if (move(venue, price), state(venue, order).is_working)[1]
    ]


def test_trailing_scenario_a_stop_loss_limit_buy() -> None:
    """Follows from 44,000, lowest 42,000, triggers at 44,100 exactly."""
    venue = venue_at()
    order = buy(venue, "0.1", "45000", kind="STOP_LOSS_LIMIT", stop="44000", trailing=500).order
    assert follow(venue, order, "37000", "45000", "46000", "42000", "44099.99", "44100") == [5]
    assert state(venue, order).status is OrderStatus.FILLED
    assert venue.fills("a", SYMBOL)[0].price == D("44100.01")


def test_trailing_scenario_b_stop_loss_limit_sell() -> None:
    """Follows from 39,000, highest 41,000, triggers at 36,900; its limit of 38,000 rests then."""
    venue = venue_at()
    order = sell(venue, "0.1", "38000", kind="STOP_LOSS_LIMIT", stop="39000", trailing=1000).order
    assert follow(venue, order, "41500", "37000", "41000", "36900.01", "36900") == [4]
    assert state(venue, order).status is OrderStatus.NEW


def test_trailing_scenario_c_take_profit_limit_buy() -> None:
    """Follows from 38,000, lowest 37,000, triggers at 40,145; its limit of 38,500 rests then."""
    venue = venue_at()
    order = buy(venue, "0.1", "38500", kind="TAKE_PROFIT_LIMIT", stop="38000", trailing=850).order
    assert follow(venue, order, "42000", "37000", "39000", "38000", "40144.99", "40145") == [5]
    assert state(venue, order).status is OrderStatus.NEW


def test_trailing_scenario_d_take_profit_limit_sell() -> None:
    """Follows from 42,000, highest 46,500, triggers at 43,012.5 exactly; its limit of 41,000 fills at the market."""
    venue = venue_at()
    order = sell(venue, "0.1", "41000", kind="TAKE_PROFIT_LIMIT", stop="42000", trailing=750).order
    path = ("41500", "39000", "45000", "44000", "46500", "43012.51", "43012.5")
    assert follow(venue, order, *path) == [6]
    assert state(venue, order).status is OrderStatus.FILLED


def test_trailing_scenario_e_without_a_stop_price() -> None:
    """Follows from the last price at its placement, highest 45,500, triggers at 42,315."""
    venue = venue_at()
    placed = sell(venue, "0.1", "39000", kind="STOP_LOSS_LIMIT", trailing=700)
    order, event = placed.order, placed.events[0]
    assert isinstance(event, OrderChanged)
    assert order.trailing_at == event.order.trailing_at == NOW
    assert follow(venue, order, "42000", "39500", "45500", "42315.01", "42315") == [4]


def test_a_trailing_order_starts_and_triggers_within_one_walk() -> None:
    """Up through its stop price and by the delta beyond: both on the way, the trigger rounded to the next tick."""
    venue = venue_at(fees=FREE)
    order = buy(venue, "0.1", kind="STOP_LOSS", stop="40333.33", trailing=33).order
    assert order.trailing_at is None
    move(venue, "41000")
    done = state(venue, order)
    assert (done.status, done.trailing_at, done.trailing_delta) == (OrderStatus.FILLED, NOW, 33)
    level = D("40333.33") * D("1.0033")
    assert level < venue.fills("a", SYMBOL)[0].price - D("0.01") < level + D("0.01")


def test_a_trailing_order_follows_trades_between_accounts() -> None:
    """A taker's trades at better prices move the trigger, as the market's own do."""
    venue = venue_at(depth_levels=1, depth_quote=D(40), fees=FREE)
    order = sell(venue, "0.1", kind="STOP_LOSS", trailing=100).order
    sell(venue, "1", "41000", account="b")
    buy(venue, "0.5", "41000", account="a", tif=TimeInForce.IOC)
    assert venue.last_price(SYMBOL) == 41_000
    move(venue, "40590")
    assert state(venue, order).is_working, "1 % below 41,000, not below 40,000"
    venue.check()


def test_a_trailing_order_before_any_price_is_refused() -> None:
    """There is nothing to follow and no price to lock by."""
    asked = request(BUY, "0.1", kind="STOP_LOSS", trailing=100)
    assert refusal(venue_at(None), asked) == (-1112, "No orders on book for symbol.")


def test_icebergs_are_refused_in_one_sentence() -> None:
    """By placing and by the order test alike."""
    asked = request(BUY, "1", "39000")._replace(iceberg_amount=Decimal("0.5"))
    expected = (-1013, "Iceberg orders are not supported by this sandbox.")
    venue = venue_at()
    assert refusal(venue, asked) == expected
    with pytest.raises(Exception, match="Iceberg orders are not supported by this sandbox"):
        venue.check_order(asked)


def test_events_of_a_waiting_order() -> None:
    """NEW and the balance when it is placed; nothing while it waits."""
    venue = venue_at()
    assert kinds(buy(venue, "0.1", kind="STOP_LOSS", stop="40500").events) == ["NEW NEW", "balances"]
    assert "NEW NEW" not in kinds(move(venue, "40400"))
