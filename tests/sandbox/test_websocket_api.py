"""The WebSocket API: the same handlers as REST, sessions, and user events (protocol section 9)."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from gridtide.sandbox.settings import ApiKey
from gridtide.testing.sandbox_exchange import (
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient, now
from tests.sandbox.socket_client import SocketClient, connect, signed
from tests.sandbox.test_authentication import ED25519, pem


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox whose account has an HMAC and an Ed25519 key."""
    account = account_settings()
    keys = (*account.keys, ApiKey("ed25519", public_key=pem(ED25519)))
    settings = sandbox_settings(accounts=(replace(account, keys=keys),), limits=GENEROUS)
    with running_sandbox(settings) as running:
        running.move("50000", volume="1")
        yield running


@pytest.fixture
async def api(sandbox: RunningSandbox, rest: RestClient) -> AsyncIterator[SocketClient]:
    async with connect(sandbox.ws_api_url) as client:
        yield client


def with_signature(sandbox: RunningSandbox, **params: Any) -> dict[str, Any]:
    return signed(params, sandbox.api_key, sandbox.secret)


ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}


async def test_requests_answer_as_rest_does(
    sandbox: RunningSandbox, api: SocketClient, rest: RestClient
) -> None:
    """Place, query, list, cancel: the results are those of REST, ids may be text, envelopes echo the id."""
    placed = await api.ask("order.place", with_signature(sandbox, **ORDER, price="40000"), "7")
    assert (placed["id"], placed["status"], placed["result"]["status"]) == ("7", 200, "NEW")
    assert [limit["rateLimitType"] for limit in placed["rateLimits"]] == [
        "ORDERS",
        "ORDERS",
        "REQUEST_WEIGHT",
    ]
    order_id = str(placed["result"]["orderId"])
    where = {"symbol": "BTCUSDT", "orderId": order_id}
    over_rest = await asyncio.to_thread(rest.signed, "GET", "/api/v3/order", **where)
    assert (await api.ask("order.status", with_signature(sandbox, **where)))["result"] == over_rest.body
    opened = await api.ask("v3/openOrders.status", with_signature(sandbox, symbol="BTCUSDT"))
    assert opened["result"] == [over_rest.body]
    canceled = await api.ask("order.cancel", with_signature(sandbox, **where))
    assert canceled["result"]["status"] == "CANCELED"
    account = await api.ask("account.status", with_signature(sandbox, returnRateLimits=False))
    assert account["result"]["accountType"] == "SPOT"
    assert "rateLimits" not in account


@pytest.mark.parametrize(
    "method, params",
    [
        ("ping", {}),
        ("time", {}),
        ("exchangeInfo", {"symbols": ["BTCUSDT"]}),
        ("depth", {"symbol": "BTCUSDT", "limit": 5}),
        ("trades.recent", {"symbol": "BTCUSDT"}),
        ("trades.historical", {"symbol": "BTCUSDT", "fromId": 0}),
        ("trades.aggregate", {"symbol": "BTCUSDT"}),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 2}),
        ("avgPrice", {"symbol": "BTCUSDT"}),
        ("ticker.24hr", {"symbols": ["BTCUSDT"]}),
        ("ticker.price", {}),
        ("ticker.book", {"symbol": "BTCUSDT"}),
        ("session.status", {}),
    ],
)
async def test_public_methods(api: SocketClient, method: str, params: dict[str, Any]) -> None:
    """Every public method of the document answers."""
    assert (await api.ask(method, params))["status"] == 200


@pytest.mark.parametrize(
    "method", ["order.test", "openOrders.cancelAll", "allOrders", "myTrades", "account.rateLimits.orders"]
)
async def test_signed_methods_exist(sandbox: RunningSandbox, api: SocketClient, method: str) -> None:
    """They answer, or refuse for a reason of their own."""
    params = {**ORDER, "price": "40000"} if method == "order.test" else {"symbol": "BTCUSDT"}
    answer = await api.ask(method, with_signature(sandbox, **params))
    assert answer["status"] == 200 or answer["error"]["code"] == -2011


