"""CCXT Pro: market streams, user events and orders over the WebSocket API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from gridtide.sandbox.server import Sandbox
from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.ccxt_clients import pro_client
from tests.sandbox.rest_client import RestClient

BTC = "BTC/USDT"


@pytest.fixture
async def client(sandbox: RunningSandbox, rest: RestClient) -> AsyncIterator[Any]:
    """A client with its markets loaded."""
    found = pro_client(sandbox)
    await found.load_markets()
    yield found
    await found.close()


async def while_moving(sandbox: RunningSandbox, watching: Awaitable[Any]) -> Any:
    """Wait for a watch call while the market goes up and down."""
    task = asyncio.ensure_future(watching)
    async with asyncio.timeout(5):
        for number in range(1000):
            if task.done():
                break
            await asyncio.to_thread(sandbox.move, str(50_000 + number % 2), volume="1")
            await asyncio.sleep(0.01)
        return await task


@pytest.mark.parametrize(
    "method, arguments, field",
    [
        ("watch_trades", (), "price"),
        ("watch_ohlcv", ("1m",), None),
        ("watch_ticker", (), "last"),
        ("watch_order_book", (), "bids"),
        ("watch_bids_asks", None, None),
        ("watch_tickers", None, None),
        ("watch_trades_for_symbols", None, "price"),
        ("watch_order_book_for_symbols", None, "bids"),
    ],
)
async def test_market_streams(
    sandbox: RunningSandbox, client: Any, method: str, arguments: Any, field: str | None
) -> None:
    """Every watch call of section 8 resolves."""
    watch = getattr(client, method)
    watching = watch([BTC]) if arguments is None else watch(BTC, *arguments)
    result = await while_moving(sandbox, watching)
    assert result
    found = result[-1] if isinstance(result, list) else result
    assert field is None or found[field]


async def test_the_long_ticker_has_bid_and_ask(sandbox: RunningSandbox, client: Any) -> None:
    ticker = await while_moving(sandbox, client.watch_ticker(BTC, {"name": "ticker"}))
    assert ticker["bid"] < ticker["ask"]


async def test_orders_are_watched(sandbox: RunningSandbox, client: Any, rest: RestClient) -> None:
    """The user stream by signature: a resting order, its fill, its trade and the balance."""
    orders = asyncio.ensure_future(client.watch_orders(BTC))
    trades = asyncio.ensure_future(client.watch_my_trades(BTC))
    balance = asyncio.ensure_future(client.watch_balance())
    await asyncio.sleep(0.2)
    placed = await asyncio.to_thread(rest.order, "BUY", "0.001", "49990")
    async with asyncio.timeout(5):
        order = (await orders)[-1]
        assert (order["id"], order["status"]) == (str(placed.body["orderId"]), "open")
        assert (await balance)["USDT"]["used"] == pytest.approx(49.99)
        orders = asyncio.ensure_future(client.watch_orders(BTC))
        await asyncio.to_thread(sandbox.move, "49900")
        assert (await trades)[-1]["order"] == order["id"]
        assert (await orders)[-1]["status"] == "closed"


async def test_orders_over_the_websocket(client: Any, rest: RestClient) -> None:
    """Place, fetch, list and cancel without REST; ids arrive as text, options leak and are ignored."""
    async with asyncio.timeout(5):
        order = await client.create_order_ws(BTC, "limit", "buy", 0.001, 40000, {"postOnly": True})
        assert (await client.fetch_order_ws(order["id"], BTC))["status"] == "open"
        assert [each["id"] for each in await client.fetch_open_orders_ws(BTC)] == [order["id"]]
        assert (await client.cancel_order_ws(order["id"], BTC))["status"] == "canceled"
        assert isinstance(await client.fetch_my_trades_ws(BTC), list)
        assert isinstance(await client.fetch_trades_ws(BTC), list)
        assert (await client.fetch_orders_ws(BTC))[-1]["status"] == "canceled"
        assert "info" in await client.fetch_balance_ws()
        assert (await client.fetch_ohlcv_ws(BTC, "1m"))[-1][4] == 50000


async def test_changes_over_the_websocket(client: Any, rest: RestClient) -> None:
    """cancelReplace, a stop order, and everything canceled at once."""
    async with asyncio.timeout(5):
        old = await client.create_order_ws(BTC, "limit", "buy", 0.001, 40000)
        new = await client.edit_order_ws(old["id"], BTC, "limit", "buy", 0.002, 41000)
        assert (new["price"], new["amount"]) == (41000, 0.002)
        stop = await client.create_order_ws(BTC, "limit", "sell", 0.001, 44000, {"stopLossPrice": 45000})
        gone = await client.cancel_all_orders_ws(BTC)
        assert {each["id"] for each in gone} == {new["id"], stop["id"]}


async def test_a_stop_order_is_watched(sandbox: RunningSandbox, client: Any, rest: RestClient) -> None:
    """Its report when it is placed, and the one when it has traded."""
    watching = asyncio.ensure_future(client.watch_orders(BTC))
    await asyncio.sleep(0.2)
    placed = await client.create_order(BTC, "limit", "sell", 0.001, 44000, {"stopLossPrice": 45000})
    async with asyncio.timeout(5):
        order = (await watching)[-1]
        assert (order["id"], order["status"], order["triggerPrice"]) == (placed["id"], "open", 45000)
        await asyncio.to_thread(sandbox.move, "45000")
        while order["status"] != "closed":
            order = (await client.watch_orders(BTC))[-1]
    assert order["filled"] == 0.001


def cut_all(sandbox: Sandbox) -> None:
    for connection in tuple(sandbox._connections._open):  # noqa: SLF001  no client can cut itself off
        connection.outbox.cut()


async def test_a_lost_user_stream_is_dialled_again(
    sandbox: RunningSandbox, client: Any, rest: RestClient
) -> None:
    """After a cut the pending call raises, the next one subscribes anew and hears events (section 10)."""
    await client.authenticate({"type": "spot"})
    watching = asyncio.ensure_future(client.watch_orders(BTC))
    await asyncio.sleep(0.1)
    sandbox.call(cut_all)
    with pytest.raises(Exception, match="Connection closed"):
        await watching
    again = asyncio.ensure_future(client.watch_orders(BTC))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(rest.order, "BUY", "0.001", "40000")
    async with asyncio.timeout(5):
        assert (await again)[-1]["status"] == "open"
