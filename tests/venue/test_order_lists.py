"""Orders that depend on each other: OCO (protocol document, 6.10), OTO, OTOCO, OPO and OPOCO (the exchange's pages)."""

from dataclasses import replace
from typing import Any

import pytest

from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.market_filters import MarketFilters
from gridtide.venue.messages import (
    Cancellation,
    ListCancellation,
    ListPlacement,
    NewOrder,
    NewOrderList,
    VenueRefusal,
)
from gridtide.venue.settings import AccountFees
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
    request,
    sell,
    venue_at,
)

BUY, SELL = Side.BUY, Side.SELL
NEW, FILLED, EXPIRED = OrderStatus.NEW, OrderStatus.FILLED, OrderStatus.EXPIRED
CANCELED, PENDING = OrderStatus.CANCELED, OrderStatus.PENDING_NEW


def oco(
    amount: str | None = "1",
    *,
    side: Side = SELL,
    above: tuple[str, str | None, str | None] = ("LIMIT_MAKER", "41000", None),
    below: tuple[str, str | None, str | None] = ("STOP_LOSS", None, "39000"),
    **more: Any,
) -> NewOrderList:
    """Legs as (type, price, stop price)."""
    legs = tuple(request(side, amount, price, kind=kind, stop=stop) for kind, price, stop in (above, below))
    return NewOrderList("a", SYMBOL, legs, **more)


def oto(working: NewOrder, *legs: NewOrder, **more: Any) -> NewOrderList:
    return NewOrderList("a", SYMBOL, legs, working, **more)


def place(venue: Venue, asked: NewOrderList) -> ListPlacement:
    return venue.place_order_list(asked, NOW)


def refused(venue: Venue, asked: NewOrderList) -> tuple[int, str]:
    """Code and text of the refusal, which must change nothing."""
    before = venue.state()
    with pytest.raises(VenueRefusal) as refusal:
        place(venue, asked)
    assert venue.state() == before
    return refusal.value.code, refusal.value.message


def statuses(venue: Venue, placed: ListPlacement) -> list[OrderStatus]:
    return [venue.order("a", SYMBOL, order_id=order_id).status for order_id, _ in placed.order_list.orders]


def reasons(venue: Venue, placed: ListPlacement) -> list[str]:
    return [
        venue.order("a", SYMBOL, order_id=order_id).expiry_reason for order_id, _ in placed.order_list.orders
    ]


def list_state(venue: Venue, placed: ListPlacement) -> tuple[str, str]:
    found = venue.order_list("a", order_list_id=placed.order_list.order_list_id)
    return found.status_type, found.order_status


RUNNING, DONE = ("EXEC_STARTED", "EXECUTING"), ("ALL_DONE", "ALL_DONE")


# --- OCO ---------------------------------------------------------------------------------------------


def test_an_oco_locks_once_and_shows_itself() -> None:
    """One lock for the pair, the list told before its orders, the stop leg placed first."""
    venue = venue_at()
    placed = place(venue, oco(list_client_order_id="pair"))
    assert locked(venue, BTC) == 1
    assert kinds(placed.events) == ["list EXEC_STARTED EXECUTING", "NEW NEW", "NEW NEW", "balances", "book"]
    assert [(order.type, order.working_at) for order in placed.orders] == [
        ("STOP_LOSS", -1),
        ("LIMIT_MAKER", NOW),
    ]
    told = placed.order_list
    assert (told.order_list_id, told.list_client_order_id, told.contingency) == (0, "pair", "OCO")
    assert told.orders == tuple((order.order_id, order.client_order_id) for order in placed.orders)
    assert {order.order_list_id for order in venue.open_orders("a", SYMBOL)} == {0}
    assert venue.open_order_lists("a") == venue.order_lists("a") == (told,)
    assert venue.order_list("a", list_client_order_id="pair") == told
    venue.check()


def test_a_buying_pair_locks_the_larger_need() -> None:
    """The stop-limit above needs more than the limit below."""
    venue = venue_at()
    asked = oco(
        "0.1", side=BUY, above=("STOP_LOSS_LIMIT", "42000", "41000"), below=("LIMIT_MAKER", "39000", None)
    )
    place(venue, asked)
    assert locked(venue) == 4200
    venue.check()


