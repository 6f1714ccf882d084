"""Tickers: the last 24 hours, the running day, any window, the last price, the best of the book."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.market import STATUS, SYMBOL, SYMBOLS, asked_for
from gridtide.sandbox.errors import ApiError, one_of
from gridtide.sandbox.kline_zones import time_zone
from gridtide.sandbox.rolling import DAY, trading_day, window, window_size
from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.candles import DayFigures
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.listing import Listing

_MINUTE = 60_000
_MOST_SYMBOLS = 100


class TickerType(StrEnum):
    """How much of a ticker is wanted."""

    FULL = "FULL"
    MINI = "MINI"


_TYPE = parameters.choice("type", TickerType, ApiError(-1139, "Invalid ticker type."))
_WINDOW = window_size()
_TIME_ZONE = time_zone()

Row = Callable[["Listing", int], JsonObject]


def _tickers(exchange: SandboxExchange, call: Call, row: Row) -> object:
    """One object for ``symbol``, a list for ``symbols`` or all."""
    now = exchange.now()
    rows = [row(listing, now) for listing in asked_for(exchange, call)]
    return rows if call.get(SYMBOL) is None else rows[0]


def _few_tickers(exchange: SandboxExchange, call: Call, row: Row) -> object:
    """The same where it may not be all markets; raises -1102 for none, -1101 for too many."""
    symbols = call.get(SYMBOLS)
    if call.get(SYMBOL) is None and symbols is None:
        raise one_of("symbol", "symbols")
    if symbols is not None and len(symbols) > _MOST_SYMBOLS:
        raise ApiError(
            -1101, f"Too many parameters; expected '{_MOST_SYMBOLS}' and received '{len(symbols)}'."
        )
    return _tickers(exchange, call, row)


# --- what a ticker shows -----------------------------------------------------------------------------


def _figures(listing: Listing, day: DayFigures, opened: int, closed: int) -> JsonObject:
    return {
        "symbol": listing.exchange_id,
        "openPrice": number(day.open),
        "highPrice": number(day.high),
        "lowPrice": number(day.low),
        "lastPrice": number(day.close),
        "volume": number(day.volume),
        "quoteVolume": number(day.quote),
        "openTime": opened,
        "closeTime": closed,
        "firstId": day.first_id,
        "lastId": day.last_id,
        "count": day.trades,
    }


def _changes(day: DayFigures) -> JsonObject:
    return {
        "priceChange": number(day.change),
        "priceChangePercent": format(day.change_percent, ".3f"),
        "weightedAvgPrice": number(day.average),
    }


def day_ticker(exchange: SandboxExchange, call: Call) -> object:
    return _tickers(exchange, call, _mini_day if call.get(_TYPE) is TickerType.MINI else _full_day)


def _mini_day(listing: Listing, now: int) -> JsonObject:
    return _figures(listing, listing.record.day(), now - DAY, now)


def _full_day(listing: Listing, now: int) -> JsonObject:
    day, best = listing.record.day(), listing.best()
    return {
        **_changes(day),
        "prevClosePrice": number(day.before),
        "lastQty": number(listing.record.last_amount),
        "bidPrice": number(best.bid),
        "bidQty": number(best.bid_amount),
        "askPrice": number(best.ask),
        "askQty": number(best.ask_amount),
        **_figures(listing, day, now - DAY, now),
    }


def rolling_ticker(exchange: SandboxExchange, call: Call) -> object:
    """A window that begins on a minute; its times are wall time, as those of the 24-hour ticker."""
    length = call.get(_WINDOW) or DAY
    is_full = call.get(_TYPE) is not TickerType.MINI

    def row(listing: Listing, now: int) -> JsonObject:
        figures = window(listing.record, length)
        shown = _figures(listing, figures, (now - length) // _MINUTE * _MINUTE, now)
        return {**shown, **_changes(figures)} if is_full else shown

    return _few_tickers(exchange, call, row)


def trading_day_ticker(exchange: SandboxExchange, call: Call) -> object:
    """The running day of market time, by the clock of ``timeZone``."""
    offset = call.get(_TIME_ZONE) or 0
    is_full = call.get(_TYPE) is not TickerType.MINI

    def row(listing: Listing, _now: int) -> JsonObject:
        figures, (opened, closed) = trading_day(listing.record, offset)
        shown = _figures(listing, figures, opened, closed)
        return {**shown, **_changes(figures)} if is_full else shown

    return _few_tickers(exchange, call, row)


def price_ticker(exchange: SandboxExchange, call: Call) -> object:
    return _tickers(
        exchange,
        call,
        lambda listing, _now: {"symbol": listing.exchange_id, "price": number(listing.best().last)},
    )


def book_ticker(exchange: SandboxExchange, call: Call) -> object:
    return _tickers(exchange, call, _book_ticker)


def _book_ticker(listing: Listing, _now: int) -> JsonObject:
    best = listing.best()
    return {
        "symbol": listing.exchange_id,
        "bidPrice": number(best.bid),
        "bidQty": number(best.bid_amount),
        "askPrice": number(best.ask),
        "askQty": number(best.ask_amount),
    }


# --- weights -----------------------------------------------------------------------------------------


def _asked(values: Mapping[str, str]) -> int:
    return values.get("symbols", "").count(",") + 1


def _ticker_weight(values: Mapping[str, str]) -> int:
    return 2 if "symbol" in values else 4


def day_ticker_weight(values: Mapping[str, str]) -> int:
    """2 for one symbol or up to 20, 40 up to 100, else 80."""
    if "symbol" in values:
        return 2
    if "symbols" not in values:
        return 80
    return 2 if _asked(values) <= 20 else 40 if _asked(values) <= 100 else 80


def window_weight(values: Mapping[str, str]) -> int:
    """4 for each symbol, 200 at most."""
    return min(200, 4 * _asked(values))


ENDPOINTS = (
    Endpoint(
        day_ticker,
        "GET",
        "/api/v3/ticker/24hr",
        "ticker.24hr",
        weight=day_ticker_weight,
        optional=(SYMBOL, SYMBOLS, _TYPE, STATUS),
    ),
    Endpoint(
        trading_day_ticker,
        "GET",
        "/api/v3/ticker/tradingDay",
        "ticker.tradingDay",
        weight=window_weight,
        optional=(SYMBOL, SYMBOLS, _TYPE, STATUS, _TIME_ZONE),
    ),
    Endpoint(
        rolling_ticker,
        "GET",
        "/api/v3/ticker",
        "ticker",
        weight=window_weight,
        optional=(SYMBOL, SYMBOLS, _TYPE, STATUS, _WINDOW),
    ),
    Endpoint(
        price_ticker,
        "GET",
        "/api/v3/ticker/price",
        "ticker.price",
        weight=_ticker_weight,
        optional=(SYMBOL, SYMBOLS, STATUS),
    ),
    Endpoint(
        book_ticker,
        "GET",
        "/api/v3/ticker/bookTicker",
        "ticker.book",
        weight=_ticker_weight,
        optional=(SYMBOL, SYMBOLS, STATUS),
    ),
)
