"""The resting orders of all accounts on one market: best price first, and at one price the oldest first."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from gridtide.venue.working_order import WorkingOrder


class Level:
    """The queue at one price and the sum of what it still wants."""

    __slots__ = ("ahead", "orders", "price", "total", "traded")

    def __init__(self, price: Decimal) -> None:
        self.price = price
        self.orders: dict[int, WorkingOrder] = {}
        self.total = ZERO
        self.ahead: dict[int, Decimal] | None = None
        """Recorded amount ahead of each order, kept by `venue.queue` where a recording is played."""
        self.traded = ZERO
        """What market trades took here since the recording last told the level."""

    def first(self) -> WorkingOrder:
        return next(iter(self.orders.values()))


class BookSide:
    """One side of the book. Prices are kept ascending; which end is best depends on the side."""

    __slots__ = ("_best", "_prices", "best", "levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[Decimal, Level] = {}
        self.best: Decimal | None = None
        """The best price: a plain attribute, because every move of the market asks."""
        self._prices: list[Decimal] = []
        self._best = -1 if side is Side.BUY else 0

    def __iter__(self) -> Iterator[Level]:
        """Levels, best first. The book must not change meanwhile."""
        ordered = reversed(self._prices) if self.side is Side.BUY else iter(self._prices)
        return map(self.levels.__getitem__, ordered)

    def total_at(self, price: Decimal) -> Decimal:
        level = self.levels.get(price)
        return level.total if level is not None else ZERO

    def add(self, order: WorkingOrder) -> None:
        """Queue the rest of `order` behind what stands at its price."""
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = Level(order.price)
            insort(self._prices, order.price)
            self.best = self._prices[self._best]
        level.orders[order.order_id] = order
        level.total += order.remaining

    def reduce(self, order: WorkingOrder, amount: Decimal) -> None:
        """`amount` of a resting order is gone (executed); call it before the order counts it."""
        if amount == order.remaining:
            self.remove(order)
        else:
            self.levels[order.price].total -= amount

    def remove(self, order: WorkingOrder) -> None:
        """Take the order out, wherever it stands in its queue."""
        level = self.levels[order.price]
        del level.orders[order.order_id]
        if level.orders:
            level.total -= order.remaining
            if level.ahead is not None:
                level.ahead.pop(order.order_id, None)
        else:
            del self.levels[order.price]
            prices = self._prices
            del prices[bisect_left(prices, order.price)]
            self.best = prices[self._best] if prices else None


class OrderBook:
    """Both sides."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)

    def side(self, side: Side) -> BookSide:
        return self.bids if side is Side.BUY else self.asks
