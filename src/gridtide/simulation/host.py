"""The machine a simulated bot runs on: it can be killed or frozen at each of its I/O operations, and its disk can fail.

An operation has a point before and a point after it: what was done and never known is as likely as what was not done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from gridtide.domain.errors import StorageFailed
from gridtide.domain.journal import OrderPut
from gridtide.simulation.virtual_time import InlineExecutor, running_loop

if TYPE_CHECKING:
    from gridtide.domain.journal import BotSnapshot, JournalEntry
    from gridtide.domain.market import Timestamp
    from gridtide.ports.journal import Journal


class Killed(Exception):
    """The process ended here, without a farewell."""


class HostTrouble(Protocol):
    """What may happen to a process at an I/O operation."""

    def kills(self) -> bool:
        """Whether it is killed at this point."""

    def freezes(self) -> float:
        """For how many seconds it is stopped at this point."""

    def disk_fails(self) -> str:
        """How a commit fails: ``refused`` (nothing was written), ``unknown`` (it was, but says no), else empty."""


class Host:
    """One process of the bot, from its start to its end."""

    def __init__(self, trouble: HostTrouble, on_freeze: Callable[[float], None]) -> None:
        self._trouble = trouble
        self._on_freeze = on_freeze
        self.is_dead = False
        self.died = asyncio.Event()
        self._thaws_at = 0.0
        self._loop = running_loop()

    def kill(self) -> None:
        """End the process: nothing it does from now on has any effect."""
        self.is_dead = True
        self.died.set()

    def point(self) -> None:
        """A point before or after an operation; raises `Killed` in a process that is gone."""
        if self.is_dead:
            raise Killed
        if self._trouble.kills():
            self.kill()
            raise Killed

    async def pass_transport(self) -> None:
        """The way of every request and of every answer; a process that is gone gets no further."""
        try:
            self.point()
            if seconds := self._trouble.freezes():
                self._thaws_at = self._loop.passed + seconds
                self._on_freeze(seconds)
            if self._thaws_at and (rest := self.frozen_for()) > 0:
                await asyncio.sleep(rest)
                self.point()
        except Killed:
            await asyncio.Event().wait()

    def frozen_for(self) -> float:
        """Seconds until a stopped process goes on."""
        return self._thaws_at - self._loop.passed

    def disk_fails(self) -> str:
        return self._trouble.disk_fails()


class HostWriter(InlineExecutor):
    """Does the journal's work at once, unless the process is stopped: then when it goes on."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def wait(self) -> float:
        return self._host.frozen_for()


class MortalJournal:
    """A journal whose process may end before or after each write, and whose disk may fail."""

    def __init__(self, journal: Journal, host: Host, sent: set[str]) -> None:
        self._journal = journal
        self._host = host
        self._sent = sent
        """Client order ids whose transmission is on record: nothing else may ever reach the exchange (R1)."""

    def load(self) -> BotSnapshot:
        self._host.point()
        return self._journal.load()

    def commit(self, entries: Sequence[JournalEntry], now: Timestamp) -> None:
        self._host.point()
        failure = self._host.disk_fails()
        if failure == "refused":
            raise StorageFailed("the disk is full: nothing was written")
        self._journal.commit(entries, now)
        self._sent.update(
            entry.row.client_order_id
            for entry in entries
            if isinstance(entry, OrderPut) and entry.row.tx_count
        )
        if failure:
            raise StorageFailed("the disk failed: nobody knows what was written")
        self._host.point()

    def renew_lease(self) -> None:
        self._host.point()
        self._journal.renew_lease()

    def close(self) -> None:
        self._journal.close()
