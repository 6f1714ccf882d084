"""What plays a market: an endless or finite iterator of path points that can be left and taken up again.

A source is deterministic: from an equal position it yields equal points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from gridtide.domain.market import Market
    from gridtide.price_path.point import PathPoint


@runtime_checkable
class MarketSource(Protocol):
    """One market's past or invented future, point by point; `next()` raises `StopIteration` at the end."""

    @property
    def market(self) -> Market:
        """The market with the rules the source knows or guesses."""
        ...

    def __iter__(self) -> Iterator[PathPoint]:
        """The source itself: it goes on where it is."""
        ...

    def __next__(self) -> PathPoint:
        """The next point; `market_time` never decreases."""
        ...

    def position(self) -> dict[str, Any]:
        """Where it stands after the last point handed out, JSON-compatible."""
        ...

    def seek(self, position: Mapping[str, Any]) -> None:
        """Go on right after the point at which `position()` gave this. Raises `InvalidInput` for another source's."""
        ...
