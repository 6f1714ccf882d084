"""Market streams: subscribing, payloads, speeds, the order book contract (protocol section 8)."""

import asyncio
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import connect

START = 1_609_459_200_000


def ws(sandbox: RunningSandbox, path: str) -> str:
    return sandbox.call(lambda running: running.ws_url) + path


async def move(sandbox: RunningSandbox, price: str, **more: Any) -> None:
    await asyncio.to_thread(sandbox.move, price, **more)


@pytest.mark.parametrize(
    "path, wrapped",
    [
        ("/ws/btcusdt@trade", False),
        ("/ws/0/btcusdt%40trade", False),
        ("/stream?streams=btcusdt@trade/other@trade", True),
    ],
)
async def test_streams_by_path(sandbox: RunningSandbox, rest: RestClient, path: str, wrapped: bool) -> None:
    """Raw under /ws, wrapped under /stream; unknown names are accepted and stay silent."""
    async with connect(ws(sandbox, path)) as client:
        assert (await client.ask("LIST_SUBSCRIPTIONS"))["result"]
        await move(sandbox, "50100", volume="1")
        message = await client.event()
        payload = message["data"] if wrapped else message
        assert ("stream" in message) is wrapped
        assert (payload["e"], payload["s"], payload["M"]) == ("trade", "BTCUSDT", True)


@pytest.mark.parametrize("path", ["/ws", "/ws/0", "/stream", "/stream/ws", "/stream/ws/17"])
async def test_subscribe_by_message(sandbox: RunningSandbox, rest: RestClient, path: str) -> None:
    """The acknowledgement comes before the data and echoes the id with its type."""
    async with connect(ws(sandbox, path)) as client:
        assert await client.ask("SUBSCRIBE", ["btcusdt@trade"], "abc") == {"result": None, "id": "abc"}
        await move(sandbox, "50100", volume="1")
        message = await client.event()
        assert ("stream" in message) is (path == "/stream")
        assert (await client.ask("LIST_SUBSCRIPTIONS", request_id=7))["id"] == 7
        assert await client.ask("UNSUBSCRIBE", ["btcusdt@trade"]) == {"result": None, "id": 1}
        client.events.clear()
        await move(sandbox, "50200", volume="1")
        assert "btcusdt@trade" not in (await client.ask("LIST_SUBSCRIPTIONS"))["result"]
        assert client.events == []


async def test_the_combined_property(sandbox: RunningSandbox, rest: RestClient) -> None:
    """SET_PROPERTY switches the wrapping of a living connection."""
    async with connect(ws(sandbox, "/ws/btcusdt@bookTicker")) as client:
        assert (await client.ask("GET_PROPERTY", ["combined"]))["result"] is False
        await client.ask("SET_PROPERTY", ["combined", True])
        assert (await client.ask("GET_PROPERTY", ["combined"]))["result"] is True
        await move(sandbox, "50100")
        assert (await client.event())["stream"] == "btcusdt@bookTicker"


@pytest.mark.parametrize(
    "text, code",
    [
        ("{", 3),
        ("[]", 2),
        ('{"id":1}', 2),
        ('{"id":1,"method":"FLY"}', 2),
        ('{"id":"\\ud800","method":"LIST_SUBSCRIPTIONS"}', 3),
        ('{"id":1.5,"method":"LIST_SUBSCRIPTIONS"}', 2),
        ('{"id":1,"method":"SUBSCRIBE","params":[]}', 2),
        ('{"id":1,"method":"SUBSCRIBE","params":[1]}', 2),
        ('{"id":1,"method":"SUBSCRIBE","params":"x"}', 2),
        ('{"id":1,"method":"SET_PROPERTY","params":["combined",1]}', 1),
        ('{"id":1,"method":"GET_PROPERTY","params":["speed"]}', 0),
        ('{"id":1,"method":"GET_PROPERTY","params":["combined",true]}', 2),
        ("[" * 100_000, 3),
    ],
)
async def test_wrong_messages(sandbox: RunningSandbox, text: str, code: int) -> None:
    """An error in the one form ccxt understands, and the connection lives on."""
    async with connect(ws(sandbox, "/ws")) as client:
        await client.socket.send_str(text)
        assert (await client.read())["error"]["code"] == code
        assert (await client.ask("LIST_SUBSCRIPTIONS"))["result"] == []


