"""The liquidity of everybody else as somebody recorded it: exact levels, as deep as the recording.

What an account takes of a level is gone until the recording next tells that level's amount.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal


class RecordedSide:
    """Levels of one side. Prices are kept ascending; which end is best depends on the side."""

    __slots__ = ("_prices", "amounts", "is_bid")

    def __init__(self, side: Side) -> None:
        self.is_bid = side is Side.BUY
        self.amounts: dict[Decimal, Decimal] = {}
        self._prices: list[Decimal] = []

    def best_price(self) -> Decimal | None:
        if not self._prices:
            return None
        return self._prices[-1 if self.is_bid else 0]

    def __iter__(self) -> Iterator[tuple[Decimal, Decimal]]:
        """(price, amount), best first. The side must not change meanwhile."""
        amounts = self.amounts
        for price in reversed(self._prices) if self.is_bid else self._prices:
            yield price, amounts[price]

    def put(self, price: Decimal, amount: Decimal) -> None:
        """The amount now resting at a price; zero removes the level."""
        if amount:
            if price not in self.amounts:
                insort(self._prices, price)
            self.amounts[price] = amount
        elif self.amounts.pop(price, None) is not None:
            del self._prices[bisect_left(self._prices, price)]

    def crossing(self, price: Decimal | None) -> Iterator[tuple[Decimal, Decimal]]:
        """The levels that would trade with an order at `price` of the other side, best first."""
        if price is None:
            return
        for level, amount in self:
            if level < price if self.is_bid else level > price:
                return
            yield level, amount


class RecordedBook:
    """Both sides, and the update id of the recording they stand at."""

    __slots__ = ("_sides", "last_update_id")

    def __init__(self) -> None:
        self._sides = {side: RecordedSide(side) for side in Side}
        self.last_update_id = 0

    def side(self, side: Side) -> RecordedSide:
        """The levels that orders of `side` rest on: BUY for bids."""
        return self._sides[side]

    # --- as the liquidity that orders meet -----------------------------------------------------------

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        return iter(self._sides[side])

    def amount_at(self, side: Side, price: Decimal) -> Decimal:
        return self._sides[side].amounts.get(price, ZERO)

    def may_match(self, side: Side, price: Decimal) -> bool:
        """Whether an order of `side` at `price` meets a recorded level."""
        best = self._sides[side.opposite].best_price()
        if best is None:
            return False
        return price >= best if side is Side.BUY else price <= best

    def take(self, side: Side, price: Decimal, amount: Decimal) -> None:
        """Consume part or all of a level of `side`."""
        levels = self._sides[side]
        levels.put(price, levels.amounts[price] - amount)


def changed_prices(
    former: Mapping[Decimal, Decimal], update: Iterable[tuple[Decimal, Decimal]], *, is_snapshot: bool
) -> dict[Decimal, Decimal]:
    """Price to new amount of every level that `update` tells of; a snapshot also ends what it does not hold."""
    told = dict(update)
    if is_snapshot:
        told = dict.fromkeys((price for price in former if price not in told), ZERO) | told
    return told
