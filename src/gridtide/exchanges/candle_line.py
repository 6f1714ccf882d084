"""Closed candles of one market as events: each once, in their order, whichever of stream and reads tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.candle import Candle, period_start, timeframe_seconds
from gridtide.domain.events import CandleClosed
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from gridtide.domain.events import StreamEvent
    from gridtide.domain.market import Symbol

SHORTEST_WAIT_SECONDS = 2.0
"""Between two reads."""
SETTLING_MS = 1_000
"""A candle that was read is taken for closed this long after its end."""


class CandleLine:
    """What was told so far; it outlives a connection, so that the next one goes on behind it."""

    def __init__(self, symbol: Symbol, timeframe: str) -> None:
        self.symbol = symbol
        self.timeframe = timeframe
        self.length_ms = timeframe_seconds(timeframe) * 1000
        self.told: Timestamp | None = None
        """Open time of the last candle that was told."""

    def tell(self, candle: Candle, put: Callable[[StreamEvent], None]) -> None:
        """A closed candle; one that was told already, or is older, is passed over."""
        if self.told is None or candle.timestamp > self.told:
            self.told = candle.timestamp
            put(CandleClosed(self.symbol, self.timeframe, candle))

    def tell_read(
        self, candles: Iterable[Candle], now: int | None, put: Callable[[StreamEvent], None]
    ) -> None:
        """Those of a read that are closed by the clock; with None for `now` (a market that plays the past) all but the
        newest. The first read only says where to begin: what closed before it is no news."""
        rows = sorted(candles, key=lambda candle: candle.timestamp)
        if now is None:
            rows = rows[:-1]
        else:
            rows = [candle for candle in rows if candle.timestamp + self.length_ms + SETTLING_MS <= now]
        if self.told is None and rows:
            self.told = rows[-1].timestamp
        for candle in rows:
            self.tell(candle, put)

    def seconds_to_next(self, now: int | None) -> float:
        """When to read again, by the clock (None: see `tell_read`)."""
        if now is None or self.told is None:
            return SHORTEST_WAIT_SECONDS
        due = self.told + 2 * self.length_ms + SETTLING_MS
        return max(SHORTEST_WAIT_SECONDS, (due - now) / 1000)


class CandleBuilder:
    """Candles out of a market's moves. The first one, of which the beginning is not known, is left out."""

    def __init__(self, timeframe: str) -> None:
        self._timeframe = timeframe
        self._open: Candle | None = None
        self._is_whole = False

    def move(self, now: Timestamp, price: Decimal, volume: Decimal) -> Candle | None:
        """The market is at `price`, with `volume` traded on the way there: gives the candle that this has closed."""
        start, reached, traded = period_start(self._timeframe, now), Price(price), Amount(volume)
        candle = self._open
        if candle is not None and candle.timestamp == start:
            self._open = Candle(
                start,
                candle.open,
                max(candle.high, reached),
                min(candle.low, reached),
                reached,
                Amount(candle.volume + traded),
            )
            return None
        self._open = Candle(start, reached, reached, reached, reached, traded)
        closed, self._is_whole = (candle if self._is_whole else None), candle is not None or now == start
        return closed