async def test_payloads_of_the_timed_streams(sandbox: RunningSandbox, rest: RestClient) -> None:
    """Every stream name the document lists sends its payload once something changed."""
    names = ["aggTrade", "miniTicker", "ticker", "kline_1m", "depth5@100ms", "depth@100ms", "avgPrice"]
    streams = [f"btcusdt@{name}" for name in names]
    async with connect(ws(sandbox, f"/stream?streams={'/'.join(streams)}/!miniTicker@arr")) as client:
        await asyncio.sleep(0.15)  # let the first payloads of the timed ones pass
        await move(sandbox, "50100", volume="2")
        seen: dict[str, Any] = {}
        while len(seen) < len(streams) + 1 or float(seen["btcusdt@ticker"]["c"]) != 50100:
            message = await client.event()
            seen[message["stream"]] = message["data"]
    aggregate, partial, diff, mini, ticker, average = (
        seen[f"btcusdt@{name}"]
        for name in ("aggTrade", "depth5@100ms", "depth@100ms", "miniTicker", "ticker", "avgPrice")
    )
    assert (aggregate["e"], aggregate["f"]) == ("aggTrade", aggregate["l"])
    assert (set(partial), len(partial["bids"])) == ({"lastUpdateId", "bids", "asks"}, 5)
    assert (diff["e"], diff["U"] <= diff["u"]) == ("depthUpdate", True)
    assert (mini["e"], ticker["e"], average["i"]) == ("24hrMiniTicker", "24hrTicker", "5m")
    assert seen["!miniTicker@arr"][0]["s"] == "BTCUSDT"
    assert (seen["btcusdt@kline_1m"]["k"]["i"], seen["btcusdt@kline_1m"]["k"]["x"]) == ("1m", False)


async def test_every_closed_candle_is_sent() -> None:
    """However fast the market is played; their times are market time, the event's is wall time."""
    with running_sandbox() as sandbox:
        sandbox.move("1", market_time=START)
        async with connect(ws(sandbox, "/ws/btcusdt@kline_1m")) as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            for minute in range(1, 6):
                await move(sandbox, str(minute + 1), market_time=START + minute * 60_000)
            events = [await client.event() for _ in range(5)]
            closed = [(event["k"]["t"], event["k"]["c"]) for event in events if event["k"]["x"]]
            assert closed[:5] == [
                (START + minute * 60_000, f"{minute + 1}.00000000") for minute in range(len(closed))
            ]
            assert len(closed) >= 4
            assert events[-1]["E"] > events[-1]["k"]["T"] + 10**9


class LocalBook:
    """A client's copy of the order book, kept by the documented rules."""

    def __init__(self, snapshot: Any) -> None:
        self.update_id = snapshot["lastUpdateId"]
        self.sides = {side: dict(snapshot[name]) for side, name in (("b", "bids"), ("a", "asks"))}

    def apply(self, event: Any) -> None:
        if event["u"] <= self.update_id:
            return
        assert event["U"] <= self.update_id + 1, "a gap in the update ids"
        for side, levels in self.sides.items():
            levels.update(event[side])
            for price in [price for price, amount in levels.items() if float(amount) == 0]:
                del levels[price]
        self.update_id = event["u"]


async def test_a_local_book_stays_equal(sandbox: RunningSandbox, rest: RestClient) -> None:
    """Snapshot plus events give the exchange's book: one sequence of ids, no gaps (checklist 4)."""
    async with connect(ws(sandbox, "/ws/btcusdt@depth@100ms")) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await move(sandbox, "50010")
        snapshot = (await asyncio.to_thread(rest.get, "/api/v3/depth", symbol="BTCUSDT", limit=5000)).body
        book = LocalBook(snapshot)
        for price in ("50020", "49990", "50005"):
            await move(sandbox, price, volume="1")
            await asyncio.to_thread(rest.order, "BUY", "0.001", "49000")
        await asyncio.to_thread(rest.signed, "DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
        final = (await asyncio.to_thread(rest.get, "/api/v3/depth", symbol="BTCUSDT", limit=5000)).body
        while book.update_id < final["lastUpdateId"]:
            book.apply(await client.event())
        assert book.sides["b"] == dict(final["bids"])
        assert book.sides["a"] == dict(final["asks"])


async def test_book_ticker_shares_the_update_ids(sandbox: RunningSandbox, rest: RestClient) -> None:
    async with connect(ws(sandbox, "/ws/btcusdt@bookTicker")) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await move(sandbox, "50030")
        event = await client.event()
        depth = (await asyncio.to_thread(rest.get, "/api/v3/depth", symbol="BTCUSDT", limit=1)).body
        assert (event["u"], [event["b"], event["B"]]) == (depth["lastUpdateId"], depth["bids"][0])
        assert "e" not in event


async def test_too_many_streams_and_messages() -> None:
    """1,024 streams a connection; 5 messages a second, PINGs included, then the connection is closed."""
    with running_sandbox(sandbox_settings()) as sandbox:
        async with connect(ws(sandbox, "/ws")) as client:
            many = [f"x{number}@trade" for number in range(1025)]
            assert (await client.ask("SUBSCRIBE", many))["error"]["code"] == 2
            for _ in range(12):
                await client.socket.ping()
            assert await client.closed() == 1008
