"""Lets so many messages of one kind through, and counts the rest (F61): a loop of errors must not fill the disk."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MAX_KINDS = 1_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    left_out: int = 0


class RateLimit:
    """A token bucket for each kind of message: `burst` at once, then `per_second`."""

    def __init__(
        self, burst: int = 50, per_second: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def admit(self, kind: str) -> int | None:
        """None: leave this one out. Else how many of its kind were left out since the last one."""
        now = self._clock()
        bucket = self._bucket(kind, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at) * self._per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            bucket.left_out += 1
            return None
        bucket.tokens -= 1
        left_out, bucket.left_out = bucket.left_out, 0
        return left_out

    def left_out(self) -> list[tuple[str, int]]:
        """Kinds and how many messages of each are still untold."""
        return [(kind, bucket.left_out) for kind, bucket in self._buckets.items() if bucket.left_out]

    def _bucket(self, kind: str, now: float) -> _Bucket:
        """The kind's bucket; the kind heard of longest ago makes room where there are too many."""
        bucket = self._buckets.get(kind)
        if bucket is None:
            if len(self._buckets) >= MAX_KINDS:
                self._buckets.popitem(last=False)
            bucket = self._buckets[kind] = _Bucket(self._burst, now)
        self._buckets.move_to_end(kind)
        return bucket
