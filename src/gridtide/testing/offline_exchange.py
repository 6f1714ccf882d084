"""A sandbox exchange without sockets, threads or waiting: requests pass the very gateway that HTTP requests pass.

    from gridtide.testing import OfflineExchange

    def test_something():
        exchange = OfflineExchange()
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001",
                 "price": "49000"}
        answer = exchange.request("POST", "/api/v3/order", order)
        exchange.move("48000")
        assert exchange.user_events("executionReport")[-1]["X"] == "FILLED"

Its clock stands still until `advance` moves it, so that every run is the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson

from gridtide.domain.errors import Defect, InvalidInput
from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.errors import ApiError, unknown_path
from gridtide.sandbox.feed import TICKS_PER_SECOND
from gridtide.sandbox.gateway import Incoming
from gridtide.sandbox.server import Sandbox
from gridtide.sandbox.settings import SandboxSettings
from gridtide.sandbox.time_unit import TimeUnit
from gridtide.sandbox.wire import encode
from gridtide.testing import by_hand
from gridtide.testing.settings import SECRET, sandbox_settings

T = TypeVar("T")

START = Timestamp(1_700_000_000_000)
"""Where the clock begins: 2023-11-14 22:13:20 UTC."""
ADDRESS = "127.0.0.1"
USER = "user"
_MS_PER_TICK = 1000 // TICKS_PER_SECOND


class StandingClock:
    """Time as a test sets it."""

    def __init__(self, now: Timestamp) -> None:
        self._now = now

    def now(self) -> Timestamp:
        return self._now

    def monotonic(self) -> float:
        return self._now / 1000

    def set(self, now: int) -> None:
        self._now = Timestamp(now)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: HTTP status, JSON as a client reads it, and the weight used up so far."""

    status: int
    body: Any
    used_weight: int

    @property
    def code(self) -> int | None:
        """The exchange's error code, None for a success."""
        return self.body.get("code") if self.status >= 400 else None


@dataclass(frozen=True, slots=True)
class Event:
    """What a stream sent: its name (``user`` for user events), the account of a user event, the JSON."""

    stream: str
    account_id: str
    data: dict[str, Any] = field(hash=False)


