"""python-binance's async client: REST, market sockets, user events and orders over the WebSocket API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from binance import DepthCacheManager
from binance.exceptions import BinanceAPIException

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.clients.keys import ED25519, RSA, KeyPair
from tests.clients.python_binance import async_client, private_key, socket_manager
from tests.sandbox.rest_client import RestClient

T = TypeVar("T")

BTC = "BTCUSDT"
LIMIT = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}


@pytest.fixture
async def client(sandbox: RunningSandbox, rest: RestClient) -> AsyncIterator[Any]:
    found = await async_client(sandbox)
    yield found
    await found.close_connection()


async def while_moving(sandbox: RunningSandbox, waiting: Awaitable[T]) -> T:
    """Wait for something while the market trades up and down."""
    task = asyncio.ensure_future(waiting)
    async with asyncio.timeout(8):
        for number in range(10_000):
            if task.done():
                break
            await asyncio.to_thread(sandbox.move, str(50_000 + number % 2), volume="1")
            await asyncio.sleep(0.02)
        return await task


async def test_quickstart(client: Any) -> None:
    """Exchange information, a price, candles as a list and one by one (section 15)."""
    assert (await client.get_exchange_info())["timezone"] == "UTC"
    assert (await client.get_symbol_ticker(symbol=BTC))["price"] == "50000.00000000"
    assert await client.get_historical_klines(BTC, "1m", "1 day ago UTC")
    assert [
        candle async for candle in await client.get_historical_klines_generator(BTC, "1m", "1 day ago UTC")
    ]


async def test_orders(client: Any) -> None:
    """Place, list and cancel over REST; a refusal raises."""
    order = await client.order_limit_buy(symbol=BTC, quantity=0.001, price="40000")
    assert [each["orderId"] for each in await client.get_open_orders(symbol=BTC)] == [order["orderId"]]
    assert (await client.cancel_order(symbol=BTC, orderId=order["orderId"]))["status"] == "CANCELED"
    with pytest.raises(BinanceAPIException, match="Unknown order sent"):
        await client.cancel_order(symbol=BTC, orderId=order["orderId"])


@pytest.mark.parametrize(
    "method, arguments, event",
    [
        ("trade_socket", (BTC,), "trade"),
        ("aggtrade_socket", (BTC,), "aggTrade"),
        ("kline_socket", (BTC,), "kline"),
        ("depth_socket", (BTC,), "depthUpdate"),
        ("symbol_miniticker_socket", (BTC,), "24hrMiniTicker"),
        ("symbol_ticker_socket", (BTC,), "24hrTicker"),
    ],
)
async def test_market_sockets(
    sandbox: RunningSandbox, client: Any, method: str, arguments: tuple[str, ...], event: str
) -> None:
    """Sockets by path, ``/ws/<stream>``."""
    async with getattr(socket_manager(sandbox, client), method)(*arguments) as socket:
        message = await while_moving(sandbox, socket.recv())
    assert (message["e"], message["s"]) == (event, BTC)


async def test_sockets_without_event_names(sandbox: RunningSandbox, client: Any) -> None:
    """Book ticker and the top of the book."""
    manager = socket_manager(sandbox, client)
    async with manager.symbol_book_ticker_socket(BTC) as socket:
        ticker = await while_moving(sandbox, socket.recv())
    assert float(ticker["b"]) < float(ticker["a"])
    async with manager.depth_socket(BTC, depth="5") as socket:
        assert len((await while_moving(sandbox, socket.recv()))["bids"]) == 5


async def test_many_streams_on_one_socket(sandbox: RunningSandbox, client: Any) -> None:
    """``/stream?streams=…``: every payload says which stream it is of."""
    streams = ["btcusdt@trade", "btcusdt@bookTicker", "!miniTicker@arr"]
    async with socket_manager(sandbox, client).multiplex_socket(streams) as socket:

        async def all_of_them() -> set[str]:
            seen: set[str] = set()
            while len(seen) < len(streams):
                seen.add((await socket.recv())["stream"])
            return seen

        assert await while_moving(sandbox, all_of_them()) == set(streams)


async def test_the_depth_cache(sandbox: RunningSandbox, client: Any, rest: RestClient) -> None:
    """Snapshot and updates join without a gap: after each update the cache equals the REST book."""
    manager = socket_manager(sandbox, client)
    async with DepthCacheManager(client, symbol=BTC, bm=manager, ws_interval=100) as socket:
        cache = await while_moving(sandbox, socket.recv())
        await asyncio.to_thread(sandbox.move, "50010")
        async with asyncio.timeout(5):
            book = await asyncio.to_thread(rest.get, "/api/v3/depth", symbol=BTC, limit=5)
            while cache.get_bids()[0][0] != float(book.body["bids"][0][0]):
                cache = await socket.recv()
    assert cache.get_asks()[0] == [float(part) for part in book.body["asks"][0]]


async def test_the_user_socket(sandbox: RunningSandbox, client: Any) -> None:
    """Subscribed by signature; a market order's life in order; unsubscribed at the end."""
    async with socket_manager(sandbox, client).user_socket() as socket, asyncio.timeout(8):
        await client.order_market_buy(symbol=BTC, quantity=0.001)
        events = [await socket.recv() for _ in range(3)]
    assert [(each["e"], each.get("x"), each.get("X")) for each in events] == [
        ("executionReport", "NEW", "NEW"),
        ("executionReport", "TRADE", "FILLED"),
        ("outboundAccountPosition", None, None),
    ]


