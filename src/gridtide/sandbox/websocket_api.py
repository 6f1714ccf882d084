"""The WebSocket API: requests through the same gateway as REST, and user events (protocol section 9)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import orjson

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import KeyEntry, KeyKind, Right
from gridtide.sandbox.endpoint import Answer, Call, Delivery, Ending, Endpoint
from gridtide.sandbox.errors import ApiError, mandatory, not_supported
from gridtide.sandbox.gateway import Gateway, Incoming, Routes
from gridtide.sandbox.sockets import Connection
from gridtide.sandbox.time_unit import answer_in, event_in
from gridtide.sandbox.user_events import server_shutdown, stream_terminated
from gridtide.sandbox.wire import JsonObject, encode

if TYPE_CHECKING:
    from aiohttp import web

    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.time_unit import TimeUnit

CONNECT_WEIGHT = 2

_READER = json.JSONDecoder(parse_float=str)
_SUBSCRIPTION_ID = parameters.integer("subscriptionId")


@dataclass(frozen=True, slots=True, eq=False)
class UserSubscription:
    """One account's events on one connection."""

    connection: ApiConnection
    subscription_id: int
    account_id: str
    by_session: bool

    def send_event(self, event: bytes) -> None:
        self.connection.outbox.put(self.wrapped(event))

    def wrapped(self, event: bytes) -> bytes:
        """The event as the connection is sent it."""
        event = event_in(self.connection.unit, event)
        return b'{"subscriptionId":%d,"event":%b}' % (self.subscription_id, event)