class OfflineExchange:
    """A whole exchange in this thread. The default one has BTC/USDT at 50,000 and an account of 100,000 USDT, 1 BTC.

    Everything it sends is in `events`, in order: user events of every account, and the market streams of
    `subscribe`.
    """

    def __init__(self, settings: SandboxSettings | None = None, *, now: int = START) -> None:
        self.clock = StandingClock(Timestamp(now))
        self.events: list[Event] = []
        self._is_default = settings is None
        self.sandbox = Sandbox(settings or sandbox_settings(control_port=None), self.clock)
        self._secrets = {
            key.key: key.secret for account in self.sandbox.settings.accounts for key in account.keys
        }
        self._tick = 0
        for account_id in self.sandbox.exchange.venue.accounts():
            self.sandbox.exchange.hub.add_user(account_id, _UserEvents(self, account_id))
        self.sandbox.player.open_markets()
        self._arm_faults()
        if self._is_default:
            self.move("50000", volume="1")

    def _arm_faults(self) -> None:
        try:
            self.sandbox.faults.begin(self.sandbox.settings.faults)
        except RuntimeError:
            raise InvalidInput(
                "faults that happen by themselves need an event loop: use running_sandbox, or make the exchange in one"
            ) from None

    # --- requests ------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        signed: bool | None = None,
        api_key: str | None = None,
    ) -> Reply:
        """A REST request, through limits, signature and parameters as over HTTP. `signed` None: where it must be."""
        return self._run(self.answer(method, path, params, signed=signed, api_key=api_key))

    async def answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        signed: bool | None = None,
        api_key: str | None = None,
    ) -> Reply:
        """`request` for a running event loop: faults may make it wait."""
        endpoint = self.sandbox.routes.rest(method, path)
        if endpoint is None:
            return self._refusal(unknown_path(method, path))
        given = dict(params or {})
        key = api_key
        if (endpoint.right is not Right.NONE) if signed is None else signed:
            key = key or self._first_key()
            given.setdefault("timestamp", self.clock.now())
            given["signature"] = self._sign(urlencode(given), key)
        try:
            raw = parameters.from_query_and_body(urlencode(given), "")
        except ApiError as error:
            return self._refusal(error)
        strict = self.sandbox.settings.strict_parameters
        return await self._pass(Incoming(endpoint, raw, ADDRESS, key, strict))

    def call(self, method: str, params: Mapping[str, object] | None = None) -> Reply:
        """A request of the WebSocket API by its method, such as ``order.place``, signed where it must be."""
        endpoint = self.sandbox.routes.websocket(method)
        if endpoint is None:
            raise InvalidInput(f"the WebSocket API has no method {method}")
        given = dict(params or {})
        if endpoint.right is not Right.NONE:
            given.setdefault("apiKey", self._first_key())
            given.setdefault("timestamp", self.clock.now())
            text = parameters.from_json(given).signed_text
            given["signature"] = self._sign(text, str(given["apiKey"]))
        raw = parameters.from_json(given)
        strict = self.sandbox.settings.strict_websocket_parameters
        return self._run(self._pass(Incoming(endpoint, raw, ADDRESS, raw.values.get("apiKey"), strict)))

    async def _pass(self, incoming: Incoming) -> Reply:
        answer = await self.sandbox.gateway.answer(incoming)
        return Reply(answer.status, orjson.loads(encode(answer.body)), answer.used_weight)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`. A fault may make it wait, and that takes an event loop."""
        if self.sandbox.exchange.seam.around_request is None:
            return _at_once(work)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work)
        work.close()
        raise InvalidInput("with faults, and in a running event loop: await exchange.answer(…)")

    def _refusal(self, error: ApiError) -> Reply:
        answer = self.sandbox.gateway.refusal(ADDRESS, error)
        return Reply(answer.status, orjson.loads(encode(answer.body)), answer.used_weight)

    def _first_key(self) -> str:
        return next(iter(self._secrets))

    def _sign(self, text: str, key: str) -> str:
        secret = self._secrets.get(key, SECRET)
        return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    # --- events --------------------------------------------------------------------------------------

    def subscribe(self, *streams: str) -> None:
        """Hear market streams, such as ``btcusdt@trade``."""
        for name in streams:
            self.sandbox.exchange.hub.subscribe(name, _StreamEvents(self, name))

    def user_events(self, kind: str = "", account_id: str = "") -> list[dict[str, Any]]:
        """The user events so far, of one type (``executionReport``) and one account where named."""
        return [
            event.data
            for event in self.events
            if event.stream == USER and kind in ("", event.data["e"]) and account_id in ("", event.account_id)
        ]

    # --- the world -----------------------------------------------------------------------------------

    def move(
        self,
        price: str | Decimal,
        *,
        volume: str | Decimal = ZERO,
        symbol: str = "BTC/USDT",
        taker: Side | None = None,
    ) -> None:
        """Walk a market to `price` over every price between; resting orders on the way fill."""
        by_hand.move(self.sandbox.exchange, symbol, price, volume, self.clock.now(), taker)

    def step(self, points: int = 1) -> int:
        """Play the next points of the markets that have a source; gives how many there were."""
        return self.sandbox.player.step(points)

    def advance(self, seconds: float) -> None:
        """Let time pass: streams of fixed speed send what they owe, rate limits begin anew. No market moves.
        Raises `InvalidInput` for a time before now."""
        if not seconds >= 0:
            raise InvalidInput(f"the clock cannot go back by {-seconds} seconds; nothing was changed")
        end = self.clock.now() + round(seconds * 1000)
        while self.clock.now() + _MS_PER_TICK <= end:
            self.clock.set(self.clock.now() + _MS_PER_TICK)
            self._tick += 1
            self.sandbox.exchange.pulse(self._tick)
        self.clock.set(end)

    def deposit(self, asset: str, amount: str | Decimal, account_id: str = "main") -> None:
        """Add to an account; a negative amount takes away."""
        by_hand.deposit(self.sandbox.exchange, account_id, asset, amount)

    def truth(self, account_id: str = "main") -> dict[str, Any]:
        """Orders, fills and balances exactly as the venue has them, decimals as text."""
        return self.sandbox.truth(account_id)


@dataclass(frozen=True, eq=False)
class _UserEvents:
    exchange: OfflineExchange
    account_id: str

    def send_event(self, event: bytes) -> None:
        self.exchange.events.append(Event(USER, self.account_id, orjson.loads(event)))


@dataclass(frozen=True, eq=False)
class _StreamEvents:
    exchange: OfflineExchange
    name: str
    combined: bool = False
    unit: TimeUnit = TimeUnit.MILLISECOND

    def send_frame(self, data: bytes) -> None:
        self.exchange.events.append(Event(self.name, "", orjson.loads(_content(data))))


def _content(data: bytes) -> bytes:
    """What is in an unmasked WebSocket frame (RFC 6455, 5.2): the second byte says how its length is written."""
    return data[{126: 4, 127: 10}.get(data[1], 2) :]


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of something that never waits, without an event loop: inside and outside of a running one alike."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise Defect("a request waited, and no fault made it wait")
