"""Remembers that a database file was closed in good order, so that a start need not read all of it again.

The note beside the file names the very file, its size, its last change and the day: a copy, a restored backup, a byte
changed by anybody, a killed process or another day make it worthless, and the whole file is checked (F46, F59).
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


def note_path(database: Path) -> Path:
    """Where the note lies; it may be deleted at any time."""
    return database.with_name(f"{database.name}.clean")


def is_noted(database: Path) -> bool:
    """Whether the file is as its last user left it, today, and nothing waits to be taken into it."""
    try:
        noted = note_path(database).read_text()
    except (OSError, UnicodeDecodeError):
        return False
    return noted == _state(database) and not _size(database.with_name(f"{database.name}-wal"))


def note(database: Path) -> None:
    """The file was closed in good order. A note that cannot be written costs the next start some time."""
    with contextlib.suppress(OSError):
        descriptor = os.open(note_path(database), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w") as file:
            file.write(_state(database))


def forget(database: Path) -> None:
    """The file is in use from now on."""
    with contextlib.suppress(FileNotFoundError):
        note_path(database).unlink()


def _state(database: Path) -> str:
    found = database.stat()
    today = int(time.time() // 86_400)
    return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {today}\n"


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
