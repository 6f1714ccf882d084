"""A search's journal: Optuna's own lines in one file, written a batch at a time by one program that owns it.

Optuna's file backend flushes each of some eight lines a trial, and after a kill waits for a dead owner's lock and trips
over a half-written line. Here the operating system gives the lock back, and a half-written line is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from gridtide.domain.errors import InvalidInput


class JournalFile(BaseJournalBackend):
    """Owns `path` until it is closed. What was appended is on the disk after `flush`.

    Raises `InvalidInput` where another program owns the file.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise InvalidInput(
                f"{path} is in use by another search: let it end, or give both --storage with a PostgreSQL address, "
                "which they can share"
            ) from None
        self._lines = _whole_lines(self._file)
        """Those that were not asked for yet."""
        self._first = 0
        """The number of the first of them."""
        self._unwritten: list[bytes] = []

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Lines from a number on; those before it are forgotten, for nobody asks twice."""
        del self._lines[: log_number_from - self._first]
        self._first = log_number_from
        for line in tuple(self._lines):
            yield json.loads(line)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = [json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs]
        self._lines += lines
        self._unwritten += lines

    def flush(self) -> None:
        """Put what was appended on the disk."""
        if self._unwritten:
            _write_all(self._file.fileno(), b"".join(self._unwritten))
            self._unwritten.clear()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Give the file back. What was not flushed is dropped, as by a kill."""
        self._file.close()


def _whole_lines(file: Any) -> list[bytes]:
    """All lines; a last one that was not written to its end is cut off."""
    file.seek(0)
    content: bytes = file.read()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        file.truncate(whole)
    return content[:whole].splitlines(keepends=True)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
