"""All limits of the watchdogs, in one place, with the failure each guards against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WatchdogLimits:
    """Zero switches a limit off."""

    look_seconds: float = 5.0
    """How often everything is looked at."""
    announce_seconds: float = 5.0
    """F24: how long an event may lag behind what reads show of the same execution."""
    rebuild_seconds: float = 60.0
    """A stream is not rebuilt more often than this."""
    silence_seconds: float = 300.0
    """F24: a stream that tells nothing at all for this long is made anew."""
    clock_age_seconds: float = 300.0
    """F53: nothing is placed on a clock that was measured longer ago."""
    clock_step_seconds: float = 1.0
    """F54: a wall clock that moves by more against the monotonic one has it measured again."""
    free_disk_bytes: int = 64 * 1024 * 1024
    """F58: with less the run ends while the books can still be written."""
    memory_bytes: int = 1024 * 1024 * 1024
    """F60: a run that made its process grow by more ends, and goes on after a restart."""
    stall_seconds: float = 10.0
    """F56: a process that stood still for this long reads the account before it goes on."""
