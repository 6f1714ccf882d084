"""Which level stays empty: N levels carry N − 1 orders."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from gridtide.strategies.grid.config import VacantRule

if TYPE_CHECKING:
    from gridtide.domain.money import Price


def vacant_level(levels: Sequence[Price], price: Price, rule: VacantRule) -> int:
    """Index of the level without an order at `price` (grid-semantics 2).

    A level exactly at the price is it under every rule; outside the range it is the nearer bound.
    """
    if price <= levels[0]:
        return 0
    if price >= levels[-1]:
        return len(levels) - 1
    above = bisect_left(levels, price)
    if levels[above] == price:
        return above
    match rule:
        case VacantRule.ABOVE:
            return above
        case VacantRule.BELOW:
            return above - 1
        case VacantRule.NEAREST:
            # A tie goes up.
            return above if levels[above] - price <= price - levels[above - 1] else above - 1
        case _:
            assert_never(rule)
