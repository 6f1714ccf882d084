"""Orders as they are and as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.cancelling import ORDER_ID, ORIGINAL_CLIENT_ID
from gridtide.sandbox.endpoints.order_parameters import SYMBOL
from gridtide.sandbox.endpoints.order_shapes import queried
from gridtide.sandbox.endpoints.paging import (
    END,
    LIMIT,
    NO_LIMIT,
    START,
    check_span,
    first_or_last,
    is_within,
)
from gridtide.sandbox.errors import one_of

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.wire import JsonObject


def query(exchange: SandboxExchange, call: Call) -> JsonObject:
    symbol = exchange.listing(call.need(SYMBOL)).symbol
    order_id, client_order_id = call.get(ORDER_ID), call.get(ORIGINAL_CLIENT_ID)
    if order_id is None and client_order_id is None:
        raise one_of("origClientOrderId", "orderId")
    return queried(exchange, exchange.venue.order(call.account_id, symbol, order_id, client_order_id))


def open_orders(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    asked = call.get(SYMBOL)
    symbol = None if asked is None else exchange.listing(asked).symbol
    return [queried(exchange, order) for order in exchange.venue.open_orders(call.account_id, symbol)]


def open_orders_weight(values: Mapping[str, str]) -> int:
    return 6 if values.get("symbol") else 80


def all_orders(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    symbol = exchange.listing(call.need(SYMBOL)).symbol
    start, end, limit = call.get(START), call.get(END), call.get(LIMIT) or 500
    check_span(start, end)
    from_id = call.get(ORDER_ID)
    if start is None and end is None:
        found = exchange.venue.orders(call.account_id, symbol, from_id, limit)
        return [queried(exchange, order) for order in found]
    inside = [
        order
        for order in exchange.venue.orders(call.account_id, symbol, from_id or 0, NO_LIMIT)
        if is_within(order.created_at, start, end)
    ]
    return [queried(exchange, order) for order in first_or_last(inside, start, limit)]


ENDPOINTS = (
    Endpoint(
        query,
        "GET",
        "/api/v3/order",
        "order.status",
        weight=4,
        right=Right.READ,
        required=(SYMBOL,),
        optional=(ORDER_ID, ORIGINAL_CLIENT_ID),
    ),
    Endpoint(
        open_orders,
        "GET",
        "/api/v3/openOrders",
        "openOrders.status",
        weight=open_orders_weight,
        right=Right.READ,
        optional=(SYMBOL,),
    ),
    Endpoint(
        all_orders,
        "GET",
        "/api/v3/allOrders",
        "allOrders",
        weight=20,
        right=Right.READ,
        required=(SYMBOL,),
        optional=(ORDER_ID, START, END, LIMIT),
    ),
)
