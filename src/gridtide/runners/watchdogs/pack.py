"""All watchdogs of one run: one task looks at everything every few seconds; an overdue event has its own moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gridtide.domain.events import StreamInterrupted, StreamRestored
from gridtide.domain.journal import BotState, PauseReason
from gridtide.runners.watchdogs.clock import ClockWatch
from gridtide.runners.watchdogs.host import check_disk, check_memory, resident_bytes
from gridtide.runners.watchdogs.limits import WatchdogLimits

if TYPE_CHECKING:
    from pathlib import Path

    from gridtide.engine.state import EngineState
    from gridtide.ports.exchange import Exchange
    from gridtide.runners.session import Session


class Watchdogs:
    """`run` looks until it is cancelled; it raises what ends the run."""

    def __init__(
        self,
        session: Session,
        exchange: Exchange,
        limits: WatchdogLimits,
        folder: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session, self._exchange = session, exchange
        self._limits, self._folder = limits, folder
        self._monotonic = monotonic
        self._bytes_at_start = resident_bytes() or 0
        self._clock = ClockWatch(limits, exchange, wall, monotonic)
        self._delivered = -1
        self._heard_at = monotonic()

    async def run(self) -> None:
        while True:
            before = self._monotonic()
            await asyncio.sleep(self._limits.look_seconds)
            await self.look(self._monotonic() - before - self._limits.look_seconds)

    async def look(self, overslept_seconds: float = 0.0) -> None:
        """Look at everything once."""
        check_disk(self._limits, self._folder)
        check_memory(self._limits, self._bytes_at_start)
        self._look_for_stall(overslept_seconds)
        self._look_for_silence()
        state: EngineState = self._session.engine.state
        is_paused = (state.bot_state, state.pause_reason) == (BotState.PAUSED, PauseReason.CLOCK)
        found = await self._clock.look(is_paused_for_clock=is_paused)
        if found is not None:
            self._session.deliver(found)

    def _look_for_stall(self, overslept_seconds: float) -> None:
        """A process that stood still has missed what happened, and perhaps its lease: the next commit tells (F56)."""
        if self._limits.stall_seconds and overslept_seconds >= self._limits.stall_seconds:
            reason = f"the process stood still for {overslept_seconds:.0f} s"
            self._session.deliver(StreamInterrupted(reason))
            self._session.deliver(StreamRestored())

    def _look_for_silence(self) -> None:
        if self._session.heard != self._delivered:
            self._delivered, self._heard_at = self._session.heard, self._monotonic()
        limit = self._limits.silence_seconds
        if limit and self._monotonic() - self._heard_at >= limit:
            self._heard_at = self._monotonic()
            self._exchange.rebuild_stream(f"the stream told nothing for {limit:g} s")
