"""One REST request through CCXT, watched from outside: what came back, when its bytes left, and what it proves.

CCXT turns answers into exceptions by its own lights. A `Transmission` is laid in the task's context before a
call; CCXT's response hook and aiohttp's tracing fill it in, and verdicts are drawn from it alone.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import certifi

from gridtide.exchanges.http_outcome import HttpAnswer, Outcome, Silence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import SimpleNamespace

_MAX_CONNECTIONS = 30
_KEEP_ALIVE_SECONDS = 30.0
"""Idle connections are given up before exchanges do: a request on a half-closed one ends unconfirmed."""


@dataclass(slots=True)
class Transmission:
    """One request on its way. Times are seconds of the monotonic clock, 0 for what did not happen."""

    called: float
    signed: float = 0.0
    written: float = 0.0
    answered: float = 0.0
    answer: HttpAnswer | None = None
    result: Any = None
    """What CCXT made of the answer."""
    error: Exception | None = None
    """What CCXT raised. Its text may hold the signed address: never quote it."""

    @property
    def outcome(self) -> Outcome:
        if self.answer is not None:
            return self.answer
        if not self.signed:
            return Silence.NOT_SENT
        return Silence.NOT_CONNECTED if _never_connected(self.error) else Silence.LOST


_CURRENT: ContextVar[Transmission | None] = ContextVar("transmission", default=None)


async def transmit(call: Callable[[], Awaitable[Any]]) -> Transmission:
    """Make one call through CCXT and tell what came of it; raises nothing but a cancellation of the task."""
    transmission = Transmission(called=time.monotonic())
    token = _CURRENT.set(transmission)
    try:
        transmission.result = await call()
    except Exception as error:  # whatever the library raises, the verdict is drawn from the answer
        transmission.error = error
    finally:
        _CURRENT.reset(token)
    return transmission


def record_answer(status: int, headers: Mapping[str, str], body: str) -> None:
    """CCXT's response hook: the complete answer, before CCXT judges it."""
    transmission = _CURRENT.get()
    if transmission is not None:
        transmission.answered = time.monotonic()
        lowered = {name.lower(): value for name, value in headers.items()}
        transmission.answer = HttpAnswer(status, body, lowered)


def open_session(*, encrypted: bool) -> aiohttp.ClientSession:
    """The HTTP session behind all calls of one adapter: kept alive, traced, and never sending anything twice."""
    authorities = ssl.create_default_context(cafile=certifi.where()) if encrypted else True
    connector = aiohttp.TCPConnector(
        limit=_MAX_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS, ssl=authorities
    )
    return aiohttp.ClientSession(
        connector=connector,
        middlewares=(_send_once,),
        trace_configs=[_tracing()],
    )


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a PUT or DELETE on a dropped connection, and from following redirects (F19).

    aiohttp repeats on two error classes only, so a lost request is reported as another one. Reads may be
    repeated; an error in connecting passes as it is, because it proves that no byte left.
    """
    try:
        response = await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method == "GET":
            raise
        raise aiohttp.ClientError("connection lost") from error
    if 300 <= response.status < 400:
        response.close()
        raise aiohttp.ClientError("an exchange does not redirect")
    return response


def _tracing() -> aiohttp.TraceConfig:
    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(_request_started)
    tracing.on_request_headers_sent.append(_request_written)
    tracing.on_request_chunk_sent.append(_request_written)
    return tracing


async def _request_started(_session: aiohttp.ClientSession, _context: SimpleNamespace, _params: Any) -> None:
    transmission = _CURRENT.get()
    if transmission is not None:
        transmission.signed = time.monotonic()


async def _request_written(_session: aiohttp.ClientSession, _context: SimpleNamespace, _params: Any) -> None:
    """Headers go out together with the body, so the last of these calls stands right before the write."""
    transmission = _CURRENT.get()
    if transmission is not None:
        transmission.written = time.monotonic()


def _never_connected(error: BaseException | None) -> bool:
    """Whether aiohttp proves that there was no connection to write to."""
    while error is not None:
        if isinstance(error, aiohttp.ClientConnectorError):
            return True
        error = error.__cause__
    return False
