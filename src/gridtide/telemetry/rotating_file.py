"""A log file of limited size that never raises: a full disk or a read-only folder costs log lines, nothing else."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

RETRY_SECONDS = 10.0
"""How long after a failure the file is left alone: a full disk answers slowly."""


class RotatingFile:
    """Appends lines to `path`; at `max_bytes` it becomes `path.1`, that `path.2`, and so on to `backups`.

    Readable by its owner only (0600). `lost` counts the lines that could not be written.
    """

    def __init__(
        self, path: Path, max_bytes: int, backups: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = path
        self.lost = 0
        self._max_bytes = max_bytes
        self._backups = backups
        self._clock = clock
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._size = 0
        self._cut_off = False  # the last line may have been written by half
        self._retry_at = float("-inf")
        self._is_closed = False

    def write(self, line: bytes) -> None:
        """Append `line`, which ends in a newline."""
        with self._lock:
            if self._is_closed or self._clock() < self._retry_at:
                self.lost += 1
                return
            try:
                self._append(line)
            except (OSError, ValueError):
                self.lost += 1
                self._give_up()

    def close(self) -> None:
        """For good: what a thread still says afterwards is counted as lost, the file is not opened again."""
        with self._lock:
            self._is_closed = True
            self._close()

    def _append(self, line: bytes) -> None:
        if self._file is None:
            self._open()
        if self._size and self._size + len(line) > self._max_bytes:
            self._rotate()
        assert self._file is not None
        if self._cut_off:
            line = b"\n" + line
        self._file.write(line)
        self._file.flush()
        self._cut_off = False
        self._size += len(line)

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = open(self.path, "ab", opener=_private)  # noqa: SIM115  # stays open for the life of the process
        self._size = self._file.tell()

    def _rotate(self) -> None:
        self._close()
        for number in range(self._backups, 0, -1):
            source = self._numbered(number - 1)
            if source.exists():
                source.replace(self._numbered(number))
        if not self._backups:
            self.path.unlink(missing_ok=True)
        self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    def _give_up(self) -> None:
        self._cut_off = True
        self._retry_at = self._clock() + RETRY_SECONDS
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()  # flushes once more, so a full disk complains here too
            self._file = None


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    with contextlib.suppress(OSError, AttributeError):  # a file that was there before may be open to others
        os.fchmod(descriptor, 0o600)
    return descriptor
