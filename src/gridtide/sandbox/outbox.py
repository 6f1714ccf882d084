"""The outgoing side of one WebSocket: frames go out at once; a consumer that falls behind is cut off, never waited for.

What the consumer does not take stands in a bounded queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from aiohttp import WSMsgType

if TYPE_CHECKING:
    from aiohttp import web

_BUFFERED_BYTES = 256 * 1024
"""What may wait in the transport; the rest waits here, where it is counted."""
_LOOK_AGAIN_SECONDS = 0.01


def frame(payload: bytes, kind: WSMsgType = WSMsgType.TEXT) -> bytes:
    """A whole message as a server's unmasked frame (RFC 6455, 5.2)."""
    first, size = 0x80 | kind, len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


class Outbox:
    """Frames on their way to one client, in order. `put` never blocks."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, bound: int
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._bound = bound
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self.is_cut = transport is None

    def put(self, payload: bytes, kind: WSMsgType = WSMsgType.TEXT) -> None:
        """Send one message, or queue it; cuts the connection where too many wait already."""
        self.put_frame(frame(payload, kind))

    def put_frame(self, data: bytes) -> None:
        """`put` for a message that is a frame already."""
        if self.is_cut:
            return
        if not self._queue and self._takes_more():
            self._write(data)
        elif len(self._queue) >= self._bound:
            self.cut()
        else:
            self._queue.append(data)
            self._wake.set()

    def _takes_more(self) -> bool:
        return self._transport is not None and self._transport.get_write_buffer_size() < _BUFFERED_BYTES

    def _write(self, data: bytes) -> None:
        # After the closing handshake began nothing may follow; the reader of the socket ends the connection.
        if self._transport is None or self._socket.closed or self._transport.is_closing():
            self.is_cut = True
            self._queue.clear()
        else:
            self._transport.write(data)

    def cut(self) -> None:
        """End the connection at once, without a closing handshake."""
        self.is_cut = True
        self._queue.clear()
        if self._transport is not None:
            self._transport.abort()

    async def run(self) -> None:
        """Send what had to be queued, for as long as the socket lives."""
        while not self.is_cut:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                if self._takes_more():
                    self._write(self._queue.popleft())
                else:
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