def test_the_first_partial_fill_of_a_leg_ends_the_other() -> None:
    """The stop expires before the trade is told; the rest of the limit goes on alone, with its own lock."""
    venue = venue_at(depth_levels=1, depth_quote=D("0.01"))
    asked = oco(
        "0.1", side=BUY, above=("STOP_LOSS_LIMIT", "42000", "41000"), below=("LIMIT_MAKER", "39000", None)
    )
    placed = place(venue, asked)
    move(venue, "39500")
    sell(venue, "0.04", "39000", account="b")
    assert statuses(venue, placed) == [EXPIRED, OrderStatus.PARTIALLY_FILLED]
    assert reasons(venue, placed) == ["OCO_TRIGGER", ""]
    rest = D("0.1") - venue.order("a", SYMBOL, order_id=2).executed_amount
    assert locked(venue) == rest * 39_000
    assert list_state(venue, placed) == RUNNING
    venue.check()
    events = move(venue, "39000")
    assert kinds(events)[:3] == ["TRADE FILLED", "list ALL_DONE ALL_DONE", "trade"]
    assert list_state(venue, placed) == DONE
    assert locked(venue) == 0
    venue.check()


def test_a_triggered_leg_ends_the_other() -> None:
    """Here the stop: the limit leaves the book, the stop executes, the list is done."""
    venue = venue_at()
    placed = place(venue, oco("0.1"))
    words = [word for word in kinds(move(venue, "38900")) if not word.startswith(("trade", "TRADE PART"))]
    assert words == [
        "EXPIRED EXPIRED",
        "NEW NEW",
        "TRADE FILLED",
        "list ALL_DONE ALL_DONE",
        "balances",
        "book",
    ]
    assert statuses(venue, placed) == [FILLED, EXPIRED]
    assert (locked(venue, BTC), venue.open_orders("a")) == (D(0), ())
    venue.check()


def test_a_triggered_stop_limit_that_rests_stays_in_its_list() -> None:
    """The list is done only with its last order."""
    venue = venue_at()
    placed = place(venue, oco("0.1", below=("STOP_LOSS_LIMIT", "39500", "39000")))
    move(venue, "38900")
    assert statuses(venue, placed) == [NEW, EXPIRED]
    assert list_state(venue, placed) == RUNNING
    assert locked(venue, BTC) == D("0.1")
    venue.check()
    move(venue, "39500")
    assert (statuses(venue, placed)[0], list_state(venue, placed)) == (FILLED, DONE)
    venue.check()


@pytest.mark.parametrize("by_list", [True, False])
def test_cancelling_one_leg_or_the_list_cancels_both(by_list: bool) -> None:
    """Both orders show the cancel's id, and the list is done."""
    venue = venue_at()
    placed = place(venue, oco())
    done: Cancellation | ListCancellation
    if by_list:
        done = venue.cancel_order_list("a", SYMBOL, order_list_id=0, new_client_order_id="bye", now=NOW)
        orders = done.orders
    else:
        done = venue.cancel_order("a", SYMBOL, order_id=2, new_client_order_id="bye", now=NOW)
        assert done.order.order_id == 2
        orders = done.list_orders
    assert [(order.order_id, order.client_order_id, order.status) for order in orders] == [
        (1, "bye", CANCELED),
        (2, "bye", CANCELED),
    ]
    assert done.order_list is not None
    assert done.order_list.status_type == "ALL_DONE"
    assert kinds(done.events) == [
        "CANCELED CANCELED",
        "CANCELED CANCELED",
        "list ALL_DONE ALL_DONE",
        "balances",
        "book",
    ]
    assert (statuses(venue, placed), locked(venue, BTC)) == ([CANCELED, CANCELED], D(0))
    with pytest.raises(VenueRefusal, match="-2011 Unknown order sent"):
        venue.cancel_order_list("a", SYMBOL, order_list_id=0, now=NOW)
    venue.check()


def test_cancel_all_cancels_a_list_once() -> None:
    """Between single orders, in the order of their ids."""
    venue = venue_at()
    buy(venue, "0.1", "39000")
    place(venue, oco())
    buy(venue, "0.1", "38000")
    done = venue.cancel_all("a", SYMBOL, NOW)
    assert [type(each) for each in done] == [Cancellation, ListCancellation, Cancellation]
    assert venue.open_orders("a") == ()
    venue.check()


def test_a_prevented_leg_ends_its_list() -> None:
    """Self-trade prevention of the resting leg expires the other too."""
    venue = venue_at(depth_levels=1, depth_quote=D("0.01"))
    placed = place(venue, oco("0.1"))
    move(venue, "40900")
    buy(venue, "0.2", "41000", prevention="EXPIRE_MAKER")
    assert statuses(venue, placed) == [EXPIRED, OrderStatus.EXPIRED_IN_MATCH]
    assert (list_state(venue, placed), locked(venue, BTC)) == (DONE, D(0))
    venue.check()


