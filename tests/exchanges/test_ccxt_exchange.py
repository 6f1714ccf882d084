"""The common adapter: the same promises with CCXT's coarser knowledge, and values read exactly from its structures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.commands import QueryOrder
from gridtide.domain.errors import NotPermitted, RateLimited, Transient
from gridtide.domain.events import (
    CancelFoundNothing,
    CancelUnconfirmed,
    OrderAccepted,
    OrderNotFound,
    OrderNotSent,
    OrderRefused,
    OrderUnconfirmed,
    OrderUpdated,
    ReadFailed,
    RefusalReason,
    StreamInterrupted,
    StreamRestored,
)
from gridtide.domain.market import Asset, MarketStatus
from gridtide.domain.order import OrderStatus, OrderType, Side
from gridtide.exchanges.ccxt_exchange import CcxtExchange
from gridtide.exchanges.ccxt_values import fill_of, market_of, trade_number, trade_time, update_of
from tests.exchanges.fake_binance import FakeBinance, Reply
from tests.exchanges.listening import listening
from tests.exchanges.orders import (
    CLIENT_ID,
    SYMBOL,
    cancel_order,
    cancelled,
    filled,
    placed,
    report,
    resting,
    submit_order,
    trade_report,
)
from tests.exchanges.test_sending import DELETE, FAULTS, POST

TICK_SIZE = 4
R = RefusalReason


@pytest.fixture
async def common(fake: FakeBinance) -> AsyncIterator[CcxtExchange]:
    """The common adapter with a short patience for answers."""
    adapter = CcxtExchange(fake.connection())
    await adapter.connect()
    adapter._client.timeout = 200  # noqa: SLF001 - what a short `timeout_seconds` sets, after connecting at leisure
    fake.seen.clear()
    try:
        yield adapter
    finally:
        await adapter.close()


def refused(status: int, code: int, text: str) -> Reply:
    return Reply(status, {"code": code, "msg": text})


# --- orders ------------------------------------------------------------------------------------------


async def test_a_fault_is_unconfirmed_and_sent_once(fake: FakeBinance, common: CcxtExchange) -> None:
    """R3 to R5 hold without an adapter of one's own: CCXT's order without an id is no acceptance (F04)."""
    for number, (fault, reply) in enumerate(FAULTS.items(), start=1):
        fake.on(POST, reply)
        assert isinstance(await common.submit(submit_order(common.now())), OrderUnconfirmed), fault
        assert fake.count(POST) == number, fault


async def test_a_faulty_cancel_is_unconfirmed_and_sent_once(fake: FakeBinance, common: CcxtExchange) -> None:
    for number, (fault, reply) in enumerate(FAULTS.items(), start=1):
        await common.open_orders(SYMBOL)
        fake.on(DELETE, reply)
        assert isinstance(await common.cancel(cancel_order(order_id="7001")), CancelUnconfirmed), fault
        assert fake.count(DELETE) == number, fault


@pytest.mark.parametrize("order_type", list(OrderType))
async def test_orders_leave_as_the_texts_we_gave(
    fake: FakeBinance, common: CcxtExchange, order_type: OrderType
) -> None:
    """F15: CCXT cuts and rounds; what is on the market's steps stays as it is."""
    fake.on(POST, Reply(body=placed()))
    price = None if order_type is OrderType.MARKET else "40000.50"
    command = submit_order(common.now(), order_type=order_type, price=price, amount="0.00201")
    assert isinstance(await common.submit(command), OrderAccepted)
    params = fake.requests(POST)[0].params
    assert (params["type"], Decimal(params["quantity"])) == (order_type.value, Decimal("0.00201"))
    assert params["newClientOrderId"] == CLIENT_ID
    assert "quoteOrderQty" not in params
    assert price is None or Decimal(params["price"]) == Decimal(price)


async def test_an_immediate_fill_is_accepted_with_its_totals(fake: FakeBinance, common: CcxtExchange) -> None:
    fake.on(POST, Reply(body=filled()))
    reply = await common.submit(submit_order(common.now()))
    assert isinstance(reply, OrderAccepted)
    assert (reply.update.status, reply.update.executed_quote) == (OrderStatus.FILLED, Decimal(80))


@pytest.mark.parametrize(
    "reply, reason",
    [
        (refused(400, -2010, "Account has insufficient balance for requested action."), R.INSUFFICIENT_FUNDS),
        (refused(400, -2010, "Order would immediately match and take."), R.WOULD_TAKE),
        (refused(400, -1013, "Filter failure: LOT_SIZE"), R.MARKET_RULE),
        (refused(400, -1121, "Invalid symbol."), R.OTHER),
        (refused(400, -1100, "Illegal characters."), R.OTHER),
        (refused(401, -2015, "Invalid API-key, IP, or permissions for action."), R.NOT_PERMITTED),
    ],
)
async def test_a_clear_4xx_of_a_listed_class_is_refused(
    fake: FakeBinance, common: CcxtExchange, reply: Reply, reason: RefusalReason
) -> None:
    """R5."""
    fake.on(POST, reply)
    verdict = await common.submit(submit_order(common.now()))
    assert isinstance(verdict, OrderRefused)
    assert verdict.reason is reason


