"""Faults of events and connections: what listeners hear, while the truth is as it is."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

from gridtide.sandbox.settings import SocketSettings
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.faulty import SYMBOL, Case, fresh_case
from tests.sandbox.socket_client import SocketClient, connect, signed

SUBSCRIBE = "userDataStream.subscribe.signature"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """Connections are pinged often and cut soon."""
    sockets = SocketSettings(ping_seconds=0.1, pong_timeout_seconds=1)
    with running_sandbox(sandbox_settings(limits=GENEROUS, sockets=sockets)) as running:
        yield running


@pytest.fixture
def case(sandbox: RunningSandbox) -> Iterator[Case]:
    with fresh_case(sandbox) as fresh:
        yield fresh


@asynccontextmanager
async def listening(case: Case) -> AsyncIterator[SocketClient]:
    """A subscription to the account's events."""
    async with connect(case.sandbox.ws_api_url) as api:
        answer = await api.ask(SUBSCRIBE, _signed(case))
        assert answer["status"] == 200
        yield api


def _signed(case: Case) -> dict[str, Any]:
    return signed({}, case.sandbox.api_key, case.sandbox.secret)


async def place(case: Case, price: str = "40000") -> Any:
    return await asyncio.to_thread(case.rest.order, "BUY", "0.001", price)


async def events(api: SocketClient, count: int) -> list[str]:
    """The next events: type, and execution type of orders."""
    found = []
    for _ in range(count):
        event = (await api.event())["event"]
        found.append(f"{event['e']} {event.get('x', '')}".strip())
    return found


