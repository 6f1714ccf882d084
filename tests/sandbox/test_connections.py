"""Keeping connections alive and ending them (protocol section 10)."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import aiohttp
import pytest

from gridtide.sandbox.server import Sandbox
from gridtide.sandbox.settings import SocketSettings
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.socket_client import connect

PINGING = SocketSettings(ping_seconds=0.05, pong_timeout_seconds=0.5)


def with_sockets(sockets: SocketSettings) -> Iterator[RunningSandbox]:
    with running_sandbox(sandbox_settings(sockets=sockets, limits=GENEROUS)) as running:
        running.move("50000")
        yield running


@pytest.fixture(scope="module")
def pinging() -> Iterator[RunningSandbox]:
    yield from with_sockets(PINGING)


async def test_the_server_pings_with_a_payload(pinging: RunningSandbox) -> None:
    async with connect(pinging.ws_api_url, autoping=False) as client:
        message = await client.socket.receive(3)
        assert (message.type, message.data.isdigit()) == (aiohttp.WSMsgType.PING, True)


async def test_no_pong_no_connection(pinging: RunningSandbox) -> None:
    """Unsolicited PONGs do not count; copies of the payload do, and aiohttp sends those while it reads."""
    async with connect(pinging.ws_api_url, autoping=False) as deaf, connect(pinging.ws_api_url) as healthy:
        await deaf.socket.pong(b"unsolicited")
        ending = asyncio.create_task(deaf.closed())
        while not ending.done():
            assert (await healthy.ask("ping"))["status"] == 200
            await asyncio.sleep(0.05)
        assert await ending == 1008


async def test_client_pings_are_answered(pinging: RunningSandbox) -> None:
    """ccxt drops a connection that does not answer its PINGs."""
    async with connect(pinging.stream_url, autoping=False) as client:
        await client.socket.ping(b"are you there")
        while (message := await client.socket.receive(3)).type is aiohttp.WSMsgType.PING:
            pass
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"are you there")


async def test_connections_grow_old() -> None:
    """24 hours on the real exchange."""
    for sandbox in with_sockets(SocketSettings(lifetime_seconds=0.2)):
        async with connect(sandbox.stream_url) as client:
            assert await client.closed() == 1008


def flood(sandbox: Sandbox, payload: bytes) -> None:
    for connection in tuple(sandbox._connections._open):  # noqa: SLF001  no client can ask for this much
        connection.outbox.put(payload)


async def test_a_slow_consumer_is_cut_and_nobody_waits() -> None:
    """A client that does not read is dropped once its queue is full; the other gets every message at once."""
    payload = b"x" * 250_000
    for sandbox in with_sockets(SocketSettings(queue_bound=20)):
        async with connect(sandbox.stream_url) as slow, connect(sandbox.stream_url) as quick:
            sent = 0
            while sandbox.call(lambda running: len(running._connections)) == 2:  # noqa: SLF001  the count of both
                sandbox.call(lambda running: flood(running, payload))
                assert len((await quick.socket.receive(3)).data) == len(payload)
                sent += 1
                assert sent < 1000, "the slow consumer is still there"
            assert await slow.closed() == 1006
            assert (await quick.ask("LIST_SUBSCRIPTIONS"))["result"] == []


async def test_the_end_is_announced() -> None:
    """serverShutdown in its three forms, then code 1001."""
    sandbox = RunningSandbox(sandbox_settings())
    sandbox.start()
    async with (
        connect(sandbox.ws_api_url) as api,
        connect(sandbox.stream_url) as raw,
        connect(sandbox.stream_url.removesuffix("/ws")) as combined,
    ):
        stopping = asyncio.to_thread(sandbox.stop)
        task = asyncio.create_task(stopping)
        assert (await api.read())["event"]["e"] == "serverShutdown"
        assert (await raw.read())["e"] == "serverShutdown"
        assert (await combined.read())["stream"] == "!serverShutdown"
        codes = await asyncio.gather(*(each.closed() for each in (api, raw, combined)))
        assert codes == [1001] * 3
        await task


async def test_too_many_connections() -> None:
    """300 connection attempts per 5 minutes and address; then 429 before the handshake."""
    limits = replace(GENEROUS, connections_per_5_minutes=2)
    with running_sandbox(sandbox_settings(limits=limits)) as sandbox:
        for _ in range(2):
            async with connect(sandbox.ws_api_url):
                pass
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with connect(sandbox.ws_api_url):
                pass
        assert refused.value.status == 429
        assert refused.value.headers is not None
        assert 1 <= int(refused.value.headers["Retry-After"]) <= 300
