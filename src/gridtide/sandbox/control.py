"""The control API: the market, the truth, the end. On its own port, on loopback only, for holders of the token only.

What concerns accounts and markets stands in `control_accounts` and `control_markets`; every operation is a row of a
table, so that other parts can add theirs.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gridtide.domain.errors import GridtideError, InvalidInput
from gridtide.domain.money import plain
from gridtide.sandbox.control_body import read_body
from gridtide.sandbox.endpoints.paging import NO_LIMIT
from gridtide.sandbox.recording import Recording
from gridtide.sandbox.wire import JsonObject, encode

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.player import Player
    from gridtide.venue.venue import Venue

_LOG = logging.getLogger(__name__)

CONTROL_HOST = "127.0.0.1"
MOST_STEPS = 10_000
"""Points one request may play: the exchange does nothing else meanwhile."""

Operation = Callable[[web.BaseRequest], Awaitable[JsonObject]]
Operations = Mapping[tuple[str, str], Operation]
"""By method and path: ``("POST", "/control/hold")``."""


class ControlApi:
    """Answers requests of whoever started the sandbox."""

    def __init__(self, exchange: SandboxExchange, *operations: Operations) -> None:
        self._exchange = exchange
        self._token = exchange.settings.control_token
        if not self._token:
            raise InvalidInput("the control API needs a token")
        self._operations: dict[tuple[str, str], Operation] = {}
        for table in operations:
            self._operations.update(table)
        self._operations["GET", "/control"] = self._list

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self._is_authorized(request):
            return _respond(401, {"error": "the control token is missing or wrong"})
        operation = self._operations.get((request.method, request.path))
        if operation is None:
            return _respond(404, {"error": f"there is no {request.method} {request.path}"})
        try:
            answer = await operation(request)
        except GridtideError as error:
            return _respond(400, {"error": str(error)})
        except Exception:
            _LOG.exception("sandbox.control_failed", extra={"path": request.path})
            return _respond(500, {"error": "a mistake inside the sandbox; its log has the details"})
        if request.method != "GET":
            self._exchange.revision += 1
        return _respond(200, answer)

    def _is_authorized(self, request: web.BaseRequest) -> bool:
        sent = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        return hmac.compare_digest(sent, f"Bearer {self._token}".encode())

    async def _list(self, _request: web.BaseRequest) -> JsonObject:
        """Everything there is to ask."""
        return {"operations": sorted(f"{method} {path}" for method, path in self._operations)}


class RunControl:
    """How the sandbox runs: its market's clock, its state, its end."""

    def __init__(
        self,
        exchange: SandboxExchange,
        player: Player,
        *,
        shut_down: Callable[[], None],
        describe: Callable[[], JsonObject],
        save: Callable[[], Awaitable[None]],
    ) -> None:
        self._exchange = exchange
        self._player = player
        self._shut_down = shut_down
        self._describe = describe
        self._save_state = save

    def operations(self) -> Operations:
        return {
            ("GET", "/control/status"): self._status,
            ("POST", "/control/hold"): self._hold,
            ("POST", "/control/resume"): self._resume,
            ("POST", "/control/speed"): self._speed,
            ("POST", "/control/step"): self._step,
            ("GET", "/control/recording"): self._recorded,
            ("POST", "/control/recording"): self._record,
            ("POST", "/control/save"): self._save,
            ("POST", "/control/shutdown"): self._shutdown,
            ("GET", "/control/truth"): self._truth,
        }

    async def _status(self, _request: web.BaseRequest) -> JsonObject:
        return self._describe()

    async def _hold(self, _request: web.BaseRequest) -> JsonObject:
        self._player.hold()
        return self._describe()

    async def _resume(self, _request: web.BaseRequest) -> JsonObject:
        self._player.resume()
        return self._describe()

    async def _speed(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"speed": "60"}``, market seconds a wall second."""
        body = await read_body(request, ["speed"])
        self._player.set_speed(float(body.decimal("speed")))
        return self._describe()

    async def _step(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"points": 10}``: the next points of all markets together, at once."""
        body = await read_body(request, [], ["points"])
        points = body.given("points", body.whole, 1)
        if not 1 <= points <= MOST_STEPS:
            raise InvalidInput(f"points must be from 1 to {MOST_STEPS}; nothing was played")
        return {"played": self._player.step(points), **self._describe()}

    async def _recorded(self, _request: web.BaseRequest) -> JsonObject:
        recording = self._exchange.recording
        return {"events": [] if recording is None else recording.events()}

    async def _record(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"on": true}`` begins a new recording, false ends it and lets go of it."""
        body = await read_body(request, ["on"])
        self._exchange.recording = Recording(self._player.steps()) if body.flag("on") else None
        return self._describe()

    async def _save(self, _request: web.BaseRequest) -> JsonObject:
        await self._save_state()
        return self._describe()

    async def _shutdown(self, _request: web.BaseRequest) -> JsonObject:
        self._shut_down()
        return self._describe()

    async def _truth(self, request: web.BaseRequest) -> JsonObject:
        return truth(self._exchange.venue, request.query.get("account", ""))


def truth(venue: Venue, account_id: str) -> JsonObject:
    """All orders, fills and balances of an account exactly as the venue has them, decimals as text."""
    symbols = [market.symbol for market in venue.markets()]
    orders = [order for symbol in symbols for order in venue.orders(account_id, symbol, 0, NO_LIMIT)]
    fills = [fill for symbol in symbols for fill in venue.fills(account_id, symbol, 0, None, NO_LIMIT)]
    return {
        "account": account_id,
        "balances": {asset: plain_values(balance) for asset, balance in venue.balances(account_id).items()},
        "orders": [plain_values(order) for order in orders],
        "fills": [plain_values(fill) for fill in fills],
    }


def _respond(status: int, body: JsonObject) -> web.Response:
    return web.Response(status=status, body=encode(body), content_type="application/json")


def plain_values(value: Any) -> JsonObject:
    """A dataclass or named tuple of the venue as JSON: decimals as exact text, words as words."""
    names = getattr(value, "_fields", None) or [field.name for field in fields(value)]
    return {name: _plain_value(getattr(value, name)) for name in names}


def _plain_value(value: object) -> object:
    match value:
        case Decimal():
            return plain(value)
        case Enum():
            return value.value
        case tuple() if hasattr(value, "_fields"):
            return plain_values(value)
        case tuple():
            return [_plain_value(each) for each in value]
        case Mapping():
            return {str(name): _plain_value(each) for name, each in value.items()}
        case _ if is_dataclass(value):
            return plain_values(value)
        case _:
            return value
