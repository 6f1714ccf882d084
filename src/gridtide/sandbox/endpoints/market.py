"""Public market data: book, trades, candles, tickers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from gridtide.domain.money import notional
from gridtide.sandbox import parameters
from gridtide.sandbox.candles import LENGTHS, KlineRow
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.general import selected
from gridtide.sandbox.endpoints.paging import first_or_last, is_within
from gridtide.sandbox.errors import ApiError, bad_combination
from gridtide.sandbox.wire import JsonObject, encode_levels, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import Listing, SandboxExchange
    from gridtide.venue.messages import TradePrinted

_DAY = 86_400_000
_KLINE_COLUMNS = 12


class TickerType(StrEnum):
    """How much of a ticker is wanted."""

    FULL = "FULL"
    MINI = "MINI"


_SYMBOL = parameters.symbol()
_SYMBOLS = parameters.symbols()
_STATUS = parameters.text("symbolStatus")
_DEPTH_LIMIT = parameters.limit(5000, default=100)
_TRADE_LIMIT = parameters.limit(1000, default=500)
_FROM_ID = parameters.integer("fromId")
_START = parameters.integer("startTime")
_END = parameters.integer("endTime")
_TIME_ZONE = parameters.text("timeZone")
_INTERVAL = parameters.word("interval", LENGTHS, ApiError(-1120, "Invalid interval."))
_TYPE = parameters.choice("type", TickerType, ApiError(-1139, "Invalid ticker type."))


# --- book and trades ---------------------------------------------------------------------------------


def depth(exchange: SandboxExchange, call: Call) -> JsonObject:
    view = exchange.listing(call.need(_SYMBOL)).book(call.get(_DEPTH_LIMIT) or 100)
    return {
        "lastUpdateId": view.last_update_id,
        "bids": encode_levels(view.bids),
        "asks": encode_levels(view.asks),
    }


def depth_weight(values: Mapping[str, str]) -> int:
    text = values.get("limit", "100")
    asked = int(text) if text.isdecimal() and len(text) < 10 else 100
    return next((weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if asked <= most), 250)


def trades(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    listing = exchange.listing(call.need(_SYMBOL))
    printed = exchange.venue.trades(listing.symbol, call.get(_TRADE_LIMIT) or 500, call.get(_FROM_ID))
    return [_trade(each) for each in printed]


def _trade(printed: TradePrinted) -> JsonObject:
    trade = printed.trade
    return {
        "id": trade.trade_id,
        "price": number(trade.price),
        "qty": number(trade.amount),
        "quoteQty": number(notional(trade.price, trade.amount)),
        "time": trade.timestamp,
        "isBuyerMaker": printed.buyer_is_maker,
        "isBestMatch": True,
    }


def aggregate_trades(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    """Every trade is its own aggregate, with the trade's id."""
    listing = exchange.listing(call.need(_SYMBOL))
    from_id, start, end = call.get(_FROM_ID), call.get(_START), call.get(_END)
    if from_id is not None and (start is not None or end is not None):
        raise bad_combination()
    limit = call.get(_TRADE_LIMIT) or 500
    if start is None and end is None:
        return [_aggregate(each) for each in exchange.venue.trades(listing.symbol, limit, from_id)]
    kept = exchange.venue.trades(listing.symbol, exchange.settings.venue.kept_trades, 0)
    inside = [each for each in kept if is_within(each.trade.timestamp, start, end)]
    return [_aggregate(each) for each in (first_or_last(inside, start, limit))]


def _aggregate(printed: TradePrinted) -> JsonObject:
    trade = printed.trade
    return {
        "a": trade.trade_id,
        "p": number(trade.price),
        "q": number(trade.amount),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": trade.timestamp,
        "m": printed.buyer_is_maker,
        "M": True,
    }


# --- candles -----------------------------------------------------------------------------------------


def klines(exchange: SandboxExchange, call: Call) -> list[KlineRow]:
    """Candles by their own (market) time: oldest first from ``startTime``, else the newest up to ``endTime``."""
    listing = exchange.listing(call.need(_SYMBOL))
    start, end, limit = call.get(_START), call.get(_END), call.get(_TRADE_LIMIT) or 500
    rows = [row for row in listing.record.candles.rows(call.need(_INTERVAL)) if is_within(row[0], start, end)]
    chosen = first_or_last(rows, start, limit)
    return [row[:_KLINE_COLUMNS] for row in chosen]


def average_price(exchange: SandboxExchange, call: Call) -> JsonObject:
    listing = exchange.listing(call.need(_SYMBOL))
    return {
        "mins": exchange.settings.venue.average_minutes,
        "price": number(listing.average_price()),
        "closeTime": listing.record.last_trade_at,
    }


