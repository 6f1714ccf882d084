"""Reading a stream in the background, for tests that act while they listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from gridtide.domain.events import StreamEvent, StreamInterrupted, StreamRestored
from gridtide.ports.exchange import Exchange
from tests.exchanges.orders import SYMBOL

E = TypeVar("E")

PATIENCE_SECONDS = 10.0


class Listening:
    """The events of a stream in order, as they came."""

    def __init__(self, events: AsyncIterator[StreamEvent]) -> None:
        self.seen: list[StreamEvent] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read(events))

    async def _read(self, events: AsyncIterator[StreamEvent]) -> None:
        async for event in events:
            self.seen.append(event)
            self._news.set()

    async def until(self, reached: Callable[[list[StreamEvent]], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not reached(self.seen):
                self._news.clear()
                await self._news.wait()

    async def take(self, kind: type[E], count: int = 1) -> list[E]:
        """All events of a kind since `forget`, once there are `count` of them."""
        await self.until(lambda seen: sum(isinstance(event, kind) for event in seen) >= count)
        return [event for event in self.seen if isinstance(event, kind)]

    def forget(self) -> None:
        self.seen.clear()

    @property
    def connections(self) -> list[type[StreamEvent]]:
        """Gaps and their ends, in order."""
        return [type(event) for event in self.seen if isinstance(event, StreamInterrupted | StreamRestored)]

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def listening(exchange: Exchange, timeframe: str | None = None) -> AsyncIterator[Listening]:
    """A stream of the tests' market that is connected."""
    listener = Listening(exchange.stream(SYMBOL, timeframe))
    try:
        await listener.until(lambda seen: StreamRestored() in seen)
        yield listener
    finally:
        await listener.stop()