@pytest.mark.parametrize(
    "text, code",
    [
        ("{", -1135),
        ("[]", -1135),
        ('{"id":1}', -1102),
        ('{"id":1,"method":"order.fly"}', -1020),
        ('{"id":"\\ud800","method":"ping"}', -1135),
        ('{"id":{},"method":"ping"}', -1130),
        ('{"id":true,"method":"ping"}', -1130),
        ('{"id":9223372036854775808,"method":"ping"}', -1130),
        ('{"id":1,"method":"ping","params":[1]}', -1130),
        ('{"id":1,"method":"depth","params":{"symbol":null}}', -1102),
        ('{"id":1,"method":"depth","params":{"symbol":["BTCUSDT"]}}', -1100),
        ('{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","limit":1e3}}', -1100),
        ('{"id":1,"method":"order.place","params":{}}', -2014),
        ("[" * 100_000, -1135),
    ],
)
async def test_wrong_requests(api: SocketClient, text: str, code: int) -> None:
    """An error envelope with the exchange's code, and the connection lives on."""
    await api.socket.send_str(text)
    answer = await api.read()
    assert (answer["error"]["code"], answer["status"] >= 400) == (code, True)
    assert (await api.ask("ping"))["result"] == {}


async def test_bad_signatures(sandbox: RunningSandbox, api: SocketClient) -> None:
    params = with_signature(sandbox, symbol="BTCUSDT")
    answer = await api.ask("openOrders.status", {**params, "symbol": "ETHUSDT"})
    assert (answer["status"], answer["error"]["code"]) == (400, -1022)


async def test_leaked_options_are_ignored(sandbox: RunningSandbox, api: SocketClient) -> None:
    """ccxt sends ``clientOrderId`` and ``postOnly`` along (section 9.1): a switch, off by default."""
    params = with_signature(sandbox, **ORDER, price="40000", postOnly=True)
    assert (await api.ask("order.place", params))["status"] == 200


async def subscribe(sandbox: RunningSandbox, api: SocketClient) -> int:
    answer = await api.ask("userDataStream.subscribe.signature", with_signature(sandbox))
    return int(answer["result"]["subscriptionId"])


async def events(api: SocketClient, count: int) -> list[Any]:
    return [(await api.event())["event"] for _ in range(count)]


async def test_events_of_a_resting_order(
    sandbox: RunningSandbox, api: SocketClient, rest: RestClient
) -> None:
    """NEW and the position; TRADE as maker and the position; CANCELED with both ids (section 9.3)."""
    assert await subscribe(sandbox, api) == 0
    placed = await asyncio.to_thread(rest.order, "BUY", "0.002", "49900", newClientOrderId="mine")
    new, position = await events(api, 2)
    assert (new["x"], new["X"], new["c"], new["C"], new["w"]) == ("NEW", "NEW", "mine", "", True)
    assert (new["i"], new["q"], new["t"], new["N"]) == (placed.body["orderId"], "0.00200000", -1, None)
    assert position["e"] == "outboundAccountPosition"
    assert {row["a"]: row["l"] for row in position["B"]}["USDT"] == "99.80000000"
    await asyncio.to_thread(sandbox.move, "49800")
    trade, _ = await events(api, 2)
    assert (trade["x"], trade["X"], trade["m"], trade["L"], trade["N"]) == (
        "TRADE", "FILLED", True, "49900.00000000", "BTC",
    )  # fmt: skip
    assert (trade["z"], trade["Z"], trade["n"]) == ("0.00200000", "99.80000000", "0.00000200")
    assert trade["I"] > new["I"]
    second = await asyncio.to_thread(rest.order, "BUY", "0.001", "40000", newClientOrderId="own")
    where = {"symbol": "BTCUSDT", "orderId": second.body["orderId"], "newClientOrderId": "cancel"}
    await asyncio.to_thread(rest.signed, "DELETE", "/api/v3/order", **where)
    _, _, canceled, _ = await events(api, 4)
    assert (canceled["x"], canceled["c"], canceled["C"], canceled["w"]) == (
        "CANCELED",
        "cancel",
        "own",
        False,
    )


