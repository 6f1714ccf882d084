"""Pages of histories: by time they go forward from a start, else backward from the newest."""

from __future__ import annotations

from typing import TypeVar

from gridtide.sandbox import parameters
from gridtide.sandbox.errors import ApiError

T = TypeVar("T")

START = parameters.start_time()
END = parameters.end_time()
LIMIT = parameters.limit(1000, default=500)

NO_LIMIT = 2**31
"""A page size that holds everything."""

_DAY = 86_400_000


def check_span(start: int | None, end: int | None) -> None:
    """Raise -1127 where start and end lie more than 24 hours apart."""
    if start is not None and end is not None and end - start > _DAY:
        raise ApiError(-1127, "More than 24 hours between startTime and endTime.")


def first_or_last(rows: list[T], start: int | None, limit: int) -> list[T]:
    """With a start the oldest `limit` rows, else the newest."""
    return rows[:limit] if start is not None else rows[-limit:]


def is_within(at: int, start: int | None, end: int | None) -> bool:
    """Whether a time lies in the span asked for, bounds included."""
    return (start is None or at >= start) and (end is None or at <= end)
