"""The streams of one market: what happens goes out at once, figures and depth at their fixed speeds.

Nothing is built that nobody listens to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gridtide.sandbox import market_events
from gridtide.sandbox.aggregates import begin
from gridtide.sandbox.candles import LENGTHS
from gridtide.sandbox.depth_diff import DepthDiff
from gridtide.sandbox.kline_zones import (
    AHEAD,
    AHEAD_SUFFIX,
    candle_at,
    current_in_zone,
    part_of,
    period_in_zone,
    zone_of_stream,
)
from gridtide.sandbox.rolling import STREAM_WINDOWS, window
from gridtide.sandbox.wire import JsonObject

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import TopOfBook
    from gridtide.sandbox.aggregates import AggregateTrade
    from gridtide.sandbox.candles import ClosedKline, Kline
    from gridtide.sandbox.hub import Hub
    from gridtide.sandbox.record import MarketRecord
    from gridtide.venue.messages import BookChanged, BookView, TradePrinted

TICKS_PER_SECOND = 10
"""How often `pulse` is called; its argument counts these ticks."""

_ALL_TICKERS = "!ticker@arr"
"""Retired upstream on 2026-03-26; a switch brings it back."""
_ALL_MINI_TICKERS = {"!miniTicker@arr": 1, "!miniTicker@arr@1000ms": 1, "!miniTicker@arr@3000ms": 3}
"""And how many seconds apart each is sent; the longer names are in no document, and clients ask for them."""
_ALL_WINDOWS = {f"!ticker_{size}@arr": size for size in STREAM_WINDOWS}
_SHIFTED = [timeframe for timeframe in LENGTHS if part_of(timeframe, AHEAD) != timeframe]
"""The timeframes whose candles are others eight hours ahead of UTC; they are folded from those of an hour."""
_PART = "1h"
_PARTIAL_DEPTH = re.compile(r"depth(5|10|20)(?:@(100|1000)ms)?")


class MarketView(Protocol):
    """What a feed asks about its market when a figure is due."""

    @property
    def record(self) -> MarketRecord: ...

    def book(self, depth: int) -> BookView: ...

    def best(self) -> TopOfBook: ...

    def average_price(self) -> Decimal | None: ...


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
        self._joined: AggregateTrade | None = None
        """The aggregate that the next trade may still belong to."""
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
        if not self._hub.wants(self._aggregate) or (self._joined is not None and self._joined.join(printed)):
            return
        self.end_of_trades(now)
        self._joined = begin(printed)

    def end_of_trades(self, now: int) -> None:
        """No trade of the taker at hand follows: what was joined goes out."""
        if self._joined is not None:
            self._hub.emit(self._aggregate, market_events.aggregate_trade(self._joined, self._id, now))
            self._joined = None

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
            self._send_closed(timeframe, candle, timeframe, now)
            if timeframe not in _SHIFTED:
                self._send_closed(timeframe, candle, timeframe + AHEAD_SUFFIX, now)
            if timeframe == _PART:
                self._close_shifted(candle.open_time, now)

    def _close_shifted(self, part_opened: int, now: int) -> None:
        """A part of the candles that are eight hours ahead closed, and with it perhaps some of them."""
        record = self._view.record
        for timeframe in _SHIFTED:
            stream = timeframe + AHEAD_SUFFIX
            ends = period_in_zone(timeframe, part_opened, AHEAD)[1]
            if record.market_time > ends and self._hub.wants(f"{self._prefix}kline_{stream}"):
                candle = candle_at(record.candles, timeframe, AHEAD, part_opened)
                self._send_closed(timeframe, candle, stream, now)

    def _send_closed(self, timeframe: str, candle: Kline, stream: str, now: int) -> None:
        name = f"{self._prefix}kline_{stream}"
        if self._hub.wants(name):
            self._hub.emit(name, market_events.kline(candle, timeframe, self._id, now, closed=True))

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
        if stream.startswith("ticker_"):
            return self._timed_window(stream.removeprefix("ticker_"), now)
        match stream:
            case "ticker":
                return TICKS_PER_SECOND, lambda: self.ticker(now)
            case "miniTicker":
                return TICKS_PER_SECOND, lambda: self.mini_ticker(now)
            case "avgPrice":
                return TICKS_PER_SECOND, lambda: self._average_price(now)
            case _:
                return None

    def _timed_kline(self, stream: str, now: int) -> tuple[int, Callable[[], JsonObject]] | None:
        found = zone_of_stream(stream)
        if found is None:
            return None
        timeframe, offset = found
        candles = self._view.record.candles
        if candles.current(timeframe) is None:
            return None

        def build() -> JsonObject:
            candle = current_in_zone(candles, timeframe, offset)
            assert candle is not None  # the market has moved
            return market_events.kline(candle, timeframe, self._id, now, closed=False)

        return TICKS_PER_SECOND if timeframe == "1s" else 2 * TICKS_PER_SECOND, build

    def _timed_window(self, size: str, now: int) -> tuple[int, Callable[[], JsonObject]] | None:
        return (TICKS_PER_SECOND, lambda: self.window(size, now)) if size in STREAM_WINDOWS else None

    def window(self, size: str, now: int) -> JsonObject:
        """The figures of the last hour, four hours or day."""
        length = STREAM_WINDOWS[size]
        return market_events.window(window(self._view.record, length), size, length, self._id, now)

    def ticker(self, now: int) -> JsonObject:
        """The long ticker."""
        record = self._view.record
        return market_events.ticker(record.day(), self._view.best(), record.last_amount, self._id, now)

    def mini_ticker(self, now: int) -> JsonObject:
        """The short ticker, for its own stream and for that of all markets."""
        return market_events.mini_ticker(self._view.record.day(), self._id, now)

    def _average_price(self, now: int) -> JsonObject:
        price, last_trade_at = self._view.average_price(), self._view.record.last_trade_at
        return market_events.average_price(price, last_trade_at, self._id, now)

    # --- for the streams of all markets --------------------------------------------------------------

    def changed_since(self, stream: str) -> bool:
        """Whether anything changed since this was last asked for this stream."""
        version = self._view.record.version
        changed = self._sent.get(stream) != version
        self._sent[stream] = version
        return changed


def pulse_all_markets(feeds: list[MarketFeed], hub: Hub, tick: int, now: int, *, retired: bool) -> None:
    """The streams of all tickers: at most once a second, those that changed."""
    second, rest = divmod(tick, TICKS_PER_SECOND)
    if rest:
        return
    for name, seconds in _ALL_MINI_TICKERS.items():
        if second % seconds == 0:
            _pulse_all(name, feeds, hub, lambda feed: feed.mini_ticker(now))
    for name, size in _ALL_WINDOWS.items():
        _pulse_all(name, feeds, hub, partial(MarketFeed.window, size=size, now=now))
    if retired:
        _pulse_all(_ALL_TICKERS, feeds, hub, lambda feed: feed.ticker(now))


def _pulse_all(
    name: str, feeds: list[MarketFeed], hub: Hub, build: Callable[[MarketFeed], JsonObject]
) -> None:
    if hub.wants(name):
        tickers = [build(feed) for feed in feeds if feed.changed_since(name)]
        if tickers:
            hub.emit(name, tickers)
