"""One writer at a time in a series' folder, whichever process it belongs to; the kernel frees the lock of a dead one.

Readers take no lock: files appear and change in one rename.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridtide.domain.errors import InvalidInput

LOCK_NAME = ".lock"


@contextmanager
def writing_in(folder: Path) -> Iterator[None]:
    """Wait for the folder, which is made where it is missing; raises `InvalidInput` where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be written ({error.strerror}): nothing was stored; change its rights or data.folder"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
