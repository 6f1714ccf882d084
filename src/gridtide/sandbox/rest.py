"""The REST entrance: raw text in, status, JSON and limit headers out."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from aiohttp import web

from gridtide.sandbox import parameters
from gridtide.sandbox.endpoint import Answer
from gridtide.sandbox.errors import ApiError, unknown_path
from gridtide.sandbox.gateway import Gateway, Incoming, Routes
from gridtide.sandbox.wire import encode

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange

_JSON = "application/json"


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
            return self._unknown(request, path)
        try:
            raw = parameters.from_query_and_body(query, await _body(request))
        except ApiError as error:
            return self.refuse(request, error)
        strict = self._exchange.settings.strict_parameters
        api_key = request.headers.get("X-MBX-APIKEY")
        incoming = Incoming(endpoint, raw, request.remote or "", api_key, strict)
        return self._respond(await self._gateway.answer(incoming))

    def refuse(self, request: web.BaseRequest, error: ApiError) -> web.Response:
        """The response that says `error`."""
        return self._respond(self._gateway.refusal(request.remote or "", error))

    def _unknown(self, request: web.BaseRequest, path: str) -> web.Response:
        path = path.encode("ascii", "replace").decode()
        if "text/html" in request.headers.get("Accept", ""):
            page = f"<html><body><h1>404 Not Found</h1><p>{html.escape(path)}</p></body></html>"
            return web.Response(status=404, text=page, content_type="text/html")
        return self.refuse(request, unknown_path(request.method, path))

    def _respond(self, answer: Answer) -> web.Response:
        used = str(answer.used_weight)
        headers = {"x-mbx-used-weight": used, "x-mbx-used-weight-1m": used}
        now = self._exchange.now()
        if answer.account_id is not None:
            seconds, day = self._exchange.limiter.order_counts(answer.account_id, now)
            headers["x-mbx-order-count-10s"], headers["x-mbx-order-count-1d"] = str(seconds), str(day)
        if answer.retry_at is not None:
            headers["Retry-After"] = str(max(1, -(-(answer.retry_at - now) // 1000)))
        return web.Response(
            status=answer.status, body=encode(answer.body), headers=headers, content_type=_JSON
        )


async def _body(request: web.BaseRequest) -> str:
    if not request.can_read_body:
        return ""
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise ApiError(-1100, "Illegal characters found in a parameter.") from None