@pytest.mark.parametrize("status", [408, 409, 418, 425, 429, 500, 503])
async def test_other_statuses_refuse_nothing(fake: FakeBinance, common: CcxtExchange, status: int) -> None:
    """R5: whatever the body says."""
    fake.on(POST, refused(status, -2010, "Account has insufficient balance for requested action."))
    assert isinstance(await common.submit(submit_order(common.now())), OrderUnconfirmed)


async def test_late_orders_and_paper_orders_do_not_leave(fake: FakeBinance, common: CcxtExchange) -> None:
    """T4."""
    assert isinstance(await common.submit(submit_order(common.now() - 2_500)), OrderNotSent)
    assert not fake.seen


async def test_a_cancel_answer_without_the_orders_end_leaves_it_to_a_query(
    fake: FakeBinance, common: CcxtExchange
) -> None:
    fake.on(DELETE, Reply(body={"orderId": 7001, "symbol": "BTCUSDT"}), Reply(body=cancelled()))
    assert isinstance(await common.cancel(cancel_order(order_id="7001")), CancelUnconfirmed)
    assert isinstance(await common.cancel(cancel_order(order_id="7002")), CancelUnconfirmed)
    fake.on(DELETE, refused(400, -2011, "Unknown order sent."))
    assert await common.cancel(cancel_order()) == CancelFoundNothing(CLIENT_ID)


# --- reads -------------------------------------------------------------------------------------------


async def test_reads_fail_in_the_same_words(fake: FakeBinance, common: CcxtExchange) -> None:
    """One error tree for all exchanges."""
    name = "GET /api/v3/openOrders"
    for reply, error in (
        (Reply(502, "<html></html>", content_type="text/html"), Transient),
        (Reply(200, "<html></html>", content_type="text/html"), Transient),
        (refused(401, -2014, "API-key format invalid."), NotPermitted),
        (refused(429, -1003, "Too much request weight used."), RateLimited),
    ):
        fake.answers[name] = reply
        with pytest.raises(error) as caught:
            await common.open_orders(SYMBOL)
        assert type(caught.value) is error
        assert "signature" not in str(caught.value)


async def test_orders_on_record_are_paged_by_the_time_they_were_placed(
    fake: FakeBinance, common: CcxtExchange
) -> None:
    """F46: an old order that filled a moment ago must not make the reader skip those placed since."""
    rows = [
        resting(orderId=n, time=1_000 + n, updateTime=9_999_999 if n == 1 else 1_000 + n)
        for n in range(1, 1501)
    ]

    def answer(params: dict[str, str]) -> Reply:
        start = int(params.get("startTime", "0"))
        return Reply(body=[row for row in rows if row["time"] >= start][: int(params["limit"])])

    fake.answers["GET /api/v3/allOrders"] = answer
    orders = await common.orders(SYMBOL, 0)
    assert [int(order.order_id) for order in orders] == list(range(1, 1501))


async def test_a_query_tells_not_found_from_not_known(fake: FakeBinance, common: CcxtExchange) -> None:
    """R7."""
    name = "GET /api/v3/order"
    fake.on(name, refused(400, -2013, "Order does not exist."))
    assert await common.query(QueryOrder(SYMBOL, CLIENT_ID)) == OrderNotFound(CLIENT_ID)
    fake.answers[name] = Reply(500, "no")
    assert isinstance(await common.query(QueryOrder(SYMBOL, CLIENT_ID)), ReadFailed)


# --- stream ------------------------------------------------------------------------------------------


async def test_an_order_filled_in_the_same_moment_is_not_seen_as_open(
    fake: FakeBinance, common: CcxtExchange
) -> None:
    """F28: CCXT's watch call would return the first state only; the cache after each message has them all."""
    async with listening(common) as listener:
        for event in (
            report(),
            trade_report(311),
            trade_report(312, X="FILLED", z="0.00200000", Z="80.00100000"),
        ):
            await fake.tell_user(event)
        events = await listener.take(OrderUpdated, 3)
    assert [(e.update.status, e.update.executed_amount) for e in events] == [
        (OrderStatus.NEW, Decimal(0)),
        (OrderStatus.PARTIALLY_FILLED, Decimal("0.001")),
        (OrderStatus.FILLED, Decimal("0.002")),
    ]


