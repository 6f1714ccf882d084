"""User events as the exchange writes them (protocol section 9.3; user-data-stream.md for the conditional fields)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import notional
from gridtide.domain.order import OrderStatus, TimeInForce
from gridtide.sandbox.wire import ZERO_TEXT, JsonObject, number

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.messages import (
        BalancesChanged,
        NewOrder,
        OrderChanged,
        OrderListChanged,
        PreventedMatch,
        VenueOrder,
    )

NO_TRADE_GROUP = -1
"""The trade group of an account that is in none; the sandbox has none."""

_IN_BOOK = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})

_NO_EXECUTION: JsonObject = {
    "l": ZERO_TEXT, "L": ZERO_TEXT, "Y": ZERO_TEXT, "n": "0", "N": None, "t": -1, "m": False,
}  # fmt: skip

_REASONS = {
    "Account has insufficient balance for requested action.": "INSUFFICIENT_BALANCES",
    "Order would trigger immediately.": "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
    "Order would immediately match and take.": "WOULD_MATCH_IMMEDIATELY",
    "The relationship of the prices for the orders is not correct.": "OCO_BAD_PRICES",
}
"""The reject reason for each text that has one."""


# --- orders ------------------------------------------------------------------------------------------


def execution_report(changed: OrderChanged, exchange_id: str, now: int) -> JsonObject:
    """The event of one change of an order."""
    order = changed.order
    event: JsonObject = {
        "e": "executionReport",
        "E": now,
        "s": exchange_id,
        "c": order.client_order_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": number(order.amount),
        "p": number(order.price),
        "P": number(order.stop_price),
        "F": number(order.iceberg_amount),
        "g": order.order_list_id,
        "C": order.original_client_order_id,
        "x": changed.execution_type,
        "X": order.status,
        "r": "NONE",
        "i": order.order_id,
        **_execution(changed),
        "T": order.updated_at,
        "I": changed.execution_id,
        "w": order.is_working and order.status in _IN_BOOK,
        "M": changed.fill is not None,
        "O": order.created_at,
        "z": number(order.executed_amount),
        "Z": number(order.executed_quote),
        "Q": number(order.quote_amount),
        "V": order.self_trade_prevention,
    }
    _add_conditional(event, order)
    if changed.prevented is not None:
        event |= _prevention(changed.prevented, order, exchange_id)
    return event


def _execution(changed: OrderChanged) -> JsonObject:
    fill = changed.fill
    if fill is None:
        return _NO_EXECUTION
    return {
        "l": number(fill.amount),
        "L": number(fill.price),
        "Y": number(fill.quote_amount),
        "n": number(fill.fee),
        "N": fill.fee_asset,
        "t": fill.trade_id,
        "m": fill.is_maker,
    }


def _add_conditional(event: JsonObject, order: VenueOrder) -> None:
    """The fields an event has only because of what its order is or what happened to it."""
    if order.is_working:
        event["W"] = order.working_at
    if order.trailing_delta is not None:
        event["d"] = order.trailing_delta
        event["D"] = -1 if order.trailing_at is None else order.trailing_at
    if order.strategy_id is not None:
        event["j"] = order.strategy_id
    if order.strategy_type is not None:
        event["J"] = order.strategy_type
    if order.prevented_amount:
        event["v"] = order.prevented_match_id
        event["A"] = number(order.prevented_amount)
    if order.expiry_reason:
        event["eR"] = order.expiry_reason


def _prevention(match: PreventedMatch, order: VenueOrder, exchange_id: str) -> JsonObject:
    """What self-trade prevention took from the order, and the execution that did not happen."""
    is_taker = order.order_id == match.taker_order_id
    return {
        "v": match.match_id,
        "B": number(match.taker_prevented_amount if is_taker else match.maker_prevented_amount),
        "u": NO_TRADE_GROUP,
        "U": match.maker_order_id if is_taker else match.taker_order_id,
        "Cs": exchange_id,
        "pl": number(match.amount),
        "pL": number(match.price),
        "pY": number(notional(match.price, match.amount)),
    }


def rejection(request: NewOrder, message: str, exchange_id: str, now: int) -> JsonObject:
    """The event of a new order that was refused after the one it replaces was cancelled. It has no order id."""
    return {
        "e": "executionReport",
        "E": now,
        "s": exchange_id,
        "c": request.client_order_id,
        "S": request.side,
        "o": request.type,
        "f": request.time_in_force or TimeInForce.GTC,
        "q": number(request.amount),
        "p": number(request.price),
        "P": number(request.stop_price),
        "F": number(request.iceberg_amount),
        "g": -1,
        "C": "",
        "x": "REJECTED",
        "X": OrderStatus.REJECTED,
        "r": _REASONS.get(message, "NONE"),
        "i": -1,
        **_NO_EXECUTION,
        "T": now,
        "I": 0,
        "w": False,
        "M": False,
        "O": now,
        "z": ZERO_TEXT,
        "Z": ZERO_TEXT,
        "Q": number(request.quote_amount),
        "V": request.self_trade_prevention or "NONE",
    }


def list_status(changed: OrderListChanged, exchange_id: str, now: int) -> JsonObject:
    """The event of one change of an order list."""
    shown = changed.order_list
    return {
        "e": "listStatus",
        "E": now,
        "s": exchange_id,
        "g": shown.order_list_id,
        "c": shown.contingency,
        "l": shown.status_type,
        "L": shown.order_status,
        "r": "NONE",
        "C": shown.list_client_order_id,
        "T": changed.timestamp,
        "O": [
            {"s": exchange_id, "i": order_id, "c": client_order_id}
            for order_id, client_order_id in shown.orders
        ],
    }


# --- the account and the connection ------------------------------------------------------------------


def account_position(changed: BalancesChanged, now: int) -> JsonObject:
    """The event of changed balances."""
    return {
        "e": "outboundAccountPosition",
        "E": now,
        "u": changed.timestamp,
        "B": [
            {"a": asset, "f": number(balance.free), "l": number(balance.locked)}
            for asset, balance in changed.balances
        ],
    }


def balance_update(asset: str, delta: Decimal, now: int) -> JsonObject:
    """The event of a deposit or withdrawal."""
    return {"e": "balanceUpdate", "E": now, "a": asset, "d": number(delta), "T": now}


def stream_terminated(now: int) -> JsonObject:
    """The event that ends a subscription to user events."""
    return {"e": "eventStreamTerminated", "E": now}


def server_shutdown(now: int) -> JsonObject:
    """The event that announces the end of the connection."""
    return {"e": "serverShutdown", "E": now}
