"""The clock as runners see it."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall time for labels and signatures, monotonic time for everything that waits."""

    def now(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