async def test_queries_over_the_websocket(client: Any) -> None:
    """The ``ws_get_*`` calls."""
    async with asyncio.timeout(8):
        assert await client.ws_ping() == {}
        assert "serverTime" in await client.ws_get_time()
        assert (await client.ws_get_exchange_info(symbol=BTC))["symbols"][0]["symbol"] == BTC
        assert (await client.ws_get_order_book(symbol=BTC))["bids"]
        assert await client.ws_get_recent_trades(symbol=BTC)
        assert await client.ws_get_historical_trades(symbol=BTC)
        assert await client.ws_get_aggregate_trades(symbol=BTC)
        assert await client.ws_get_klines(symbol=BTC, interval="1m")
        assert await client.ws_get_uiKlines(symbol=BTC, interval="1m")
        assert (await client.ws_get_avg_price(symbol=BTC))["mins"] == 5
        assert (await client.ws_get_ticker(symbol=BTC))["symbol"] == BTC
        assert (await client.ws_get_symbol_ticker(symbol=BTC))["price"] == "50000.00000000"
        assert (await client.ws_get_orderbook_ticker(symbol=BTC))["symbol"] == BTC
        assert (await client.ws_get_account())["canTrade"] is True
        assert (await client.ws_get_account_rate_limits_orders())[0]["rateLimitType"] == "ORDERS"
        assert isinstance(await client.ws_get_my_trades(symbol=BTC), list)
        assert isinstance(await client.ws_get_all_orders(symbol=BTC), list)
        assert (await client.ws_get_commission_rates(symbol=BTC))["symbol"] == BTC


async def test_orders_over_the_websocket(client: Any) -> None:
    """Place, test, query, list, cancel and cancel all."""
    async with asyncio.timeout(8):
        assert await client.ws_create_test_order(**LIMIT, price="40000") == {}
        order = await client.ws_create_order(**LIMIT, price="40000")
        assert (await client.ws_get_order(symbol=BTC, orderId=order["orderId"]))["status"] == "NEW"
        assert len(await client.ws_get_open_orders(symbol=BTC)) == 1
        assert (await client.ws_cancel_order(symbol=BTC, orderId=order["orderId"]))["status"] == "CANCELED"
        await client.ws_order_limit_buy(symbol=BTC, quantity="0.001", price="40000")
        assert len(await client.ws_cancel_all_open_orders(symbol=BTC)) == 1
        assert (await client.ws_order_market_buy(symbol=BTC, quantity="0.001"))["status"] == "FILLED"
        with pytest.raises(BinanceAPIException, match="-2013"):
            await client.ws_get_order(symbol=BTC, orderId=987_654_321)


async def test_pairs_over_the_websocket(client: Any) -> None:
    """Cancel and replace; an OCO."""
    async with asyncio.timeout(8):
        old = await client.ws_create_order(**LIMIT, price="40000")
        answer = await client.ws_cancel_and_replace_order(
            **LIMIT, price="41000", cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=old["orderId"]
        )
        assert answer["newOrderResult"] == "SUCCESS"
        placed = await client.ws_create_oco_order(
            symbol=BTC,
            side="SELL",
            quantity="0.001",
            aboveType="LIMIT_MAKER",
            abovePrice="55000",
            belowType="STOP_LOSS",
            belowStopPrice="45000",
        )
        assert placed["contingencyType"] == "OCO"
        assert len(await client.ws_get_oco_open_orders()) == 1
        gone = await client.ws_cancel_oco_order(symbol=BTC, orderListId=placed["orderListId"])
        assert gone["listOrderStatus"] == "ALL_DONE"


@pytest.mark.parametrize("pair", [RSA, ED25519], ids=["RSA", "Ed25519"])
async def test_key_pairs(sandbox: RunningSandbox, rest: RestClient, tmp_path: Path, pair: KeyPair) -> None:
    """Over REST and over the WebSocket API, where the signature is not percent-encoded."""
    found = await async_client(sandbox, api_key=pair.key, private_key=private_key(tmp_path, pair.private))
    try:
        assert (await found.get_account())["canTrade"] is True
        order = await found.ws_create_order(**LIMIT, price="40000")
        assert (await found.cancel_order(symbol=BTC, orderId=order["orderId"]))["status"] == "CANCELED"
    finally:
        await found.close_connection()
