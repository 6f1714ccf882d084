"""Times in microseconds where a client asks for them, and times in either unit where it sends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from gridtide.sandbox.time_unit import answer_in_microseconds, event_in_microseconds
from gridtide.sandbox.wire import encode
from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.rest_client import Reply, RestClient, now, sign
from tests.sandbox.socket_client import connect, signed

MICROSECONDS = {"X-MBX-TIME-UNIT": "MICROSECOND"}
LATEST = 10**14
"""Every time in milliseconds is below it, every one in microseconds above."""
INVALID = {"code": -1194, "msg": "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."}


def get(rest: RestClient, path: str, headers: dict[str, str], **params: object) -> Any:
    """A signed GET's answer."""
    text = "&".join(f"{name}={value}" for name, value in {**params, "timestamp": now()}.items())
    target = f"{path}?{text}&signature={sign(text, rest.sandbox.secret)}"
    reply = rest.raw("GET", target, headers={**headers, "X-MBX-APIKEY": rest.sandbox.api_key})
    assert reply.status == 200, reply
    return reply.body


def times_in(value: object) -> Iterator[int]:
    """All numbers of an answer that can only be times."""
    match value:
        case dict():
            for each in value.values():
                yield from times_in(each)
        case list():
            for each in value:
                yield from times_in(each)
        case int() if value > 10**11:
            yield value


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond"])
@pytest.mark.parametrize("more", [{}, {"TE": "trailers"}])
def test_the_header_gives_every_time_in_microseconds(
    rest: RestClient, unit: str, more: dict[str, str]
) -> None:
    """Orders, executions, candles, trades, tickers, the clock: on the short way in and on the long one."""
    headers = {"X-MBX-TIME-UNIT": unit, **more}
    rest.order("BUY", "0.001", "60000")
    for path, params in (
        ("/api/v3/allOrders", {"symbol": "BTCUSDT"}),
        ("/api/v3/myTrades", {"symbol": "BTCUSDT"}),
        ("/api/v3/account", {}),
    ):
        found = list(times_in(get(rest, path, headers, **params)))
        assert found, path
        assert min(found) > LATEST, path
    for target in (
        "/api/v3/time",
        "/api/v3/exchangeInfo",
        "/api/v3/klines?symbol=BTCUSDT&interval=1m",
        "/api/v3/aggTrades?symbol=BTCUSDT",
        "/api/v3/trades?symbol=BTCUSDT",
        "/api/v3/ticker/24hr",
        "/api/v3/ticker?symbol=BTCUSDT",
        "/api/v3/avgPrice?symbol=BTCUSDT",
    ):
        found = list(times_in(rest.raw("GET", target, headers=headers).body))
        assert found, target
        assert min(found) > LATEST, target


@pytest.mark.parametrize("headers", [{}, {"X-MBX-TIME-UNIT": "MILLISECOND"}])
def test_milliseconds_are_the_default(rest: RestClient, headers: dict[str, str]) -> None:
    assert rest.raw("GET", "/api/v3/time", headers=headers).body["serverTime"] < LATEST


def test_an_unknown_unit_is_refused(rest: RestClient) -> None:
    """By REST, and at the handshake of both kinds of socket."""
    reply = rest.raw("GET", "/api/v3/time", headers={"X-MBX-TIME-UNIT": "SECOND"})
    assert (reply.status, reply.body) == (400, INVALID)
    for path in ("/ws-api/v3?timeUnit=SECOND", "/ws/btcusdt@trade?timeUnit=SECOND", "/stream?timeUnit=x"):
        refused = _handshake(rest.sandbox.url, path)
        assert (refused.status, refused.body) == (400, INVALID)


