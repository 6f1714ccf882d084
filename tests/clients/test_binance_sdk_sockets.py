"""binance-sdk-spot over sockets: requests, session logon, user events and market streams, all in typed models."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.clients.binance_sdk import spot, unknown_fields
from tests.clients.keys import ED25519, RSA
from tests.sandbox.rest_client import RestClient

BTC = "BTCUSDT"
LIMIT = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.001}
WAIT_SECONDS = 10.0

# How the SDK itself calls aiohttp.
pytestmark = pytest.mark.filterwarnings("ignore:parameter 'timeout' of type 'float':DeprecationWarning")


@pytest.fixture(autouse=True)
def no_warnings(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The SDK warns where a type is not the declared one and where an event is unknown to it."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.getMessage() for record in caplog.records if record.name == "root"] == []


@pytest.fixture
async def api(sandbox: RunningSandbox, rest: RestClient) -> AsyncIterator[Any]:
    """A connection to the WebSocket API."""
    connection = await spot(sandbox).websocket_api.create_connection()
    yield connection
    await connection.close_connection(close_session=True)


async def data(answer: Awaitable[Any]) -> Any:
    """The typed result of a request."""
    async with asyncio.timeout(WAIT_SECONDS):
        found = (await answer).data()
    result = getattr(found, "actual_instance", None) or found
    assert unknown_fields(result.result) == []
    return result.result


async def test_quickstart(api: Any) -> None:
    """Its first request is for commissions (section 15)."""
    assert (await data(api.account_commission(symbol=BTC))).symbol == BTC


QUERIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ping", {}),
    ("time", {}),
    # not exchange_info and my_filters: the SDK's models of those answers have no place for the result
    ("execution_rules", {"symbol": BTC}),
    ("account_status", {}),
    ("account_rate_limits_orders", {}),
    ("avg_price", {"symbol": BTC}),
    ("depth", {"symbol": BTC}),
    ("klines", {"symbol": BTC, "interval": "1m"}),
    ("ui_klines", {"symbol": BTC, "interval": "1m"}),
    ("ticker24hr", {"symbol": BTC}),
    ("ticker_book", {"symbol": BTC}),
    ("ticker_price", {"symbol": BTC}),
    ("trades_aggregate", {"symbol": BTC}),
    ("trades_historical", {"symbol": BTC}),
    ("trades_recent", {"symbol": BTC}),
    ("all_orders", {"symbol": BTC}),
    ("my_trades", {"symbol": BTC}),
    ("open_orders_status", {}),
    ("session_status", {}),
    ("session_subscriptions", {}),
    ("ticker", {"symbol": BTC, "window_size": "1h"}),
    ("ticker_trading_day", {"symbol": BTC}),
    ("my_allocations", {"symbol": BTC}),
    ("my_prevented_matches", {"symbol": BTC, "order_id": 1}),
    ("all_order_lists", {}),
    ("open_order_lists_status", {}),
)


@pytest.mark.parametrize("method, params", QUERIES, ids=[name for name, _ in QUERIES])
async def test_queries(api: Any, method: str, params: dict[str, Any]) -> None:
    await data(getattr(api, method)(**params))


async def test_orders_and_their_events(api: Any) -> None:
    """A subscription by signature hears of an order placed, asked for and canceled on the same connection."""
    events: list[Any] = []
    subscription = await api.user_data_stream_subscribe_signature()
    subscription.stream.on("message", events.append)
    placed = await data(api.order_place(**LIMIT, price=40000))
    assert (await data(api.order_status(symbol=BTC, order_id=placed.order_id))).status == "NEW"
    assert (await data(api.order_cancel(symbol=BTC, order_id=placed.order_id))).status == "CANCELED"
    async with asyncio.timeout(WAIT_SECONDS):
        while len(events) < 4:  # noqa: ASYNC110  the SDK calls back; it has no event to wait for
            await asyncio.sleep(0.01)
    found = [event.actual_instance for event in events]
    assert [type(event).__name__ for event in found] == ["ExecutionReport", "OutboundAccountPosition"] * 2
    assert unknown_fields(found) == []
    await data(api.user_data_stream_unsubscribe())


async def test_many_cancels(api: Any) -> None:
    await data(api.order_test(**LIMIT, price=40000))
    await data(api.order_place(**LIMIT, price=40000))
    assert len(await data(api.open_orders_cancel_all(symbol=BTC))) == 1


async def test_changes(api: Any) -> None:
    """Cancel and replace, then amend what replaced it."""
    old = await data(api.order_place(**LIMIT, price=40000))
    answer = await data(
        api.order_cancel_replace(
            **LIMIT, price=41000, cancel_replace_mode="STOP_ON_FAILURE", cancel_order_id=old.order_id
        )
    )
    new_id = answer.new_order_response.order_id
    amended = await data(api.order_amend_keep_priority(symbol=BTC, order_id=new_id, new_qty=0.0005))
    assert amended.amended_order.qty == "0.00050000"
    assert len(await data(api.order_amendments(symbol=BTC, order_id=new_id))) == 1


async def test_order_lists(api: Any) -> None:
    placed = await data(
        api.order_list_place_oco(
            symbol=BTC,
            side="SELL",
            quantity=0.001,
            above_type="LIMIT_MAKER",
            above_price=55000,
            below_type="STOP_LOSS",
            below_stop_price=45000,
        )
    )
    found = await data(api.order_list_status(order_list_id=placed.order_list_id))
    assert found.contingency_type == "OCO"
    gone = await data(api.order_list_cancel(symbol=BTC, order_list_id=placed.order_list_id))
    assert gone.list_order_status == "ALL_DONE"


async def test_a_session(sandbox: RunningSandbox, rest: RestClient) -> None:
    """Logged on with an Ed25519 key, requests and the user stream need no signature."""
    client = spot(sandbox, api_key=ED25519.key, private_key=ED25519.private)
    connection = await client.websocket_api.create_connection()
    try:
        assert (await data(connection.session_logon())).api_key == ED25519.key
        assert (await data(connection.session_status())).api_key == ED25519.key
        await connection.user_data_stream_subscribe()
        assert len(await data(connection.session_subscriptions())) == 1
        placed = await data(connection.order_place(**LIMIT, price=40000))
        assert (
            await data(connection.order_cancel(symbol=BTC, order_id=placed.order_id))
        ).status == "CANCELED"
        await data(connection.session_logout())
    finally:
        await connection.close_connection(close_session=True)


async def test_an_rsa_key(sandbox: RunningSandbox, rest: RestClient) -> None:
    client = spot(sandbox, api_key=RSA.key, private_key=RSA.private)
    connection = await client.websocket_api.create_connection()
    try:
        assert (await data(connection.account_status())).can_trade is True
    finally:
        await connection.close_connection(close_session=True)


STREAMS = {
    "agg_trade": {"symbol": "btcusdt"},
    "avg_price": {"symbol": "btcusdt"},
    "book_ticker": {"symbol": "btcusdt"},
    "diff_book_depth": {"symbol": "btcusdt"},
    "kline": {"symbol": "btcusdt", "interval": "1m"},
    "mini_ticker": {"symbol": "btcusdt"},
    "partial_book_depth": {"symbol": "btcusdt", "levels": "5"},
    "ticker": {"symbol": "btcusdt"},
    "trade": {"symbol": "btcusdt"},
    "all_mini_ticker": {},
}
WINDOWS = {
    "kline_offset": {"symbol": "btcusdt", "interval": "1d"},
    "rolling_window_ticker": {"symbol": "btcusdt", "window_size": "1h"},
    "all_market_rolling_window_ticker": {"window_size": "1h"},
}


async def first_payloads(sandbox: RunningSandbox, streams: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The first payload of each stream while the market trades; at the end all are unsubscribed."""
    connection = await spot(sandbox).websocket_streams.create_connection()
    got: dict[str, Any] = {}
    try:
        handles = []
        for method, params in streams.items():
            handle = await getattr(connection, method)(**params)
            handle.on("message", lambda payload, method=method: got.setdefault(method, payload))
            handles.append(handle)
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while len(got) < len(streams) and asyncio.get_running_loop().time() < deadline:
            await asyncio.to_thread(sandbox.move, str(50_000 + len(got) % 2), volume="1")
            await asyncio.sleep(0.05)
        for handle in handles:
            await handle.unsubscribe()
    finally:
        await connection.close_connection(close_session=True)
    return got


@pytest.mark.parametrize("streams", [STREAMS, WINDOWS], ids=["streams", "windows"])
async def test_market_streams(sandbox: RunningSandbox, streams: dict[str, dict[str, str]]) -> None:
    """Every stream of the SDK gives a payload of its model, with no field too many."""
    got = await first_payloads(sandbox, streams)
    assert set(got) == set(streams)
    for name, payload in got.items():
        assert not isinstance(payload, dict), name
        assert unknown_fields(payload) == [], name
