"""The volume-weighted average price over the last minutes of market time, which some filters refer to.

Moves are counted when somebody asks, because a backtest moves far more often than it asks.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, notional
from gridtide.venue.rounding import INFINITE, UNIT, divide_cut
from gridtide.venue.tape import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from gridtide.venue.tape import Tape

_MINUTE = 60_000
_MOST_UNCOUNTED = 1_000


class Bucket:
    """What traded in one market minute."""

    __slots__ = ("base", "minute", "quote")

    def __init__(self, minute: int, quote: Decimal = ZERO, base: Decimal = ZERO) -> None:
        self.minute = minute
        self.quote = quote
        self.base = base


class AveragePrice:
    """The last `minutes` market minutes, the present one included; with none it never has a value.

    It always lies between `lowest` and `highest`, which reach back further than those minutes.
    """

    __slots__ = (
        "_buckets",
        "_is_ordered",
        "_newest",
        "_tape",
        "_uncounted",
        "_value",
        "highest",
        "lowest",
        "minutes",
    )

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        self.lowest = INFINITE
        self.highest = ZERO
        self._buckets: deque[Bucket] = deque()
        self._uncounted: list[tuple[Timestamp, Decimal, Decimal] | Stretch] = []
        self._newest = Timestamp(0)
        self._is_ordered = True
        """Whether no uncounted move is older than one before it."""
        self._tape: Tape | None = None
        self._value: Decimal | None = None

    # --- what moves ----------------------------------------------------------------------------------

    def add(self, market_time: Timestamp, price: Decimal, volume: Decimal) -> None:
        """`volume` traded at `price`; a time before the newest bucket counts to that."""
        if not self.minutes:
            return
        if price <= self.lowest:
            self.lowest = price - UNIT  # the average is cut
        self.highest = max(self.highest, price)
        self._note(market_time, (market_time, price, volume))

    def skip(self, market_time: Timestamp, stretch: Stretch) -> None:
        """The market went over a stretch of a tape, whose last point has the time `market_time`."""
        if not self.minutes:
            return
        if stretch.tape is not self._tape:
            self._tape = stretch.tape
            self.lowest = min(self.lowest, stretch.tape.lowest - UNIT)
            self.highest = max(self.highest, stretch.tape.highest)
        self._note(market_time, stretch)

    def _note(self, market_time: Timestamp, move: tuple[Timestamp, Decimal, Decimal] | Stretch) -> None:
        """To be counted when somebody asks. In order of time, what is too old by now never will be."""
        if market_time < self._newest:
            self._is_ordered = False
        else:
            if self._is_ordered and market_time // _MINUTE - self._newest // _MINUTE >= self.minutes:
                self._uncounted.clear()
            self._newest = market_time
        self._uncounted.append(move)
        if len(self._uncounted) > _MOST_UNCOUNTED:
            self._count()

    def use_minutes(self, minutes: int) -> None:
        """How far it reaches back from the next move on."""
        self._count()
        self.minutes, self._value = minutes, None

    def restore(self, buckets: Iterable[Bucket]) -> None:
        """Go on from the buckets of a saved venue."""
        self._buckets.extend(buckets)
        if self._buckets:
            self._newest = Timestamp(self._buckets[-1].minute * _MINUTE)
            self.lowest, self.highest = ZERO, INFINITE

    # --- what is asked -------------------------------------------------------------------------------

    @property
    def buckets(self) -> deque[Bucket]:
        """The minutes in which the market moved, oldest first. Not to be changed by the caller."""
        self._count()
        return self._buckets

    def volume(self) -> Decimal:
        """What traded in these minutes."""
        return sum((bucket.base for bucket in self.buckets), ZERO) if self.minutes else ZERO

    def value(self) -> Decimal | None:
        """The average cut to 8 decimals; None where nothing traded."""
        if self._uncounted or self._value is None:
            base = self.volume()
            quote = sum((bucket.quote for bucket in self._buckets), ZERO)
            self._value = divide_cut(quote, base) if base else None
        return self._value

    def _count(self) -> None:
        """Put what has not been counted yet into its minutes. What is too old by now is left out, unless times went
        backwards: then it may count to a later minute."""
        uncounted, self._uncounted = self._uncounted, []
        since = Timestamp((self._newest // _MINUTE - self.minutes + 1) * _MINUTE if self._is_ordered else 0)
        self._is_ordered = True
        for entry in uncounted:
            if isinstance(entry, Stretch):
                for point in entry.tape.points(entry.start, entry.end, since):
                    self._count_one(point.market_time, point.price, point.volume)
            elif entry[0] >= since:
                self._count_one(*entry)

    def _count_one(self, market_time: Timestamp, price: Decimal, volume: Decimal) -> None:
        minute = market_time // _MINUTE
        if not self._buckets or minute > self._buckets[-1].minute:
            self._open(minute)
        bucket = self._buckets[-1]
        bucket.quote += notional(price, volume)
        bucket.base += volume

    def _open(self, minute: int) -> None:
        self._buckets.append(Bucket(minute))
        while self._buckets[0].minute <= minute - self.minutes:
            self._buckets.popleft()
