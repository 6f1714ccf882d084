"""What plays a market: an iterator of moments, from a file or made up, that can be left and taken up again; or a
live source, that comes as it comes.

A source is deterministic: from an equal position it yields equal moments. A live source has no position.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.price_path.point import PathPoint

if TYPE_CHECKING:
    from gridtide.domain.market import Market, Timestamp

MarketMoment = PathPoint | DepthUpdate | MarketTrade
"""One thing that happens in a market: the price walks on, the recorded book changes, somebody trades."""


def time_of(moment: MarketMoment) -> Timestamp:
    """When it happens, in market time."""
    return moment.timestamp if isinstance(moment, MarketTrade) else moment.market_time


@runtime_checkable
class MarketSource(Protocol):
    """One market's past or invented future, moment by moment; `next()` raises `StopIteration` at the end."""

    @property
    def market(self) -> Market:
        """The market with the rules the source knows or guesses."""
        ...

    def __iter__(self) -> Iterator[MarketMoment]:
        """The source itself: it goes on where it is."""
        ...

    def __next__(self) -> MarketMoment:
        """The next moment; its time never decreases."""
        ...

    def position(self) -> dict[str, Any]:
        """Where it stands after the last moment handed out, JSON-compatible."""
        ...

    def seek(self, position: Mapping[str, Any]) -> None:
        """Go on right after the moment at which `position()` gave this. Raises `InvalidInput` for another source's."""
        ...


@runtime_checkable
class LiveSource(Protocol):
    """One market as it happens now. It begins with a snapshot of the book and goes on until it is closed; what
    breaks on the way is mended inside, with a snapshot after each gap."""

    @property
    def market(self) -> Market:
        """The market with the exchange's rules."""
        ...

    def __aiter__(self) -> AsyncIterator[MarketMoment]:
        """The moments as they come; once only."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
