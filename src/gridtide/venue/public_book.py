"""The book as the public has seen it so far, and the differences that keep it in step.

Every change of the book leaves as a diff with absolute amounts; update ids of one symbol have no gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue.messages import BookChanged, BookLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from decimal import Decimal

    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.venue.desk import Desk


class PublicBook:
    """Price to amount of each side, as last published."""

    __slots__ = ("_hidden", "_owed", "_shown", "last_update_id", "symbol")

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.last_update_id = 0
        self._shown: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
        self._owed = 0
        self._hidden: dict[Side, tuple[Decimal, ...]] = {Side.BUY: (), Side.SELL: ()}
        """Recorded levels that were behind an account's order of the other side when last published."""

    def owe_ids(self, count: int) -> None:
        """The next diff takes at least this many update ids: those of the recording it follows."""
        self._owed += max(count, 0)

    def publish(
        self, desk: Desk, bids: Collection[Decimal], asks: Collection[Decimal], now: Timestamp
    ) -> BookChanged | None:
        """The diff over the prices that may have changed; None if none did."""
        changed_bids = self._changes(desk, Side.BUY, self._also_hidden(desk, Side.BUY, bids))
        changed_asks = self._changes(desk, Side.SELL, self._also_hidden(desk, Side.SELL, asks))
        count = self._owed or len(changed_bids) + len(changed_asks)
        if not count:
            return None
        self._owed = 0
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

    def _also_hidden(self, desk: Desk, side: Side, prices: Collection[Decimal]) -> Collection[Decimal]:
        """`prices` and the levels that just went behind an account's order or came out again."""
        if desk.recorded is None:
            return prices
        former, self._hidden[side] = self._hidden[side], desk.hidden_prices(side)
        if former == self._hidden[side]:
            return prices
        return dict.fromkeys((*prices, *former, *self._hidden[side]))

    def _changes(self, desk: Desk, side: Side, prices: Collection[Decimal]) -> tuple[BookLevel, ...]:
        if not prices:
            return ()
        shown = self._shown[side]
        changes = []
        amount_at = self._amounts(desk, side)
        for price in prices:
            amount = amount_at(price)
            if shown.get(price, ZERO) != amount:
                changes.append(BookLevel(price, amount))
                if amount:
                    shown[price] = amount
                else:
                    del shown[price]
        return tuple(changes)

    def _amounts(self, desk: Desk, side: Side) -> Callable[[Decimal], Decimal]:
        """`desk.total_at`, made once for many prices where everybody else's book is whole, as nearly always."""
        if desk.is_deserted or self._hidden[side]:
            return lambda price: desk.total_at(side, price)
        own = desk.book.side(side)
        if desk.recorded is None:
            outside = desk.ambient.side(side)
        else:
            outside = desk.recorded.side(side).amounts
        return lambda price: outside.get(price, ZERO) + own.total_at(price)

    def adopt(self, desk: Desk) -> None:
        """Take the present book as published, without telling anybody: after a restoration."""
        for side in Side:
            self._shown[side] = {level.price: level.amount for level in book_levels(desk, side)}
            self._hidden[side] = desk.hidden_prices(side)


def book_levels(desk: Desk, side: Side) -> Iterable[BookLevel]:
    """The public levels of one side, best first."""
    for price, level, ambient in desk.levels(side):
        yield BookLevel(price, ambient + level.total if level is not None else ambient)


def best_level(desk: Desk, side: Side) -> BookLevel | None:
    """The best public level of one side."""
    best = desk.best(side)
    return None if best is None else BookLevel(*best)
