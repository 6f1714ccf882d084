"""Keeps a feed alive for ever: connect, watch for silence, tear down, wait, connect anew.

The rule it keeps: between two `StreamRestored` stands a `StreamInterrupted`, so no gap goes unnoticed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gridtide.domain.errors import GridtideError
from gridtide.domain.events import StreamInterrupted, StreamRestored

if TYPE_CHECKING:
    from gridtide.exchanges.stream_buffer import StreamBuffer

LONGEST_WAIT_SECONDS = 30.0
SETTLED_SECONDS = 10.0
"""A connection that lived this long starts the backoff from its beginning."""

LIFETIME_SECONDS = 23 * 3_600.0
"""Exchanges cut a connection after 24 h; ours is made anew before (F26)."""

CONNECT_TIMEOUT_SECONDS = 20.0
CLOSE_TIMEOUT_SECONDS = 1.0


class Link:
    """One connection attempt as seen by its feed: says it lives, tells of gaps, ends it."""

    def __init__(self, buffer: StreamBuffer) -> None:
        self.buffer = buffer
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._heard: dict[str, float] = {}

    def heard(self, socket: str) -> None:
        """A frame came on `socket`, which from now on must not fall silent."""
        self._heard[socket] = time.monotonic()

    def gap(self, reason: str) -> None:
        """Something was lost on a connection that goes on."""
        self.buffer.put(StreamInterrupted(reason))
        self.buffer.put(StreamRestored())

    def end(self, reason: str) -> None:
        """This connection is no good any more."""
        if not self.ended.done():
            self.ended.set_result(reason)

    def quiet_seconds(self) -> float:
        """How long the quietest socket has been silent."""
        return time.monotonic() - min(self._heard.values(), default=time.monotonic())


class Feed(Protocol):
    """One connection attempt: its sockets and what they subscribe to."""

    async def open(self) -> None:
        """Connect and subscribe; raises where it does not come about."""

    async def close(self) -> None:
        """Drop the sockets."""


@dataclass(frozen=True, slots=True)
class StreamPatience:
    """How long to bear what. The defaults follow the exchange's published rules."""

    silence_seconds: float = 60.0
    first_wait_seconds: float = 0.2
    lifetime_seconds: float = LIFETIME_SECONDS


async def keep_streaming(
    make_feed: Callable[[Link], Feed], buffer: StreamBuffer, patience: StreamPatience
) -> None:
    """Run until cancelled; everything that happens goes into `buffer`."""
    failures = 0
    is_gap_told = False
    while True:
        link = Link(buffer)
        feed = make_feed(link)
        connected_at: float | None = None
        try:
            reason = await _connect(feed, link)
            if reason is None:
                connected_at = time.monotonic()
                is_gap_told = False
                buffer.put(StreamRestored())
                reason = await _until_broken(link, patience)
            if not is_gap_told:
                buffer.put(StreamInterrupted(reason))
                is_gap_told = True
        finally:
            await _drop(feed)
        lived = connected_at is not None and time.monotonic() - connected_at >= SETTLED_SECONDS
        failures = 0 if lived else failures + 1
        await asyncio.sleep(_backoff(patience.first_wait_seconds, failures))


async def _connect(feed: Feed, link: Link) -> str | None:
    """Open the feed; None on success, else what stopped it. A library's own text may hold a signed request."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            await feed.open()
    except GridtideError as error:
        return str(error)
    except Exception as error:  # whatever it is, the loop goes on
        return f"the stream could not be opened ({type(error).__name__})"
    return link.ended.result() if link.ended.done() else None


async def _until_broken(link: Link, patience: StreamPatience) -> str:
    started = time.monotonic()
    tick = min(1.0, patience.silence_seconds / 4)
    while True:
        done, _ = await asyncio.wait({link.ended}, timeout=tick)
        if done:
            return link.ended.result()
        if link.quiet_seconds() > patience.silence_seconds:
            return f"no frame for {patience.silence_seconds:g} s"
        if time.monotonic() - started > patience.lifetime_seconds:
            return "planned renewal before the exchange's 24 h limit"


async def _drop(feed: Feed) -> None:
    """Close what may be broken in any way. A dead line never answers a goodbye, so it is not waited for long."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            await feed.close()


def _backoff(first: float, failures: int) -> float:
    """Doubling, bounded, with up to a fifth taken off at random so that many bots do not return together."""
    wait: float = min(LONGEST_WAIT_SECONDS, first * 2 ** min(failures, 10))
    return wait * (1 - 0.2 * random.random())  # noqa: S311 - spreads load, guards nothing