class ApiConnection(Connection):
    """A connection to the WebSocket API: its session and its subscriptions to user events."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.BaseRequest,
        exchange: SandboxExchange,
        gateway: Gateway,
        routes: Routes,
        unit: TimeUnit,
    ) -> None:
        super().__init__(socket, request, exchange, unit)
        self._gateway = gateway
        self._routes = routes
        self._own = Routes(_connection_endpoints(self))
        query = parse_qs(request.raw_path.partition("?")[2])
        self._shows_limits = query.get("returnRateLimits", ["true"])[0].lower() != "false"
        self._connected_since = exchange.now()
        self._session: KeyEntry | None = None
        self._authorized_since = 0
        self._subscriptions: dict[int, UserSubscription] = {}
        self._next_id = 0
        self._after_answer: list[bytes] = []

    # --- requests ------------------------------------------------------------------------------------

    async def on_text(self, text: str) -> None:
        request_id: str | int | None = None
        params: JsonObject = {}
        try:
            request_id, method, params = _parse(text)
            endpoint = self._own.websocket(method) or self._routes.websocket(method)
            if endpoint is None:
                raise not_supported(f"the method {method[:40]}")
            incoming = self._incoming(endpoint, params)
            answer = await self._gateway.answer(incoming)
            if self._has_lost_key(incoming, answer):
                request_id = None
                self.log_out()
        except ApiError as error:
            answer = self._gateway.refusal(self.address, error)
        self._deliver(encode(self._envelope(request_id, answer, params)), answer.delivery)
        self._flush()

    def _deliver(self, message: bytes, delivery: Delivery | None) -> None:
        """Send an answer, as it is or as the seam wants it."""
        if delivery is None:
            self.outbox.put(message)
        elif delivery.ending is None:
            content = message if delivery.content is None else delivery.content
            self.outbox.put(content[: delivery.cut_at])
        elif delivery.ending is not Ending.SILENCE:
            self.outbox.cut()

    def _incoming(self, endpoint: Endpoint, params: JsonObject) -> Incoming:
        raw = parameters.from_json(params)
        strict = self.exchange.settings.strict_websocket_parameters
        api_key = raw.values.get("apiKey")
        return Incoming(endpoint, raw, self.address, api_key, strict, self._session)

    def _envelope(self, request_id: str | int | None, answer: Answer, params: JsonObject) -> JsonObject:
        envelope: JsonObject = {"id": request_id, "status": answer.status}
        if answer.is_error:
            envelope["error"] = answer_in(self.unit, self._error(answer))
        else:
            envelope["result"] = answer_in(self.unit, answer.body)
        if params.get("returnRateLimits", self._shows_limits):
            envelope["rateLimits"] = self._usage(answer)
        return envelope

    def _error(self, answer: Answer) -> object:
        if answer.retry_at is None or not isinstance(answer.body, dict):
            return answer.body
        data = {"serverTime": self.exchange.now(), "retryAfter": answer.retry_at}
        return {**answer.body, "data": data}

    def _usage(self, answer: Answer) -> list[JsonObject]:
        limiter, now = self.exchange.limiter, self.exchange.now()
        usage = [limiter.weight_usage(self.address, now)]
        if answer.account_id is not None:
            usage = [*limiter.order_usage(answer.account_id, now), *usage]
        return usage

    # --- the session ---------------------------------------------------------------------------------

    def log_on(self, _exchange: SandboxExchange, call: Call) -> JsonObject:
        assert call.key is not None
        if call.key.kind is not KeyKind.ED25519:
            raise ApiError(-4056, f"{call.key.kind.value} API key is not supported.")
        self._session, self._authorized_since = call.key, self.exchange.now()
        return self.describe_session()

    def _has_lost_key(self, incoming: Incoming, answer: Answer) -> bool:
        """Whether the session's key became invalid since the logon. The refusal that says so has no id, and the session
        is over (web-socket-api.md, "Session Authentication")."""
        if not answer.is_error or incoming.api_key is not None or incoming.session is None:
            return False
        asks_for_key = incoming.endpoint.right is not Right.NONE
        return asks_for_key and not incoming.session.allows(Right.READ, self.address)

    def describe_session(self) -> JsonObject:
        session = self._session
        return {
            "apiKey": session.api_key.key if session else None,
            "authorizedSince": self._authorized_since if session else None,
            "connectedSince": self._connected_since,
            "returnRateLimits": self._shows_limits,
            "serverTime": self.exchange.now(),
            "userDataStream": bool(self._subscriptions),
        }

    def log_out(self) -> JsonObject:
        self._session = None
        for subscription in tuple(self._subscriptions.values()):
            if subscription.by_session:
                self._terminate(subscription)
        return self.describe_session()

    # --- user events ---------------------------------------------------------------------------------

    def subscribe_by_session(self) -> JsonObject:
        if self._session is None:
            raise ApiError(-1002, "You are not authorized to execute this request.")
        return self._subscribe(self._session, by_session=True)

    def subscribe_by_signature(self, _exchange: SandboxExchange, call: Call) -> JsonObject:
        assert call.key is not None
        return self._subscribe(call.key, by_session=False)

    def _subscribe(self, key: KeyEntry, *, by_session: bool) -> JsonObject:
        if any(each.account_id == key.account_id for each in self._subscriptions.values()):
            raise ApiError(-2035, "User Data Stream subscription already active.")
        subscription = UserSubscription(self, self._next_id, key.account_id, by_session)
        self._next_id += 1
        self._subscriptions[subscription.subscription_id] = subscription
        self.exchange.hub.add_user(key.account_id, subscription)
        return {"subscriptionId": subscription.subscription_id}

    def unsubscribe(self, _exchange: SandboxExchange, call: Call) -> JsonObject:
        """One subscription by its id, or all of the connection."""
        wanted = call.get(_SUBSCRIPTION_ID)
        if wanted is not None and wanted not in self._subscriptions:
            raise ApiError(-2036, "User Data Stream subscription not active.")
        for subscription in tuple(self._subscriptions.values()):
            if wanted is None or subscription.subscription_id == wanted:
                self._terminate(subscription)
        return {}

    def list_subscriptions(self) -> list[JsonObject]:
        return [{"subscriptionId": subscription_id} for subscription_id in self._subscriptions]

    def _terminate(self, subscription: UserSubscription) -> None:
        self._forget(subscription)
        self._after_answer.append(subscription.wrapped(encode(stream_terminated(self.exchange.now()))))

    def accounts(self) -> set[str]:
        """Whose events this connection hears."""
        return {each.account_id for each in self._subscriptions.values()}

    def end_subscriptions(self, account_id: str) -> bool:
        """The exchange ends the account's subscription by itself; whether there was one."""
        found = [each for each in self._subscriptions.values() if each.account_id == account_id]
        for subscription in found:
            self._terminate(subscription)
        self._flush()
        return bool(found)

    def _flush(self) -> None:
        for message in self._after_answer:
            self.outbox.put(message)
        self._after_answer.clear()

    def _forget(self, subscription: UserSubscription) -> None:
        del self._subscriptions[subscription.subscription_id]
        self.exchange.hub.remove_user(subscription.account_id, subscription)

    # --- the end -------------------------------------------------------------------------------------

    def announce_shutdown(self) -> None:
        event = event_in(self.unit, encode(server_shutdown(self.exchange.now())))
        self.outbox.put(b'{"event":%b}' % event)

    def on_closed(self) -> None:
        for subscription in tuple(self._subscriptions.values()):
            self._forget(subscription)


