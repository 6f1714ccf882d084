"""A proxy before a server: counts what is asked for, and can break off answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web


class CountingProxy:
    """`seen` counts requests by the last part of their path."""

    def __init__(self, target: str) -> None:
        self.url = ""
        self.seen: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        """How often a path is answered with 503 instead."""
        self._target = target
        self.session: aiohttp.ClientSession | None = None

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        self.seen[name] += 1
        if self.failures[name] > 0:
            self.failures[name] -= 1
            raise web.HTTPServiceUnavailable
        assert self.session is not None
        async with self.session.get(f"{self._target}{request.path_qs}") as answer:
            return web.Response(
                body=await answer.read(), status=answer.status, content_type="application/json"
            )


@asynccontextmanager
async def counting_proxy(target: str) -> AsyncIterator[CountingProxy]:
    """A running one, on a free port of this machine."""
    proxy = CountingProxy(target)
    app = web.Application()
    app.router.add_get("/{path:.*}", proxy.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    async with aiohttp.ClientSession() as proxy.session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield proxy
        finally:
            await runner.cleanup()
