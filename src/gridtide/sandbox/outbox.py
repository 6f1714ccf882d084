"""The outgoing side of one WebSocket: a bounded queue. A consumer that falls behind is cut off, never waited for."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from aiohttp import ClientError, WSMsgType

if TYPE_CHECKING:
    from aiohttp import web


class Outbox:
    """Frames on their way to one client, in order. `put` never blocks."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, bound: int
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._bound = bound
        self._queue: deque[tuple[bytes, WSMsgType]] = deque()
        self._wake = asyncio.Event()
        self.is_cut = False

    def put(self, payload: bytes, kind: WSMsgType = WSMsgType.TEXT) -> None:
        """Queue one frame; cuts the connection where too many wait already."""
        if self.is_cut:
            return
        if len(self._queue) >= self._bound:
            self.cut()
            return
        self._queue.append((payload, kind))
        self._wake.set()

    def cut(self) -> None:
        """End the connection at once, without a closing handshake."""
        self.is_cut = True
        self._queue.clear()
        if self._transport is not None:
            self._transport.abort()

    async def run(self) -> None:
        """Send what is queued, for as long as the socket lives."""
        queue, send = self._queue, self._socket.send_frame
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while queue:
                    await send(*queue.popleft())
        except (ConnectionError, ClientError, RuntimeError):
            # The socket closed while we wrote: its reader sees the same and ends the connection.
            self.is_cut = True
