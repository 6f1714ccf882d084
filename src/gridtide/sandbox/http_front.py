"""The short way in for plain HTTP requests: read, answered and written within one call, without a task.

It knows only what needs no judgement: whole HTTP/1.1 requests with a body of known length. A connection on which
anything else comes in (an upgrade, chunks, ``Expect``, a malformed line) is handed over to aiohttp, for good and with
everything not yet answered.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from aiohttp import web

_LARGEST_HEAD = 8192
_LARGEST_BODY = 65_536
_IDLE_SECONDS = 3630.0
"""How long aiohttp keeps a connection without a request; so does this."""
_HEAD = re.compile(
    rb"(GET|POST|PUT|DELETE) (/[!-~]*) HTTP/1\.1((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*[!-~][ -~\t]*)*)\r\n\r\n"
)
_FIELD = re.compile(r"\r\n([^:]+):[ \t]*([^\r]*)")
_LENGTH = re.compile(r"[0-9]{1,6}")
_NOT_PLAIN = frozenset({"transfer-encoding", "upgrade", "expect", "content-encoding", "trailer", "te"})


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """One request. `fields` are its headers by lower-case name; `size` is how many bytes it took."""

    method: str
    target: str
    fields: Mapping[str, str]
    body: bytes
    size: int


class NotPlain(Exception):
    """These bytes need a whole HTTP server."""


AnswerAtOnce = Callable[[PlainRequest, str], bytes | None]
"""The whole response to a request from an address; None where only the long way knows what to do."""


def read_request(data: bytes) -> PlainRequest | None:
    """The request that `data` begins with; None while it is not all there. Raises `NotPlain`."""
    found = _HEAD.match(data)
    if found is None:
        if b"\r\n\r\n" in data or len(data) > _LARGEST_HEAD:
            raise NotPlain
        return None
    fields, length = _read_fields(found[3])
    begin = found.end()
    end = begin + length
    if len(data) < end:
        return None
    return PlainRequest(found[1].decode("ascii"), found[2].decode("ascii"), fields, data[begin:end], end)


@lru_cache(maxsize=256)
def _read_fields(text: bytes) -> tuple[Mapping[str, str], int]:
    """Headers by lower-case name and the length of the body; a client's headers hardly change from one request to the
    next. Raises `NotPlain`."""
    listed = _FIELD.findall(text.decode("ascii"))
    fields = {name.lower(): value for name, value in listed}
    if len(fields) < len(listed) or "host" not in fields or not _NOT_PLAIN.isdisjoint(fields):
        raise NotPlain
    if fields.get("connection", "keep-alive").lower() != "keep-alive":
        raise NotPlain
    length = fields.get("content-length", "0")
    if _LENGTH.fullmatch(length) is None or int(length) > _LARGEST_BODY:
        raise NotPlain
    return fields, int(length)


class HttpFront(asyncio.Protocol):
    """One connection, until something that is not plain comes in."""

    def __init__(self, server: FrontServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._waiting = b""
        self._is_paused = False
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._idle_check = self._loop.call_later(server.idle_seconds, self._end_if_idle)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        self._server.fronts.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()

    def _let_go(self) -> None:
        self._server.fronts.discard(self)
        self._idle_check.cancel()

    def _end_if_idle(self) -> None:
        left = self._heard_at + self._server.idle_seconds - self._loop.time()
        if left <= 0:
            self.close()
        else:
            self._idle_check = self._loop.call_later(left, self._end_if_idle)

    def pause_writing(self) -> None:
        """The client does not read its answers: no more requests from it until it does."""
        self._is_paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._is_paused = False
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        assert transport is not None
        self._heard_at = self._loop.time()
        if self._waiting:
            data = self._waiting + data
        try:
            while data and not transport.is_closing() and (request := read_request(data)) is not None:
                answer = self._server.answer_at_once(request, self._address)
                if answer is None:
                    break
                transport.write(answer)
                data = data[request.size :]
            else:
                self._waiting = data
                return
        except NotPlain:
            pass
        self._hand_over(data)

    def _hand_over(self, data: bytes) -> None:
        """Let aiohttp have the connection and what it has not answered yet."""
        assert self._transport is not None
        self._let_go()
        handler = self._server.long_way()
        handler.connection_made(self._transport)
        if self._is_paused:
            handler.pause_writing()
            self._transport.resume_reading()
        self._transport.set_protocol(handler)
        handler.data_received(data)

    def close(self) -> None:
        """End the connection once its answers are written."""
        if self._transport is not None:
            self._transport.close()


class FrontServer(web.Server):
    """An aiohttp server whose connections begin on the short way."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        answer: AnswerAtOnce,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        super().__init__(handler, access_log=None)
        self.answer_at_once = answer
        self.idle_seconds = idle_seconds
        self.fronts: set[HttpFront] = set()

    def __call__(self) -> Any:  # either protocol will do for the event loop; aiohttp promises its own only
        return HttpFront(self)

    def long_way(self) -> web.RequestHandler:
        """aiohttp's own protocol for a new connection."""
        return super().__call__()

    def pre_shutdown(self) -> None:
        for front in tuple(self.fronts):
            front.close()
        super().pre_shutdown()
