"""Cancelling one order or all of a market."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gridtide.domain.order import OrderStatus
from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.order_parameters import NEW_CLIENT_ID, SYMBOL
from gridtide.sandbox.endpoints.order_shapes import cancellation
from gridtide.sandbox.errors import ApiError, one_of
from gridtide.venue.messages import VenueRefusal

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.wire import JsonObject


class CancelRestriction(StrEnum):
    """In which state an order may be cancelled."""

    ONLY_NEW = "ONLY_NEW"
    ONLY_PARTIALLY_FILLED = "ONLY_PARTIALLY_FILLED"


ORDER_ID = parameters.integer("orderId")
ORIGINAL_CLIENT_ID = parameters.text("origClientOrderId")
RESTRICTION = parameters.choice(
    "cancelRestrictions",
    CancelRestriction,
    ApiError(-1145, "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`."),
)


def cancel(exchange: SandboxExchange, call: Call) -> JsonObject:
    """Cancel an order. Where it stands in a list, the list goes with it and is the answer."""
    symbol = exchange.listing(call.need(SYMBOL)).symbol
    order_id, client_order_id = call.get(ORDER_ID), call.get(ORIGINAL_CLIENT_ID)
    if order_id is None and client_order_id is None:
        raise one_of("origClientOrderId", "orderId")
    check_restriction(exchange, call, symbol, order_id, client_order_id)
    done = exchange.cancel_order(
        call.account_id,
        symbol,
        order_id=order_id,
        client_order_id=client_order_id,
        new_client_order_id=call.get(NEW_CLIENT_ID) or "",
    )
    return cancellation(exchange, done)


def check_restriction(
    exchange: SandboxExchange, call: Call, symbol: Symbol, order_id: int | None, client_order_id: str | None
) -> None:
    """Raise -2011 where the request wants the order cancelled only in another state than it is in."""
    restriction = call.get(RESTRICTION)
    if restriction is None:
        return
    wanted = OrderStatus.NEW if restriction is CancelRestriction.ONLY_NEW else OrderStatus.PARTIALLY_FILLED
    try:
        order = exchange.venue.order(call.account_id, symbol, order_id, client_order_id)
    except VenueRefusal:
        return  # the cancel itself says what is wrong
    if not order.status.is_final and order.status is not wanted:
        raise ApiError(-2011, "Order was not canceled due to cancel restrictions.")


def cancel_all(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    symbol = exchange.listing(call.need(SYMBOL)).symbol
    return [cancellation(exchange, each) for each in exchange.cancel_all(call.account_id, symbol)]


ENDPOINTS = (
    Endpoint(
        cancel,
        "DELETE",
        "/api/v3/order",
        "order.cancel",
        right=Right.TRADE,
        required=(SYMBOL,),
        optional=(ORDER_ID, ORIGINAL_CLIENT_ID, NEW_CLIENT_ID, RESTRICTION),
        free_on_success=True,
    ),
    Endpoint(
        cancel_all,
        "DELETE",
        "/api/v3/openOrders",
        "openOrders.cancelAll",
        right=Right.TRADE,
        required=(SYMBOL,),
        free_on_success=True,
    ),
)