@pytest.mark.parametrize("frame", ["[]", '{"broken', '{"e": "kline"}'])
async def test_bad_frames_leave_the_socket_listening(
    fake: FakeBinance, common: CcxtExchange, frame: str
) -> None:
    """F24: each of these would end CCXT's receive loop for good; here they are a gap at worst."""
    async with listening(common) as listener:
        await fake.send_user_frame(frame)
        await fake.tell_user(report())
        (event, *_) = await listener.take(OrderUpdated)
        assert event.update.client_order_id == CLIENT_ID
        assert len(fake.user_sockets) == 1


async def test_a_lost_socket_is_replaced(fake: FakeBinance, common: CcxtExchange) -> None:
    async with listening(common) as listener:
        listener.forget()
        await fake.user_sockets[-1].close()
        await listener.until(lambda _: listener.connections == [StreamInterrupted, StreamRestored])
        await fake.tell_user(report())
        await listener.take(OrderUpdated)


# --- values ------------------------------------------------------------------------------------------


def structure(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "active": True,
        "precision": {"price": "0.01", "amount": "0.00001"},
        "limits": {"cost": {"min": "5", "max": None}, "price": {"min": None, "max": None}},
    } | changes


def test_a_market_needs_no_more_than_its_steps() -> None:
    """A limit that is missing is no rule."""
    market = market_of(structure(), TICK_SIZE)
    assert (market.rules.tick_size, market.rules.lot_size) == (Decimal("0.01"), Decimal("0.00001"))
    assert [market.rules.min_notional, market.rules.max_notional, market.rules.min_amount] == [5, 0, 0]
    assert market_of(structure(active=False), TICK_SIZE).status is MarketStatus.HALT


def test_decimal_places_become_steps() -> None:
    places = market_of(structure(precision={"price": "2", "amount": 5}), 2)
    assert (places.rules.tick_size, places.rules.lot_size) == (Decimal("0.01"), Decimal("0.00001"))
    with pytest.raises(ValueError, match="significant"):
        market_of(structure(), 3)


def order_structure(**changes: Any) -> dict[str, Any]:
    return {
        "id": "7001",
        "clientOrderId": CLIENT_ID,
        "side": "sell",
        "type": "limit",
        "price": "50000.00",
        "amount": "0.002",
        "filled": "0.001",
        "cost": "50",
        "status": "open",
        "timestamp": 1_790_000_000_000,
    } | changes


@pytest.mark.parametrize(
    "changes, status",
    [
        ({}, OrderStatus.PARTIALLY_FILLED),
        ({"filled": "0"}, OrderStatus.NEW),
        ({"status": "closed", "filled": "0.002"}, OrderStatus.FILLED),
        ({"status": "closed"}, OrderStatus.CANCELED),
        ({"status": "canceled"}, OrderStatus.CANCELED),
        ({"status": "expired"}, OrderStatus.EXPIRED),
        ({"status": "rejected"}, OrderStatus.REJECTED),
        ({"status": None}, OrderStatus.UNRECOGNISED),
    ],
)
def test_statuses_are_read_with_the_amounts(changes: dict[str, Any], status: OrderStatus) -> None:
    """F23: an order closed before it was filled is not filled."""
    assert update_of(order_structure(**changes), SYMBOL).status is status


def test_a_cost_that_is_not_told_is_not_available() -> None:
    """I3."""
    assert update_of(order_structure(cost=None), SYMBOL).executed_quote == -1
    assert update_of(order_structure(cost=None, filled="0"), SYMBOL).executed_quote == 0


def test_a_trade_is_read_with_its_fee() -> None:
    trade = {
        "id": "abc-1",
        "order": "7001",
        "side": "buy",
        "price": "50000",
        "amount": "0.001",
        "cost": "50",
        "fee": {"cost": "0.000001", "currency": "BTC"},
        "takerOrMaker": "maker",
        "timestamp": 1_790_000_000_000,
    }
    fill = fill_of(trade, SYMBOL, Asset("BTC"))
    assert (fill.side, fill.quote_amount, fill.fee.amount, fill.is_maker) == (
        Side.BUY,
        Decimal(50),
        Decimal("0.000001"),
        True,
    )


@given(first=st.integers(1, 2 * 10**12), later=st.integers(1, 10**6), names=st.tuples(st.text(), st.text()))
def test_trade_numbers_grow_with_time_whatever_the_ids(
    first: int, later: int, names: tuple[str, str]
) -> None:
    """A cursor over them is a cursor over time, and it fits into a database's integer."""
    one, two = trade_number(names[0], first), trade_number(names[1], first + later)
    assert one < two < 2**63
    assert trade_time(one) == first
    assert trade_number(names[0], first) == one
    assert trade_time(0) is None
