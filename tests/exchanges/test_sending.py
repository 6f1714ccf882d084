"""Orders and cancels over real HTTP: sent once whatever happens, judged by what came back."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from gridtide.domain.events import (
    CancelAccepted,
    CancelFoundNothing,
    CancelUnconfirmed,
    OrderAccepted,
    OrderNotSent,
    OrderRefused,
    OrderUnconfirmed,
    RefusalReason,
)
from gridtide.domain.order import OrderType, Side
from gridtide.exchanges.binance import BinanceExchange
from tests.exchanges.fake_binance import API_KEY, SECRET, FakeBinance, Reply
from tests.exchanges.orders import CLIENT_ID, SYMBOL, cancel_order, cancelled, filled, placed, submit_order

POST = "POST /api/v3/order"
DELETE = "DELETE /api/v3/order"

WHOLE = len(json.dumps(filled()))

FAULTS: dict[str, Reply] = {
    "reset": Reply(drop=True),
    "no answer in time": Reply(body=placed(), delay=1.0),
    **{f"cut at {n}": Reply(body=filled(), cut_at=n) for n in (0, 1, WHOLE // 2, WHOLE - 1)},
    "empty 200": Reply(body=""),
    "html 200": Reply(body="<html>hello</html>", content_type="text/html"),
    "{} 200": Reply(body={}),
    "[] 200": Reply(body=[]),
    "broken json 200": Reply(body='{"orderId": 7'),
    "other id": Reply(body=placed(clientOrderId="somebody-else")),
    "redirect": Reply(307, "", {"Location": "/api/v3/order"}),
    **{
        f"html {n}": Reply(n, "<html>x</html>", content_type="text/html")
        for n in (403, 500, 502, 503, 504, 520)
    },
    "-1006": Reply(500, {"code": -1006, "msg": "Execution status unknown."}),
    "-1007": Reply(504, {"code": -1007, "msg": "Timeout waiting for response from backend server."}),
    "-1007 as 408": Reply(408, {"code": -1007, "msg": "Timeout waiting for response from backend server."}),
    "-1008": Reply(503, {"code": -1008, "msg": "Server is currently overloaded."}),
    "duplicate": Reply(400, {"code": -2010, "msg": "Duplicate order sent."}),
}


@pytest.fixture
async def quick(fake: FakeBinance, exchange: BinanceExchange) -> BinanceExchange:
    """The adapter with a short patience for answers."""
    exchange._client.timeout = 200  # noqa: SLF001 - what a short `timeout_seconds` sets, after connecting at leisure
    return exchange


async def test_a_fault_is_unconfirmed_and_sent_once(fake: FakeBinance, quick: BinanceExchange) -> None:
    """R3, F01 to F05: one POST for one submission over the whole fault matrix."""
    for number, (fault, reply) in enumerate(FAULTS.items(), start=1):
        fake.on(POST, reply)
        verdict = await quick.submit(submit_order(quick.now()))
        assert isinstance(verdict, OrderUnconfirmed), fault
        assert verdict.client_order_id == CLIENT_ID
        assert fake.count(POST) == number, fault


async def test_a_faulty_cancel_is_unconfirmed_and_sent_once(
    fake: FakeBinance, quick: BinanceExchange
) -> None:
    """F18, F19: on a connection that was kept alive, where aiohttp would repeat a DELETE by itself."""
    for number, (fault, reply) in enumerate(FAULTS.items(), start=1):
        await quick.open_orders(SYMBOL)
        fake.on(DELETE, reply)
        assert isinstance(await quick.cancel(cancel_order()), CancelUnconfirmed), fault
        assert fake.count(DELETE) == number, fault


async def test_a_good_order_is_sent_as_strings_and_signed_with_its_commit_time(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """R11, F15: exact texts, our id, RECV, and nothing CCXT added."""
    fake.on(POST, Reply(body=placed()))
    command = submit_order(exchange.now() - 700)
    assert isinstance(await exchange.submit(command), OrderAccepted)
    (seen,) = fake.requests(POST)
    signature = seen.params.pop("signature")
    assert seen.params == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.00200",
        "price": "40000.50",
        "newClientOrderId": CLIENT_ID,
        "newOrderRespType": "FULL",
        "timestamp": str(command.signed_at),
        "recvWindow": "5000",
    }
    text = "&".join(f"{name}={value}" for name, value in seen.params.items())
    assert signature == hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


async def test_small_amounts_leave_without_an_exponent(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F15: 1E-5 would be refused."""
    fake.on(POST, Reply(body=placed()))
    await exchange.submit(submit_order(exchange.now(), price="900000", amount="0.00001"))
    assert fake.requests(POST)[0].params["quantity"] == "0.00001"


