"""One bot of a backtest on its market: where it stands on the price path, and where it has to look next.

Between two stops nothing can happen: neither an order nor the strategy reacts to a price or a time that is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.events import BookUpdated, CandleClosed

if TYPE_CHECKING:
    from gridtide.domain.events import Event
    from gridtide.domain.market import Timestamp
    from gridtide.engine.engine import Engine
    from gridtide.ports.direct_exchange import DirectExchange
    from gridtide.ports.journal import Journal
    from gridtide.price_path.closed_candles import ClosedCandles
    from gridtide.price_path.crossing import CrossingIndex

START = -1
"""Before the first point of a path."""


class Stop(NamedTuple):
    """The next moment that matters: the market reaches a point, or, with `is_time`, `time` comes before that."""

    time: Timestamp
    point: int
    is_time: bool


class Lane:
    """An engine, its market's path, and the last point of it that has been played."""

    def __init__(
        self,
        engine: Engine,
        index: CrossingIndex,
        *,
        journal: Journal | None = None,
        looks_everywhere: bool = False,
        opening: Sequence[Event] = (),
        candles: ClosedCandles | None = None,
    ) -> None:
        """`journal`: where the bot's entries go, beside the record that is made of them; None: nowhere. `opening`: what
        the bot is told right before its run starts, such as the price of the asset it pays fees in. `candles`: those
        that its strategy wants to be told of, each at its close."""
        self.engine = engine
        self.journal = journal
        self.symbol = engine.state.market.symbol
        self.path = index.path
        self.position = START
        self.opening = tuple(opening)
        self.looks_everywhere = looks_everywhere
        """Stops at each point: the plain loop that the jumps are compared with."""
        self._index = index
        self._ends_at = index.path.time(len(index.path) - 1)
        self._stop: Stop | None = None
        self._is_known = False
        self._wanted: int | None = None
        self._candles = candles
        self._candles_told = 0

    def stop_at(self, point: int | None) -> None:
        """Stop at this point at the latest, whatever else may happen there; None: nobody wants that."""
        if point != self._wanted:
            self._wanted = point
            self.forget_stop()

    def forget_stop(self) -> None:
        """Something happened: where to look next has to be asked anew."""
        self._is_known = False

    def next_stop(self, exchange: DirectExchange, moment: Timestamp | None) -> Stop | None:
        """Where to go next, `moment` being when something else wants to act; None behind the last point."""
        if not self._is_known:
            self._stop, self._is_known = self._find_stop(exchange, moment), True
        return self._stop

    def _find_stop(self, exchange: DirectExchange, moment: Timestamp | None) -> Stop | None:
        path, start = self.path, self.position + 1
        timer = self.engine.next_timer()
        if timer is not None and (moment is None or timer < moment):
            moment = timer
        if self._candles is not None:
            close = self.next_close()
            moment = close if moment is None or (close is not None and close < moment) else moment
        found = self._next_touch(exchange, start)
        if moment is not None and moment <= self._ends_at:
            index = path.first_at(moment)
            if index <= (len(path) if found is None else found):
                # What is due before the last point that was played is due at once, before the next one.
                return Stop(moment, max(index, start), True) if max(index, start) < len(path) else None
        return None if found is None else Stop(path.time(found), found, False)

    def _next_touch(self, exchange: DirectExchange, start: int) -> int | None:
        path = self.path
        if start >= len(path):
            return None
        if start == 0 or self.looks_everywhere:
            return start
        below, above = exchange.bounds(self.symbol)
        own_below, own_above = self.engine.prices_of_interest()
        if own_below is not None and (below is None or own_below > below):
            below = own_below
        if own_above is not None and (above is None or own_above < above):
            above = own_above
        found = self._index.next_touch(
            start,
            None if below is None else path.units_below(below),
            None if above is None else path.units_above(above),
        )
        if self._wanted is None or self._wanted < start:
            return found
        return self._wanted if found is None else min(found, self._wanted)

    def next_close(self) -> Timestamp | None:
        """When the next candle is to be told; None where the strategy wants none."""
        if self._candles is None or self._candles_told >= len(self._candles):
            return None
        return self._candles.close_time(self._candles_told)

    def next_candle(self) -> CandleClosed | None:
        """The candle that `next_close` is about; it counts as told."""
        if self._candles is None:
            return None
        self._candles_told += 1
        return CandleClosed(
            self.symbol, self._candles.timeframe, self._candles.candle(self._candles_told - 1)
        )

    def book(self, exchange: DirectExchange) -> BookUpdated:
        """The book as it is now, as an event."""
        return BookUpdated(self.symbol, exchange.book(self.symbol))
