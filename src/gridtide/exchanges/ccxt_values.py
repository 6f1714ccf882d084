"""CCXT's unified structures and our values, for exchanges without an adapter of their own.

CCXT is told to keep decimals as text; whatever cannot be read exactly raises one of `UNREADABLE`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gridtide.domain.balance import Balance
from gridtide.domain.candle import Candle
from gridtide.domain.errors import InvalidValue
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.market import (
    Asset,
    FeeSchedule,
    Market,
    MarketRules,
    MarketStatus,
    Symbol,
    Timestamp,
    TopOfBook,
)
from gridtide.domain.money import ZERO, Amount, FeeRate, Money, Price, parse_decimal
from gridtide.domain.order import OrderStatus, OrderUpdate, Side

Structure = Mapping[str, Any]

_DECIMAL_PLACES = 2
_TICK_SIZE = 4
_NUMBERS_IN_A_MILLISECOND = 1_000_000


def decimal_or_none(value: Any) -> Decimal | None:
    """A decimal from what CCXT hands over; a float only by its shortest text."""
    if value is None or value == "":
        return None
    return exact(value)


def _decimal(value: Any) -> Decimal:
    result = decimal_or_none(value)
    return ZERO if result is None else result


def market_of(structure: Structure, precision_mode: int) -> Market:
    """A unified market. Exchanges that count decimal places are turned to steps."""
    precision = structure["precision"]
    rules = MarketRules(
        tick_size=_step(precision["price"], precision_mode),
        lot_size=_step(precision["amount"], precision_mode),
        min_notional=_bound(structure, "cost", "min"),
        max_notional=_bound(structure, "cost", "max"),
        min_price=_bound(structure, "price", "min"),
        max_price=_bound(structure, "price", "max"),
        min_amount=_bound(structure, "amount", "min"),
        max_amount=_bound(structure, "amount", "max"),
    )
    status = MarketStatus.TRADING if structure.get("active") is not False else MarketStatus.HALT
    return Market(
        Symbol(structure["symbol"]), Asset(structure["base"]), Asset(structure["quote"]), rules, status
    )


def _bound(structure: Structure, kind: str, end: str) -> Decimal:
    """A limit, 0 ("no such rule") where the exchange does not state it."""
    limits = structure.get("limits") or {}
    return _decimal((limits.get(kind) or {}).get(end))


def _step(value: Any, mode: int) -> Decimal:
    number = _decimal(value)
    if mode == _TICK_SIZE:
        return number
    if mode == _DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(number))
    raise InvalidValue("the exchange counts significant digits, which no fixed step can express")


def fee_schedule(structure: Structure) -> FeeSchedule:
    """Maker and taker fee of a unified market or trading fee."""
    return FeeSchedule(FeeRate(_decimal(structure.get("maker"))), FeeRate(_decimal(structure.get("taker"))))


def balances_of(structure: Structure) -> dict[Asset, Balance]:
    """A unified balance; `used` is what we call locked."""
    free, used = structure["free"], structure["used"]
    return {Asset(code): Balance(_decimal(free.get(code)), _decimal(used.get(code))) for code in free}


def update_of(structure: Structure, symbol: Symbol) -> OrderUpdate:
    """A unified order. A cost the exchange does not tell becomes -1, "not available" (I3)."""
    amount, filled = _decimal(structure["amount"]), _decimal(structure["filled"])
    cost = decimal_or_none(structure.get("cost"))
    status_text = str(structure.get("status") or "")
    return OrderUpdate(
        symbol=symbol,
        client_order_id=str(structure.get("clientOrderId") or ""),
        order_id=str(structure["id"] or ""),
        side=Side(str(structure["side"]).upper()),
        type=str(structure.get("type") or ""),
        price=_decimal(structure.get("price")),
        amount=amount,
        status=_status(status_text, amount, filled),
        executed_amount=filled,
        executed_quote=ZERO if not filled else Decimal(-1) if cost is None else cost,
        timestamp=Timestamp(int(structure.get("lastUpdateTimestamp") or structure.get("timestamp") or 0)),
        status_text=status_text,
    )


def _status(word: str, amount: Decimal, filled: Decimal) -> OrderStatus:
    match word:
        case "open":
            return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW
        case "closed":
            # Some exchanges close an order whose rest they cancelled.
            return OrderStatus.FILLED if filled >= amount else OrderStatus.CANCELED
        case "canceled":
            return OrderStatus.CANCELED
        case "expired":
            return OrderStatus.EXPIRED
        case "rejected":
            return OrderStatus.REJECTED
        case "canceling":
            return OrderStatus.PENDING_CANCEL
        case _:
            return OrderStatus.UNRECOGNISED


def fill_of(structure: Structure, symbol: Symbol, received: Asset) -> Fill:
    """A unified trade of ours. A fee that is not told stands as nothing in the asset `received`."""
    fee = structure.get("fee") or next(iter(structure.get("fees") or ()), None) or {}
    price, amount = _decimal(structure["price"]), _decimal(structure["amount"])
    cost = decimal_or_none(structure.get("cost"))
    timestamp = int(structure["timestamp"])
    return Fill(
        symbol=symbol,
        trade_id=trade_number(str(structure["id"]), timestamp),
        order_id=str(structure["order"]),
        side=Side(str(structure["side"]).upper()),
        price=Price(price),
        amount=Amount(amount),
        quote_amount=Money(price * amount if cost is None else cost),
        fee=Fee(Amount(_decimal(fee.get("cost"))), Asset(fee.get("currency") or received)),
        is_maker=structure.get("takerOrMaker") == "maker",
        timestamp=Timestamp(timestamp),
    )


def trade_number(trade_id: str, timestamp: int) -> int:
    """A growing number for a trade whose own id may be any text: its millisecond, then a hash of the id.

    A cursor over these numbers is a cursor over time, which every exchange can page by.
    """
    digest = hashlib.blake2b(trade_id.encode(), digest_size=8).digest()
    return timestamp * _NUMBERS_IN_A_MILLISECOND + int.from_bytes(digest) % _NUMBERS_IN_A_MILLISECOND


def trade_time(trade_number: int) -> int | None:
    """The millisecond of a `trade_number`; None for 0, which means "from the beginning"."""
    return trade_number // _NUMBERS_IN_A_MILLISECOND or None


def candle_of(row: Sequence[Any]) -> Candle:
    """A candle of `fetch_ohlcv`; without a volume it is zero."""
    timestamp, first, high, low, close, volume = row[:6]
    return Candle(
        Timestamp(int(timestamp)),
        Price(exact(first)),
        Price(exact(high)),
        Price(exact(low)),
        Price(exact(close)),
        Amount(exact(volume or "0")),
    )


def exact(value: Any) -> Decimal:
    """A decimal from what CCXT hands over; raises where there is none."""
    return parse_decimal(repr(value) if isinstance(value, float) else value)


def book_of(structure: Structure) -> TopOfBook:
    """A unified ticker."""
    return TopOfBook(
        bid=price_or_none(structure.get("bid")),
        ask=price_or_none(structure.get("ask")),
        last=price_or_none(structure.get("last")),
        bid_amount=_amount(structure.get("bidVolume")),
        ask_amount=_amount(structure.get("askVolume")),
    )


def price_or_none(value: Any) -> Price | None:
    """A price; None for nothing and for zero, which is not a price (F49)."""
    number = decimal_or_none(value)
    return Price(number) if number is not None and number > 0 else None


def _amount(value: Any) -> Amount | None:
    number = decimal_or_none(value)
    return None if number is None else Amount(number)
