"""Market stream payloads as the exchange writes them (protocol section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox.wire import ZERO_TEXT, JsonObject, encode_levels, number

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import TopOfBook
    from gridtide.sandbox.aggregates import AggregateTrade
    from gridtide.sandbox.candles import DayFigures, Kline
    from gridtide.venue.messages import BookChanged, BookView, TradePrinted

_MINUTE = 60_000
_DAY = 86_400_000


def trade(printed: TradePrinted, exchange_id: str, now: int) -> JsonObject:
    return {
        "e": "trade",
        "E": now,
        "s": exchange_id,
        "t": printed.trade.trade_id,
        "p": number(printed.trade.price),
        "q": number(printed.trade.amount),
        "T": printed.trade.timestamp,
        "m": printed.buyer_is_maker,
        "M": True,
    }


def aggregate_trade(joined: AggregateTrade, exchange_id: str, now: int) -> JsonObject:
    trade = joined.first.trade
    return {
        "e": "aggTrade",
        "E": now,
        "s": exchange_id,
        "a": joined.aggregate_id,
        "p": number(trade.price),
        "q": number(joined.amount),
        "f": joined.aggregate_id,
        "l": joined.last_id,
        "T": trade.timestamp,
        "m": joined.first.buyer_is_maker,
        "M": True,
    }


def book_ticker(changed: BookChanged, exchange_id: str) -> JsonObject:
    bid, ask = changed.best_bid, changed.best_ask
    return {
        "u": changed.last_update_id,
        "s": exchange_id,
        "b": number(bid.price) if bid else ZERO_TEXT,
        "B": number(bid.amount) if bid else ZERO_TEXT,
        "a": number(ask.price) if ask else ZERO_TEXT,
        "A": number(ask.amount) if ask else ZERO_TEXT,
    }


def partial_depth(view: BookView) -> JsonObject:
    return {
        "lastUpdateId": view.last_update_id,
        "bids": encode_levels(view.bids),
        "asks": encode_levels(view.asks),
    }


def average_price(price: Decimal | None, last_trade_at: int, exchange_id: str, now: int) -> JsonObject:
    return {"e": "avgPrice", "E": now, "s": exchange_id, "i": "5m", "w": number(price), "T": last_trade_at}


def kline(candle: Kline, timeframe: str, exchange_id: str, now: int, *, closed: bool) -> JsonObject:
    """The event's time is wall time; the candle's own times are market time."""
    return {
        "e": "kline",
        "E": now,
        "s": exchange_id,
        "k": {
            "t": candle.open_time,
            "T": candle.close_time,
            "s": exchange_id,
            "i": timeframe,
            "f": candle.first_id,
            "L": candle.last_id,
            "o": number(candle.open),
            "c": number(candle.close),
            "h": number(candle.high),
            "l": number(candle.low),
            "v": number(candle.volume),
            "n": candle.trades,
            "x": closed,
            "q": number(candle.quote),
            "V": number(candle.taker_volume),
            "Q": number(candle.taker_quote),
            "B": "0",
        },
    }


def mini_ticker(day: DayFigures, exchange_id: str, now: int) -> JsonObject:
    return {
        "e": "24hrMiniTicker",
        "E": now,
        "s": exchange_id,
        "c": number(day.close),
        "o": number(day.open),
        "h": number(day.high),
        "l": number(day.low),
        "v": number(day.volume),
        "q": number(day.quote),
    }


def ticker(day: DayFigures, best: TopOfBook, last_amount: Decimal, exchange_id: str, now: int) -> JsonObject:
    return {
        "e": "24hrTicker",
        "E": now,
        "s": exchange_id,
        "p": number(day.change),
        "P": format(day.change_percent, ".3f"),
        "w": number(day.average),
        "x": number(day.before),
        "c": number(day.close),
        "Q": number(last_amount),
        "b": number(best.bid),
        "B": number(best.bid_amount),
        "a": number(best.ask),
        "A": number(best.ask_amount),
        "o": number(day.open),
        "h": number(day.high),
        "l": number(day.low),
        "v": number(day.volume),
        "q": number(day.quote),
        "O": now - _DAY,
        "C": now,
        "F": day.first_id,
        "L": day.last_id,
        "n": day.trades,
    }


def window(figures: DayFigures, size: str, length: int, exchange_id: str, now: int) -> JsonObject:
    """The last `length` milliseconds, begun on a minute."""
    return {
        "e": f"{size}Ticker",
        "E": now,
        "s": exchange_id,
        "p": number(figures.change),
        "P": format(figures.change_percent, ".3f"),
        "o": number(figures.open),
        "h": number(figures.high),
        "l": number(figures.low),
        "c": number(figures.close),
        "w": number(figures.average),
        "v": number(figures.volume),
        "q": number(figures.quote),
        "O": (now - length) // _MINUTE * _MINUTE,
        "C": now,
        "F": figures.first_id,
        "L": figures.last_id,
        "n": figures.trades,
    }
