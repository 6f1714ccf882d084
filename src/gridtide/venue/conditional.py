"""Orders that wait for a price, sorted by it, so that a market which is far from all of them costs nothing.

Stop orders wait at a fixed level above or below; trailing orders, once they follow the market, have a moving one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from gridtide.domain.order import Side
from gridtide.venue import trailing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from gridtide.domain.market import Timestamp
    from gridtide.venue.working_order import WorkingOrder


class WaitingOrders:
    """The waiting orders of one market. Two at one level come in the order of their ids."""

    __slots__ = ("_above", "_below", "any", "following")

    def __init__(self) -> None:
        self._above: list[tuple[Decimal, int, WorkingOrder]] = []
        """Those that a price at or above their stop price concerns, lowest first."""
        self._below: list[tuple[Decimal, int, WorkingOrder]] = []
        """Those that a price at or below theirs concerns, under the negated price: highest first."""
        self.following: dict[int, WorkingOrder] = {}
        """Trailing orders that follow the market, by id."""
        self.any = False
        """Whether anything waits here: a plain attribute, because every move of the market asks."""

    def __iter__(self) -> Iterator[WorkingOrder]:
        for side in (self._above, self._below):
            yield from (order for _, _, order in side)
        yield from self.following.values()

    def add(self, order: WorkingOrder) -> None:
        """Let an order wait: at its stop price, or after the market if it trails already."""
        self.any = True
        if order.trailing_at is not None:
            self.following[order.order_id] = order
            self.following = dict(sorted(self.following.items()))
            return
        side, level = self._place(order)
        insort(side, (level, order.order_id, order))

    def remove(self, order: WorkingOrder) -> None:
        """Take a waiting order out."""
        if self.following.pop(order.order_id, None) is None:
            side, level = self._place(order)
            del side[bisect_left(side, (level, order.order_id))]
        self.any = bool(self._above or self._below or self.following)

    def _place(self, order: WorkingOrder) -> tuple[list[tuple[Decimal, int, WorkingOrder]], Decimal]:
        if order.triggers_above:
            return self._above, order.stop_price
        return self._below, -order.stop_price

    def levels(self) -> tuple[Decimal | None, Decimal | None]:
        """The nearest stop prices: the highest waited for from above, the lowest waited for from below."""
        below = -self._below[0][0] if self._below else None
        return below, self._above[0][0] if self._above else None

    def next_price(self, start: Decimal, target: Decimal, tick: Decimal) -> Decimal | None:
        """The first price on the way from `start` to `target`, both included, that concerns a waiting order."""
        met = [price for price in self._concerned(start, target, tick) if price is not None]
        if not met:
            return None
        return min(met) if target >= start else max(met)

    def _concerned(self, start: Decimal, target: Decimal, tick: Decimal) -> Iterator[Decimal | None]:
        below, above = self.levels()
        if above is not None:
            yield _reached_from_below(above, start, target)
        if below is not None:
            yield _reached_from_above(below, start, target)
        for order in self.following.values():
            if trailing.is_due(order, start):
                yield start
            elif (order.side is Side.BUY) == (target > start) and trailing.is_due(order, target):
                first = trailing.first_price(order, tick)
                yield min(first, target) if order.side is Side.BUY else max(first, target)

    def follow(self, price: Decimal) -> None:
        """The market is at `price`: trailing orders note it if it is better than what they saw."""
        for order in self.following.values():
            trailing.follow(order, price)

    def next_due(self, price: Decimal, now: Timestamp) -> WorkingOrder | None:
        """Take out the next order that a market at `price` triggers. Stop prices that only start a trailing order are
        dealt with on the way."""
        while (order := self._next_stop(price)) is not None:
            self.remove(order)
            if order.trailing_delta is None:
                return order
            order.follow(price, now)
            self.add(order)
        for order in self.following.values():
            if trailing.is_due(order, price):
                self.remove(order)
                return order
        return None

    def _next_stop(self, price: Decimal) -> WorkingOrder | None:
        if self._above and self._above[0][0] <= price:
            return self._above[0][2]
        if self._below and -self._below[0][0] >= price:
            return self._below[0][2]
        return None


def _reached_from_below(level: Decimal, start: Decimal, target: Decimal) -> Decimal | None:
    """Where a walk first stands at or above `level`."""
    if start >= level:
        return start
    return level if target >= level else None


def _reached_from_above(level: Decimal, start: Decimal, target: Decimal) -> Decimal | None:
    if start <= level:
        return start
    return level if target <= level else None
