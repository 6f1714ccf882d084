"""One writer at a time where verdicts are kept: what is read, changed and written back must not lose another's part."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridtide.domain.errors import StorageFailed


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Wait for the folder, which is made where it is missing. Raises `StorageFailed`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a")
    except OSError as error:
        raise StorageFailed(
            f"{folder} could not be written ({error.strerror or error}): what was there is untouched; free some space "
            "or change its rights"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
