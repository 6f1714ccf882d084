"""Binance's stream messages and our stream events: one function for each kind, none of them keeps state.

A message of a known kind that cannot be read raises one of `UNREADABLE`: whoever listens must treat it as a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridtide.domain.candle import Candle
from gridtide.domain.events import BalancesUpdated, FundsMoved, OrderUpdated
from gridtide.domain.market import Asset, Timestamp, TopOfBook
from gridtide.domain.money import Amount, Price, parse_decimal
from gridtide.domain.order import OrderStatus, OrderUpdate, Side
from gridtide.exchanges.binance_wire import balance_rows, check_symbol, order_id_or_none, report_fill
from gridtide.exchanges.rows import Row, word

if TYPE_CHECKING:
    from gridtide.domain.market import Market

TERMINATED = "eventStreamTerminated"
"""After this nothing more comes: the connection has to be made anew (F25)."""
SHUTDOWN = "serverShutdown"
"""The connection will end soon; until then it serves (F26)."""


def user_event(event: Row, market: Market) -> OrderUpdated | BalancesUpdated | FundsMoved | None:
    """A user event as ours; None for orders of other markets and for kinds we do not need."""
    match event.get("e"):
        case "executionReport":
            return execution_report(event, market) if event["s"] == market.exchange_id else None
        case "outboundAccountPosition":
            return BalancesUpdated(balance_rows(event["B"], asset="a", free="f", locked="l"))
        case "balanceUpdate":
            return FundsMoved(Asset(word(event["a"])), parse_decimal(event["d"]))
        case _:
            return None


def execution_report(event: Row, market: Market) -> OrderUpdated:
    """An order's change, with the fill it reports if it is a TRADE.

    After a cancel `c` names the cancel request and `C` the order; `C` is empty otherwise.
    """
    update = OrderUpdate(
        symbol=market.symbol,
        client_order_id=word(event.get("C") or event["c"]),
        order_id=order_id_or_none(event["i"]),
        side=Side(event["S"]),
        type=word(event["o"]),
        price=parse_decimal(event["p"]),
        amount=parse_decimal(event["q"]),
        status=OrderStatus.parse(event["X"]),
        executed_amount=parse_decimal(event["z"]),
        executed_quote=parse_decimal(event["Z"]),
        timestamp=Timestamp(int(event["T"])),
        expiry_reason=_ending_reason(event),
        status_text=word(event["X"]),
    )
    return OrderUpdated(update, report_fill(event, update, market) if event["x"] == "TRADE" else None)


def closed_candle(message: Row, market: Market, timeframe: str) -> Candle | None:
    """The candle that a kline message says is closed; None for any other message."""
    if message.get("e") != "kline":
        return None
    check_symbol(message["s"], market)
    kline = message["k"]
    if kline["x"] is not True or kline["i"] != timeframe:
        return None
    first, high, low, last = (Price(parse_decimal(kline[key])) for key in ("o", "h", "l", "c"))
    return Candle(Timestamp(int(kline["t"])), first, high, low, last, Amount(parse_decimal(kline["v"])))


def _ending_reason(event: Row) -> str:
    """Why an order expired (`eR`) or was rejected (`r`, "NONE" otherwise)."""
    rejected = event.get("r", "NONE")
    return word(event.get("eR") or ("" if rejected == "NONE" else rejected))


def with_market_message(book: TopOfBook, message: Row, market: Market) -> TopOfBook | None:
    """The book after a bookTicker or trade message; None for any other message.

    A book ticker carries no event name: it is known by its fields.
    """
    match message:
        case {"e": "trade", "s": symbol, "p": price}:
            check_symbol(symbol, market)
            return book._replace(last=price_or_none(price))
        case {"s": symbol, "b": bid, "B": bid_amount, "a": ask, "A": ask_amount} if "e" not in message:
            check_symbol(symbol, market)
            return top_of_book(bid, bid_amount, ask, ask_amount, last=book.last)
        case _:
            return None


def top_of_book(bid: Any, bid_amount: Any, ask: Any, ask_amount: Any, last: Price | None) -> TopOfBook:
    """The book from Binance's texts, in which a price of zero means an empty side."""
    return TopOfBook(
        bid=price_or_none(bid),
        ask=price_or_none(ask),
        last=last,
        bid_amount=Amount(parse_decimal(bid_amount)),
        ask_amount=Amount(parse_decimal(ask_amount)),
    )


def price_or_none(text: Any) -> Price | None:
    """A price, or None for zero: zero is not a price (F49)."""
    value = parse_decimal(text)
    return Price(value) if value > 0 else None
