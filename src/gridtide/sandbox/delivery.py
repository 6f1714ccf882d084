"""Sends an HTTP answer as a fault wants it: other bytes, cut off, or never."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from gridtide.sandbox.endpoint import Delivery, Ending

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

_LINGER_NOT = struct.pack("ii", 1, 0)
_LOOK_EVERY_SECONDS = 0.05
_LONGEST_SILENCE_SECONDS = 600.0


async def deliver(request: web.BaseRequest, response: web.Response, delivery: Delivery) -> web.Response:
    """Give what the server shall send on; the connection may be gone by then."""
    if delivery.ending is not None:
        await _end(request, delivery.ending)
        return response
    if delivery.content is not None:
        response.body = delivery.content
        response.content_type = delivery.content_type
    if delivery.cut_at is None:
        return response
    return _CutResponse(response, delivery.cut_at)


class _CutResponse(web.Response):
    """Announces its whole body and sends the beginning of it."""

    def __init__(self, whole: web.Response, cut_at: int) -> None:
        super().__init__(status=whole.status, headers=whole.headers, body=whole.body)
        self._cut_at = cut_at

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        writer = await super().prepare(request)
        body = self.body
        assert writer is not None
        assert isinstance(body, bytes)
        await writer.write(body[: self._cut_at])
        await writer.drain()
        if request.transport is not None:
            request.transport.close()
        return writer


async def _end(request: web.BaseRequest, ending: Ending) -> None:
    transport = request.transport
    if transport is None:
        return
    if ending is Ending.SILENCE:
        await _wait_until_left(transport)
    if ending is Ending.RESET:
        raw = transport.get_extra_info("socket")
        with suppress(OSError, AttributeError, NotImplementedError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    else:
        transport.close()


async def _wait_until_left(transport: asyncio.Transport) -> None:
    """Until the client gives up, or for ten minutes."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LONGEST_SILENCE_SECONDS
    while not transport.is_closing() and loop.time() < deadline:  # noqa: ASYNC110  a transport tells nobody
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