@pytest.mark.parametrize(
    "more, expected",
    [
        ({"above": ("LIMIT", "41000", None)}, -1158),
        ({"below": ("LIMIT_MAKER", "39000", None)}, -1168),
        ({"above": ("TAKE_PROFIT", None, "41000"), "below": ("LIMIT_MAKER", "39000", None)}, -1166),
        ({"side": BUY, "below": ("TAKE_PROFIT", None, "39000")}, -1165),
        (
            {"side": BUY, "above": ("TAKE_PROFIT", None, "41000"), "below": ("LIMIT_MAKER", "39000", None)},
            -1198,
        ),
        (
            {"side": BUY, "above": ("STOP_LOSS", None, "41000")} | {"below": ("STOP_LOSS", None, "39000")},
            -1196,
        ),
        ({"above": ("STOP_LOSS", None, "41000")}, -1197),
        ({"below": ("TAKE_PROFIT", None, "39000")}, -1199),
    ],
)
def test_legs_must_stand_on_their_sides(more: dict[str, Any], expected: int) -> None:
    """The documented codes of types that do not go together."""
    assert refused(venue_at(), oco(**more))[0] == expected


@pytest.mark.parametrize(
    "more",
    [
        {"above": ("LIMIT_MAKER", "40000", None)},
        {"above": ("LIMIT_MAKER", "39500", None)},
        {"below": ("STOP_LOSS", None, "40000")},
        {"above": ("TAKE_PROFIT", None, "39999")},
        {"side": BUY, "above": ("STOP_LOSS", None, "40000"), "below": ("LIMIT_MAKER", "39000", None)},
        {"side": BUY, "above": ("STOP_LOSS", None, "41000"), "below": ("LIMIT_MAKER", "40500", None)},
    ],
)
def test_the_last_price_must_lie_between_the_legs(more: dict[str, Any]) -> None:
    """The exchange's table of price restrictions."""
    expected = (-2010, "The relationship of the prices for the orders is not correct.")
    assert refused(venue_at(), oco(**more)) == expected


def test_lists_are_refused_whole() -> None:
    """Funds, names and counts; nothing of the list stays."""
    venue = venue_at(filters={SYMBOL: MarketFilters(max_order_lists=1)})
    assert refused(venue, oco("11")) == (-2010, "Account has insufficient balance for requested action.")
    pair = oco("0.1")
    same = replace(pair, legs=tuple(leg._replace(client_order_id="x") for leg in pair.legs))
    assert refused(venue, same) == (-2010, "Duplicate order sent.")
    place(venue, oco("0.1", list_client_order_id="mine"))
    assert refused(venue, oco("0.1")) == (-2010, "Filter failure: MAX_NUM_ORDER_LISTS")
    venue.set_filters(SYMBOL, MarketFilters())
    assert refused(venue, oco("0.1", list_client_order_id="mine")) == (-2010, "Duplicate order sent.")
    venue.cancel_order_list("a", SYMBOL, list_client_order_id="mine", now=NOW)
    place(venue, oco("0.1", list_client_order_id="mine"))
    with pytest.raises(VenueRefusal, match="Order list does not exist"):
        venue.order_list("a", order_list_id=77)
    icebergs = replace(
        pair, legs=tuple(leg._replace(iceberg_amount=D("0.05")) for leg in pair.legs[:1]) + pair.legs[1:]
    )
    with pytest.raises(VenueRefusal, match="Iceberg"):
        venue.check_order_list(icebergs)
    venue.check()


def test_amending_one_leg_amends_both() -> None:
    """The lock shrinks with them; only the amended order has a new name."""
    venue = venue_at()
    place(venue, oco("1", list_client_order_id="pair"))
    done = venue.amend_order(
        "a", SYMBOL, order_id=2, new_client_order_id="less", new_amount=D("0.4"), now=NOW
    )
    assert kinds(done.events) == [
        "REPLACED NEW",
        "REPLACED NEW",
        "list UPDATED EXECUTING",
        "balances",
        "book",
    ]
    assert [order.amount for order in venue.open_orders("a")] == [D("0.4"), D("0.4")]
    assert done.order_list is not None
    assert done.order_list.orders[1] == (2, "less")
    assert locked(venue, BTC) == D("0.4")
    venue.check()