def _connection_endpoints(connection: ApiConnection) -> tuple[Endpoint, ...]:
    """Operations on the connection itself; they pass the same gateway as all others."""
    return (
        Endpoint(connection.log_on, ws_name="session.logon", weight=2, right=Right.READ),
        Endpoint(lambda _, __: connection.describe_session(), ws_name="session.status", weight=2),
        Endpoint(lambda _, __: connection.log_out(), ws_name="session.logout", weight=2),
        Endpoint(lambda _, __: connection.list_subscriptions(), ws_name="session.subscriptions", weight=2),
        Endpoint(
            lambda _, __: connection.subscribe_by_session(), ws_name="userDataStream.subscribe", weight=2
        ),
        Endpoint(
            connection.subscribe_by_signature,
            ws_name="userDataStream.subscribe.signature",
            weight=2,
            right=Right.READ,
        ),
        Endpoint(
            connection.unsubscribe,
            ws_name="userDataStream.unsubscribe",
            weight=2,
            optional=(_SUBSCRIPTION_ID,),
        ),
    )


CONNECTION_METHODS = (
    "session.logon", "session.status", "session.logout", "session.subscriptions",
    "userDataStream.subscribe", "userDataStream.subscribe.signature", "userDataStream.unsubscribe",
)  # fmt: skip
"""The methods that only a connection can serve, for the list of what is served."""


def _is_request_id(value: object) -> bool:
    """A 64-bit integer, a text or nothing, as the exchange says; a bool is an int to Python only."""
    if isinstance(value, int):
        return not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value is None or isinstance(value, str)


def _parse(text: str) -> tuple[str | int | None, str, JsonObject]:
    """Id, method and parameters. Numbers with a fraction stay text, so that they are signed as they were sent."""
    try:
        orjson.loads(text)  # refuses what the other reader lets pass: lone surrogates, NaN, endless nesting
        message = _READER.decode(text)
    except (ValueError, RecursionError):
        raise ApiError(-1135, "Invalid JSON Request") from None
    if not isinstance(message, dict):
        raise ApiError(-1135, "Invalid JSON Request")
    request_id, method, params = message.get("id"), message.get("method"), message.get("params") or {}
    if not _is_request_id(request_id):
        raise ApiError(-1130, "Data sent for parameter 'id' is not valid.")
    if not isinstance(method, str) or not method:
        raise mandatory("method")
    if not isinstance(params, dict):
        raise ApiError(-1130, "Data sent for parameter 'params' is not valid.")
    return request_id, method, params
