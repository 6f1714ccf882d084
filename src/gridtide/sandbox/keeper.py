"""Keeps the state file up to date: when something changed, and whole at the end. A save that fails leaves the file
as it was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridtide.domain.errors import StorageFailed
from gridtide.sandbox import state_file

_LOG = logging.getLogger(__name__)

_BUILD_SHARE = 200
"""Nothing else happens while the state is taken. That may take one part in this many of the time."""
_WRITE_SHARE = 20
"""While it is written everything is a little slower. With both, saves become rarer as the history grows, and fewer than
one order in a hundred meets one."""

PATIENCE_SECONDS = 10.0
"""How long the last save is tried again: whoever waits for the end waits longer."""
_RETRY_SECONDS = 0.25


class StateKeeper:
    """Saves what `build` gives whenever `revision` has changed, at most every `interval_seconds`."""

    def __init__(
        self,
        path: Path,
        build: Callable[[], dict[str, Any]],
        revision: Callable[[], int],
        interval_seconds: float,
    ) -> None:
        self._path = path
        self._build = build
        self._revision = revision
        self._interval_seconds = interval_seconds
        self._saved = revision()
        self._saved_at: int | None = None
        """Exchange time of the newest state on the disk, in ms; None: none since the start."""
        self._writing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Save until cancelled. The file is written in another thread."""
        loop = asyncio.get_running_loop()
        pause = self._interval_seconds
        while True:
            await asyncio.sleep(pause)
            if self._revision() == self._saved:
                continue
            begun = loop.time()
            writing = self._begin()
            built = loop.time() - begun
            try:
                await asyncio.shield(writing)
            except OSError as error:
                self._saved = -1
                _LOG.warning("sandbox.state_not_saved reason=%s", error)
            written = loop.time() - begun
            pause = max(self._interval_seconds, built * _BUILD_SHARE, written * _WRITE_SHARE)

    async def save(self) -> None:
        """Save now; returns once the file is on the disk. Raises `OSError` where it cannot be written."""
        await asyncio.shield(self._begin())

    async def finish(self, hurry: asyncio.Event, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Save once more, after any save still under way: the last one written is the newest.

        Where the file cannot be written (a full disk) this is tried again until `hurry` is set or the patience is at
        its end. Raises `StorageFailed` then: the file holds what was saved before.
        """
        if self._writing is not None:
            with suppress(OSError):
                await self._writing
        state, deadline = self._build(), asyncio.get_running_loop().time() + patience_seconds
        while True:
            try:
                state_file.save(self._path, state)
                return
            except OSError as error:
                if hurry.is_set() or asyncio.get_running_loop().time() >= deadline:
                    raise self._not_saved(error) from error
                _LOG.warning("sandbox.state_not_saved reason=%s: tried again", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(hurry.wait(), _RETRY_SECONDS)

    def _not_saved(self, error: OSError) -> StorageFailed:
        when = "the start of this sandbox"
        if self._saved_at is not None:
            when = f"{datetime.fromtimestamp(self._saved_at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        return StorageFailed(
            f"the sandbox could not save its last state ({error.strerror}): what it did after {when} is lost, and "
            f"{self._path} is as it was then; free some space before the next start"
        )

    def _begin(self) -> asyncio.Task[None]:
        """Take the state as it is now and have it written, behind any save still under way."""
        self._saved = self._revision()
        self._writing = asyncio.create_task(self._write(self._build(), self._writing))
        return self._writing

    async def _write(self, state: dict[str, Any], earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            with suppress(OSError):
                await earlier
        await asyncio.to_thread(state_file.save, self._path, state)
        self._saved_at = state.get("saved_at")
