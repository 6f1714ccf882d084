"""Making an open order smaller without losing its place, and what was made smaller before (section 6.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.cancelling import ORDER_ID, ORIGINAL_CLIENT_ID
from gridtide.sandbox.endpoints.order_parameters import NEW_CLIENT_ID, SYMBOL
from gridtide.sandbox.endpoints.order_shapes import amended, order_list
from gridtide.sandbox.endpoints.paging import LIMIT
from gridtide.sandbox.errors import one_of
from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import OrderAmendment

_NEW_QUANTITY = parameters.decimal("newQty")
_FROM_EXECUTION_ID = parameters.integer("fromExecutionId")

_NOT_OF_AMENDMENTS = ("listStatusType", "transactionTime")


def amend(exchange: SandboxExchange, call: Call) -> JsonObject:
    order_id, client_order_id = call.get(ORDER_ID), call.get(ORIGINAL_CLIENT_ID)
    if order_id is None and client_order_id is None:
        raise one_of("origClientOrderId", "orderId")
    done = exchange.amend_order(
        call.account_id,
        exchange.listing(call.need(SYMBOL)).symbol,
        order_id=order_id,
        client_order_id=client_order_id,
        new_client_order_id=call.get(NEW_CLIENT_ID) or "",
        new_amount=call.need(_NEW_QUANTITY),
    )
    answer: JsonObject = {
        "transactTime": done.record.timestamp,
        "executionId": done.record.execution_id,
        "amendedOrder": amended(exchange, done.order),
    }
    if done.order_list is not None:
        shown = order_list(exchange, done.order_list)
        answer["listStatus"] = {name: shown[name] for name in shown if name not in _NOT_OF_AMENDMENTS}
    return answer


def amendments(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    found = exchange.venue.amendments(
        call.account_id,
        exchange.listing(call.need(SYMBOL)).symbol,
        call.need(ORDER_ID),
        call.get(_FROM_EXECUTION_ID),
        call.get(LIMIT) or 500,
    )
    return [_amendment(exchange, each) for each in found]


def _amendment(exchange: SandboxExchange, record: OrderAmendment) -> JsonObject:
    return {
        "symbol": exchange.exchange_id(record.symbol),
        "orderId": record.order_id,
        "executionId": record.execution_id,
        "origClientOrderId": record.original_client_order_id,
        "newClientOrderId": record.new_client_order_id,
        "origQty": number(record.original_amount),
        "newQty": number(record.new_amount),
        "time": record.timestamp,
    }


ENDPOINTS = (
    Endpoint(
        amend,
        "PUT",
        "/api/v3/order/amend/keepPriority",
        "order.amend.keepPriority",
        weight=4,
        right=Right.TRADE,
        required=(SYMBOL, _NEW_QUANTITY),
        optional=(ORDER_ID, ORIGINAL_CLIENT_ID, NEW_CLIENT_ID),
    ),
    Endpoint(
        amendments,
        "GET",
        "/api/v3/order/amendments",
        "order.amendments",
        weight=4,
        right=Right.READ,
        required=(SYMBOL, ORDER_ID),
        optional=(_FROM_EXECUTION_ID, LIMIT),
    ),
)