def test_an_amendment_must_suit_both_legs() -> None:
    """Enough for the leg above, too little for the one below: refused, and nothing changed."""
    venue = venue_at()
    place(venue, oco("0.001", below=("STOP_LOSS_LIMIT", "20000", "39000")))
    before = venue.state()
    with pytest.raises(VenueRefusal, match="NOTIONAL"):
        venue.amend_order("a", SYMBOL, order_id=2, new_amount=D("0.0002"), now=NOW)
    assert venue.state() == before


# --- OTO and OTOCO -----------------------------------------------------------------------------------


def test_the_pending_order_of_an_oto_waits_for_the_whole_fill() -> None:
    """PENDING_NEW without a lock; placed as soon as the working order is filled."""
    venue = venue_at()
    placed = place(venue, oto(request(BUY, "0.1", "39000"), request(SELL, "0.1", "41000")))
    assert [order.status for order in placed.orders] == [NEW, PENDING]
    assert placed.order_list.contingency == "OTO"
    assert (locked(venue), locked(venue, BTC)) == (D(3900), D(0))
    assert kinds(placed.events)[:3] == ["list EXEC_STARTED EXECUTING", "NEW NEW", "NEW PENDING_NEW"]
    assert len(venue.open_orders("a")) == 2
    venue.check()
    events = move(venue, "39000")
    assert [word for word in kinds(events) if word != "trade"] == [
        "TRADE FILLED",
        "NEW NEW",
        "balances",
        "book",
    ]
    assert statuses(venue, placed) == [FILLED, NEW]
    assert (list_state(venue, placed), locked(venue, BTC)) == (RUNNING, D("0.1"))
    venue.check()
    move(venue, "41000")
    assert (statuses(venue, placed), list_state(venue, placed)) == ([FILLED, FILLED], DONE)
    venue.check()


def test_a_working_order_that_fills_at_once_answers_with_its_leg_still_pending() -> None:
    """As the exchange's page says; the events and later reads show the leg placed."""
    venue = venue_at()
    placed = place(venue, oto(request(BUY, "0.001", "40100"), request(SELL, "0.001", "41000")))
    assert [order.status for order in placed.orders] == [FILLED, PENDING]
    assert statuses(venue, placed) == [FILLED, NEW]
    venue.check()


def test_the_legs_of_an_otoco_are_a_pair_once_placed() -> None:
    """One walk: the working order fills going down, then the stop below triggers and ends the limit."""
    venue = venue_at()
    pair = oco("0.1", below=("STOP_LOSS", None, "38500"))
    placed = place(venue, oto(request(BUY, "0.1", "39000"), *pair.legs))
    assert [order.status for order in placed.orders] == [NEW, PENDING, PENDING]
    assert [order.type for order in placed.orders] == ["LIMIT", "STOP_LOSS", "LIMIT_MAKER"]
    move(venue, "38000")
    assert statuses(venue, placed) == [FILLED, FILLED, EXPIRED]
    assert list_state(venue, placed) == DONE
    assert venue.fills("a", SYMBOL)[-1].price <= 38_500
    venue.check()


def test_a_working_order_that_expires_takes_its_legs_along() -> None:
    """FOK without enough liquidity: everything is EXPIRED in one step, the answer says so."""
    from gridtide.domain.order import TimeInForce

    venue = venue_at()
    working = request(BUY, "0.1", "39000", tif=TimeInForce.FOK)
    placed = place(venue, oto(working, request(SELL, "0.1", "41000")))
    assert [order.status for order in placed.orders] == [EXPIRED, EXPIRED]
    assert reasons(venue, placed) == ["UNFILLED_FOK_ORDER_EXPIRED", "OTO_PHASE_ONE_EXPIRED"]
    assert placed.order_list.order_status == "ALL_DONE"
    assert (locked(venue), venue.open_orders("a")) == (D(0), ())
    venue.check()


@pytest.mark.parametrize("which", [1, 2, 3])
def test_cancelling_any_order_of_an_otoco_cancels_the_list(which: int) -> None:
    """Working or pending."""
    venue = venue_at()
    placed = place(venue, oto(request(BUY, "0.1", "39000"), *oco("0.1").legs))
    done = venue.cancel_order("a", SYMBOL, order_id=which, now=NOW)
    assert len(done.list_orders) == 3
    assert statuses(venue, placed) == [CANCELED] * 3
    assert locked(venue) == 0
    venue.check()


