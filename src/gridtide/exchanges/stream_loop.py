"""Keeps a feed alive for ever: connect, watch for silence, tear down, wait, connect anew.

The rule it keeps: no gap goes unnoticed. Each loss is told by `StreamInterrupted`, each new connection by
`StreamRestored`; a planned renewal has no loss between them.
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
        self.renewal_asked = False
        self._heard: dict[str, float] = {}

    def heard(self, socket: str) -> None:
        """A frame came on `socket`, which from now on must not fall silent."""
        self._heard[socket] = time.monotonic()

    def gap(self, reason: str) -> None:
        """Something was lost on a connection that goes on."""
        self.buffer.put(StreamInterrupted(reason))
        self.buffer.put(StreamRestored())

    def renew(self) -> None:
        """This connection serves for now, but its end was announced."""
        self.renewal_asked = True

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
    renewal_retry_seconds: float = 60.0
    """Between attempts at a new connection while the old one still serves."""


class _Connection:
    """One attempt at a connection, from its opening to its end."""

    def __init__(self, make_feed: Callable[[Link], Feed], buffer: StreamBuffer) -> None:
        self.link = Link(buffer)
        self._feed = make_feed(self.link)
        self.opened_at: float | None = None

    async def open(self) -> str | None:
        """Connect and subscribe; None on success, else what stopped it. A library's own text may hold a signed
        request."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await self._feed.open()
        except GridtideError as error:
            return str(error)
        except Exception as error:  # whatever it is, the loop goes on
            return f"the stream could not be opened ({type(error).__name__})"
        if self.link.ended.done():
            return self.link.ended.result()
        self.opened_at = time.monotonic()
        return None

    async def drop(self) -> None:
        """Close what may be broken in any way. A dead line never answers a goodbye, so it is not waited for long."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._feed.close()

    @property
    def lived_long(self) -> bool:
        return self.opened_at is not None and time.monotonic() - self.opened_at >= SETTLED_SECONDS


async def keep_streaming(
    make_feed: Callable[[Link], Feed], buffer: StreamBuffer, patience: StreamPatience
) -> None:
    """Run until cancelled; everything that happens goes into `buffer`."""
    failures = 0
    is_gap_told = False
    while True:
        connection = _Connection(make_feed, buffer)
        try:
            reason = await connection.open()
            while reason is None:
                is_gap_told = False
                buffer.put(StreamRestored())
                reason = await _until_broken(connection.link, patience)
                if reason is None:
                    connection, reason = await _renewed(connection, make_feed, buffer, patience)
            if not is_gap_told:
                buffer.put(StreamInterrupted(reason))
                is_gap_told = True
        finally:
            await connection.drop()
        failures = 0 if connection.lived_long else failures + 1
        await asyncio.sleep(_backoff(patience.first_wait_seconds, failures))


async def _renewed(
    old: _Connection, make_feed: Callable[[Link], Feed], buffer: StreamBuffer, patience: StreamPatience
) -> tuple[_Connection, str | None]:
    """F26: the new connection is subscribed before the old one goes, and what both tell is one event by its key.

    While no new one comes about the old one serves on. Returns the connection to go on with, and why it is broken if
    it is.
    """
    while True:
        new = _Connection(make_feed, buffer)
        try:
            failure = await new.open()
        except BaseException:
            await new.drop()
            raise
        if failure is None:
            was_broken = old.link.ended.done()
            await old.drop()
            if was_broken:
                buffer.put(StreamInterrupted(old.link.ended.result()))
            return new, None
        await new.drop()
        done, _ = await asyncio.wait({old.link.ended}, timeout=patience.renewal_retry_seconds)
        if done:
            return old, old.link.ended.result()


async def _until_broken(link: Link, patience: StreamPatience) -> str | None:
    """What broke the connection; None where it still serves and is to be renewed."""
    started = time.monotonic()
    tick = min(1.0, patience.silence_seconds / 4, patience.lifetime_seconds)
    while True:
        done, _ = await asyncio.wait({link.ended}, timeout=tick)
        if done:
            return link.ended.result()
        if link.quiet_seconds() > patience.silence_seconds:
            return f"no frame for {patience.silence_seconds:g} s"
        if link.renewal_asked or time.monotonic() - started > patience.lifetime_seconds:
            return None


def _backoff(first: float, failures: int) -> float:
    """Doubling, bounded, with up to a fifth taken off at random so that many bots do not return together."""
    wait: float = min(LONGEST_WAIT_SECONDS, first * 2 ** min(failures, 10))
    return wait * (1 - 0.2 * random.random())  # noqa: S311 - spreads load, guards nothing
