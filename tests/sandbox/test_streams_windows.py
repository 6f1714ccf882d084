"""Streams of windows, of all markets, of candles eight hours ahead, of joined trades; and what was retired."""

import asyncio
from typing import Any

import pytest

from gridtide.sandbox.stream_names import STREAMS
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import SocketClient, connect

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_609_459_200_000
"""2021-01-01, midnight UTC."""


def ws(sandbox: RunningSandbox, path: str) -> str:
    return sandbox.call(lambda running: running.ws_url) + path


async def move(sandbox: RunningSandbox, price: str, **more: Any) -> None:
    await asyncio.to_thread(sandbox.move, price, **more)


async def heard(client: SocketClient, streams: set[str]) -> dict[str, Any]:
    """The newest payload of each of these streams, once every one has sent."""
    found: dict[str, Any] = {}
    while set(found) < streams:
        message = await client.event()
        found[message["stream"]] = message["data"]
    return found


def examples() -> set[str]:
    """One stream of each name that the docs list."""
    filled = (
        name.replace("<symbol>", "btcusdt")
        .replace("<interval>", "1m")
        .replace("<window>", "4h")
        .replace("<levels>", "10")
        for name, _, _ in STREAMS
    )
    return set(filled)


async def test_every_stream_that_the_docs_list_sends(sandbox: RunningSandbox, rest: RestClient) -> None:
    """Each sends its payload when something happens, wrapped under its own name."""
    names = examples()
    async with connect(ws(sandbox, f"/stream?streams={'/'.join(sorted(names))}")) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await move(sandbox, "50100", volume="1")
        found = await heard(client, names)
    assert {payload["e"] for payload in found.values() if isinstance(payload, dict) and "e" in payload} == {
        "trade", "aggTrade", "kline", "24hrTicker", "24hrMiniTicker", "4hTicker", "avgPrice", "depthUpdate",
    }  # fmt: skip


async def test_windows(sandbox: RunningSandbox, rest: RestClient) -> None:
    """The payload of one market and of all; the window begins on a minute."""
    names = {"btcusdt@ticker_1h", "!ticker_1h@arr"}
    async with connect(ws(sandbox, f"/stream?streams={'/'.join(names)}")) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await move(sandbox, "50300")
        found = await heard(client, names)
    one = found["btcusdt@ticker_1h"]
    assert set(one) == set("eEspPohlcwvqOCFLn")
    assert (one["e"], one["O"] % MINUTE, HOUR <= one["C"] - one["O"] < HOUR + MINUTE) == ("1hTicker", 0, True)
    assert [each["s"] for each in found["!ticker_1h@arr"]] == ["BTCUSDT"]


async def test_trade_payloads_name_no_orders(sandbox: RunningSandbox, rest: RestClient) -> None:
    """Buyer's and seller's order ids were removed in 2024; the fields are those of section 8."""
    async with connect(ws(sandbox, "/ws/btcusdt@trade")) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await move(sandbox, "50100", volume="1")
        assert set(await client.event()) == set("eEstpqTmM")


async def test_joined_trades(sandbox: RunningSandbox, rest: RestClient) -> None:
    """Two makers at one price and one taker make one aggTrade and two trades."""
    sell = {"side": "SELL", "quantity": "0.001", "price": "50000", "selfTradePreventionMode": "NONE"}
    for _ in range(2):
        await asyncio.to_thread(rest.order, **sell)
    async with connect(ws(sandbox, "/stream?streams=btcusdt@aggTrade/btcusdt@trade")) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await asyncio.to_thread(rest.order, "BUY", "0.002", "50000", selfTradePreventionMode="NONE")
        messages = [await client.event() for _ in range(3)]
    joined = [message["data"] for message in messages if message["stream"].endswith("aggTrade")]
    trades = [message["data"] for message in messages if message["stream"].endswith("@trade")]
    assert [(each["q"], each["f"], each["l"]) for each in joined] == [
        ("0.00200000", trades[0]["t"], trades[1]["t"])
    ]


@pytest.mark.parametrize("timeframe, closes_at", [("1d", START + 16 * HOUR), ("1h", START + HOUR)])
async def test_candles_eight_hours_ahead(timeframe: str, closes_at: int) -> None:
    """A day closes at 16:00 UTC, even where nothing happened in its last hours; hours are those of UTC."""
    with running_sandbox() as sandbox:
        sandbox.move("10", market_time=START)
        name = f"btcusdt@kline_{timeframe}@+08:00"
        async with connect(ws(sandbox, f"/stream?streams={name}")) as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            await move(sandbox, "11", market_time=START + 10 * MINUTE)
            await move(sandbox, "12", market_time=closes_at + 5 * MINUTE)
            while not (event := (await client.event())["data"])["k"]["x"]:
                pass
            candle = event["k"]
            assert (candle["T"], candle["i"]) == (closes_at - 1, timeframe)
            assert (candle["o"], candle["c"]) == ("10.00000000", "11.00000000")
            while (event := (await client.event())["data"])["k"]["t"] != closes_at:
                pass
            assert (event["k"]["o"], event["k"]["x"]) == ("12.00000000", False)


@pytest.mark.parametrize("serves", [False, True])
async def test_a_retired_stream_is_switched_off(*, serves: bool) -> None:
    """``!ticker@arr`` is accepted and stays silent, unless the sandbox is told to serve what was retired."""
    with running_sandbox(sandbox_settings(retired_features=serves)) as sandbox:
        async with connect(ws(sandbox, "/stream?streams=!ticker@arr/!miniTicker@arr")) as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            await move(sandbox, "50100")
            found = await heard(client, {"!miniTicker@arr", *(["!ticker@arr"] if serves else [])})
            await move(sandbox, "50200")
            found |= await heard(client, {"!miniTicker@arr"})
            assert ("!ticker@arr" in found) is serves


@pytest.mark.parametrize("name", ["!miniTicker@arr@1000ms", "!miniTicker@arr@3000ms"])
async def test_mini_tickers_of_all_markets_have_further_names(name: str) -> None:
    """What python-binance asks for by default, and what older programs did."""
    with running_sandbox() as sandbox:
        async with connect(ws(sandbox, f"/stream?streams={name}")) as client:
            await move(sandbox, "50000")
            message = await client.event()
            assert message["stream"] == name
            assert [each["e"] for each in message["data"]] == ["24hrMiniTicker"]
