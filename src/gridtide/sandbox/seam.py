"""The one place where something may come between a request and its effect, or an event and its listeners.

Without hooks nothing is awaited and nothing changes: each place costs one look at an attribute that is None.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridtide.domain.market import Timestamp
    from gridtide.sandbox.endpoint import Answer
    from gridtide.sandbox.errors import ApiError
    from gridtide.sandbox.gateway import Passage
    from gridtide.sandbox.sockets import Connection
    from gridtide.venue.messages import VenueEvent


@dataclass(frozen=True, slots=True)
class Liveness:
    """How one connection is kept alive."""

    pings: bool = True
    pongs: bool = True
    lifetime_seconds: float | None = None
    """After how long it ends; None: as the settings say."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A control message is ignored: neither acted on nor answered."""


@dataclass(slots=True)
class Seam:
    """Hooks around requests, events and connections; each is optional."""

    around_request: Callable[[Passage], Awaitable[Answer]] | None = None
    """Has the request and the gateway's steps to take it through (or not), and gives the answer."""
    on_event: Callable[[str, str, bytes, Callable[[bytes], None]], None] | None = None
    """Has account (empty for market data), stream (``user`` for user events), JSON, and what sends it."""
    on_published: Callable[[Sequence[VenueEvent], Timestamp], None] | None = None
    """Sees everything that happened at the venue, before anybody is told."""
    at_the_door: Callable[[], ApiError | None] | None = None
    """May refuse what no endpoint stands for: a WebSocket handshake, an unknown path, an unreadable request."""
    on_subscribing: Callable[[Sequence[str]], ApiError | NoAnswer | None] | None = None
    """May refuse or ignore a subscription to market streams."""
    liveness: Callable[[Connection], Liveness] | None = None
    _work: set[asyncio.Task[Any]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Let something go on in the background for as long as the sandbox lives."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def close(self) -> None:
        """End what still goes on in the background."""
        for task in tuple(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
