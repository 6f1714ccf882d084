"""The live loop of one bot: take events, step the engine, commit, and only then hand the commands on.

One coroutine owns the engine; one thread owns the journal. The reader of the streams never waits for either.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic as system_monotonic
from typing import TYPE_CHECKING

from gridtide.domain.commands import SubmitOrder
from gridtide.domain.errors import StorageFailed
from gridtide.domain.events import BookUpdated, OrderUpdated, SendWindowOpened, TimerFired
from gridtide.domain.market import Timestamp
from gridtide.runners.latency import Reaction, ReactionLog

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from gridtide.domain.commands import Command
    from gridtide.domain.events import Event
    from gridtide.domain.fill import FillKey
    from gridtide.domain.journal import JournalEntry
    from gridtide.engine.effects import Effects
    from gridtide.engine.engine import Engine
    from gridtide.ports.exchange import Exchange
    from gridtide.ports.journal import Journal
    from gridtide.runners.dispatch import Dispatcher

MAX_BATCH = 64
"""Events that may share one transaction."""
RATE_RETRY_SECONDS = 0.25
"""How soon to ask again for room in the rate budget."""
LEASE_SECONDS = 5.0
"""How often the lease is renewed, by the trading loop itself: a loop that hangs loses it (fencing, layer 2). Also the
longest sleep: a clock that was set is noticed then."""


class Session:
    """Joins engine, journal and dispatcher. `listeners` see each batch of entries after it is durable.

    `writer` carries out the journal's calls, one at a time; `monotonic` is what waiting is measured by.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        exchange: Exchange,
        writer: Executor,
        monotonic: Callable[[], float] = system_monotonic,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.engine = engine
        self.reactions = ReactionLog()
        self.listeners: list[Callable[[list[JournalEntry]], None]] = []
        self.heard = 0
        """Events of the stream so far."""
        self._journal = journal
        self._exchange = exchange
        self._writer = writer
        self._monotonic = monotonic
        self._lease_seconds = lease_seconds
        self._dispatcher: Dispatcher | None = None
        self._events: deque[tuple[float, Event]] = deque()
        self._book: tuple[float, BookUpdated] | None = None
        self._waiter: asyncio.Future[None] | None = None
        """The loop waits for it while nothing is to be done."""
        self._timer: Timestamp | None = None
        """When the engine wants to be woken; only a step changes that."""
        self._wants_room = False
        self._reacting = False
        self._renew_at = self._monotonic() + self._lease_seconds

    def connect(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def deliver(self, event: Event) -> None:
        """Queue an event; of book updates only the newest is kept."""
        if isinstance(event, BookUpdated):
            self._book = (self._monotonic(), event)
        else:
            self._events.append((self._monotonic(), event))
        self._wake()

    async def run(self) -> None:
        """Step for ever; ends by cancellation or by what the journal raises (nothing leaves then)."""
        while True:
            self._timer = self.engine.next_timer()
            if self._events or self._book is not None:
                await asyncio.sleep(0)  # the readers of the streams get their turn, whatever waits here
            else:
                await self._wait()
            batch = self._take_batch()
            if batch:
                await self._react(batch)
            if self._monotonic() >= self._renew_at:
                await self._in_writer(self._journal.renew_lease)
                self._renew_at = self._monotonic() + self._lease_seconds

    async def settle(self, timeout_seconds: float) -> bool:
        """Wait until no event waits, no command is under way and nothing is to be sent."""
        deadline = self._monotonic() + timeout_seconds
        quiet_since: float | None = None
        while self._monotonic() < deadline:
            if self.is_quiet:
                quiet_since = quiet_since or self._monotonic()
                if self._monotonic() - quiet_since > 0.05:
                    return True
            else:
                quiet_since = None
            await asyncio.sleep(0.01)
        return False

    @property
    def is_quiet(self) -> bool:
        """Whether nothing that was heard waits, nothing is under way, and nothing is to be sent."""
        idle = self._dispatcher is None or self._dispatcher.is_idle
        return idle and not self._events and not self._reacting and not self.engine.wants_to_send

    # --- one reaction --------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        """Until an event comes or a moment that the engine, the rate budget or the lease waits for."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        alarm = loop.call_later(self._seconds_to_timer(), self._wake)
        try:
            await self._waiter
        finally:
            alarm.cancel()
            self._waiter = None
        nothing_came = not self._events and self._book is None
        if nothing_came and (self._wants_room or self._timer_is_due()):
            self._events.append((self._monotonic(), TimerFired()))

    def _timer_is_due(self) -> bool:
        return self._timer is not None and self._timer <= self._exchange.now()

    def _seconds_to_timer(self) -> float:
        timer = self._timer
        wait = self._lease_seconds if timer is None else (timer - self._exchange.now()) / 1000
        if self._wants_room:
            wait = min(wait, RATE_RETRY_SECONDS)
        return min(max(wait, 0.0), self._lease_seconds)

    def _take_batch(self) -> list[tuple[float, Event]]:
        events = self._events
        batch = [events.popleft() for _ in range(min(MAX_BATCH, len(events)))]
        if self._book is not None:
            batch.append(self._book)
            self._book = None
        told = batch and isinstance(batch[-1][1], TimerFired)
        if batch and not told and self._timer_is_due():
            # a market that never pauses must not keep timers waiting
            batch.append((self._monotonic(), TimerFired()))
        return batch

    async def _react(self, batch: list[tuple[float, Event]]) -> None:
        """Decide, commit, hand on: in this order whatever happens (R1, R10)."""
        self._reacting = True
        try:
            now = Timestamp(self._exchange.now())
            entries: list[JournalEntry] = []
            commands: list[Command] = []
            for _, event in batch:
                _collect(self.engine.handle(event, now), entries, commands)
            self._open_send_window(now, entries, commands)
            decided = self._monotonic()
            if entries:
                await self._commit(entries, now)
            if commands:
                committed = self._monotonic() if entries else decided
                self._hand_on(commands, Reaction(batch[0][0], decided, committed, _first_fill(batch)))
        finally:
            self._reacting = False

    def _open_send_window(self, now: Timestamp, entries: list[JournalEntry], commands: list[Command]) -> None:
        self._wants_room = False
        if self._dispatcher is None or not self.engine.wants_to_send:
            return
        capacity = self._dispatcher.capacity()
        if capacity > 0:
            _collect(self.engine.handle(SendWindowOpened(capacity), now), entries, commands)
        self._wants_room = self.engine.wants_to_send

    async def _commit(self, entries: list[JournalEntry], now: Timestamp) -> None:
        try:
            await self._in_writer(lambda: self._journal.commit(entries, now))
        except OSError as error:
            raise StorageFailed(
                f"the journal could not be written ({error.strerror}): nobody knows what of this step is stored, and "
                "nothing will be sent; restart the bot, it goes on from what is stored"
            ) from error
        for listener in self.listeners:
            listener(entries)

    async def _in_writer(self, call: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writer, call)

    def _hand_on(self, commands: list[Command], reaction: Reaction) -> None:
        if self._dispatcher is None:
            return
        for command in commands:
            if isinstance(command, SubmitOrder):
                self.reactions.note(command.client_order_id, reaction)
            self._dispatcher.hand_on(command)


def _first_fill(batch: list[tuple[float, Event]]) -> FillKey | None:
    for _, event in batch:
        if isinstance(event, OrderUpdated) and event.fill is not None:
            return event.fill.key
    return None


def _collect(effects: Effects, entries: list[JournalEntry], commands: list[Command]) -> None:
    entries += effects.entries
    commands += effects.commands
