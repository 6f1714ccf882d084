"""Binance's JSON and our values: orders out, orders, fills and balances in, exact to the last digit.

Money arrives and leaves as text. A row that lacks a field or carries a wrong type raises one of `UNREADABLE`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.balance import Balance
from gridtide.domain.errors import InvalidValue
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.market import Asset, Timestamp
from gridtide.domain.money import Amount, Money, Price, cut_to_places, notional, parse_decimal, plain
from gridtide.domain.order import OrderStatus, OrderType, OrderUpdate, Side
from gridtide.exchanges.rows import UNREADABLE, Row, word

if TYPE_CHECKING:
    from gridtide.domain.commands import CancelOrder, QueryOrder, SubmitOrder
    from gridtide.domain.market import Market


# --- out ---------------------------------------------------------------------------------------------


def order_params(command: SubmitOrder, market: Market, recv_window_ms: int) -> dict[str, str | int]:
    """The parameters of POST order. The timestamp is the commit time, so a late send is refused (R11)."""
    intent = command.approved.intent
    params: dict[str, str | int] = {
        "symbol": market.exchange_id,
        "side": intent.side.value,
        "type": intent.type.value,
        "quantity": plain(intent.amount),
        "newClientOrderId": command.client_order_id,
        "newOrderRespType": "FULL",
        "timestamp": command.signed_at,
        "recvWindow": recv_window_ms,
    }
    if intent.type is not OrderType.MARKET and intent.price is not None:
        params["price"] = plain(intent.price)
    if intent.type is OrderType.LIMIT:
        params["timeInForce"] = intent.time_in_force.value
    return params


def order_reference(command: CancelOrder | QueryOrder, market: Market) -> dict[str, str]:
    """The parameters that name one order: the exchange's id where it is known, else ours; never both."""
    if command.order_id:
        return {"symbol": market.exchange_id, "orderId": command.order_id}
    return {"symbol": market.exchange_id, "origClientOrderId": command.client_order_id}


# --- in: orders --------------------------------------------------------------------------------------


def resting_update(row: Row, market: Market, *, client_order_id: str | None = None) -> OrderUpdate:
    """A row of GET order or openOrders, or a cancel's answer (with the order's own `client_order_id`)."""
    check_symbol(row["symbol"], market)
    return OrderUpdate(
        symbol=market.symbol,
        client_order_id=word(row["clientOrderId"]) if client_order_id is None else client_order_id,
        order_id=order_id(row["orderId"]),
        side=Side(row["side"]),
        type=word(row["type"]),
        price=parse_decimal(row["price"]),
        amount=parse_decimal(row["origQty"]),
        status=OrderStatus.parse(row["status"]),
        executed_amount=parse_decimal(row["executedQty"]),
        executed_quote=parse_decimal(row["cummulativeQuoteQty"]),
        timestamp=Timestamp(int(row.get("updateTime") or row.get("transactTime") or 0)),
        expiry_reason=word(row.get("expiryReason", "")),
        status_text=word(row["status"]),
    )


def placement_update(row: Row, command: SubmitOrder, market: Market) -> OrderUpdate:
    """The answer to POST order. What a short answer (ACK) leaves out is as the order was sent: new and unfilled."""
    intent = command.approved.intent
    sent = {
        "symbol": market.exchange_id,
        "side": intent.side.value,
        "type": intent.type.value,
        "price": plain(intent.price) if intent.price is not None else "0",
        "origQty": plain(intent.amount),
        "status": OrderStatus.NEW.value,
        "executedQty": "0",
        "cummulativeQuoteQty": "0",
        "transactTime": command.signed_at,
    }
    return resting_update(sent | dict(row), market, client_order_id=command.client_order_id)


