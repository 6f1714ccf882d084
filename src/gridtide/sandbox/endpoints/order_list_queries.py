"""Order lists as they are and as they were, and cancelling one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.cancelling import ORIGINAL_CLIENT_ID
from gridtide.sandbox.endpoints.order_lists import LIST_CLIENT_ID
from gridtide.sandbox.endpoints.order_parameters import NEW_CLIENT_ID, SYMBOL
from gridtide.sandbox.endpoints.order_shapes import cancellation, order_list
from gridtide.sandbox.endpoints.paging import (
    END,
    LIMIT,
    NO_LIMIT,
    START,
    check_span,
    first_or_last,
    is_within,
)
from gridtide.sandbox.errors import bad_combination, one_of

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.wire import JsonObject

_LIST_ID = parameters.integer("orderListId")
_FROM_ID = parameters.integer("fromId")


def cancel(exchange: SandboxExchange, call: Call) -> JsonObject:
    list_id, list_client_id = call.get(_LIST_ID), call.get(LIST_CLIENT_ID)
    if list_id is None and list_client_id is None:
        raise one_of("orderListId", "listClientOrderId")
    done = exchange.cancel_order_list(
        call.account_id,
        exchange.listing(call.need(SYMBOL)).symbol,
        order_list_id=list_id,
        list_client_order_id=list_client_id,
        new_client_order_id=call.get(NEW_CLIENT_ID) or "",
    )
    return cancellation(exchange, done)


def query(exchange: SandboxExchange, call: Call) -> JsonObject:
    list_id, list_client_id = call.get(_LIST_ID), call.get(ORIGINAL_CLIENT_ID)
    if list_id is None and list_client_id is None:
        raise one_of("orderListId", "origClientOrderId")
    found = exchange.venue.order_list(
        call.account_id, order_list_id=list_id, list_client_order_id=list_client_id
    )
    return order_list(exchange, found)


def all_lists(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    start, end, limit = call.get(START), call.get(END), call.get(LIMIT) or 500
    from_id = call.get(_FROM_ID)
    timed = start is not None or end is not None
    if timed and from_id is not None:
        raise bad_combination()
    check_span(start, end)
    if not timed:
        found = exchange.venue.order_lists(call.account_id, from_id, limit)
        return [order_list(exchange, each) for each in found]
    every = exchange.venue.order_lists(call.account_id, 0, NO_LIMIT)
    inside = [each for each in every if is_within(each.transaction_time, start, end)]
    return [order_list(exchange, each) for each in first_or_last(inside, start, limit)]


def open_lists(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    return [order_list(exchange, each) for each in exchange.venue.open_order_lists(call.account_id)]


ENDPOINTS = (
    Endpoint(
        cancel,
        "DELETE",
        "/api/v3/orderList",
        "orderList.cancel",
        right=Right.TRADE,
        required=(SYMBOL,),
        optional=(_LIST_ID, LIST_CLIENT_ID, NEW_CLIENT_ID),
        free_on_success=True,
    ),
    Endpoint(
        query,
        "GET",
        "/api/v3/orderList",
        "orderList.status",
        weight=4,
        right=Right.READ,
        optional=(_LIST_ID, ORIGINAL_CLIENT_ID),
    ),
    Endpoint(
        all_lists,
        "GET",
        "/api/v3/allOrderList",
        "allOrderLists",
        weight=20,
        right=Right.READ,
        optional=(_FROM_ID, START, END, LIMIT),
    ),
    Endpoint(
        open_lists,
        "GET",
        "/api/v3/openOrderList",
        "openOrderLists.status",
        weight=6,
        right=Right.READ,
    ),
)
