"""A recording of a market that lies ready as a whole, so that a stretch of it in which nothing happens can be skipped.

Whatever refers to what traded of late (average prices, volumes) reads the skipped stretch when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from gridtide.domain.market import Timestamp
    from gridtide.price_path.point import PathPoint


class Tape(Protocol):
    """The points a market goes over, in the order of their times."""

    @property
    def lowest(self) -> Decimal:
        """No point of the whole tape is below."""

    @property
    def highest(self) -> Decimal:
        """No point of the whole tape is above."""

    def points(self, start: int, end: int, since: Timestamp) -> Iterable[PathPoint]:
        """Those from number `start` up to but without `end` whose time is not before `since`."""


class Stretch(NamedTuple):
    """The points of `tape` from number `start` up to but without `end`."""

    tape: Tape
    start: int
    end: int
