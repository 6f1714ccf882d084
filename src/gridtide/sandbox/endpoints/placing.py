"""Placing one order, and testing one without placing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.commissions import rates_of_order
from gridtide.sandbox.endpoints.order_parameters import (
    ANSWER_TYPE,
    NEW_ORDER,
    NEW_ORDER_OPTIONS,
    AnswerType,
    single_order,
)
from gridtide.sandbox.endpoints.order_shapes import placed
from gridtide.sandbox.wire import JsonObject

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import Placement

_COMMISSION_RATES = parameters.boolean("computeCommissionRates")


def place(exchange: SandboxExchange, call: Call) -> JsonObject:
    return placement(exchange, call, exchange.place_order(single_order(exchange, call)))


def placement(exchange: SandboxExchange, call: Call, done: Placement) -> JsonObject:
    """The answer to a placement, in the length asked for: by default FULL for LIMIT and MARKET, else ACK."""
    kind = call.get(ANSWER_TYPE)
    if kind is None:
        kind = AnswerType.FULL if done.order.type in {"LIMIT", "MARKET"} else AnswerType.ACK
    return placed(exchange, done.order, kind, done.fills, done.prevented)


def test(exchange: SandboxExchange, call: Call) -> JsonObject:
    """Checks an order and places nothing."""
    request = single_order(exchange, call)
    exchange.venue.check_order(request)
    return rates_of_order(exchange, request) if call.get(_COMMISSION_RATES) else {}


def test_weight(values: Mapping[str, str]) -> int:
    return 20 if values.get("computeCommissionRates", "").lower() == "true" else 1


ENDPOINTS = (
    Endpoint(
        place,
        "POST",
        "/api/v3/order",
        "order.place",
        right=Right.TRADE,
        required=NEW_ORDER,
        optional=NEW_ORDER_OPTIONS,
        free_on_success=True,
        shows_order_counts=True,
    ),
    Endpoint(
        test,
        "POST",
        "/api/v3/order/test",
        "order.test",
        weight=test_weight,
        right=Right.TRADE,
        required=NEW_ORDER,
        optional=(*NEW_ORDER_OPTIONS, _COMMISSION_RATES),
    ),
)
