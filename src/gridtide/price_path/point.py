"""One step of the price: where it went, when, and how much traded on the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Timestamp
    from gridtide.domain.order import Side


class PathPoint(NamedTuple):
    """The price walks from the former point to `price`, visiting every price between, and `volume` (base) trades
    on the way. A named tuple because a year of minutes makes two million of them."""

    market_time: Timestamp
    price: Decimal
    volume: Decimal
    taker: Side | None = None
    """Who took, where the source says so (market trades)."""