def _handshake(url: str, path: str) -> Reply:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=5)
    wanted = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    connection.request("GET", path, headers={**wanted, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return Reply(response.status, json.loads(body), {})


def test_streams_tell_microseconds(sandbox: RunningSandbox) -> None:
    """Each connection in its own unit, raw and wrapped, of one market at one time."""
    streams = "btcusdt@trade/btcusdt@kline_1s/btcusdt@depth@100ms/btcusdt@ticker/!miniTicker@arr"
    base = sandbox.sandbox.ws_url

    async def main() -> None:
        async with (
            connect(f"{base}/stream?streams={streams}&timeUnit=MICROSECOND") as micro,
            connect(f"{base}/ws/btcusdt@trade?timeUnit=microsecond") as raw,
            connect(f"{base}/ws/btcusdt@trade") as milli,
        ):
            await asyncio.to_thread(sandbox.move, "50001", volume="1")
            slow, fast = (await milli.read()), (await raw.read())
            assert (fast["E"], fast["T"]) == (slow["E"] * 1000, slow["T"] * 1000)
            assert fast["t"] == slow["t"]
            seen: dict[str, Any] = {}
            while len(seen) < 5:
                message = await micro.read()
                seen[message["stream"]] = message["data"]
            for name, data in seen.items():
                found = list(times_in(data))
                assert found, name
                assert min(found) > LATEST, name

    asyncio.run(main())


def test_the_websocket_api_tells_microseconds(sandbox: RunningSandbox) -> None:
    """Answers, user events and what a session knows of itself."""

    async def main() -> None:
        async with connect(f"{sandbox.ws_api_url}?timeUnit=MICROSECOND") as client:

            def params(**given: Any) -> dict[str, Any]:
                return signed(given, sandbox.api_key, sandbox.secret)

            status = await client.ask("session.status")
            assert status["result"]["connectedSince"] > LATEST
            await client.ask("userDataStream.subscribe.signature", params())
            placed = await client.ask(
                "order.place",
                params(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001"),
            )
            assert min(times_in(placed["result"])) > LATEST
            seen: set[str] = set()
            while seen != {"executionReport", "outboundAccountPosition"}:
                event = (await client.event())["event"]
                seen.add(event["e"])
                assert min(times_in(event)) > LATEST
            await client.ask("userDataStream.unsubscribe")
            assert (await client.event())["event"]["E"] > LATEST

    asyncio.run(main())


def test_what_is_no_time_stays() -> None:
    """The same letters mean other things in other events; -1 is no time."""
    update_id = 1_700_000_000_000
    book = {"u": update_id, "s": "BTCUSDT", "b": "1", "B": "1", "a": "1", "A": "1"}
    report = {
        "e": "executionReport",
        "E": 1,
        "C": "id",
        "O": 2,
        "W": 3,
        "T": 4,
        "D": -1,
        "u": -1,
        "t": update_id,
    }
    lists = {"e": "listStatus", "E": 1, "T": 2, "C": "id", "O": [{"s": "BTCUSDT", "i": 3, "c": "id"}]}
    assert event_in_microseconds(encode(book)) == encode(book)
    assert event_in_microseconds(encode(report)) == encode(
        {**report, "E": 1000, "O": 2000, "W": 3000, "T": 4000}
    )
    assert event_in_microseconds(encode([lists])) == encode([{**lists, "E": 1000, "T": 2000}])
    order = {"orderId": update_id, "workingTime": -1, "time": 5, "executionId": 7}
    assert answer_in_microseconds([order]) == [{**order, "time": 5000}]


@pytest.mark.parametrize("path", ["/api/v3/klines?interval=1s&", "/api/v3/aggTrades?"])
def test_times_are_sent_in_either_unit(sandbox: RunningSandbox, rest: RestClient, path: str) -> None:
    """A start one microsecond after a moment leaves that moment out; an end one before it too."""
    sandbox.move("50000", volume="1")
    rows = rest.raw("GET", f"{path}symbol=BTCUSDT").body
    at = [row[0] if isinstance(row, list) else row["T"] for row in rows]

    def asked(**params: int) -> list[Any]:
        text = "&".join(f"{name}={value}" for name, value in params.items())
        found: list[Any] = rest.raw("GET", f"{path}symbol=BTCUSDT&{text}").body
        return found

    assert asked(startTime=at[0] * 1000, endTime=at[-1] * 1000) == rows
    assert asked(startTime=at[0] * 1000) == asked(startTime=at[0]) == rows
    assert len(asked(startTime=at[-1] * 1000 + 1)) == 0
    assert asked(endTime=at[-1] * 1000 - 1) == [
        row for row, time in zip(rows, at, strict=True) if time < at[-1]
    ]


def test_account_histories_take_microseconds(rest: RestClient) -> None:
    """Orders and executions by a span in microseconds, which may be 24 hours long."""
    rest.order("BUY", "0.001", "60000")
    end = (now() + 1000) * 1000
    span = {"startTime": end - 86_400_000_000, "endTime": end}
    for path in ("/api/v3/allOrders", "/api/v3/myTrades"):
        assert rest.signed("GET", path, symbol="BTCUSDT", **span).body
        longer = {**span, "startTime": span["startTime"] - 1000}
        assert rest.signed("GET", path, symbol="BTCUSDT", **longer).code == -1127
