"""User and market events over real WebSockets: nothing lost, nothing merged, every gap told, back for ever."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from gridtide.domain.errors import Defect
from gridtide.domain.events import (
    BalancesUpdated,
    BookUpdated,
    FundsMoved,
    OrderUpdated,
    StreamInterrupted,
    StreamRestored,
)
from gridtide.domain.order import OrderStatus
from gridtide.exchanges import binance_stream
from gridtide.exchanges.binance import BinanceExchange
from tests.exchanges.fake_binance import API_KEY, FakeBinance, Reply
from tests.exchanges.listening import Listening, listening
from tests.exchanges.orders import CLIENT_ID, SYMBOL, report, trade_report


def position(free: str = "1") -> dict[str, Any]:
    return {"e": "outboundAccountPosition", "E": 1, "u": 1, "B": [{"a": "BTC", "f": free, "l": "0.5"}]}


TICK = {"u": 5001, "s": "BTCUSDT", "b": "49990.00", "B": "0.8", "a": "49991.00", "A": "1.2"}
PRINT = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": 311, "p": "49990.50", "q": "0.01", "T": 1, "m": False}


# --- events ------------------------------------------------------------------------------------------


async def test_subscriptions_are_signed_and_told_once_they_stand(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """F25: by signature over the WebSocket API, first of all, so that nothing of the account is missed."""
    async with listening(exchange):
        user, market = fake.subscriptions
        assert user["method"] == "userDataStream.subscribe.signature"
        assert user["params"]["apiKey"] == API_KEY
        assert abs(user["params"]["timestamp"] - fake.now()) < 1_000
        assert len(user["params"]["signature"]) == 64
        assert market["params"] == ["btcusdt@bookTicker", "btcusdt@trade"]


async def test_the_book_is_known_before_the_market_moves(exchange: BinanceExchange) -> None:
    """A ticker comes with the next change only; a quiet market has a price all the same."""
    async with listening(exchange) as listener:
        (first, *_) = await listener.take(BookUpdated)
        assert [first.book.bid, first.book.ask, first.book.last] == [49999, 50001, 50000]


async def test_every_user_event_arrives_in_order(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F10, F28: NEW, TRADE, TRADE and the balances of one moment; CCXT would show one of them."""
    async with listening(exchange) as listener:
        for event in (
            report(),
            trade_report(311),
            trade_report(312, X="FILLED", z="0.00200000", Z="80.00100000", I=9003),
            position(),
        ):
            await fake.tell_user(event)
        (balances,) = await listener.take(BalancesUpdated)
        orders = await listener.take(OrderUpdated, 3)
    assert [o.update.status for o in orders] == [
        OrderStatus.NEW,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
    ]
    assert [o.fill and o.fill.trade_id for o in orders] == [None, 311, 312]
    fill = orders[1].fill
    assert fill is not None
    assert (fill.amount, fill.quote_amount, fill.fee.amount) == (
        Decimal("0.001"),
        Decimal("40.0005"),
        Decimal("0.000001"),
    )
    assert (fill.is_maker, fill.order_id, fill.client_order_id) == (True, "7001", CLIENT_ID)
    assert balances.balances["BTC"].locked == Decimal("0.5")  # type: ignore[index]  # an asset by its plain name


