"""Disk and memory of the host (F58, F60): a run ends in good order while it still can; restarts are safe by design."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.domain.errors import GridtideError, StorageFailed

if TYPE_CHECKING:
    from gridtide.runners.watchdogs.limits import WatchdogLimits

_STATUS = Path("/proc/self/status")


class MemoryExhausted(GridtideError):
    """The process grew by more memory than it may: it ends, and whoever supervises it starts it again."""


def check_disk(limits: WatchdogLimits, folder: Path | None) -> None:
    """Raise `StorageFailed` where the disk of the books is nearly full."""
    if folder is None or not limits.free_disk_bytes:
        return
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # the next commit says what is wrong
    if free < limits.free_disk_bytes:
        raise StorageFailed(
            f"only {free // 1_048_576} MB are free on the disk of the books: the bot stopped while they could still be "
            "written, its orders rest; free some space and start it again"
        )


def check_memory(limits: WatchdogLimits, at_start: int) -> None:
    """Raise `MemoryExhausted` where the process is larger than `at_start` by more than the limit.

    The growth counts and not the size: a bot may run inside a notebook that holds years of data. Where the system does
    not tell, nothing is checked.
    """
    grown = (resident_bytes() or 0) - at_start
    if limits.memory_bytes and grown > limits.memory_bytes:
        raise MemoryExhausted(
            f"the bot took {grown // 1_048_576} MB of memory since its start, more than the limit: it ended, its "
            "orders rest and its books are complete; start it again"
        )


def resident_bytes(status: Path = _STATUS) -> int | None:
    """Memory of this process that is in RAM."""
    try:
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None
