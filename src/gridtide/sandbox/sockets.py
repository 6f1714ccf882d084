"""WebSocket connections of both kinds: reading, keeping alive, ending (protocol section 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, WSMsgType, web

from gridtide.sandbox.outbox import Outbox
from gridtide.sandbox.seam import Liveness

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.settings import SocketSettings
    from gridtide.sandbox.time_unit import TimeUnit

_LARGEST_MESSAGE = 256 * 1024
_CLOSE_SECONDS = 3.0
_USUAL = Liveness()


class Connection:
    """One WebSocket. Subclasses say what a text message means, how to say goodbye and what to clean up."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.BaseRequest,
        exchange: SandboxExchange,
        unit: TimeUnit,
    ) -> None:
        self.exchange = exchange
        self.unit = unit
        """What its times count."""
        self.address = request.remote or ""
        self.outbox = Outbox(socket, request.transport, exchange.settings.sockets.queue_bound)
        self.opened_at = exchange.clock.monotonic()
        self._socket = socket
        self._pinged_at = self.opened_at
        self._unanswered: dict[bytes, float] = {}
        """Payloads of PINGs without a PONG yet, oldest first, with their times."""

    async def on_text(self, text: str) -> None:
        raise NotImplementedError

    def admits_message(self) -> bool:
        """Whether the client may send one more message; every frame asks once."""
        return True

    def announce_shutdown(self) -> None:
        """Send the event that the connection is about to end."""

    def on_closed(self) -> None:
        """The connection is gone: forget it everywhere."""

    async def run(self) -> None:
        """Serve the connection until it ends."""
        writer = asyncio.create_task(self.outbox.run())
        try:
            async for message in self._socket:
                if not self.admits_message():
                    await self.close(WSCloseCode.POLICY_VIOLATION)
                    return
                await self._on_message(message.type, message.data)
        finally:
            writer.cancel()
            self.on_closed()
            with suppress(asyncio.CancelledError):
                await writer

    async def _on_message(self, kind: WSMsgType, data: str | bytes | bytearray) -> None:
        match kind:
            case WSMsgType.TEXT:
                await self._on_text(str(data))
            case WSMsgType.PING:
                if self._liveness().pongs:
                    self.outbox.put(_bytes(data), WSMsgType.PONG)
            case WSMsgType.PONG:
                self._on_pong(_bytes(data))
            case _:
                await self.close(WSCloseCode.UNSUPPORTED_DATA)

    async def _on_text(self, text: str) -> None:
        seam = self.exchange.seam
        if seam.around_request is None:
            await self.on_text(text)
        else:
            # A request that a fault holds up must not hold up the ones behind it, nor our PONGs.
            seam.spawn(self.on_text(text))

    def _liveness(self) -> Liveness:
        hook = self.exchange.seam.liveness
        return _USUAL if hook is None else hook(self)

    def _on_pong(self, payload: bytes) -> None:
        # Only a copy of our own payload counts; an unsolicited PONG does not keep the connection alive.
        if payload in self._unanswered:
            self._unanswered.clear()

    def keep_alive(self, now: float, settings: SocketSettings) -> bool:
        """Ping if it is time; False once the connection has to end: too old, or no PONG for too long."""
        liveness = self._liveness()
        lifetime = liveness.lifetime_seconds
        if now - self.opened_at >= (settings.lifetime_seconds if lifetime is None else lifetime):
            return False
        oldest = next(iter(self._unanswered.values()), now)
        if now - oldest >= settings.pong_timeout_seconds:
            return False
        if liveness.pings and now - self._pinged_at >= settings.ping_seconds:
            payload = str(self.exchange.now()).encode()
            self._pinged_at = now
            self._unanswered[payload] = now
            self.outbox.put(payload, WSMsgType.PING)
        return True

    async def close(self, code: int) -> None:
        """Close with a code; the client gets a few seconds to answer."""
        await self._socket.close(code=code)


def _bytes(data: str | bytes | bytearray) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


async def accept(request: web.BaseRequest) -> web.WebSocketResponse:
    """Do the handshake. PINGs are answered by `Connection`, because they count as messages."""
    socket = web.WebSocketResponse(
        autoping=False, compress=False, timeout=_CLOSE_SECONDS, max_msg_size=_LARGEST_MESSAGE
    )
    await socket.prepare(request)
    return socket


class Connections:
    """All open WebSockets."""

    def __init__(self, settings: SocketSettings) -> None:
        self._settings = settings
        self._open: set[Connection] = set()
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._open))

    def end(self, connection: Connection, code: int) -> None:
        """Close a connection in the background."""
        self._open.discard(connection)
        task = asyncio.create_task(connection.close(code))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def serve(self, connection: Connection) -> None:
        """Serve a connection until it ends."""
        self._open.add(connection)
        try:
            await connection.run()
        finally:
            self._open.discard(connection)

    def keep_alive(self, now: float) -> None:
        """Ping and end connections as they need it; called every tenth of a second."""
        for connection in tuple(self._open):
            if not connection.keep_alive(now, self._settings):
                self.end(connection, WSCloseCode.POLICY_VIOLATION)

    async def shut_down(self, notice_seconds: float) -> None:
        """Announce the end, give clients a moment to hear it, then close all."""
        for connection in tuple(self._open):
            connection.announce_shutdown()
        if self._open:
            await asyncio.sleep(notice_seconds)
        closing = (connection.close(WSCloseCode.GOING_AWAY) for connection in tuple(self._open))
        await asyncio.gather(*closing, *self._closing, return_exceptions=True)