@pytest.mark.parametrize(
    "order_type, price, absent",
    [
        (OrderType.LIMIT_MAKER, "40000.50", {"timeInForce"}),
        (OrderType.MARKET, None, {"timeInForce", "price", "quoteOrderQty"}),
    ],
)
async def test_parameters_by_type(
    fake: FakeBinance, exchange: BinanceExchange, order_type: OrderType, price: str | None, absent: set[str]
) -> None:
    fake.on(POST, Reply(body=placed()))
    await exchange.submit(submit_order(exchange.now(), order_type=order_type, price=price, side=Side.SELL))
    (seen,) = fake.requests(POST)
    assert seen.params["type"] == order_type.value
    assert not absent & seen.params.keys()


@pytest.mark.parametrize("changes", [{"price": "40000.501"}, {"amount": "0.000201"}, {"amount": "0.00001"}])
async def test_an_order_off_the_markets_rules_does_not_leave(
    fake: FakeBinance, exchange: BinanceExchange, changes: dict[str, Any]
) -> None:
    """F15: CCXT would round it and send another order than the one committed."""
    reply = await exchange.submit(submit_order(exchange.now(), **changes))
    assert isinstance(reply, OrderRefused)
    assert reply.reason is RefusalReason.MARKET_RULE
    assert not fake.seen


