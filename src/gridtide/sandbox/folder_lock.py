"""A lock on a state folder, held for the life of a process and freed by the kernel whatever ends it.

Its file also tells how the last holder ended: it holds a word from `begin` to `end`, and taking that away needs no room
on a full disk.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

_UNSAVED = b"unsaved\n"


class FolderLock:
    """An exclusive lock on one file. Not inherited by children."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another process has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def begin(self) -> None:
        """From here on there is something to save."""
        assert self._descriptor is not None
        os.pwrite(self._descriptor, _UNSAVED, 0)

    def end(self) -> None:
        """All is saved."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)

    def is_unsaved(self) -> bool:
        """Whether the last holder began and did not end in good order."""
        with suppress(FileNotFoundError):
            return self._path.read_bytes() == _UNSAVED
        return False

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
