"""The REST entrance: raw text in, status, JSON and limit headers out."""

from __future__ import annotations

import html
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE

from gridtide.sandbox import parameters
from gridtide.sandbox.delivery import deliver
from gridtide.sandbox.endpoint import Answer, Endpoint
from gridtide.sandbox.errors import ApiError, unknown_path
from gridtide.sandbox.gateway import Gateway, Incoming, Routes
from gridtide.sandbox.time_unit import TimeUnit, answer_in, time_unit
from gridtide.sandbox.wire import encode

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.http_front import PlainRequest

_JSON = "application/json"
_SPOT_API = "/api/"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class RestEntrance:
    """Answers HTTP requests."""

    def __init__(self, exchange: SandboxExchange, gateway: Gateway, routes: Routes) -> None:
        self._exchange = exchange
        self._gateway = gateway
        self._routes = routes

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        endpoint = self._routes.rest(request.method, path)
        if endpoint is None:
            refusal = self._turned_away()
            return self._unknown(request, path) if refusal is None else self.refuse(request, refusal)
        try:
            unit = _unit(endpoint, request.headers.get("X-MBX-TIME-UNIT"))
            raw = parameters.from_query_and_body(query, await _body(request))
        except ApiError as error:
            return self.refuse(request, self._turned_away() or error)
        strict = self._exchange.settings.strict_parameters
        api_key = request.headers.get("X-MBX-APIKEY")
        incoming = Incoming(endpoint, raw, request.remote or "", api_key, strict)
        answer = await self._gateway.answer(incoming)
        response = self._respond(answer, unit)
        return response if answer.delivery is None else await deliver(request, response, answer.delivery)

    def answer_at_once(self, request: PlainRequest, address: str) -> bytes | None:
        """The whole response to a plain request; None where it has to go the long way: an unknown path, a fault."""
        path, _, query = request.target.partition("?")
        endpoint = self._routes.rest(request.method, path)
        if endpoint is None or self._exchange.seam.around_request is not None:
            return None
        try:
            unit = _unit(endpoint, request.fields.get("x-mbx-time-unit"))
            raw = parameters.from_query_and_body(query, _text(request.body))
        except ApiError as error:
            return self._write(self._gateway.refusal(address, error))
        strict = self._exchange.settings.strict_parameters
        incoming = Incoming(endpoint, raw, address, request.fields.get("x-mbx-apikey"), strict)
        return self._write(self._gateway.answer_at_once(incoming), unit)

    def _write(self, answer: Answer, unit: TimeUnit = TimeUnit.MILLISECOND) -> bytes:
        body = encode(answer_in(unit, answer.body))
        fields = "".join(f"{name}: {value}\r\n" for name, value in self._headers(answer).items())
        head = (
            f"{_STATUS_LINES[answer.status]}{fields}Content-Type: {_JSON}\r\nContent-Length: {len(body)}\r\n"
            f"Date: {rfc822_formatted_time()}\r\nServer: {SERVER_SOFTWARE}\r\n\r\n"
        )
        return head.encode("ascii") + body

    def _turned_away(self) -> ApiError | None:
        """What everybody is told while nobody is let in."""
        hook = self._exchange.seam.at_the_door
        return None if hook is None else hook()

    def refuse(self, request: web.BaseRequest, error: ApiError) -> web.Response:
        """The response that says `error`."""
        return self._respond(self._gateway.refusal(request.remote or "", error))

    def _unknown(self, request: web.BaseRequest, path: str) -> web.Response:
        path = path.encode("ascii", "replace").decode()
        if "text/html" in request.headers.get("Accept", ""):
            page = f"<html><body><h1>404 Not Found</h1><p>{html.escape(path)}</p></body></html>"
            return web.Response(status=404, text=page, content_type="text/html")
        return self.refuse(request, unknown_path(request.method, path))

    def _respond(self, answer: Answer, unit: TimeUnit = TimeUnit.MILLISECOND) -> web.Response:
        body = encode(answer_in(unit, answer.body))
        return web.Response(
            status=answer.status, body=body, headers=self._headers(answer), content_type=_JSON
        )

    def _headers(self, answer: Answer) -> dict[str, str]:
        used = str(answer.used_weight)
        headers = {"x-mbx-used-weight": used, "x-mbx-used-weight-1m": used}
        now = self._exchange.now()
        if answer.account_id is not None:
            seconds, day = self._exchange.limiter.order_counts(answer.account_id, now)
            headers["x-mbx-order-count-10s"], headers["x-mbx-order-count-1d"] = str(seconds), str(day)
        if answer.retry_at is not None:
            headers["Retry-After"] = str(max(1, -(-(answer.retry_at - now) // 1000)))
        return headers


def _unit(endpoint: Endpoint, asked: str | None) -> TimeUnit:
    """Only the spot API knows the header."""
    return time_unit(asked) if endpoint.path.startswith(_SPOT_API) else TimeUnit.MILLISECOND


async def _body(request: web.BaseRequest) -> str:
    try:
        return _text(await request.read()) if request.can_read_body else ""
    except web.RequestPayloadError:  # chunks or a compression that are none
        raise ApiError(-1100, "Illegal characters found in a parameter.") from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise ApiError(-1100, "Illegal characters found in a parameter.") from None