@pytest.mark.parametrize(
    "leg",
    [
        request(BUY, "24", "38000"),
        request(SELL, "0.1", kind="STOP_LOSS", stop="39500"),
        request(SELL, "0.1", "38900", kind="LIMIT_MAKER"),
    ],
)
def test_a_pending_order_the_market_does_not_take_expires(leg: NewOrder) -> None:
    """Funds, a stop price that is already met, post-only: EXPIRED with the reason REJECTED, and the list is done."""
    venue = venue_at(funds={USDT: D(900_000), BTC: D(1)})
    placed = place(venue, oto(request(BUY, "0.1", "39000"), leg))
    move(venue, "38950")
    assert statuses(venue, placed) == [FILLED, EXPIRED]
    assert reasons(venue, placed) == ["", "REJECTED"]
    assert (list_state(venue, placed), locked(venue), locked(venue, BTC)) == (DONE, D(0), D(0))
    venue.check()


def test_a_pending_market_order_executes_when_it_is_placed() -> None:
    """At the price where the walk fills the working order, not at its end."""
    venue = venue_at(fees=FREE)
    placed = place(venue, oto(request(BUY, "0.001", "39000"), request(SELL, "0.001")))
    move(venue, "35000")
    assert statuses(venue, placed) == [FILLED, FILLED]
    assert venue.fills("a", SYMBOL)[-1].price == D("38999.99")
    venue.check()


def test_working_types_and_pending_sizes() -> None:
    """Only LIMIT and LIMIT_MAKER work; no market leg sized in quote."""
    assert refused(venue_at(), oto(request(BUY, "0.1"), request(SELL, "0.1", "41000")))[0] == -1159
    assert (
        refused(venue_at(), oto(request(BUY, "0.1", "39000"), request(SELL, None, quote="100")))[0] == -1106
    )


def test_amending_the_orders_of_an_oto_one_by_one() -> None:
    """Working and pending have amounts of their own."""
    venue = venue_at()
    place(venue, oto(request(BUY, "0.1", "39000"), request(SELL, "0.1", "41000")))
    venue.amend_order("a", SYMBOL, order_id=1, new_amount=D("0.05"), now=NOW)
    venue.amend_order("a", SYMBOL, order_id=2, new_amount=D("0.04"), now=NOW)
    assert [order.amount for order in venue.open_orders("a")] == [D("0.05"), D("0.04")]
    assert (locked(venue), locked(venue, BTC)) == (D(1950), D(0))
    venue.check()
    move(venue, "39000")
    assert locked(venue, BTC) == D("0.04")
    venue.check()


# --- OPO and OPOCO -----------------------------------------------------------------------------------

NO_BTC = {USDT: D(100_000)}


def leg(price: str = "41000") -> NewOrder:
    return request(SELL, None, price)