async def test_an_order_committed_two_seconds_ago_does_not_leave(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """T4, F56: just in time is sent, later is not."""
    fake.on(POST, Reply(body=placed()))
    assert isinstance(await exchange.submit(submit_order(exchange.now() - 1_500)), OrderAccepted)
    late = await exchange.submit(submit_order(exchange.now() - 2_001))
    assert isinstance(late, OrderNotSent)
    assert fake.count(POST) == 1


async def test_paper_trading_sends_neither_orders_nor_cancels(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """Even with a key that could."""
    exchange._settings = replace(exchange._settings, mode="paper")  # noqa: SLF001 - paper's own addresses are real
    assert isinstance(await exchange.submit(submit_order(exchange.now())), OrderNotSent)
    assert isinstance(await exchange.cancel(cancel_order()), CancelUnconfirmed)
    assert not fake.seen


async def test_nobody_listening_proves_that_nothing_was_sent(
    fake: FakeBinance, exchange: BinanceExchange, unused_tcp_port: int
) -> None:
    """The one failure of the network that is no riddle."""
    api = exchange._client.urls["api"]  # noqa: SLF001 - the server goes away after the adapter connected
    api["private"] = f"http://127.0.0.1:{unused_tcp_port}/api/v3"
    assert isinstance(await exchange.submit(submit_order(exchange.now())), OrderNotSent)
    assert isinstance(await exchange.cancel(cancel_order()), CancelUnconfirmed)


@pytest.mark.parametrize(
    "reply, verdict",
    [
        (Reply(400, {"code": -2011, "msg": "Unknown order sent."}), CancelFoundNothing),
        (
            Reply(400, {"code": -2011, "msg": "Order was not canceled due to cancel restrictions."}),
            CancelUnconfirmed,
        ),
        (Reply(body=cancelled(executedQty="0.00100000")), CancelAccepted),
    ],
)
async def test_cancel_answers(
    fake: FakeBinance, exchange: BinanceExchange, reply: Reply, verdict: type[Any]
) -> None:
    """T16 to T18 over the wire."""
    fake.on(DELETE, reply)
    assert isinstance(await exchange.cancel(cancel_order()), verdict)


async def test_a_cancel_names_the_order_once(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """By the exchange's id where it is known, by ours for the probe of T10."""
    fake.on(DELETE, Reply(body=cancelled()), Reply(body=cancelled()))
    await exchange.cancel(cancel_order(order_id="7001"))
    await exchange.cancel(cancel_order())
    first, second = (seen.params for seen in fake.requests(DELETE))
    assert (first["orderId"], "origClientOrderId" in first) == ("7001", False)
    assert (second["origClientOrderId"], "orderId" in second) == (CLIENT_ID, False)


async def test_a_refused_timestamp_has_the_clock_measured(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """F53: a sure refusal; the next order is signed with the new time."""
    fake.clock_error_ms = 3_000
    fake.on(
        POST, Reply(400, {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."})
    )
    reply = await exchange.submit(submit_order(exchange.now()))
    assert isinstance(reply, OrderRefused)
    assert reply.reason is RefusalReason.CLOCK
    for _ in range(200):
        if abs(exchange.now() - fake.now()) < 500:
            break
        await exchange.open_orders(SYMBOL)
    assert abs(exchange.now() - fake.now()) < 500
    assert fake.count(POST) == 1


async def test_after_a_ban_nothing_leaves(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F51: on 418 all calls stop until it is over, orders and cancels too."""
    banned = {"code": -1003, "msg": "Way too much request weight used; IP banned until 1790000000000."}
    fake.on(POST, Reply(418, banned, {"Retry-After": "120"}))
    reply = await exchange.submit(submit_order(exchange.now()))
    assert isinstance(reply, OrderRefused)
    assert (reply.reason, reply.retry_after_seconds) == (RefusalReason.RATE_LIMIT, 120)
    fake.seen.clear()
    assert exchange.send_capacity() == 0
    assert isinstance(await exchange.submit(submit_order(exchange.now())), OrderNotSent)
    assert isinstance(await exchange.cancel(cancel_order()), CancelUnconfirmed)
    assert not fake.seen


async def test_too_many_orders_stops_orders_only(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F14: -1015 is about orders; cancels and reads go on."""
    text = {"code": -1015, "msg": "Too many new orders; current limit is 100 orders per 10 SECOND."}
    fake.on(POST, Reply(429, text, {"Retry-After": "5"}))
    fake.on(DELETE, Reply(body=cancelled()))
    assert isinstance(await exchange.submit(submit_order(exchange.now())), OrderRefused)
    assert exchange.send_capacity() == 0
    assert isinstance(await exchange.cancel(cancel_order()), CancelAccepted)
    assert await exchange.open_orders(SYMBOL) == ()


async def test_the_order_budget_is_never_overdrawn(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F14: what the day's limit does not hold is not sent; the exchange's own count is learnt from its headers."""
    fake.on(POST, Reply(body=placed(), headers={"X-MBX-ORDER-COUNT-1D": "199998"}))
    fake.answers[POST] = Reply(body=placed())
    replies = [await exchange.submit(submit_order(exchange.now())) for _ in range(5)]
    assert [type(reply) for reply in replies] == [OrderAccepted] * 3 + [OrderNotSent] * 2
    assert fake.count(POST) == 3
    assert exchange.send_capacity() == 0


async def test_each_submission_leaves_its_timing(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """For the latency bench: called, signed, written, answered, in this order."""
    fake.on(POST, Reply(body=placed()))
    await exchange.submit(submit_order(exchange.now()))
    ((client_order_id, timing),) = exchange.send_timings
    assert client_order_id == CLIENT_ID
    assert timing.called < timing.signed < timing.written < timing.answered


async def test_the_library_logs_no_secret_at_any_level(
    fake: FakeBinance, exchange: BinanceExchange, caplog: pytest.LogCaptureFixture
) -> None:
    """F71: CCXT writes signed addresses and keys at DEBUG if it is let."""
    caplog.set_level(logging.DEBUG)
    fake.on(POST, Reply(body=placed()))
    fake.on(DELETE, Reply(502, "no"))
    await exchange.submit(submit_order(exchange.now()))
    await exchange.cancel(cancel_order())
    assert API_KEY not in caplog.text
    assert "signature" not in caplog.text


async def test_secrets_show_nowhere(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F71: neither in the settings' repr nor in a reply that quotes what came back."""
    fake.on(POST, Reply(400, {"code": -1100, "msg": f"apiKey={API_KEY} signature={'ab' * 32}"}))
    reply = await exchange.submit(submit_order(exchange.now()))
    shown = f"{fake.connection()!r} {reply!r}"
    assert API_KEY not in shown
    assert SECRET not in shown
    assert "abab" not in shown
