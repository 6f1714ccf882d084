"""The volume-weighted average price over the last minutes of market time, which some filters refer to."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO, notional
from gridtide.venue.rounding import divide_cut

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Timestamp

_MINUTE = 60_000


class Bucket:
    """What traded in one market minute."""

    __slots__ = ("base", "minute", "quote")

    def __init__(self, minute: int, quote: Decimal = ZERO, base: Decimal = ZERO) -> None:
        self.minute = minute
        self.quote = quote
        self.base = base


class AveragePrice:
    """The last `minutes` market minutes, the present one included; with none it never has a value."""

    __slots__ = ("buckets", "minutes")

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        self.buckets: deque[Bucket] = deque()

    def add(self, market_time: Timestamp, price: Decimal, volume: Decimal) -> None:
        """`volume` traded at `price`; a time before the newest bucket counts to that."""
        if not self.minutes:
            return
        minute = market_time // _MINUTE
        if not self.buckets or minute > self.buckets[-1].minute:
            self._open(minute)
        bucket = self.buckets[-1]
        bucket.quote += notional(price, volume)
        bucket.base += volume

    def _open(self, minute: int) -> None:
        self.buckets.append(Bucket(minute))
        while self.buckets[0].minute <= minute - self.minutes:
            self.buckets.popleft()

    def value(self) -> Decimal | None:
        """The average cut to 8 decimals; None where nothing traded."""
        base = sum((bucket.base for bucket in self.buckets), ZERO) if self.minutes else ZERO
        if not base:
            return None
        return divide_cut(sum((bucket.quote for bucket in self.buckets), ZERO), base)
