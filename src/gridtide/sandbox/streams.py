"""Market streams: subscriptions by path and by message, raw or wrapped payloads (protocol section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.limits import Window
from gridtide.sandbox.sockets import Connection
from gridtide.sandbox.time_unit import event_in
from gridtide.sandbox.user_events import server_shutdown
from gridtide.sandbox.wire import JsonObject, encode

if TYPE_CHECKING:
    from aiohttp import web

    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.time_unit import TimeUnit

_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


class StreamError(Exception):
    """A control message is wrong; `code` and text are those of the exchange's streams."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def opening(path: str, query: str) -> tuple[bool, list[str]] | None:
    """Whether payloads are wrapped, and the streams that a connection's path asks for; None for another path.

    Tails of ``/stream/ws/`` are ignored, because ccxt counts its sockets there (protocol sections 1 and 2.2).
    """
    path = unquote(path)
    if path == "/stream":
        return True, _asked(query)
    if path == "/stream/ws" or path.startswith("/stream/ws/"):
        return False, []
    if path == "/ws" or path.startswith("/ws/"):
        return False, [name for name in path.removeprefix("/ws").split("/") if name]
    return None


def _asked(query: str) -> list[str]:
    """The stream names of a query; a plus in it is a plus (``@+08:00``)."""
    for part in query.split("&"):
        if part.startswith("streams="):
            return [name for name in unquote(part.removeprefix("streams=")).split("/") if name]
    return []


class StreamConnection(Connection):
    """A connection that hears market streams. Unknown stream names are accepted and stay silent."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.BaseRequest,
        exchange: SandboxExchange,
        unit: TimeUnit,
        *,
        combined: bool,
        streams: list[str],
    ) -> None:
        super().__init__(socket, request, exchange, unit)
        self.combined = combined
        self._streams: dict[str, None] = {}
        self._budget = Window(1000, exchange.settings.limits.stream_messages_per_second)
        self._subscribe(streams[: exchange.settings.limits.streams_per_connection])

    def stream_names(self) -> tuple[str, ...]:
        """What this connection hears."""
        return tuple(self._streams)

    def send(self, message: bytes) -> None:
        self.outbox.put(message)

    def send_frame(self, data: bytes) -> None:
        self.outbox.put_frame(data)

    def admits_message(self) -> bool:
        return self._budget.take(self.exchange.now())

    def announce_shutdown(self) -> None:
        event = event_in(self.unit, encode(server_shutdown(self.exchange.now())))
        self.send(b'{"stream":"!serverShutdown","data":' + event + b"}" if self.combined else event)

    def on_closed(self) -> None:
        self._unsubscribe(list(self._streams))

    async def on_text(self, text: str) -> None:
        request_id: object = None
        try:
            message = _parse(text)
            request_id = _request_id(message)
            if self._is_ignored(message):
                return
            self.send(encode({"result": self._act(message), "id": request_id}))
        except StreamError as error:
            # ccxt understands this form only, and hangs on the flat one (protocol section 8).
            answer = {"error": {"code": error.code, "msg": error.message}, "id": request_id}
            self.send(encode(answer))

    def _is_ignored(self, message: JsonObject) -> bool:
        """Whether the seam wants no answer to a subscription; raises where it wants it refused."""
        hook, names = self.exchange.seam.on_subscribing, message.get("params")
        if hook is None or message.get("method") != "SUBSCRIBE" or not isinstance(names, list):
            return False
        verdict = hook([str(name) for name in names])
        if isinstance(verdict, ApiError):
            raise StreamError(verdict.code, verdict.message)
        return verdict is not None

    def _act(self, message: JsonObject) -> object:
        """Do what a message asks; gives the result to send back, None for a plain success."""
        method, params = message.get("method"), message.get("params", [])
        if not isinstance(params, list):
            raise StreamError(2, "Invalid request: params must be a list")
        match method:
            case "SUBSCRIBE":
                self._subscribe(_names(params))
            case "UNSUBSCRIBE":
                self._unsubscribe(_names(params))
            case "LIST_SUBSCRIPTIONS":
                return list(self._streams)
            case "SET_PROPERTY":
                self._set_property(params)
            case "GET_PROPERTY":
                _property(params, 1)
                return self.combined
            case None:
                raise StreamError(2, "Invalid request: missing field `method`")
            case _:
                expected = ", ".join(f"`{name}`" for name in _METHODS)
                raise StreamError(2, f"Invalid request: unknown variant {method}, expected one of {expected}")
        return None

    def _subscribe(self, names: list[str]) -> None:
        if len(self._streams | dict.fromkeys(names)) > self.exchange.settings.limits.streams_per_connection:
            raise StreamError(2, "Invalid request: too many subscriptions on this connection")
        for name in names:
            self._streams[name] = None
            self.exchange.hub.subscribe(name, self)

    def _unsubscribe(self, names: list[str]) -> None:
        for name in names:
            if name in self._streams:
                del self._streams[name]
                self.exchange.hub.unsubscribe(name, self)

    def _set_property(self, params: list[Any]) -> None:
        _property(params, 2)
        if not isinstance(params[1], bool):
            raise StreamError(1, "Invalid value type: expected Boolean")
        self.combined = params[1]


def _parse(text: str) -> JsonObject:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise StreamError(3, "Invalid JSON: expected value at line 1 column 1") from None
    if not isinstance(message, dict):
        raise StreamError(2, "Invalid request: expected an object")
    return message


def _request_id(message: JsonObject) -> object:
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, int | str | None):
        raise StreamError(2, "Invalid request: request ID must be an unsigned integer")
    return request_id


def _names(params: list[Any]) -> list[str]:
    if not params or not all(isinstance(name, str) for name in params):
        raise StreamError(2, "Invalid request: stream names must be strings")
    return params


def _property(params: list[Any], count: int) -> None:
    if len(params) > count:
        raise StreamError(2, "Invalid request: too many parameters")
    if len(params) < count or not isinstance(params[0], str):
        raise StreamError(2, "Invalid request: property name must be a string")
    if params[0] != "combined":
        raise StreamError(0, "Unknown property")