async def is_quiet(api: SocketClient) -> bool:
    """Whether nothing comes for a moment."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.15):  # over all, because PINGs come in between
            await api.socket.receive()
        return False
    return True


NEW, POSITION = "executionReport NEW", "outboundAccountPosition"


async def test_a_dropped_event_never_comes(case: Case) -> None:
    case.faults.add("stream.drop", event="executionReport")
    async with listening(case) as api:
        await place(case)
        assert await events(api, 1) == [POSITION]
        assert await is_quiet(api)
    assert case.statuses() == ["NEW"]


async def test_a_repeated_event_comes_again(case: Case) -> None:
    """F27."""
    case.faults.add("stream.repeat", event="executionReport", times=2, seconds=0.01)
    async with listening(case) as api:
        await place(case)
        assert sorted(await events(api, 4)) == [NEW, NEW, NEW, POSITION]


async def test_swapped_events_change_places(case: Case) -> None:
    """F28."""
    case.faults.add("stream.swap", event="executionReport", nth=1)
    async with listening(case) as api:
        await place(case)
        assert await events(api, 2) == [POSITION, NEW]


async def test_an_event_that_waits_for_a_swap_in_vain_goes_alone(case: Case) -> None:
    case.faults.add("stream.swap", event="outboundAccountPosition", seconds=0.05)
    async with listening(case) as api:
        await place(case)
        assert await events(api, 2) == [NEW, POSITION]


async def test_a_delayed_event_comes_late(case: Case) -> None:
    case.faults.add("stream.delay", event="executionReport", seconds=0.05)
    async with listening(case) as api:
        await place(case)
        assert await events(api, 2) == [POSITION, NEW]


async def test_merged_events_hold_what_both_executed(case: Case) -> None:
    case.faults.add("stream.merge", seconds=1)
    async with listening(case) as api:
        await place(case, "60000")  # NEW and TRADE become one
        event = (await api.event())["event"]
        assert (event["e"], event["x"], event["X"], event["z"]) == (
            "executionReport",
            "TRADE",
            "FILLED",
            "0.00100000",
        )
        assert await events(api, 1) == [POSITION]


async def test_a_stalled_stream_is_silent_while_pings_go_on(case: Case) -> None:
    """F24."""
    case.faults.add("stream.stall")
    url = case.sandbox.ws_api_url
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        api = SocketClient(socket)
        await api.send_text(json.dumps({"id": 1, "method": SUBSCRIBE, "params": _signed(case)}))
        assert (await api.read())["status"] == 200
        await place(case)
        message = await socket.receive(5)
        assert message.type is aiohttp.WSMsgType.PING
    assert case.statuses() == ["NEW"]


async def test_no_pong_and_no_ping(case: Case) -> None:
    """Neither are PINGs answered nor are any sent; the connection itself works."""
    case.faults.add("stream.no_pong")
    case.faults.add("stream.no_ping")
    url = case.sandbox.ws_api_url
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        await socket.ping(b"hello")
        with pytest.raises(TimeoutError):
            await socket.receive(0.35)
    async with connect(url) as api:
        assert (await api.ask("ping"))["status"] == 200


async def test_a_subscription_ends_and_the_connection_stays(case: Case) -> None:
    """F25."""
    async with listening(case) as api:
        case.faults.add("stream.terminated")
        assert await events(api, 1) == ["eventStreamTerminated"]
        await place(case)
        assert await is_quiet(api)
    async with listening(case) as again:
        await place(case)
        assert await events(again, 1) == [NEW]


async def test_the_server_announces_its_end(case: Case) -> None:
    """F26, on both kinds of connection."""
    async with listening(case) as api, connect(f"{case.sandbox.stream_url}") as market:
        case.faults.add("stream.shutdown", seconds=0.05)
        assert await events(api, 1) == ["serverShutdown"]
        assert (await market.read())["e"] == "serverShutdown"
        # At once: the server waits only so long for each client's answer to its close.
        codes = await asyncio.gather(api.closed(), market.closed())
        assert tuple(codes) == (1001, 1001)


async def test_connections_end_at_a_certain_age(case: Case) -> None:
    """The cut after 24 hours, sooner."""
    case.faults.add("stream.lifetime", seconds=0.2)
    async with listening(case) as api:
        assert await api.closed() == 1008


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1008])
async def test_every_way_to_close(case: Case, code: int) -> None:
    async with listening(case) as api, connect(case.sandbox.stream_url) as market:
        case.faults.add("stream.close", code=code, stream="user")
        assert await api.closed() == code
        await market.send_text('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        assert (await market.answer())["result"] == []


async def test_the_event_before_the_answer_and_after_it(case: Case) -> None:
    """F10: both orders are possible, over one connection."""
    order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    whole = {**order, "quantity": "0.001", "price": "40000"}
    for knob, expected in (
        ("stream.event_first", ["event", "answer"]),
        ("stream.answer_first", ["answer", "event"]),
    ):
        name = case.faults.add(knob, seconds=0.02)
        async with listening(case) as api:
            params = signed(whole, case.sandbox.api_key, case.sandbox.secret)
            await api.send_text(json.dumps({"id": 2, "method": "order.place", "params": params}))
            messages = [await api.read(), await api.read()]
            if expected[0] == "event":
                messages.append(await api.read())
                del messages[1]  # both events came before the answer
            kinds = ["answer" if "id" in message else "event" for message in messages]
            assert kinds == expected
        case.faults.remove(name)


async def test_an_unknown_event_an_array_and_a_missing_field(case: Case) -> None:
    case.faults.add("stream.unknown_event", event="executionReport", nth=1)
    case.faults.add("stream.array", event="executionReport", nth=2)
    case.faults.add("stream.missing_field", event="executionReport", nth=3, field="z")
    async with listening(case) as api:
        for _ in range(3):
            await place(case)
        assert await events(api, 3) == ["somethingNew", NEW, POSITION]
        array = (await api.event())["event"]
        assert isinstance(array, list)
        assert array[0]["e"] == "executionReport"
        assert await events(api, 1) == [POSITION]
        assert "z" not in (await api.event())["event"]


@pytest.mark.parametrize("kind", ["error", "silence"])
async def test_a_subscription_to_user_events_fails(case: Case, kind: str) -> None:
    case.faults.add(f"stream.subscribe_{kind}", count=1)
    async with connect(case.sandbox.ws_api_url) as api:
        await api.send_text(json.dumps({"id": "first", "method": SUBSCRIBE, "params": _signed(case)}))
        if kind == "error":
            assert (await api.answer())["error"]["code"] == -1000
        answer = await api.ask(SUBSCRIBE, _signed(case), request_id="second")
        assert (answer["id"], answer["status"]) == ("second", 200)


@pytest.mark.parametrize("kind", ["error", "silence"])
async def test_a_subscription_to_market_streams_fails(case: Case, kind: str) -> None:
    case.faults.add(f"stream.subscribe_{kind}", count=1)
    async with connect(case.sandbox.stream_url) as market:
        subscribe = {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}
        await market.send_text(json.dumps(subscribe))
        if kind == "error":
            assert (await market.answer())["error"]["code"] == -1000
        await market.send_text(json.dumps({**subscribe, "id": 2}))
        assert await market.answer() == {"result": None, "id": 2}


async def _depth(case: Case, market: SocketClient, price: str) -> Any:
    await asyncio.to_thread(case.sandbox.move, price)
    return await market.read()


async def test_a_gap_in_the_depth(case: Case) -> None:
    """The event after the missing one does not follow the one before it."""
    async with connect(
        f"{case.sandbox.stream_url.removesuffix('/stream/ws')}/ws/btcusdt@depth@100ms"
    ) as market:
        first = await _depth(case, market, "50100")
        case.faults.add("stream.depth_gap", nth=1)
        await asyncio.to_thread(case.sandbox.move, "50200")
        await asyncio.sleep(0.15)
        last = await _depth(case, market, "50300")
        assert last["U"] > first["u"] + 1


async def test_a_crossed_book(case: Case) -> None:
    case.faults.add("stream.crossed_book")
    async with connect(
        f"{case.sandbox.stream_url.removesuffix('/stream/ws')}/ws/btcusdt@depth5@100ms"
    ) as market:
        book = await market.read()
        assert float(book["bids"][0][0]) > float(book["asks"][0][0])


async def test_a_frozen_market_stream(case: Case) -> None:
    async with connect(f"{case.sandbox.stream_url.removesuffix('/stream/ws')}/ws/btcusdt@trade") as market:
        name = case.faults.add("stream.frozen", stream="btcusdt@*")
        await asyncio.to_thread(case.sandbox.move, "50100", volume="1")
        assert await is_quiet(market)
        case.faults.remove(name)
        await asyncio.to_thread(case.sandbox.move, "50200", volume="1")
        assert (await market.read())["p"] == "50200.00000000"


async def test_one_event_passes_several_faults(case: Case) -> None:
    """What one fault made of an event is what the next one gets."""
    case.faults.add("stream.missing_field", event="executionReport", field="z")
    case.faults.add("stream.array", event="executionReport")
    async with listening(case) as api:
        await place(case)
        event = (await api.event())["event"]
        assert isinstance(event, list)
        assert "z" not in event[0]
