"""Frames on their way out: at once where the client takes them, and harmless where it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import uvloop
from aiohttp import ClientSession, WSMsgType, web

from gridtide.sandbox.outbox import Outbox, frame


@pytest.mark.parametrize(
    "size, head",
    [
        (0, "8100"), (125, "817d"), (126, "817e007e"), (65_535, "817effff"), (65_536, "817f0000000000010000"),
    ],
)  # fmt: skip
def test_a_frame_says_its_length_as_the_standard_wants(size: int, head: str) -> None:
    """RFC 6455, 5.2: seven bits, or 126 and two bytes, or 127 and eight."""
    payload = b"x" * size
    assert frame(payload) == bytes.fromhex(head) + payload
    assert frame(b"", WSMsgType.PING) == b"\x89\x00"


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_event_for_a_lost_connection_goes_nowhere(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Between a reset and its notice the market still sends; uvloop raises where one writes to a closed transport."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(_write_after_the_end())


async def _write_after_the_end() -> bool:
    """Whether an outbox knew that its transport was gone."""
    known = asyncio.get_running_loop().create_future()

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        transport = request.transport
        assert transport is not None
        outbox = Outbox(connection, transport, bound=10)
        transport.abort()
        await asyncio.sleep(0.01)
        outbox.put(b"late")
        known.set_result(outbox.is_cut)
        return connection

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with ClientSession() as session:
            await session.ws_connect(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            return bool(await asyncio.wait_for(known, 5))
    finally:
        await runner.cleanup()