def placement_fills(row: Row, update: OrderUpdate, market: Market) -> tuple[Fill, ...]:
    """The fills inside a FULL answer, or none unless they add up to the order's own totals.

    They carry no quote amount; it is price times amount cut to the quote's precision, and the sum tells whether
    the exchange cut the same way. Fills left out here come from the trade records.
    """
    try:
        fills = tuple(_placement_fill(part, update, market) for part in row.get("fills", ()))
    except UNREADABLE:
        return ()
    amounts = sum((fill.amount for fill in fills), Decimal(0))
    quotes = sum((fill.quote_amount for fill in fills), Decimal(0))
    complete = (amounts, quotes) == (update.executed_amount, update.executed_quote)
    return fills if complete else ()


def _placement_fill(part: Row, update: OrderUpdate, market: Market) -> Fill:
    price = Price(parse_decimal(part["price"]))
    amount = Amount(parse_decimal(part["qty"]))
    quote = cut_to_places(notional(price, amount), market.rules.quote_precision)
    return Fill(
        symbol=market.symbol,
        trade_id=trade_id(part["tradeId"]),
        order_id=update.order_id,
        side=update.side,
        price=price,
        amount=amount,
        quote_amount=Money(quote),
        fee=_fee(part["commission"], part["commissionAsset"], update.side, market),
        is_maker=False,
        timestamp=update.timestamp,
        client_order_id=update.client_order_id,
    )


# --- in: fills and balances --------------------------------------------------------------------------


def trade_record(row: Row, market: Market) -> Fill:
    """A row of GET myTrades."""
    check_symbol(row["symbol"], market)
    side = Side.BUY if _flag(row["isBuyer"]) else Side.SELL
    return Fill(
        symbol=market.symbol,
        trade_id=trade_id(row["id"]),
        order_id=order_id(row["orderId"]),
        side=side,
        price=Price(parse_decimal(row["price"])),
        amount=Amount(parse_decimal(row["qty"])),
        quote_amount=Money(parse_decimal(row["quoteQty"])),
        fee=_fee(row["commission"], row["commissionAsset"], side, market),
        is_maker=_flag(row["isMaker"]),
        timestamp=Timestamp(int(row["time"])),
    )


def report_fill(event: Row, update: OrderUpdate, market: Market) -> Fill | None:
    """The execution of a TRADE report; None where it states no price or amount (then the trade records tell)."""
    price, amount = parse_decimal(event["L"]), parse_decimal(event["l"])
    if not price or not amount:
        return None
    return Fill(
        symbol=market.symbol,
        trade_id=trade_id(event["t"]),
        order_id=update.order_id,
        side=update.side,
        price=Price(price),
        amount=Amount(amount),
        quote_amount=Money(parse_decimal(event["Y"])),
        fee=_fee(event["n"], event["N"], update.side, market),
        is_maker=_flag(event["m"]),
        timestamp=update.timestamp,
        client_order_id=update.client_order_id,
    )


def _fee(amount: Any, asset: Any, side: Side, market: Market) -> Fee:
    """A fee of nothing may come without an asset; it then stands in the asset received."""
    value = Amount(parse_decimal(amount))
    if asset is None and not value:
        return Fee(value, market.base if side is Side.BUY else market.quote)
    return Fee(value, Asset(word(asset)))


def balance_rows(rows: Any, *, asset: str, free: str, locked: str) -> dict[Asset, Balance]:
    """Free and locked by asset, from rows whose fields have these names."""
    return {Asset(row[asset]): Balance(parse_decimal(row[free]), parse_decimal(row[locked])) for row in rows}


# --- fields ------------------------------------------------------------------------------------------


def check_symbol(text: str, market: Market) -> None:
    if text != market.exchange_id:
        raise InvalidValue(f"a row of {text!r} among those of {market.exchange_id}")


def order_id_or_none(value: Any) -> str:
    """An order id as text, "" where there is none (a rejected order has none)."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    return value if isinstance(value, str) else ""


def order_id(value: Any) -> str:
    text = order_id_or_none(value)
    if not text:
        raise InvalidValue("an order without an id")
    return text


def trade_id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidValue("an execution without a trade id")
    return value


def _flag(value: bool) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(f"{value!r} is neither true nor false")
    return value
