"""The queue between sockets and runner: bounded, never loses an order event unnoticed, keeps one book only.

Writing never waits, so a slow consumer cannot hold up a socket (F30).
"""

from __future__ import annotations

import asyncio
from collections import deque

from gridtide.domain.events import BookUpdated, StreamEvent, StreamInterrupted, StreamRestored

CAPACITY = 10_000


class StreamBuffer:
    """For one consumer. Account events first, in order; then the newest book."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._events: deque[StreamEvent] = deque()
        self._book: BookUpdated | None = None
        self._last_book: BookUpdated | None = None
        self._closed = False
        self._news = asyncio.Event()

    def put(self, event: StreamEvent) -> None:
        """Add an event. A book replaces a waiting one; an overflow becomes a gap, which makes others reconcile."""
        if isinstance(event, BookUpdated):
            if event == self._last_book:
                return
            self._book = self._last_book = event
        elif len(self._events) < self._capacity:
            self._events.append(event)
        else:
            self._events.clear()
            self._events.extend(
                (StreamInterrupted("events came faster than they were handled"), StreamRestored())
            )
        self._news.set()

    def close(self) -> None:
        """End the consumer's loop once everything that waits is read."""
        self._closed = True
        self._news.set()

    async def get(self) -> StreamEvent | None:
        """The next event; None at the end."""
        while True:
            if self._events:
                return self._events.popleft()
            if self._book is not None:
                book, self._book = self._book, None
                return book
            if self._closed:
                return None
            self._news.clear()
            await self._news.wait()