def test_what_an_opo_buys_is_locked_for_its_leg_from_the_first_fill() -> None:
    """Not free in between; without free base of its own the commission comes out of it, and the lot cuts the rest."""
    venue = venue_at(funds=NO_BTC, depth_levels=1, depth_quote=D("0.01"))
    placed = place(venue, oto(request(BUY, "0.1", "39000"), leg(), pays=True))
    assert [order.amount for order in placed.orders] == [D("0.1"), D(0)]
    move(venue, "39500")
    venue.deposit("b", BTC, D(1), NOW)
    sell(venue, "0.04", "39000", account="b")
    assert (free(venue, BTC), locked(venue, BTC) > D("0.039")) == (D(0), True)
    venue.check()
    move(venue, "39000")
    sells = venue.order("a", SYMBOL, order_id=2)
    fees = sum(fill.fee for fill in venue.fills("a", SYMBOL))
    assert fees > 0
    assert (sells.status, sells.amount) == (NEW, (D("0.1") - fees) // D("0.00001") * D("0.00001"))
    assert locked(venue, BTC) == sells.amount
    assert free(venue, BTC) == D("0.1") - fees - sells.amount
    venue.check()


def test_free_funds_of_the_asset_pay_the_commission_of_an_opo() -> None:
    """Then all that was bought is sold."""
    venue = venue_at(funds=NO_BTC | {BTC: D("0.5")})
    place(venue, oto(request(BUY, "0.1", "39000"), leg(), pays=True))
    move(venue, "39000")
    assert venue.order("a", SYMBOL, order_id=2).amount == D("0.1")
    assert free(venue, BTC) == D("0.5") - D("0.0001")
    venue.check()


def test_commission_in_the_received_fee_asset_comes_out_of_what_was_received() -> None:
    """The FAQ's exception: what is bought is the fee asset itself."""
    fees = AccountFees(FREE.maker + D("0.001"), FREE.taker, asset=BTC)  # type: ignore[arg-type]  # a Decimal is a FeeRate at run time
    venue = venue_at(funds=NO_BTC | {BTC: D("0.5")}, fees=fees)
    place(venue, oto(request(BUY, "0.1", "39000"), leg(), pays=True))
    move(venue, "39000")
    assert venue.order("a", SYMBOL, order_id=2).amount == D("0.0999")
    assert free(venue, BTC) == D("0.5")
    venue.check()


def test_an_opoco_sells_what_it_bought_once() -> None:
    """Two legs, one lock over what was bought."""
    venue = venue_at(funds=NO_BTC, fees=FREE)
    pair = oco(None)
    placed = place(venue, oto(request(BUY, "0.1", "39500"), *pair.legs, pays=True))
    assert refused_amend(venue) == (-2038, "Order amend (pending OPO order) is not supported.")
    move(venue, "39400")
    assert statuses(venue, placed) == [FILLED, NEW, NEW]
    assert (locked(venue, BTC), free(venue, BTC)) == (D("0.1"), D(0))
    venue.check()
    venue.amend_order("a", SYMBOL, order_id=2, new_amount=D("0.05"), now=NOW)
    assert (locked(venue, BTC), free(venue, BTC)) == (D("0.05"), D("0.05"))
    move(venue, "41000")
    assert statuses(venue, placed) == [FILLED, EXPIRED, FILLED]
    venue.check()


def refused_amend(venue: Venue) -> tuple[int, str]:
    with pytest.raises(VenueRefusal) as refusal:
        venue.amend_order("a", SYMBOL, order_id=2, new_amount=D("0.05"), now=NOW)
    return refusal.value.code, refusal.value.message


def test_cancelling_a_partly_filled_opo_frees_what_it_bought() -> None:
    """The funds were locked for a leg that will never be."""
    venue = venue_at(funds=NO_BTC | {BTC: D(0)}, fees=FREE, depth_levels=1, depth_quote=D("0.01"))
    placed = place(venue, oto(request(BUY, "0.1", "39000"), leg(), pays=True))
    move(venue, "39500")
    venue.deposit("b", BTC, D(1), NOW)
    sell(venue, "0.04", "39000", account="b")
    venue.cancel_order("a", SYMBOL, order_id=1, now=NOW)
    bought = venue.order("a", SYMBOL, order_id=1).executed_amount
    assert bought > 0
    assert (free(venue, BTC), locked(venue, BTC)) == (bought, D(0))
    assert statuses(venue, placed) == [CANCELED, CANCELED]
    venue.check()


def test_what_is_too_little_to_sell_ends_an_opo() -> None:
    """Filters are asked when the working order has filled: the leg expires as REJECTED and the funds are free."""
    venue = venue_at(funds=NO_BTC, fees=FREE)
    cheap = leg("8001")._replace(price=D(8001))
    placed = place(venue, oto(request(BUY, "0.0005", "39000"), cheap, pays=True))
    move(venue, "39000")
    assert (statuses(venue, placed), reasons(venue, placed)) == ([FILLED, EXPIRED], ["", "REJECTED"])
    assert (free(venue, BTC), locked(venue, BTC)) == (D("0.0005"), D(0))
    venue.check()


def test_an_opo_buys_and_then_sells() -> None:
    """Nothing else is possible."""
    sells = oto(request(SELL, "0.1", "41000"), leg(), pays=True)
    assert refused(venue_at(), sells) == (-1222, "Working order in an OPO list must be a bid.")
    buys = oto(request(BUY, "0.1", "39000"), request(BUY, None, "38000"), pays=True)
    assert refused(venue_at(), buys) == (-1223, "Pending orders in an OPO list must be asks.")


def test_list_ids_count_over_all_markets() -> None:
    """A list is asked for without its market, so its id is the venue's."""
    venue = venue_at()
    ids = [place(venue, oco("0.01")).order_list.order_list_id for _ in range(3)]
    assert ids == [0, 1, 2]
    assert [row.order_list_id for row in venue.order_lists("a", from_id=1)] == [1, 2]
    assert [row.order_list_id for row in venue.order_lists("a", limit=1)] == [2]
    assert venue.order_lists("b") == ()
