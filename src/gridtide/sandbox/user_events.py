"""User events as the exchange writes them (protocol section 9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.order import OrderStatus
from gridtide.sandbox.wire import ZERO_TEXT, JsonObject, number

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.messages import BalancesChanged, OrderChanged

_IN_BOOK = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


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
        "P": ZERO_TEXT,
        "F": ZERO_TEXT,
        "g": -1,
        "C": order.original_client_order_id,
        "x": changed.execution_type,
        "X": order.status,
        "r": changed.reject_reason,
        "i": order.order_id,
        **_execution(changed),
        "T": order.updated_at,
        "I": changed.execution_id,
        "w": order.status in _IN_BOOK,
        "M": changed.fill is not None,
        "O": order.created_at,
        "z": number(order.executed_amount),
        "Z": number(order.executed_quote),
        "Q": number(order.quote_amount),
        "W": order.working_at,
        "V": order.self_trade_prevention,
    }
    if order.expiry_reason:
        event["eR"] = order.expiry_reason
    return event


def _execution(changed: OrderChanged) -> JsonObject:
    fill = changed.fill
    if fill is None:
        return {"l": ZERO_TEXT, "L": ZERO_TEXT, "Y": ZERO_TEXT, "n": "0", "N": None, "t": -1, "m": False}
    return {
        "l": number(fill.amount),
        "L": number(fill.price),
        "Y": number(fill.quote_amount),
        "n": number(fill.fee),
        "N": fill.fee_asset,
        "t": fill.trade_id,
        "m": fill.is_maker,
    }


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
