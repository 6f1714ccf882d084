"""The order book as somebody recorded it: snapshots and differences with absolute amounts.

Update ids of one market grow without gaps: an update's first id follows the last id of the one before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Timestamp


@dataclass(frozen=True, slots=True)
class DepthUpdate:
    """Levels of a recorded book, best first where it is a snapshot. An amount of zero removes a level."""

    first_update_id: int
    last_update_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    """(price, amount): the amount now resting there, absolute."""
    asks: tuple[tuple[Decimal, Decimal], ...]
    market_time: Timestamp
    is_snapshot: bool = False
    """A snapshot replaces the whole book."""
