"""The one way in for REST and WebSocket API alike: limits, key, signature, time, parameters, then the handler.

Precedence of failures is that of protocol section 18. Whatever goes wrong inside becomes -1000, never a stack trace.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.sandbox.authentication import SIGNING_PARAMETERS, Right, check_signature, check_timing
from gridtide.sandbox.endpoint import Answer, Call, Endpoint
from gridtide.sandbox.errors import ApiError, unknown_error
from gridtide.sandbox.parameters import decode_all
from gridtide.venue.messages import VenueRefusal

if TYPE_CHECKING:
    from gridtide.domain.market import Timestamp
    from gridtide.sandbox.authentication import KeyEntry
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.parameters import RawParameters

_LOG = logging.getLogger(__name__)

_UNSIGNED = frozenset({"apiKey", "returnRateLimits"})
"""What clients of the WebSocket API may send with any request (protocol sections 3.2 and 9.1)."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came in, by whichever entrance."""

    endpoint: Endpoint
    raw: RawParameters
    address: str
    api_key: str | None
    strict: bool
    session: KeyEntry | None = None
    """The key a WebSocket session logged on with: its requests need no signature."""


class Gateway:
    """Turns requests into answers."""

    def __init__(self, exchange: SandboxExchange) -> None:
        self._exchange = exchange

    async def answer(self, incoming: Incoming) -> Answer:
        """The answer to a request; never raises."""
        around = self._exchange.seam.around_request
        if around is None:
            return self.answer_at_once(incoming)
        try:
            weight = incoming.endpoint.weigh(incoming.raw.values)
            return await around(Passage(self, incoming, weight))
        except Exception as error:
            return self._failure(incoming, error)

    def answer_at_once(self, incoming: Incoming) -> Answer:
        """The answer where the seam does not stand around requests: nothing is awaited. Never raises."""
        try:
            weight = incoming.endpoint.weigh(incoming.raw.values)
            return self.act(self.open(incoming, weight), weight, self._exchange)
        except Exception as error:
            return self._failure(incoming, error)

    def _failure(self, incoming: Incoming, error: Exception) -> Answer:
        if isinstance(error, ApiError):
            return self.refusal(incoming.address, error)
        endpoint = incoming.endpoint.path or incoming.endpoint.ws_name
        _LOG.error("sandbox.request_failed", extra={"endpoint": endpoint}, exc_info=error)
        return self.refusal(incoming.address, unknown_error())

    def open(self, incoming: Incoming, weight: int) -> Call:
        """Admit, authenticate and decode a request."""
        exchange, endpoint, values = self._exchange, incoming.endpoint, incoming.raw.values
        now = exchange.now()
        exchange.limiter.admit(incoming.address, weight, now)
        key = None if endpoint.right is Right.NONE else self._authenticate(incoming, now)
        ignored = _UNSIGNED if key is None else SIGNING_PARAMETERS | _UNSIGNED
        decoded = decode_all(values, endpoint.required, endpoint.optional, ignored, strict=incoming.strict)
        return Call(endpoint, decoded, incoming.address, values, key)

    def _authenticate(self, incoming: Incoming, now: Timestamp) -> KeyEntry:
        if incoming.session is not None and incoming.api_key is None:
            key = incoming.session
        else:
            key = self._exchange.keys.find(incoming.api_key)
            check_signature(key, incoming.raw)
        key.require(incoming.endpoint.right, incoming.address)
        check_timing(incoming.raw.values, now)
        return key

    def act(self, call: Call, weight: int, shown: SandboxExchange) -> Answer:
        """Have the handler answer; `shown` is the exchange it looks at."""
        exchange, endpoint = self._exchange, call.endpoint
        try:
            body = endpoint.handler(shown, call)
        except ApiError as error:
            return self.refusal(call.address, error)
        except VenueRefusal as refusal:
            return self.refusal(call.address, ApiError(refusal.code, refusal.message))
        now = exchange.now()
        if endpoint.free_on_success:
            exchange.limiter.refund(call.address, weight, now)
        account_id = call.account_id if endpoint.shows_order_counts else None
        return Answer(200, body, exchange.limiter.used_weight(call.address, now), account_id)

    def refusal(self, address: str, error: ApiError) -> Answer:
        """The answer that says `error`."""
        used = self._exchange.limiter.used_weight(address, self._exchange.now())
        return Answer(error.status, error.body, used, retry_at=error.retry_at)


@dataclass(frozen=True, slots=True)
class Passage:
    """A request and the gateway's single steps, for the seam: it may take them late, twice, or not at all."""

    gateway: Gateway
    incoming: Incoming
    weight: int

    def open(self) -> Call:
        """Admit, authenticate and decode; raises `ApiError`."""
        return self.gateway.open(self.incoming, self.weight)

    def act(self, call: Call, shown: SandboxExchange) -> Answer:
        """Do what the request asks, looking at `shown`."""
        return self.gateway.act(call, self.weight, shown)

    def refusal(self, error: ApiError) -> Answer:
        """The answer that says `error`."""
        return self.gateway.refusal(self.incoming.address, error)


class Routes:
    """Endpoints by path and method, and by WebSocket name."""

    def __init__(self, endpoints: tuple[Endpoint, ...]) -> None:
        self._by_path: dict[tuple[str, str], Endpoint] = {}
        self._by_name: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            if endpoint.path:
                assert (endpoint.method, endpoint.path) not in self._by_path
                self._by_path[endpoint.method, endpoint.path] = endpoint
            if endpoint.ws_name:
                assert endpoint.ws_name not in self._by_name
                self._by_name[endpoint.ws_name] = endpoint

    def rest(self, method: str, path: str) -> Endpoint | None:
        return self._by_path.get((method, path))

    def websocket(self, name: str) -> Endpoint | None:
        """By method name; a ``v3/`` before it is allowed (protocol section 9.1)."""
        return self._by_name.get(name.removeprefix("v3/"))
