"""Every operation of the table answers at both entrances, with the same result, and never with an inner error."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints import unsupported
from gridtide.sandbox.endpoints.table import ENDPOINTS
from gridtide.sandbox.websocket_api import CONNECTION_METHODS
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import Reply, RestClient
from tests.sandbox.socket_client import SocketClient, connect, signed

VALUES: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.001",
    "price": "40000",
    "stopPrice": "51000",
    "interval": "1m",
    "orderId": 1,
    "orderListId": 0,
    "origClientOrderId": "first",
    "cancelOrderId": 10**9,
    "cancelReplaceMode": "STOP_ON_FAILURE",
    "newQty": "0.001",
    "preventedMatchId": 10**6,
    "aboveType": "STOP_LOSS",
    "aboveStopPrice": "51000",
    "belowType": "LIMIT_MAKER",
    "belowPrice": "40000",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "40000",
    "workingQuantity": "0.001",
    "workingTimeInForce": "GTC",
    "pendingType": "MARKET",
    "pendingSide": "SELL",
    "pendingQuantity": "0.001",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "60000",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "39000",
}
"""A sensible value for each parameter that some operation needs."""

NEEDED_SOMETIMES = {
    "timeInForce", "quantity", "price", "orderId", "orderListId", "cancelOrderId", "preventedMatchId",
    "aboveStopPrice", "belowPrice", "workingTimeInForce", "pendingAbovePrice", "pendingBelowStopPrice",
}  # fmt: skip
"""Optional ones that an answer without an error needs."""

ONE_ID = {"/api/v3/allOrders", "/api/v3/myTrades", "/api/v3/myAllocations", "/api/v3/historicalTrades"}
"""Where an order id would leave out too much."""

WALL_TIMES = {"serverTime", "updateTime", "transactTime", "transactionTime", "openTime", "closeTime", "time"}
IDS = {"orderId", "clientOrderId", "listClientOrderId", "orderListId", "workingTime", "executionId", "orders"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(sandbox_settings(limits=GENEROUS)) as running:
        running.move("50000", volume="1")
        yield running


@pytest.fixture
async def api(sandbox: RunningSandbox) -> AsyncIterator[SocketClient]:
    async with connect(sandbox.ws_api_url) as client:
        yield client


def params_of(endpoint: Endpoint) -> dict[str, Any]:
    names = [parameter.name for parameter in endpoint.required]
    names += [
        parameter.name
        for parameter in endpoint.optional
        if parameter.name in NEEDED_SOMETIMES and endpoint.path not in ONE_ID
    ]
    params = {name: VALUES[name] for name in names}
    if "preventedMatchId" in params:
        del params["orderId"]
    if "tradingDay" in endpoint.path or endpoint.path == "/api/v3/ticker":
        params["symbol"] = VALUES["symbol"]
    return params


def over_rest(client: RestClient, endpoint: Endpoint, params: dict[str, Any]) -> Reply:
    if endpoint.right is not Right.NONE:
        return client.signed(endpoint.method, endpoint.path, **params)
    text = "&".join(f"{name}={value}" for name, value in params.items())
    return client.raw(endpoint.method, f"{endpoint.path}?{text}" if text else endpoint.path)


def without(value: Any, names: set[str]) -> Any:
    """The answer without what no two requests have in common."""
    match value:
        case dict():
            return {name: without(each, names) for name, each in value.items() if name not in names}
        case list():
            return [without(each, names) for each in value]
        case _:
            return value


@pytest.mark.parametrize(
    "endpoint", [each for each in ENDPOINTS if each.path], ids=lambda each: f"{each.method} {each.path}"
)
async def test_every_path_answers_and_its_twin_agrees(
    sandbox: RunningSandbox, api: SocketClient, endpoint: Endpoint
) -> None:
    """JSON, never a 5xx; the WebSocket method of the same row gives the same status and result."""
    client, params = RestClient(sandbox), params_of(endpoint)
    await asyncio.to_thread(client.signed, "DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    reply = await asyncio.to_thread(over_rest, client, endpoint, params)
    assert reply.status < 500, reply.body
    json.dumps(reply.body)
    if not endpoint.ws_name:
        return
    if endpoint.method != "GET":
        await asyncio.to_thread(client.signed, "DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    if endpoint.right is not Right.NONE:
        params = signed(params, sandbox.api_key, sandbox.secret)
    answer = await api.ask(endpoint.ws_name, params)
    assert answer["status"] == reply.status, (answer, reply.body)
    ours = answer.get("result", answer.get("error"))
    varies = WALL_TIMES | (set() if endpoint.method == "GET" else IDS)
    assert without(ours, varies) == without(reply.body, varies)


@pytest.mark.parametrize("method", CONNECTION_METHODS)
async def test_every_method_of_the_connection_is_known(
    sandbox: RunningSandbox, api: SocketClient, method: str
) -> None:
    answer = await api.ask(method, signed({}, sandbox.api_key, sandbox.secret))
    assert answer["status"] < 500
    assert answer.get("error", {}).get("code") != -1020


@pytest.mark.parametrize(
    "endpoint", [each for each in unsupported.ENDPOINTS if each.path], ids=lambda each: each.path
)
def test_what_is_not_supported_says_so(sandbox: RunningSandbox, endpoint: Endpoint) -> None:
    """-1020 and what the sandbox does not know; the listenKey streams are gone (410), as upstream."""
    reply = over_rest(RestClient(sandbox), endpoint, params_of(endpoint))
    if "userDataStream" in endpoint.path:
        assert (reply.status, reply.code) == (410, -1016)
    else:
        assert (reply.status, reply.code) == (400, -1020)
        assert "not supported by this sandbox" in reply.body["msg"]


async def test_an_unknown_method_is_refused_in_a_sentence(api: SocketClient) -> None:
    answer = await api.ask("order.frobnicate", {})
    assert (answer["status"], answer["error"]["code"]) == (400, -1020)
    assert "order.frobnicate" in answer["error"]["msg"]
