"""A WebSocket client for tests: JSON in and out, with a timeout on every wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from tests.sandbox.rest_client import now, sign

WAIT_SECONDS = 5.0


class SocketClient:
    """One connection; events that come while an answer is awaited are kept in `events`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[Any] = []

    async def send_text(self, text: str) -> None:
        await self.socket.send_str(text)

    async def read(self) -> Any:
        """The next message, whatever it is."""
        message = await self.socket.receive(WAIT_SECONDS)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return orjson.loads(message.data)

    async def event(self) -> Any:
        """The next event: one kept, or the next message."""
        return self.events.pop(0) if self.events else await self.read()

    async def ask(self, method: str, params: object = None, request_id: object = 1) -> Any:
        """Send a request and give its answer."""
        request = {"id": request_id, "method": method}
        await self.send_text(
            orjson.dumps(request if params is None else {**request, "params": params}).decode()
        )
        return await self.answer()

    async def answer(self) -> Any:
        """The next message that answers a request."""
        while True:
            message = await self.read()
            if isinstance(message, dict) and "id" in message:
                return message
            self.events.append(message)

    async def closed(self) -> int | None:
        """Read until the connection ends; gives the closing code."""
        async with asyncio.timeout(WAIT_SECONDS):
            async for _ in self.socket:
                pass
        return self.socket.close_code


@asynccontextmanager
async def connect(url: str, **options: Any) -> AsyncIterator[SocketClient]:
    """An open connection."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url, **options) as socket:
        yield SocketClient(socket)


def signed(params: dict[str, Any], api_key: str, secret: str) -> dict[str, Any]:
    """Parameters of the WebSocket API with key, time and signature."""
    whole = {**params, "apiKey": api_key, "timestamp": now()}
    text = "&".join(f"{name}={_text(whole[name])}" for name in sorted(whole))
    return {**whole, "signature": sign(text, secret)}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
