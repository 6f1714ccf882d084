"""The book as the public has seen it so far, and the differences that keep it in step.

Every change of the book leaves as a diff with absolute amounts; update ids of one symbol have no gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue.messages import BookChanged, BookLevel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.venue.desk import Desk


class PublicBook:
    """Price to amount of each side, as last published."""

    __slots__ = ("_shown", "last_update_id", "symbol")

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.last_update_id = 0
        self._shown: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}

    def publish(
        self, desk: Desk, bids: Iterable[Decimal], asks: Iterable[Decimal], now: Timestamp
    ) -> BookChanged | None:
        """The diff over the prices that may have changed; None if none did."""
        changed_bids = self._changes(desk, Side.BUY, bids)
        changed_asks = self._changes(desk, Side.SELL, asks)
        count = len(changed_bids) + len(changed_asks)
        if not count:
            return None
        first = self.last_update_id + 1
        self.last_update_id += count
        return BookChanged(
            self.symbol,
            first,
            self.last_update_id,
            changed_bids,
            changed_asks,
            best_level(desk, Side.BUY),
            best_level(desk, Side.SELL),
            now,
        )

    def _changes(self, desk: Desk, side: Side, prices: Iterable[Decimal]) -> tuple[BookLevel, ...]:
        shown = self._shown[side]
        changes = []
        for price in prices:
            amount = desk.total_at(side, price)
            if shown.get(price, ZERO) != amount:
                changes.append(BookLevel(price, amount))
                if amount:
                    shown[price] = amount
                else:
                    del shown[price]
        return tuple(changes)

    def adopt(self, desk: Desk) -> None:
        """Take the present book as published, without telling anybody: after a restoration."""
        for side in Side:
            self._shown[side] = {level.price: level.amount for level in book_levels(desk, side)}


def book_levels(desk: Desk, side: Side) -> Iterable[BookLevel]:
    """The public levels of one side, best first."""
    for price, level, ambient in desk.levels(side):
        yield BookLevel(price, ambient + level.total if level is not None else ambient)


def best_level(desk: Desk, side: Side) -> BookLevel | None:
    """The best public level of one side."""
    return next(iter(book_levels(desk, side)), None)
