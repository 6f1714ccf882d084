"""A scripted stand-in for Binance's edge: real HTTP and WebSockets, replies as each test says.

It knows nothing about trading. What it cannot answer from its script or its few standing answers is a 404.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from gridtide.exchanges.connection import ExchangeConnection

API_KEY = "K" * 64
SECRET = "S" * 64

EXCHANGE_INFO: dict[str, Any] = {
    "timezone": "UTC",
    "serverTime": 0,
    "rateLimits": [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
        {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300000},
    ],
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "baseAssetPrecision": 8,
            "quoteAsset": "USDT",
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
            "isSpotTradingAllowed": True,
            "permissionSets": [["SPOT"]],
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": "0.01000000",
                    "maxPrice": "1000000.00000000",
                    "tickSize": "0.01000000",
                },
                {
                    "filterType": "LOT_SIZE",
                    "minQty": "0.00001000",
                    "maxQty": "9000.00000000",
                    "stepSize": "0.00001000",
                },
                {
                    "filterType": "MARKET_LOT_SIZE",
                    "minQty": "0.00000000",
                    "maxQty": "120.00000000",
                    "stepSize": "0.00000000",
                },
                {
                    "filterType": "PERCENT_PRICE_BY_SIDE",
                    "bidMultiplierUp": "5",
                    "bidMultiplierDown": "0.2",
                    "askMultiplierUp": "5",
                    "askMultiplierDown": "0.2",
                    "avgPriceMins": 5,
                },
                {
                    "filterType": "NOTIONAL",
                    "minNotional": "5.00000000",
                    "applyMinToMarket": True,
                    "maxNotional": "9000000.00000000",
                    "applyMaxToMarket": False,
                    "avgPriceMins": 5,
                },
                {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
                {"filterType": "OF_NEXT_YEAR", "what": "ever"},
            ],
        }
    ],
}

TICKER = {
    "symbol": "BTCUSDT",
    "bidPrice": "49999.00",
    "bidQty": "1.0",
    "askPrice": "50001.00",
    "askQty": "2.0",
}


@dataclass
class Reply:
    """What the server does with one request: wait, act as told, and answer or not."""

    status: int = 200
    body: Any = None
    """A dict or list becomes JSON, a text is sent as it is."""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay: float = 0.0
    drop: bool = False
    """Close the connection without an answer."""
    cut_at: int | None = None
    """Announce the whole body, send this many bytes, close the connection."""

    @property
    def raw(self) -> bytes:
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class Seen:
    """A request that arrived."""

    method: str
    path: str
    params: dict[str, str]
    arrived: float


class FakeBinance:
    """Scripted replies by ``"METHOD /path"``; sockets that tests write to."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.script: dict[str, deque[Reply]] = defaultdict(deque)
        self.answers: dict[str, Reply | Callable[[dict[str, str]], Reply]] = {
            "GET /api/v3/time": lambda _: Reply(body={"serverTime": self.now()}),
            "GET /api/v3/exchangeInfo": Reply(body=EXCHANGE_INFO),
            "GET /api/v3/ticker/bookTicker": Reply(body=TICKER),
            "GET /api/v3/ticker/price": Reply(body={"symbol": "BTCUSDT", "price": "50000.00"}),
            "GET /api/v3/ticker/24hr": Reply(body=[TICKER | {"lastPrice": "50000.00", "closeTime": 1}]),
            "GET /api/v3/openOrders": Reply(body=[]),
            "GET /api/v3/myTrades": Reply(body=[]),
            "GET /api/v3/account": Reply(
                body={
                    "uid": 7,
                    "canTrade": True,
                    "balances": [{"asset": "USDT", "free": "9.5", "locked": "0.5"}],
                }
            ),
        }
        self.clock_error_ms = 0
        self.url = ""
        self.user_sockets: list[web.WebSocketResponse] = []
        self.market_sockets: list[web.WebSocketResponse] = []
        self.subscribe_answers: deque[dict[str, Any] | None] = deque()
        """Answers to the next user-stream subscriptions; None is silence. Empty: yes."""
        self.subscriptions: list[dict[str, Any]] = []
        self.socket_news = asyncio.Event()
        self._transports: dict[web.WebSocketResponse, Any] = {}

    def now(self) -> int:
        return int(time.time() * 1000) + self.clock_error_ms

    def on(self, request: str, *replies: Reply) -> None:
        """Answer the next requests of this kind with `replies`, in order."""
        self.script[request].extend(replies)

    def count(self, request: str) -> int:
        return len(self.requests(request))

    def requests(self, request: str) -> list[Seen]:
        return [seen for seen in self.seen if f"{seen.method} {seen.path}" == request]

    def connection(self, **changes: Any) -> ExchangeConnection:
        """Settings that lead here."""
        settings: dict[str, Any] = {
            "api_key": API_KEY,
            "secret": SECRET,
            "rest_url": self.url,
            "timeout_seconds": 2.0,
            "reconnect_seconds": 0.01,
        }
        return ExchangeConnection(**(settings | changes))

    async def tell_user(self, event: Any) -> None:
        await self.send_user_frame(json.dumps({"subscriptionId": 0, "event": event}))

    async def send_user_frame(self, text: str) -> None:
        await (await self._last_socket(self.user_sockets)).send_str(text)

    async def tell_market(self, message: Any) -> None:
        await (await self._last_socket(self.market_sockets)).send_str(json.dumps(message))

    def abort(self, socket: web.WebSocketResponse) -> None:
        """Cut the line, without a goodbye."""
        self._transports[socket].abort()

    def stop_reading(self, socket: web.WebSocketResponse) -> None:
        """Leave everything that comes unread: the line is dead and nobody says so."""
        self._transports[socket].pause_reading()

    async def user_socket_number(self, number: int) -> None:
        """Wait for the `number`-th subscription to user events."""
        async with asyncio.timeout(5):
            while len(self.user_sockets) < number:
                self.socket_news.clear()
                await self.socket_news.wait()

    async def _last_socket(self, sockets: list[web.WebSocketResponse]) -> web.WebSocketResponse:
        async with asyncio.timeout(5):
            while not sockets or sockets[-1].closed:
                self.socket_news.clear()
                await self.socket_news.wait()
        return sockets[-1]

    # --- serving -------------------------------------------------------------------------------------

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        params = dict(request.query) | {key: str(value) for key, value in (await request.post()).items()}
        self.seen.append(Seen(request.method, request.path, params, time.monotonic()))
        name = f"{request.method} {request.path}"
        if self.script[name]:
            reply = self.script[name].popleft()
        else:
            standing = self.answers.get(name, Reply(404, "not found", content_type="text/html"))
            reply = standing if isinstance(standing, Reply) else standing(params)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        return await self._carry_out(request, reply)

    async def _carry_out(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        if reply.drop:
            transport.abort()
            return web.Response()
        if reply.cut_at is None:
            return web.Response(
                body=reply.raw, status=reply.status, headers=reply.headers, content_type=reply.content_type
            )
        response = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.content_type})
        response.content_length = len(reply.raw)
        await response.prepare(request)
        await response.write(reply.raw[: reply.cut_at])
        transport.close()
        return response

    async def _user_socket(self, request: web.Request) -> web.WebSocketResponse:
        return await self._serve_socket(request, self.user_sockets, self._answer_user)

    async def _market_socket(self, request: web.Request) -> web.WebSocketResponse:
        return await self._serve_socket(request, self.market_sockets, self._answer_market)

    async def _serve_socket(
        self,
        request: web.Request,
        sockets: list[web.WebSocketResponse],
        answer: Callable[[web.WebSocketResponse, dict[str, Any]], Awaitable[None]],
    ) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.transport is not None
        self._transports[socket] = request.transport
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await answer(socket, json.loads(frame.data))
                sockets.append(socket)
                self.socket_news.set()
        return socket

    async def _answer_user(self, socket: web.WebSocketResponse, request: dict[str, Any]) -> None:
        self.subscriptions.append(request)
        yes = {"status": 200, "result": {"subscriptionId": 0}}
        answer = self.subscribe_answers.popleft() if self.subscribe_answers else yes
        if answer is not None:
            await socket.send_json({"id": request["id"]} | answer)

    async def _answer_market(self, socket: web.WebSocketResponse, request: dict[str, Any]) -> None:
        self.subscriptions.append(request)
        await socket.send_json({"result": None, "id": request["id"]})

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/ws-api/v3", self._user_socket)
        app.router.add_get("/stream/ws/{number}", self._market_socket)
        app.router.add_route("*", "/{path:.*}", self._rest)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner


@asynccontextmanager
async def fake_binance() -> AsyncIterator[FakeBinance]:
    """A server on a free port, gone at the end."""
    fake = FakeBinance()
    runner = await fake.start()
    try:
        yield fake
    finally:
        for socket in [*fake.user_sockets, *fake.market_sockets]:
            await socket.close()
        await runner.cleanup()
