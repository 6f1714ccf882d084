"""Nonsense over raw sockets: documented error shapes, no stack trace, nothing changed, business as usual after."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import pytest

from gridtide.sandbox.settings import SocketSettings
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.fuzzing import FACTOR, METHODS, STREAM_METHODS, Nonsense
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import connect

BATCH = 20
ANSWER_SECONDS = 0.3
"""How long to wait for an answer that may never come: half a request is not answered."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """With an open order and a trade, so that there is something to lose."""
    with running_sandbox(
        sandbox_settings(limits=GENEROUS, sockets=SocketSettings(pong_timeout_seconds=5))
    ) as running:
        running.move("50000", volume="1")
        rest = RestClient(running)
        rest.order("BUY", "0.001", "40000", newClientOrderId="resting")
        rest.order("BUY", "0.001", "51000", newClientOrderId="filled")
        yield running


@pytest.fixture(autouse=True)
def nothing_happened(sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The truth is what it was, our own code logged no error, and an order can be placed and canceled."""
    before = sandbox.truth()
    with caplog.at_level(logging.ERROR, logger="gridtide"):
        yield
    assert [
        each for each in caplog.records if each.name.startswith("gridtide") and each.levelno >= logging.ERROR
    ] == []
    assert sandbox.truth() == before
    sandbox.call(lambda running: running.exchange.venue.check())
    rest = RestClient(sandbox)
    placed = rest.order("BUY", "0.001", "40000")
    assert placed.status == 200
    assert (
        rest.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed.body["orderId"]).status == 200
    )


async def exchange_bytes(sandbox: RunningSandbox, sent: bytes) -> bytes:
    """What comes back for these bytes until the connection ends or falls silent."""
    address = urlsplit(sandbox.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    answer = b""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            writer.write(sent)
            await writer.drain()
            answer = await reader.read(-1)
    except (TimeoutError, ConnectionError):
        pass  # it waits for the rest of a request, or it has cut us off: both are fine
    finally:
        writer.close()
    return answer


def check_http(sent: bytes, answer: bytes) -> None:
    """No answer, or one below 500 whose JSON error has a code and a text."""
    if not answer:
        return
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert 200 <= status < 500, (sent[:300], answer[:300])
    assert b"Traceback" not in answer, (sent[:300], answer[:300])
    if status >= 400 and b"application/json" in head and body:
        error = json.loads(body)
        assert isinstance(error["code"], int), (sent[:300], body)
        assert error["code"] < 0, (sent[:300], body)
        assert isinstance(error["msg"], str), (sent[:300], body)


@pytest.mark.parametrize("seed", range(2))
async def test_http(sandbox: RunningSandbox, seed: int) -> None:
    """Methods, paths, parameters, headers and bodies of every kind, whole and cut off."""
    nonsense = Nonsense(seed, sandbox.api_key)
    for _ in range(10 * FACTOR):
        batch = [nonsense.http() for _ in range(BATCH)]
        answers = await asyncio.gather(*(exchange_bytes(sandbox, sent) for sent in batch))
        for sent, answer in zip(batch, answers, strict=True):
            check_http(sent, answer)


async def talk(url: str, nonsense: Nonsense, methods: list[str], count: int) -> None:
    """Send messages until all are answered or the server has enough; each answer has an id or an error."""
    async with connect(url) as client:
        for _ in range(count):
            message = nonsense.message(methods)
            await client.send_text(message)
            answer = await client.socket.receive(5)
            if answer.type is not aiohttp.WSMsgType.TEXT:
                return  # closed with a reason; the next connection goes on
            assert "Traceback" not in answer.data, message[:300]
            check_message(message, json.loads(answer.data))


def check_message(sent: str, answer: object) -> None:
    """An answer, or an event of a subscription that was asked for by accident."""
    assert isinstance(answer, dict), sent[:300]
    if "status" in answer and answer["status"] != 200:
        assert 400 <= answer["status"] < 500, (sent[:300], answer)
        assert isinstance(answer["error"]["code"], int), (sent[:300], answer)
        assert isinstance(answer["error"]["msg"], str), (sent[:300], answer)
    elif "error" in answer:
        assert set(answer["error"]) >= {"code", "msg"}, (sent[:300], answer)
    else:
        assert {"result", "data", "e"} & answer.keys() or "subscriptionId" in answer, (sent[:300], answer)


@pytest.mark.parametrize("seed", range(2))
async def test_the_websocket_api(sandbox: RunningSandbox, seed: int) -> None:
    nonsense = Nonsense(100 + seed, sandbox.api_key)
    for _ in range(30 * FACTOR):
        await talk(sandbox.ws_api_url, nonsense, METHODS, 30)


@pytest.mark.parametrize("seed", range(2))
async def test_streams(sandbox: RunningSandbox, seed: int) -> None:
    nonsense = Nonsense(200 + seed, sandbox.api_key)
    for _ in range(30 * FACTOR):
        await talk(f"{sandbox.stream_url}/0", nonsense, STREAM_METHODS, 30)


HANDSHAKE = (
    b"GET /ws-api/v3 HTTP/1.1\r\nHost: sandbox\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def test_frames(sandbox: RunningSandbox) -> None:
    """Bytes that are no frames, straight after the handshake: cut off or ignored."""
    nonsense = Nonsense(300, sandbox.api_key)
    for _ in range(2 * FACTOR):
        batch = [HANDSHAKE + b"".join(nonsense.frame() for _ in range(5)) for _ in range(BATCH)]
        for answer in await asyncio.gather(*(exchange_bytes(sandbox, sent) for sent in batch)):
            assert answer == b"" or answer.startswith(b"HTTP/1.1 101 ")
            assert b"Traceback" not in answer


async def test_handshakes(sandbox: RunningSandbox) -> None:
    """A broken handshake is an error of the 400s, or no answer."""
    for old, new in (
        (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 7"),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Key: x"),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""),
        (b"GET ", b"POST "),
        (b"/ws-api/v3", b"/ws-api/v9"),
        (b"/ws-api/v3", b"/ws-api/v3?returnRateLimits=%ff&timeUnit=CENTURY"),
        (b"/ws-api/v3", b"/stream?streams=%ff%zz"),
    ):
        answer = await exchange_bytes(sandbox, HANDSHAKE.replace(old, new))
        assert answer == b"" or answer.split()[1][:1] in {b"1", b"4"}, (new, answer[:200])


async def test_a_huge_message(sandbox: RunningSandbox) -> None:
    """Too long a message ends the connection with a code; a new one works."""
    async with connect(sandbox.ws_api_url) as client:
        with suppress(ConnectionError):  # cut off while still sending
            await client.send_text('{"id":1,"method":"ping","params":{"x":"' + "y" * 9_000_000 + '"}}')
        answer = await client.socket.receive(5)
        assert answer.type is not aiohttp.WSMsgType.TEXT
    async with connect(sandbox.ws_api_url) as client:
        assert (await client.ask("ping"))["status"] == 200
