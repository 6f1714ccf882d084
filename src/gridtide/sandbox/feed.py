"""The streams of one market: what happens goes out at once, figures and depth at their fixed speeds.

Nothing is built that nobody listens to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from gridtide.sandbox import market_events
from gridtide.sandbox.candles import LENGTHS
from gridtide.sandbox.wire import JsonObject, encode_levels

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import TopOfBook
    from gridtide.sandbox.candles import ClosedKline
    from gridtide.sandbox.hub import Hub
    from gridtide.sandbox.record import MarketRecord
    from gridtide.venue.messages import BookChanged, BookView, TradePrinted

TICKS_PER_SECOND = 10
"""How often `pulse` is called; its argument counts these ticks."""

_ALL_MINI_TICKERS = "!miniTicker@arr"
_PARTIAL_DEPTH = re.compile(r"depth(5|10|20)(?:@(100|1000)ms)?")


class MarketView(Protocol):
    """What a feed asks about its market when a figure is due."""

    @property
    def record(self) -> MarketRecord: ...

    def book(self, depth: int) -> BookView: ...

    def best(self) -> TopOfBook: ...

    def average_price(self) -> Decimal | None: ...


class DepthDiff:
    """Changed levels since the last event, in absolute amounts; update ids follow each other without a gap."""

    def __init__(self) -> None:
        self._first = 0
        self._last = 0
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def add(self, changed: BookChanged) -> None:
        self._first = self._first or changed.first_update_id
        self._last = changed.last_update_id
        self._bids.update(changed.bids)
        self._asks.update(changed.asks)

    def take(self, exchange_id: str, now: int) -> JsonObject | None:
        """The event of everything added since the last time, or None."""
        if not self._first:
            return None
        event: JsonObject = {
            "e": "depthUpdate",
            "E": now,
            "s": exchange_id,
            "U": self._first,
            "u": self._last,
            "b": encode_levels(self._bids.items()),
            "a": encode_levels(self._asks.items()),
        }
        self.clear()
        return event

    def clear(self) -> None:
        self._first = self._last = 0
        self._bids.clear()
        self._asks.clear()


class MarketFeed:
    """The streams named ``<symbol>@…`` of one market."""

    def __init__(self, exchange_id: str, view: MarketView, hub: Hub) -> None:
        self._id = exchange_id
        self._view = view
        self._hub = hub
        self._prefix = exchange_id.lower() + "@"
        self._trade = self._prefix + "trade"
        self._aggregate = self._prefix + "aggTrade"
        self._book_ticker = self._prefix + "bookTicker"
        self._best: tuple[object, object] | None = None
        self._diffs = {
            self._prefix + "depth@100ms": (DepthDiff(), 1),
            self._prefix + "depth": (DepthDiff(), TICKS_PER_SECOND),
            self._prefix + "depth@1000ms": (DepthDiff(), TICKS_PER_SECOND),
        }
        self._sent: dict[str, int] = {}
        """Version of the market each timed stream last showed."""

    # --- at once -------------------------------------------------------------------------------------

    def on_trade(self, printed: TradePrinted, now: int) -> None:
        if self._hub.wants(self._trade):
            self._hub.emit(self._trade, market_events.trade(printed, self._id, now))
        if self._hub.wants(self._aggregate):
            self._hub.emit(self._aggregate, market_events.aggregate_trade(printed, self._id, now))

    def on_book(self, changed: BookChanged) -> None:
        for name, (diff, _) in self._diffs.items():
            if self._hub.wants(name):
                diff.add(changed)
        best = (changed.best_bid, changed.best_ask)
        if best != self._best:
            self._best = best
            if self._hub.wants(self._book_ticker):
                self._hub.emit(self._book_ticker, market_events.book_ticker(changed, self._id))

    def on_closed(self, closed: list[ClosedKline], now: int) -> None:
        """Every candle that closes is sent, however fast the market is played."""
        for timeframe, candle in closed:
            name = f"{self._prefix}kline_{timeframe}"
            if self._hub.wants(name):
                event = market_events.kline(candle, timeframe, self._id, now, closed=True)
                self._hub.emit(name, event)

    # --- at fixed speeds -----------------------------------------------------------------------------

    def pulse(self, tick: int, now: int) -> None:
        """Send what is due at this tick of a tenth of a second."""
        for name, (diff, speed) in self._diffs.items():
            if not self._hub.wants(name):
                diff.clear()
            elif tick % speed == 0 and (event := diff.take(self._id, now)) is not None:
                self._hub.emit(name, event)
        for name in self._hub.names():
            if name.startswith(self._prefix):
                self._pulse_stream(name, tick, now)

    def _pulse_stream(self, name: str, tick: int, now: int) -> None:
        stream = name.removeprefix(self._prefix)
        found = self._timed(stream, now)
        if found is None:
            return
        speed, build = found
        if tick % speed and name not in self._hub.fresh:
            return
        version = self._view.record.version
        if self._sent.get(name) == version and name not in self._hub.fresh:
            return
        self._sent[name] = version
        self._hub.fresh.discard(name)
        self._hub.emit(name, build())

    def _timed(self, stream: str, now: int) -> tuple[int, Callable[[], JsonObject]] | None:
        """How many ticks apart a timed stream sends, and what builds its payload; None for any other stream."""
        if (partial := _PARTIAL_DEPTH.fullmatch(stream)) is not None:
            depth, speed = int(partial[1]), 1 if partial[2] == "100" else TICKS_PER_SECOND
            return speed, lambda: market_events.partial_depth(self._view.book(depth))
        if stream.startswith("kline_"):
            return self._timed_kline(stream.removeprefix("kline_"), now)
        match stream:
            case "ticker":
                return TICKS_PER_SECOND, lambda: self._ticker(now)
            case "miniTicker":
                return TICKS_PER_SECOND, lambda: self.mini_ticker(now)
            case "avgPrice":
                return TICKS_PER_SECOND, lambda: self._average_price(now)
            case _:
                return None

    def _timed_kline(self, timeframe: str, now: int) -> tuple[int, Callable[[], JsonObject]] | None:
        candle = self._view.record.candles.current(timeframe) if timeframe in LENGTHS else None
        if candle is None:
            return None
        speed = TICKS_PER_SECOND if timeframe == "1s" else 2 * TICKS_PER_SECOND
        return speed, lambda: market_events.kline(candle, timeframe, self._id, now, closed=False)

    def _ticker(self, now: int) -> JsonObject:
        record = self._view.record
        return market_events.ticker(record.day(), self._view.best(), record.last_amount, self._id, now)

    def mini_ticker(self, now: int) -> JsonObject:
        """The short ticker, for its own stream and for that of all markets."""
        return market_events.mini_ticker(self._view.record.day(), self._id, now)

    def _average_price(self, now: int) -> JsonObject:
        price, last_trade_at = self._view.average_price(), self._view.record.last_trade_at
        return market_events.average_price(price, last_trade_at, self._id, now)

    # --- for the stream of all markets ---------------------------------------------------------------

    def changed_since_all(self) -> bool:
        """Whether anything changed since this was last asked."""
        version = self._view.record.version
        changed = self._sent.get(_ALL_MINI_TICKERS) != version
        self._sent[_ALL_MINI_TICKERS] = version
        return changed


def pulse_all_markets(feeds: list[MarketFeed], hub: Hub, tick: int, now: int) -> None:
    """The stream of all short tickers: once a second, those that changed."""
    if tick % TICKS_PER_SECOND or not hub.wants(_ALL_MINI_TICKERS):
        return
    tickers = [feed.mini_ticker(now) for feed in feeds if feed.changed_since_all()]
    if tickers:
        hub.emit(_ALL_MINI_TICKERS, tickers)