async def test_duplicates_are_passed_on(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F27: telling repeats apart is the ledger's business, by the fill's key."""
    async with listening(exchange) as listener:
        for _ in range(3):
            await fake.tell_user(trade_report())
        events = await listener.take(OrderUpdated, 3)
    assert len({event.fill.key for event in events if event.fill}) == 1


async def test_after_a_cancel_the_orders_own_id_is_told(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """`C` if it is not empty, else `c` (order-safety, "Whose id is it?")."""
    async with listening(exchange) as listener:
        await fake.tell_user(report(x="CANCELED", X="CANCELED", c="cancel-request-1", C=CLIENT_ID))
        (event,) = await listener.take(OrderUpdated)
    assert (event.update.client_order_id, event.update.status) == (CLIENT_ID, OrderStatus.CANCELED)


async def test_endings_keep_their_reason(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F22, F23: expiry reason, reject reason, and a status nobody knows."""
    async with listening(exchange) as listener:
        await fake.tell_user(report(x="EXPIRED", X="EXPIRED_IN_MATCH", eR="OCO_TRIGGER"))
        await fake.tell_user(report(x="REJECTED", X="REJECTED", r="INSUFFICIENT_BALANCES", i=-1))
        await fake.tell_user(report(x="FOO", X="FOO"))
        expired, rejected, unknown = await listener.take(OrderUpdated, 3)
    assert (expired.update.status, expired.update.expiry_reason) == (
        OrderStatus.EXPIRED_IN_MATCH,
        "OCO_TRIGGER",
    )
    assert (rejected.update.order_id, rejected.update.expiry_reason) == ("", "INSUFFICIENT_BALANCES")
    assert (unknown.update.status, unknown.update.status_text) == (OrderStatus.UNRECOGNISED, "FOO")


async def test_a_trade_without_price_or_amount_invents_no_fill(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """R9: the order's growing total makes the engine read the records."""
    async with listening(exchange) as listener:
        await fake.tell_user(trade_report(L="0.00000000"))
        await fake.tell_user(trade_report(l="0.00000000"))
        events = await listener.take(OrderUpdated, 2)
    assert [event.fill for event in events] == [None, None]


async def test_deposits_and_withdrawals_are_told(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F45."""
    async with listening(exchange) as listener:
        await fake.tell_user({"e": "balanceUpdate", "E": 1, "a": "USDT", "d": "-12.50000000", "T": 1})
        (event,) = await listener.take(FundsMoved)
    assert event == FundsMoved("USDT", Decimal("-12.5"))  # type: ignore[arg-type]  # an asset by its plain name


async def test_ticker_and_trades_make_one_book(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """Raw or wrapped; a trade moves the last price, a ticker the rest."""
    async with listening(exchange) as listener:
        await fake.tell_market({"stream": "btcusdt@bookTicker", "data": TICK})
        await fake.tell_market(PRINT)
        await listener.until(
            lambda seen: any(isinstance(e, BookUpdated) and e.book.last == Decimal("49990.5") for e in seen)
        )
        book = [event for event in listener.seen if isinstance(event, BookUpdated)][-1].book
    assert [book.bid, book.ask, book.bid_amount] == [49990, 49991, Decimal("0.8")]


async def test_arrival_times_of_fills_are_kept(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """For the latency bench: by the fill's key, on the monotonic clock."""
    loop = asyncio.get_running_loop()
    async with listening(exchange) as listener:
        before = loop.time()
        await fake.tell_user(trade_report())
        (event,) = await listener.take(OrderUpdated)
    assert event.fill is not None
    assert before < exchange.received_at[event.fill.key] < loop.time()


# --- what must do no harm ----------------------------------------------------------------------------

ODDITIES = [
    "[]",
    '[{"e": "executionReport"}]',
    "17",
    "null",
    '"text"',
    "not json at all",
    json.dumps({"subscriptionId": 0, "event": []}),
    json.dumps({"subscriptionId": 0, "event": {"e": "listStatus", "s": "BTCUSDT"}}),
    json.dumps({"subscriptionId": 0, "event": {"e": "ofNextYear", "x": [1, 2]}}),
    json.dumps({"subscriptionId": 0, "event": {"no": "kind"}}),
    json.dumps({"subscriptionId": 0, "event": report(s="ETHUSDT")}),
    json.dumps({"id": "99", "status": 200, "result": {}}),
]


@pytest.mark.parametrize("frame", ODDITIES)
async def test_frames_that_are_not_for_us_are_passed_over(
    fake: FakeBinance, exchange: BinanceExchange, frame: str
) -> None:
    """F24: the socket is not deaf afterwards, as CCXT's would be after a bare array."""
    async with listening(exchange) as listener:
        listener.forget()
        await fake.send_user_frame(frame)
        await fake.tell_user(report())
        await listener.take(OrderUpdated)
        assert listener.connections == []


LOST = [
    '{"subscriptionId": 0, "event": {"e": "executionRep',
    json.dumps({"subscriptionId": 0, "event": {"e": "executionReport"}}),
    json.dumps({"subscriptionId": 0, "event": {"e": "executionReport", "s": "BTCUSDT"}}),
    json.dumps({"subscriptionId": 0, "event": {k: v for k, v in trade_report().items() if k != "t"}}),
    json.dumps({"subscriptionId": 0, "event": trade_report(L=40000.5)}),
    json.dumps({"subscriptionId": 0, "event": trade_report(N=None)}),
    json.dumps({"subscriptionId": 0, "event": {"e": "outboundAccountPosition", "B": None}}),
    json.dumps({"subscriptionId": 0, "event": {"e": "balanceUpdate"}}),
]


@pytest.mark.parametrize("frame", LOST)
async def test_an_event_that_cannot_be_read_is_a_gap(
    fake: FakeBinance, exchange: BinanceExchange, frame: str
) -> None:
    """Something was lost, so others must reconcile; the socket goes on delivering."""
    async with listening(exchange) as listener:
        listener.forget()
        await fake.send_user_frame(frame)
        await fake.tell_user(report())
        (event,) = await listener.take(OrderUpdated)
        assert event.update.client_order_id == CLIENT_ID
        assert listener.connections == [StreamInterrupted, StreamRestored]
        assert len(fake.user_sockets) == 1


# --- reconnecting ------------------------------------------------------------------------------------


async def goes_and_comes_back(fake: FakeBinance, listener: Listening) -> None:
    """A gap is told, then its end, and events flow again over new sockets."""
    await listener.until(lambda _: listener.connections[-2:] == [StreamInterrupted, StreamRestored])
    await fake.tell_user(report())
    await listener.take(OrderUpdated)


@pytest.mark.parametrize("which", ["user_sockets", "market_sockets"])
@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_lost_socket_is_replaced(
    fake: FakeBinance, exchange: BinanceExchange, which: str, how: str
) -> None:
    """F26, F29: closed in form or cut off."""
    async with listening(exchange) as listener:
        listener.forget()
        socket = getattr(fake, which)[-1]
        if how == "close":
            await socket.close(code=1001)
        else:
            fake.abort(socket)
        await goes_and_comes_back(fake, listener)
        assert listener.connections == [StreamInterrupted, StreamRestored]
        assert len(fake.user_sockets) == 2


async def test_a_terminated_subscription_makes_a_new_connection(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """F25: CCXT waits for ever after this event."""
    async with listening(exchange) as listener:
        listener.forget()
        await fake.tell_user({"e": "eventStreamTerminated", "E": 1})
        await goes_and_comes_back(fake, listener)
        assert len(fake.user_sockets) == 2


async def test_an_announced_shutdown_is_followed_without_a_gap(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """F26: the new connection stands before the old one goes; CCXT does not know this event."""
    async with listening(exchange) as listener:
        listener.forget()
        await fake.tell_user({"e": "serverShutdown", "E": 1})
        await listener.until(lambda _: listener.connections == [StreamRestored])
        assert len(fake.user_sockets) == 2
        await fake.tell_user(report())
        await listener.take(OrderUpdated)
        assert listener.connections == [StreamRestored]


async def test_a_shutdown_told_on_the_market_stream_counts_too(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    async with listening(exchange) as listener:
        listener.forget()
        await fake.tell_market({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1}})
        await listener.until(lambda _: listener.connections == [StreamRestored])
        assert len(fake.user_sockets) == 2


async def test_a_stream_that_does_not_deliver_is_made_anew(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """F24: whoever notices that events are missing has the connection replaced, and the gap is told."""
    async with listening(exchange) as listener:
        listener.forget()
        exchange.rebuild_stream("an execution was read that no event told")
        await goes_and_comes_back(fake, listener)
        assert len(fake.user_sockets) == 2


async def test_a_key_revoked_in_mid_session_ends_the_connection(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """An error without an id is about the whole connection (protocol 3.3)."""
    async with listening(exchange) as listener:
        listener.forget()
        await fake.send_user_frame(
            json.dumps({"id": None, "status": 401, "error": {"code": -2015, "msg": "no"}})
        )
        await goes_and_comes_back(fake, listener)


async def test_a_refused_subscription_is_tried_again(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """CCXT hangs after this one; here a new socket asks again, and the reason is told once."""
    no = {
        "status": 400,
        "error": {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."},
    }
    fake.subscribe_answers.extend([no, no])
    async with listening(exchange) as listener:
        assert listener.connections == [StreamInterrupted, StreamRestored]
        (told,) = await listener.take(StreamInterrupted)
        assert "-1021" in told.reason
        assert len(fake.user_sockets) == 3


async def test_silence_makes_a_new_connection(fake: FakeBinance) -> None:
    """F24: no ping and no event for too long; every frame counts as a sign of life."""
    adapter = BinanceExchange(fake.connection(silence_seconds=0.3))
    await adapter.connect()
    try:
        async with listening(adapter) as listener:
            listener.forget()
            await listener.until(lambda _: StreamRestored in listener.connections)
            assert listener.connections[:2] == [StreamInterrupted, StreamRestored]
            (told, *_) = await listener.take(StreamInterrupted)
            assert "no frame" in told.reason
    finally:
        await adapter.close()


async def test_a_dead_line_does_not_hold_up_the_news(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """The gap is told at once and the goodbye to a line that never answers is not waited for."""
    async with listening(exchange) as listener:
        listener.forget()
        fake.stop_reading(fake.user_sockets[-1])
        async with asyncio.timeout(3):
            await fake.market_sockets[-1].close()
            await goes_and_comes_back(fake, listener)


async def test_a_server_that_is_away_is_told_once_and_found_again(fake: FakeBinance) -> None:
    """F50: many failed attempts, one gap."""
    adapter = BinanceExchange(fake.connection())
    await adapter.connect()
    try:
        async with listening(adapter) as listener:
            listener.forget()
            fake.answers["GET /api/v3/ticker/price"] = Reply(500, {"code": -1000, "msg": "no"})
            await fake.user_sockets[-1].close()
            await fake.user_socket_number(4)
            assert listener.connections == [StreamInterrupted]
            fake.answers["GET /api/v3/ticker/price"] = Reply(body={"price": "1.00"})
            await goes_and_comes_back(fake, listener)
    finally:
        await adapter.close()


async def test_a_failure_of_our_own_ends_the_stream_loudly(
    exchange: BinanceExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that nobody feeds any more would be a silent one."""

    def broken(*_: object) -> None:
        raise Defect("no feed")

    monkeypatch.setattr(exchange, "_make_feed", broken)
    with pytest.raises(Defect):
        await anext(exchange.stream(SYMBOL))


async def test_a_subscription_that_is_never_answered_is_given_up(
    fake: FakeBinance, exchange: BinanceExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CCXT would wait for ever."""
    monkeypatch.setattr(binance_stream, "ANSWER_TIMEOUT_SECONDS", 0.1)
    fake.subscribe_answers.append(None)
    async with listening(exchange) as listener:
        assert listener.connections == [StreamInterrupted, StreamRestored]


async def test_closing_ends_the_stream(fake: FakeBinance) -> None:
    adapter = BinanceExchange(fake.connection())
    await adapter.connect()
    events = adapter.stream(SYMBOL)
    assert await anext(events) is not None
    await adapter.close()
    async with asyncio.timeout(2):
        async for _ in events:
            pass


async def test_without_a_key_only_the_market_is_heard(fake: FakeBinance) -> None:
    """Paper trading: public streams need no account."""
    adapter = BinanceExchange(fake.connection(api_key="", secret=""))
    await adapter.connect()
    try:
        async with listening(adapter):
            assert len(fake.subscriptions) == 1
            assert not fake.user_sockets
    finally:
        await adapter.close()
