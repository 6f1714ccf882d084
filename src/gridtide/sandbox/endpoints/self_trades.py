"""Self-trades that did not happen, and allocations, of which this sandbox has none (it routes no orders)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.order_parameters import SYMBOL
from gridtide.sandbox.endpoints.order_shapes import prevented_amounts
from gridtide.sandbox.endpoints.paging import END, LIMIT, START, check_span
from gridtide.sandbox.errors import bad_combination, one_of
from gridtide.sandbox.user_events import NO_TRADE_GROUP
from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import PreventedMatch

_MATCH_ID = parameters.integer("preventedMatchId")
_FROM_MATCH_ID = parameters.integer("fromPreventedMatchId")
_FROM_ALLOCATION_ID = parameters.integer("fromAllocationId")
_ORDER_ID = parameters.integer("orderId")


def prevented_matches(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    """By ``preventedMatchId``, or by ``orderId``, with it from ``fromPreventedMatchId`` on."""
    symbol = exchange.listing(call.need(SYMBOL)).symbol
    match_id, order_id, from_id = call.get(_MATCH_ID), call.get(_ORDER_ID), call.get(_FROM_MATCH_ID)
    if match_id is None and order_id is None:
        raise one_of("preventedMatchId", "orderId")
    if match_id is not None and (order_id is not None or from_id is not None):
        raise bad_combination()
    found = exchange.venue.prevented_matches(
        call.account_id,
        symbol,
        order_id=order_id,
        match_id=match_id,
        from_match_id=from_id,
        limit=call.get(LIMIT) or 500,
    )
    return [_match(exchange, each) for each in found]


def prevented_matches_weight(values: Mapping[str, str]) -> int:
    return 20 if values.get("orderId") else 2


def _match(exchange: SandboxExchange, match: PreventedMatch) -> JsonObject:
    symbol = exchange.exchange_id(match.symbol)
    return {
        "symbol": symbol,
        "preventedMatchId": match.match_id,
        "takerOrderId": match.taker_order_id,
        "makerSymbol": symbol,
        "makerOrderId": match.maker_order_id,
        "tradeGroupId": NO_TRADE_GROUP,
        "selfTradePreventionMode": match.mode,
        "price": number(match.price),
        **prevented_amounts(match),
        "transactTime": match.timestamp,
    }


def allocations(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    exchange.listing(call.need(SYMBOL))
    check_span(call.get(START), call.get(END))
    return []


ENDPOINTS = (
    Endpoint(
        prevented_matches,
        "GET",
        "/api/v3/myPreventedMatches",
        "myPreventedMatches",
        weight=prevented_matches_weight,
        right=Right.READ,
        required=(SYMBOL,),
        optional=(_MATCH_ID, _ORDER_ID, _FROM_MATCH_ID, LIMIT),
    ),
    Endpoint(
        allocations,
        "GET",
        "/api/v3/myAllocations",
        "myAllocations",
        weight=20,
        right=Right.READ,
        required=(SYMBOL,),
        optional=(START, END, _FROM_ALLOCATION_ID, _ORDER_ID, LIMIT),
    ),
)
