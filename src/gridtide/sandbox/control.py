"""The control API: hold, resume, the truth. On its own port, on loopback only, for holders of the token only."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gridtide.domain.errors import GridtideError, InvalidInput
from gridtide.domain.market import Asset
from gridtide.domain.money import parse_decimal, plain
from gridtide.sandbox.endpoints.paging import NO_LIMIT
from gridtide.sandbox.wire import JsonObject, encode

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.player import Player
    from gridtide.venue.venue import Venue

CONTROL_HOST = "127.0.0.1"

Operation = Callable[[web.BaseRequest], Awaitable[JsonObject]]


class ControlApi:
    """Answers requests of whoever started the sandbox."""

    def __init__(
        self,
        exchange: SandboxExchange,
        player: Player,
        shut_down: Callable[[], None],
        describe: Callable[[], JsonObject],
    ) -> None:
        self._exchange = exchange
        self._player = player
        self._shut_down = shut_down
        self._describe = describe
        self._token = exchange.settings.control_token
        if not self._token:
            raise InvalidInput("the control API needs a token")
        self._operations: dict[tuple[str, str], Operation] = {
            ("GET", "/control/status"): self._status,
            ("POST", "/control/hold"): self._hold,
            ("POST", "/control/resume"): self._resume,
            ("POST", "/control/shutdown"): self._shutdown,
            ("GET", "/control/truth"): self._truth,
            ("POST", "/control/deposit"): self._deposit,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self._is_authorized(request):
            return _respond(401, {"error": "the control token is missing or wrong"})
        operation = self._operations.get((request.method, request.path))
        if operation is None:
            return _respond(404, {"error": f"there is no {request.method} {request.path}"})
        try:
            return _respond(200, await operation(request))
        except GridtideError as error:
            return _respond(400, {"error": str(error)})

    def _is_authorized(self, request: web.BaseRequest) -> bool:
        sent = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        return hmac.compare_digest(sent, f"Bearer {self._token}".encode())

    async def _status(self, _request: web.BaseRequest) -> JsonObject:
        return self._describe()

    async def _hold(self, _request: web.BaseRequest) -> JsonObject:
        self._player.hold()
        return self._describe()

    async def _resume(self, _request: web.BaseRequest) -> JsonObject:
        self._player.resume()
        return self._describe()

    async def _shutdown(self, _request: web.BaseRequest) -> JsonObject:
        self._shut_down()
        return self._describe()

    async def _truth(self, request: web.BaseRequest) -> JsonObject:
        return truth(self._exchange.venue, request.query.get("account", ""))

    async def _deposit(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"account": …, "asset": …, "amount": "10"}``; a negative amount takes away."""
        try:
            body = await request.json()
        except ValueError:
            raise InvalidInput("the body of a deposit is not JSON") from None
        if not isinstance(body, dict) or not {"account", "asset", "amount"} <= body.keys():
            raise InvalidInput("a deposit needs account, asset and amount")
        account_id, asset = str(body["account"]), Asset(str(body["asset"]))
        self._exchange.deposit(account_id, asset, parse_decimal(body["amount"]))
        return {"balance": _plain(self._exchange.venue.balances(account_id)[asset])}


def truth(venue: Venue, account_id: str) -> JsonObject:
    """All orders, fills and balances of an account exactly as the venue has them, decimals as text."""
    symbols = [market.symbol for market in venue.markets()]
    orders = [order for symbol in symbols for order in venue.orders(account_id, symbol, 0, NO_LIMIT)]
    fills = [fill for symbol in symbols for fill in venue.fills(account_id, symbol, 0, None, NO_LIMIT)]
    return {
        "account": account_id,
        "balances": {asset: _plain(balance) for asset, balance in venue.balances(account_id).items()},
        "orders": [_plain(order) for order in orders],
        "fills": [_plain(fill) for fill in fills],
    }


def _respond(status: int, body: JsonObject) -> web.Response:
    return web.Response(status=status, body=encode(body), content_type="application/json")


def _plain(value: Any) -> JsonObject:
    """A flat dataclass of the venue as JSON: decimals as exact text, words as words."""
    return {field.name: _plain_value(getattr(value, field.name)) for field in fields(value)}


def _plain_value(value: object) -> object:
    match value:
        case Decimal():
            return plain(value)
        case Enum():
            return value.value
        case _:
            return value
