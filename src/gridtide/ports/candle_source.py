"""Where a market's past is asked for: an exchange's public API, page by page.

A source never makes anything up: what it does not have, it leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gridtide.domain.candle import Candle, MarketTrade
    from gridtide.domain.market import Symbol, Timestamp


class CandleSource(Protocol):
    """Public candles and market trades of one exchange.

    Reads raise `Transient` (after their retries), `RateLimited` or `NotPermitted`; an unknown market raises
    `InvalidInput`.
    """

    name: str
    candle_page: int
    """How many candles a page holds at most."""

    async def connect(self) -> None:
        """Load the markets and measure the clock: before anything else, and only where something is asked for."""

    async def closed_until(self, symbol: Symbol, timeframe: str | None) -> Timestamp:
        """The newest moment that is over: a candle that ends later is not closed, and (without a timeframe) a market
        trade may still be missing."""

    async def candles(self, symbol: Symbol, timeframe: str, start: Timestamp) -> Sequence[Candle]:
        """A page of candles that open at or after `start`, in any order, perhaps with one that is still open.

        Empty where there is none within `candle_page` timeframes; there may be some behind them.
        """

    async def trades(
        self, symbol: Symbol, start: Timestamp, after_id: int | None = None
    ) -> tuple[Sequence[MarketTrade], Timestamp]:
        """A page of market trades at or after `start`, or those after the id `after_id` where ids are numbers, and
        the moment before which none is left out."""

    async def close(self) -> None:
        """Let go of every connection."""