async def test_events_of_a_market_order(sandbox: RunningSandbox, api: SocketClient) -> None:
    """NEW, TRADE…, position, in this order, wherever the order came from."""
    await subscribe(sandbox, api)
    params = with_signature(sandbox, symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.001")
    answer = await api.ask("order.place", params)
    assert answer["result"]["status"] == "FILLED"
    seen = [event.get("x", event["e"]) for event in await events(api, 3)]
    assert seen == ["NEW", "TRADE", "outboundAccountPosition"]


async def test_deposits_are_told(sandbox: RunningSandbox, api: SocketClient) -> None:
    await subscribe(sandbox, api)
    await asyncio.to_thread(sandbox.deposit, "USDT", "12.5")
    update, position = await events(api, 2)
    assert (update["e"], update["a"], update["d"]) == ("balanceUpdate", "USDT", "12.50000000")
    assert position["e"] == "outboundAccountPosition"


async def test_subscriptions(sandbox: RunningSandbox, api: SocketClient) -> None:
    """One per account and connection (-2035); every connection hears; unsubscribing is told."""
    first = await subscribe(sandbox, api)
    again = await api.ask("userDataStream.subscribe.signature", with_signature(sandbox))
    assert again["error"]["code"] == -2035
    async with connect(sandbox.ws_api_url) as other:
        assert await subscribe(sandbox, other) == 0
        await asyncio.to_thread(sandbox.deposit, "USDT", "1")
        assert (await api.event())["event"]["e"] == (await other.event())["event"]["e"] == "balanceUpdate"
    api.events.clear()
    answer = await api.ask("userDataStream.unsubscribe", {"subscriptionId": first})
    assert (answer["status"], answer["result"]) == (200, {})
    while (ended := await api.event())["event"]["e"] != "eventStreamTerminated":
        pass
    assert ended["subscriptionId"] == first
    assert await subscribe(sandbox, api) == first + 1


def log_on_params(key: str = "ed25519") -> dict[str, Any]:
    timestamp = now()
    text = f"apiKey={key}&timestamp={timestamp}"
    signature = base64.b64encode(ED25519.sign(text.encode())).decode()
    return {"apiKey": key, "timestamp": timestamp, "signature": signature}


async def test_sessions(sandbox: RunningSandbox, api: SocketClient) -> None:
    """After session.logon with an Ed25519 key requests need only a timestamp; HMAC keys cannot log on."""
    assert (await api.ask("userDataStream.subscribe"))["status"] == 401
    assert (await api.ask("session.logon", with_signature(sandbox)))["error"]["code"] == -4056
    assert (await api.ask("account.status", {"timestamp": now()}))["error"]["code"] == -2014
    assert (await api.ask("session.logon", log_on_params()))["result"]["apiKey"] == "ed25519"
    assert (await api.ask("account.status", {"timestamp": now()}))["status"] == 200
    assert (await api.ask("account.status", {"timestamp": 1}))["error"]["code"] == -1021
    assert (await api.ask("userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
    assert (await api.ask("session.status"))["result"]["userDataStream"] is True
    assert (await api.ask("session.logout"))["result"]["apiKey"] is None
    assert (await api.event())["event"]["e"] == "eventStreamTerminated"
    assert (await api.ask("account.status", {"timestamp": now()}))["error"]["code"] == -2014


async def test_a_session_ends_with_its_key(sandbox: RunningSandbox, api: SocketClient) -> None:
    """The next request is refused without an id and ends the session, as if it had logged out."""
    key = ApiKey("shortlived", public_key=pem(ED25519))
    sandbox.call(lambda running: running.exchange.keys.add("main", key))
    await api.ask("session.logon", log_on_params("shortlived"))
    await api.ask("userDataStream.subscribe")
    assert (await api.ask("order.status", {"timestamp": now(), "symbol": "BTCUSDT", "orderId": 10**9}))[
        "id"
    ] == 1
    sandbox.call(lambda running: running.exchange.keys.revoke("shortlived"))
    assert (await api.ask("time"))["id"] == 1
    refused = await api.ask("account.status", {"timestamp": now()})
    assert (refused["id"], refused["status"], refused["error"]["code"]) == (None, 401, -2015)
    assert (await api.event())["event"]["e"] == "eventStreamTerminated"
    assert (await api.ask("session.status"))["result"]["apiKey"] is None


async def test_limits_over_the_websocket() -> None:
    """429 and 418 carry ``retryAfter`` as an epoch ms; connecting weighs 2."""
    limits = replace(GENEROUS, request_weight_per_minute=102)
    with running_sandbox(sandbox_settings(limits=limits)) as sandbox:
        async with connect(f"{sandbox.ws_api_url}?returnRateLimits=false") as api:
            answer = await api.ask("ticker.24hr", {"returnRateLimits": True})
            assert answer["rateLimits"][0]["count"] == 82
            refused = await api.ask("ticker.24hr")
            assert (refused["status"], refused["error"]["code"]) == (429, -1003)
            assert refused["error"]["data"]["retryAfter"] % 60_000 == 0
            assert "rateLimits" not in refused
