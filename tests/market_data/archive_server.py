"""A local server with the layout of the exchange's bulk archive, and whatever can go wrong with one."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

MONTHLY = "data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-{}.zip"
DAILY = "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-{}.zip"
DAILY_TRADES = "data/spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-{}.zip"


def kline_line(at: int, price: float = 100.0, unit: int = 1) -> str:
    """A row of a kline file; `unit` 1000 writes its times in microseconds, as the archive does from 2025 on."""
    close_time = (at + 60_000) * unit - 1
    return f"{at * unit},{price},{price + 2},{price - 1},{price + 1},12.5,{close_time},1250.0,7,6.0,600.0,0"


def trade_line(number: int, at: int, price: float, amount: float, *, maker_bought: bool) -> str:
    """A row of an aggTrades file."""
    return f"{number},{price},{amount},{number},{number},{at},{maker_bought},True"


def zipped(name: str, lines: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, "\n".join(lines) + "\n")
    return buffer.getvalue()


class ArchiveServer:
    """Files by path. `seen` counts the requests for each; what is not there is a 404."""

    def __init__(self) -> None:
        self.url = ""
        self.files: dict[str, bytes] = {}
        self.seen: Counter[str] = Counter()
        self.cut_short: Counter[str] = Counter()
        """How often a file's connection breaks half-way."""
        self.unavailable: Counter[str] = Counter()
        """How often a file is answered with 503."""
        self.silent: set[str] = set()
        """Files whose second half never comes."""
        self.fell_silent = asyncio.Event()

    def put(self, path: str, lines: Sequence[str]) -> None:
        """A zip with its checksum beside it."""
        name = path.rpartition("/")[2]
        self.put_bytes(path, zipped(name.replace(".zip", ".csv"), lines))

    def put_bytes(self, path: str, content: bytes) -> None:
        name = path.rpartition("/")[2]
        self.files[path] = content
        self.files[f"{path}.CHECKSUM"] = f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()

    @property
    def requests(self) -> int:
        return self.seen.total()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/")
        self.seen[path] += 1
        if self.unavailable[path] > 0:
            self.unavailable[path] -= 1
            raise web.HTTPServiceUnavailable
        content = self.files.get(path)
        if content is None:
            raise web.HTTPNotFound
        if path not in self.silent and self.cut_short[path] <= 0:
            return web.Response(body=content)
        return await self._break_off(request, path, content)

    async def _break_off(self, request: web.Request, path: str, content: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        if path in self.silent:
            self.fell_silent.set()
            await asyncio.sleep(60)
        self.cut_short[path] -= 1
        assert request.transport is not None
        request.transport.close()
        return response


@asynccontextmanager
async def archive_server() -> AsyncIterator[ArchiveServer]:
    """A running one, on a free port of this machine."""
    server = ArchiveServer()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