# --- tickers -----------------------------------------------------------------------------------------

Row = Callable[["Listing", int], JsonObject]


def _tickers(exchange: SandboxExchange, call: Call, row: Row) -> object:
    """One object for ``symbol``, a list for ``symbols`` or all."""
    now = exchange.now()
    symbol = call.get(_SYMBOL)
    rows = [row(listing, now) for listing in selected(exchange, symbol, call.get(_SYMBOLS))]
    return rows if symbol is None else rows[0]


def _ticker_weight(one: int, several: int) -> Callable[[Mapping[str, str]], int]:
    return lambda values: one if "symbol" in values else several


def day_ticker_weight(values: Mapping[str, str]) -> int:
    """2 for one symbol or up to 20, 40 up to 100, else 80."""
    if "symbol" in values:
        return 2
    if "symbols" not in values:
        return 80
    asked = values["symbols"].count(",") + 1
    return 2 if asked <= 20 else 40 if asked <= 100 else 80


def day_ticker(exchange: SandboxExchange, call: Call) -> object:
    return _tickers(exchange, call, _mini_ticker if call.get(_TYPE) is TickerType.MINI else _full_ticker)


def _full_ticker(listing: Listing, now: int) -> JsonObject:
    day, best = listing.record.day(), listing.best()
    return {
        "priceChange": number(day.change),
        "priceChangePercent": format(day.change_percent, ".3f"),
        "weightedAvgPrice": number(day.average),
        "prevClosePrice": number(day.before),
        "lastQty": number(listing.record.last_amount),
        "bidPrice": number(best.bid),
        "bidQty": number(best.bid_amount),
        "askPrice": number(best.ask),
        "askQty": number(best.ask_amount),
        **_mini_ticker(listing, now),
    }


def _mini_ticker(listing: Listing, now: int) -> JsonObject:
    day = listing.record.day()
    return {
        "symbol": listing.exchange_id,
        "openPrice": number(day.open),
        "highPrice": number(day.high),
        "lowPrice": number(day.low),
        "lastPrice": number(day.close),
        "volume": number(day.volume),
        "quoteVolume": number(day.quote),
        "openTime": now - _DAY,
        "closeTime": now,
        "firstId": day.first_id,
        "lastId": day.last_id,
        "count": day.trades,
    }


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


ENDPOINTS = (
    Endpoint(
        depth,
        "GET",
        "/api/v3/depth",
        "depth",
        weight=depth_weight,
        required=(_SYMBOL,),
        optional=(_DEPTH_LIMIT, _STATUS),
    ),
    Endpoint(
        trades,
        "GET",
        "/api/v3/trades",
        "trades.recent",
        weight=25,
        required=(_SYMBOL,),
        optional=(_TRADE_LIMIT,),
    ),
    Endpoint(
        trades,
        "GET",
        "/api/v3/historicalTrades",
        "trades.historical",
        weight=25,
        required=(_SYMBOL,),
        optional=(_TRADE_LIMIT, _FROM_ID),
    ),
    Endpoint(
        aggregate_trades,
        "GET",
        "/api/v3/aggTrades",
        "trades.aggregate",
        weight=4,
        required=(_SYMBOL,),
        optional=(_TRADE_LIMIT, _FROM_ID, _START, _END),
    ),
    Endpoint(
        klines,
        "GET",
        "/api/v3/klines",
        "klines",
        weight=2,
        required=(_SYMBOL, _INTERVAL),
        optional=(_START, _END, _TRADE_LIMIT, _TIME_ZONE),
    ),
    Endpoint(
        klines,
        "GET",
        "/api/v3/uiKlines",
        "uiKlines",
        weight=2,
        required=(_SYMBOL, _INTERVAL),
        optional=(_START, _END, _TRADE_LIMIT, _TIME_ZONE),
    ),
    Endpoint(average_price, "GET", "/api/v3/avgPrice", "avgPrice", weight=2, required=(_SYMBOL,)),
    Endpoint(
        day_ticker,
        "GET",
        "/api/v3/ticker/24hr",
        "ticker.24hr",
        weight=day_ticker_weight,
        optional=(_SYMBOL, _SYMBOLS, _TYPE, _STATUS),
    ),
    Endpoint(
        price_ticker,
        "GET",
        "/api/v3/ticker/price",
        "ticker.price",
        weight=_ticker_weight(2, 4),
        optional=(_SYMBOL, _SYMBOLS, _STATUS),
    ),
    Endpoint(
        book_ticker,
        "GET",
        "/api/v3/ticker/bookTicker",
        "ticker.book",
        weight=_ticker_weight(2, 4),
        optional=(_SYMBOL, _SYMBOLS, _STATUS),
    ),
)
