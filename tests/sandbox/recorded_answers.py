"""What the sandbox answers and sends, collected once under names, to be laid beside recorded responses."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import SocketClient, connect, signed

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.001",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "55000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "45000",
    "belowPrice": "44900",
    "belowTimeInForce": "GTC",
}
STREAMS = ("trade", "aggTrade", "bookTicker", "depth@100ms", "kline_1m")

PUBLIC = {
    "time": "time",
    "exchangeInfo": "exchangeInfo?symbol=BTCUSDT",
    "klines": "klines?symbol=BTCUSDT&interval=1m",
    "trades": "trades?symbol=BTCUSDT",
    "historicalTrades": "historicalTrades?symbol=BTCUSDT",
    "aggTrades": "aggTrades?symbol=BTCUSDT",
    "depth": "depth?symbol=BTCUSDT",
    "ticker/24hr": "ticker/24hr?symbols=%5B%22BTCUSDT%22%5D",
    "ticker/price": "ticker/price?symbol=BTCUSDT",
    "ticker/bookTicker": "ticker/bookTicker?symbol=BTCUSDT",
    "avgPrice": "avgPrice?symbol=BTCUSDT",
}


def collect(sandbox: RunningSandbox) -> dict[str, Any]:
    """Every answer and event that some recording can be compared with."""
    rest = RestClient(sandbox)
    found = {name: rest.raw("GET", f"/api/v3/{path}").body for name, path in PUBLIC.items()}
    found |= _private(rest)
    found |= asyncio.run(_events(sandbox))
    found |= asyncio.run(_streams(sandbox))
    return found


def _private(rest: RestClient) -> dict[str, Any]:
    def ask(method: str, path: str, **params: object) -> Any:
        reply = rest.signed(method, f"/api/v3/{path}", **params)
        assert reply.status == 200, reply.body
        return reply.body

    found: dict[str, Any] = {"account": ask("GET", "account")}
    found["order placed, FULL"] = ask("POST", "order", **{**MARKET, "side": "SELL"})
    found["order filled"] = ask(
        "GET", "order", symbol="BTCUSDT", orderId=found["order placed, FULL"]["orderId"]
    )
    order_id = ask("POST", "order", **LIMIT, price="40000")["orderId"]
    found["order"] = ask("GET", "order", symbol="BTCUSDT", orderId=order_id)
    found["openOrders"] = ask("GET", "openOrders")
    found["allOrders"] = ask("GET", "allOrders", symbol="BTCUSDT")
    found["order canceled"] = ask("DELETE", "order", symbol="BTCUSDT", orderId=order_id)
    for price in ("40000", "41000"):
        ask("POST", "order", **LIMIT, price=price)
    ask("POST", "orderList/oco", **OCO)
    found["openOrders canceled"] = ask("DELETE", "openOrders", symbol="BTCUSDT")
    found["myTrades"] = ask("GET", "myTrades", symbol="BTCUSDT")
    return found


async def _events(sandbox: RunningSandbox) -> dict[str, Any]:
    """The first user event of each kind that recordings exist of."""
    async with connect(sandbox.ws_api_url) as api:

        async def ask(method: str, params: Mapping[str, Any]) -> None:
            answer = await api.ask(method, signed(dict(params), sandbox.api_key, sandbox.secret))
            assert answer["status"] == 200, answer

        await ask("userDataStream.subscribe.signature", {})
        await ask("order.place", {**LIMIT, "price": "49990"})
        found = {
            "report NEW": await _event(api, lambda event: event["e"] == "executionReport"),
            "position": await _event(api, lambda event: event["e"] == "outboundAccountPosition"),
        }
        sandbox.move("49900")
        found["report FILLED as maker"] = await _event(api, lambda event: event.get("X") == "FILLED")
        sandbox.move("50000")
        await ask("order.place", {**LIMIT, "timeInForce": "IOC", "price": "40000"})
        found["report EXPIRED"] = await _event(api, lambda event: event.get("X") == "EXPIRED")
        await ask("order.place", MARKET)
        found["life of a market order"] = [
            await _event(api, lambda event: event.get("x") == "NEW"),
            await _event(api, lambda event: event.get("x") == "TRADE"),
            await _event(api, lambda event: event["e"] == "outboundAccountPosition"),
        ]
        await ask("orderList.place.oco", OCO)
        found["list status"] = await _event(api, lambda event: event["e"] == "listStatus")
        await ask("openOrders.cancelAll", {"symbol": "BTCUSDT"})
        sandbox.deposit("USDT", "1")
        found["balance update"] = await _event(api, lambda event: event["e"] == "balanceUpdate")
        return found


async def _event(api: SocketClient, wanted: Callable[[Any], bool]) -> Any:
    while True:
        message = await api.event()
        if wanted(message["event"]):
            return message


async def _streams(sandbox: RunningSandbox) -> dict[str, Any]:
    """The first message of each market stream, wrapped as on a combined connection."""
    names = "/".join(f"btcusdt@{name}" for name in STREAMS)
    found: dict[str, Any] = {}
    async with connect(sandbox.stream_url.removesuffix("/ws") + f"?streams={names}") as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        sandbox.move("50001", volume="1")
        while len(found) < len(STREAMS):
            message = await client.event()
            found.setdefault("stream " + message["stream"].partition("@")[2], message)
    return found
