"""Placing, cancelling and querying orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.paging import NO_LIMIT, check_span, first_or_last, is_within
from gridtide.sandbox.errors import ApiError, not_supported, one_of
from gridtide.sandbox.parameters import Parameter
from gridtide.sandbox.wire import ZERO_TEXT, JsonObject, number
from gridtide.venue.filters import ORDER_TYPES
from gridtide.venue.messages import NewOrder

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import Placement, VenueFill, VenueOrder

_KNOWN_TYPES = frozenset(
    {
        "LIMIT",
        "MARKET",
        "LIMIT_MAKER",
        "STOP_LOSS",
        "STOP_LOSS_LIMIT",
        "TAKE_PROFIT",
        "TAKE_PROFIT_LIMIT",
    }
)


class AnswerType(StrEnum):
    """How much the answer to a placement tells."""

    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


class CancelRestriction(StrEnum):
    """In which state an order may be cancelled."""

    ONLY_NEW = "ONLY_NEW"
    ONLY_PARTIALLY_FILLED = "ONLY_PARTIALLY_FILLED"


_SYMBOL = parameters.symbol()
_SIDE = parameters.choice("side", Side, ApiError(-1117, "Invalid side."))
_TYPE = parameters.word("type", _KNOWN_TYPES, ApiError(-1116, "Invalid orderType."))
_TIME_IN_FORCE = parameters.choice("timeInForce", TimeInForce, ApiError(-1115, "Invalid timeInForce."))
_QUANTITY = parameters.decimal("quantity")
_QUOTE_QUANTITY = parameters.decimal("quoteOrderQty")
_PRICE = parameters.decimal("price")
_NEW_CLIENT_ID = parameters.client_id("newClientOrderId")
_ANSWER_TYPE = parameters.choice(
    "newOrderRespType",
    AnswerType,
    ApiError(-1130, "Data sent for parameter 'newOrderRespType' is not valid."),
)
_PREVENTION = parameters.text("selfTradePreventionMode")
_STRATEGY_ID = parameters.integer("strategyId")
_STRATEGY_TYPE = parameters.integer("strategyType")
_COMMISSION_RATES = parameters.boolean("computeCommissionRates")
_NOT_YET: tuple[Parameter[str], ...] = tuple(
    map(
        parameters.text,
        ("stopPrice", "trailingDelta", "icebergQty", "pegPriceType", "pegOffsetType", "pegOffsetValue"),
    )
)
_ORDER_ID = parameters.integer("orderId")
_ORIGINAL_CLIENT_ID = parameters.text("origClientOrderId")
_RESTRICTION = parameters.choice(
    "cancelRestrictions",
    CancelRestriction,
    ApiError(-1145, "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`."),
)
_START = parameters.integer("startTime")
_END = parameters.integer("endTime")
_LIMIT = parameters.limit(1000, default=500)

_NEW_ORDER = (_SYMBOL, _SIDE, _TYPE)
_NEW_ORDER_OPTIONS: tuple[Parameter[Any], ...] = (
    _TIME_IN_FORCE, _QUANTITY, _QUOTE_QUANTITY, _PRICE, _NEW_CLIENT_ID, _ANSWER_TYPE, _PREVENTION,
    _STRATEGY_ID, _STRATEGY_TYPE, *_NOT_YET,
)  # fmt: skip


# --- placing -----------------------------------------------------------------------------------------


def place(exchange: SandboxExchange, call: Call) -> JsonObject:
    placement = exchange.place_order(_new_order(exchange, call))
    kind = call.get(_ANSWER_TYPE)
    if kind is None:
        kind = AnswerType.FULL if placement.order.type in {"LIMIT", "MARKET"} else AnswerType.ACK
    return {**_placement(placement, exchange, kind), **_strategy(call)}


def test(exchange: SandboxExchange, call: Call) -> JsonObject:
    """Checks an order and places nothing."""
    request = _new_order(exchange, call)
    exchange.venue.check_order(request)
    if not call.get(_COMMISSION_RATES):
        return {}
    fees = exchange.venue.fees(call.account_id)
    return {
        "standardCommissionForOrder": {"maker": number(fees.maker), "taker": number(fees.taker)},
        "taxCommissionForOrder": {"maker": ZERO_TEXT, "taker": ZERO_TEXT},
        "specialCommissionForOrder": {"maker": ZERO_TEXT, "taker": ZERO_TEXT},
        "discount": {
            "enabledForAccount": fees.asset is not None,
            "enabledForSymbol": fees.asset is not None,
            "discountAsset": fees.asset or "BNB",
            "discount": number(fees.discount),
        },
    }


def test_weight(values: Mapping[str, str]) -> int:
    return 20 if values.get("computeCommissionRates", "").lower() == "true" else 1


def _new_order(exchange: SandboxExchange, call: Call) -> NewOrder:
    kind = call.need(_TYPE)
    if kind not in ORDER_TYPES:
        raise not_supported(f"{kind} orders")
    for parameter in _NOT_YET:
        if call.get(parameter) is not None:
            raise not_supported(f"the parameter {parameter.name}")
    strategy_type = call.get(_STRATEGY_TYPE)
    if strategy_type is not None and strategy_type < 1_000_000:
        raise ApiError(-1134, "`strategyType` was less than 1000000.")
    return NewOrder(
        account_id=call.account_id,
        symbol=exchange.listing(call.need(_SYMBOL)).symbol,
        side=call.need(_SIDE),
        type=kind,
        amount=call.get(_QUANTITY),
        quote_amount=call.get(_QUOTE_QUANTITY),
        price=call.get(_PRICE),
        time_in_force=call.get(_TIME_IN_FORCE),
        client_order_id=call.get(_NEW_CLIENT_ID) or "",
        self_trade_prevention=call.get(_PREVENTION) or "",
    )


def _placement(placement: Placement, exchange: SandboxExchange, kind: AnswerType) -> JsonObject:
    order = placement.order
    answer: JsonObject = {
        "symbol": exchange.exchange_id(order.symbol),
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_at,
    }
    if kind is AnswerType.ACK:
        return answer
    answer |= {**_figures(order), "workingTime": order.working_at}
    answer["selfTradePreventionMode"] = order.self_trade_prevention
    if order.expiry_reason:
        answer["expiryReason"] = order.expiry_reason
    if kind is AnswerType.FULL:
        answer["fills"] = [_fill(fill) for fill in placement.fills]
    return answer


def _fill(fill: VenueFill) -> JsonObject:
    return {
        "price": number(fill.price),
        "qty": number(fill.amount),
        "commission": number(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.trade_id,
    }


def _figures(order: VenueOrder) -> JsonObject:
    return {
        "price": number(order.price),
        "origQty": number(order.amount),
        "executedQty": number(order.executed_amount),
        "origQuoteOrderQty": number(order.quote_amount),
        "cummulativeQuoteQty": number(order.executed_quote),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
    }


def _strategy(call: Call) -> JsonObject:
    """Strategy numbers are echoed and not kept."""
    sent = ((each.name, call.get(each)) for each in (_STRATEGY_ID, _STRATEGY_TYPE))
    return {name: value for name, value in sent if value is not None}


# --- cancelling --------------------------------------------------------------------------------------


def cancel(exchange: SandboxExchange, call: Call) -> JsonObject:
    symbol = exchange.listing(call.need(_SYMBOL)).symbol
    order_id, client_order_id = call.get(_ORDER_ID), call.get(_ORIGINAL_CLIENT_ID)
    if order_id is None and client_order_id is None:
        raise one_of("origClientOrderId", "orderId")
    _check_restriction(exchange, call)
    cancellation = exchange.cancel_order(
        call.account_id,
        symbol,
        order_id=order_id,
        client_order_id=client_order_id,
        new_client_order_id=call.get(_NEW_CLIENT_ID) or "",
    )
    return _cancellation(cancellation.order, exchange)


def _check_restriction(exchange: SandboxExchange, call: Call) -> None:
    restriction = call.get(_RESTRICTION)
    if restriction is None:
        return
    symbol = exchange.listing(call.need(_SYMBOL)).symbol
    wanted = OrderStatus.NEW if restriction is CancelRestriction.ONLY_NEW else OrderStatus.PARTIALLY_FILLED
    for order in exchange.venue.open_orders(call.account_id, symbol):
        same = order.order_id == call.get(_ORDER_ID) or order.client_order_id == call.get(_ORIGINAL_CLIENT_ID)
        if same and order.status is not wanted:
            raise ApiError(-2011, "Order was not canceled due to cancel restrictions.")


def cancel_all(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    symbol = exchange.listing(call.need(_SYMBOL)).symbol
    return [_cancellation(each.order, exchange) for each in exchange.cancel_all(call.account_id, symbol)]


def _cancellation(order: VenueOrder, exchange: SandboxExchange) -> JsonObject:
    return {
        "symbol": exchange.exchange_id(order.symbol),
        "origClientOrderId": order.original_client_order_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_at,
        **_figures(order),
        "selfTradePreventionMode": order.self_trade_prevention,
    }


# --- querying ----------------------------------------------------------------------------------------


def query(exchange: SandboxExchange, call: Call) -> JsonObject:
    symbol = exchange.listing(call.need(_SYMBOL)).symbol
    order_id, client_order_id = call.get(_ORDER_ID), call.get(_ORIGINAL_CLIENT_ID)
    if order_id is None and client_order_id is None:
        raise one_of("origClientOrderId", "orderId")
    return _order(exchange.venue.order(call.account_id, symbol, order_id, client_order_id), exchange)


def open_orders(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    asked = call.get(_SYMBOL)
    symbol = None if asked is None else exchange.listing(asked).symbol
    return [_order(order, exchange) for order in exchange.venue.open_orders(call.account_id, symbol)]


def open_orders_weight(values: Mapping[str, str]) -> int:
    return 6 if values.get("symbol") else 80


def all_orders(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    symbol = exchange.listing(call.need(_SYMBOL)).symbol
    start, end, limit = call.get(_START), call.get(_END), call.get(_LIMIT) or 500
    check_span(start, end)
    from_id = call.get(_ORDER_ID)
    if start is None and end is None:
        found: Iterable[VenueOrder] = exchange.venue.orders(call.account_id, symbol, from_id, limit)
        return [_order(order, exchange) for order in found]
    inside = [
        order
        for order in exchange.venue.orders(call.account_id, symbol, from_id or 0, NO_LIMIT)
        if is_within(order.created_at, start, end)
    ]
    return [_order(order, exchange) for order in first_or_last(inside, start, limit)]


def _order(order: VenueOrder, exchange: SandboxExchange) -> JsonObject:
    answer: JsonObject = {
        "symbol": exchange.exchange_id(order.symbol),
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        **_figures(order),
        "stopPrice": ZERO_TEXT,
        "icebergQty": ZERO_TEXT,
        "time": order.created_at,
        "updateTime": order.updated_at,
        "isWorking": True,
        "workingTime": order.working_at,
        "selfTradePreventionMode": order.self_trade_prevention,
    }
    if order.expiry_reason:
        answer["expiryReason"] = order.expiry_reason
    return answer


ENDPOINTS = (
    Endpoint(
        place,
        "POST",
        "/api/v3/order",
        "order.place",
        right=Right.TRADE,
        required=_NEW_ORDER,
        optional=_NEW_ORDER_OPTIONS,
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
        required=_NEW_ORDER,
        optional=(*_NEW_ORDER_OPTIONS, _COMMISSION_RATES),
    ),
    Endpoint(
        cancel,
        "DELETE",
        "/api/v3/order",
        "order.cancel",
        right=Right.TRADE,
        required=(_SYMBOL,),
        optional=(_ORDER_ID, _ORIGINAL_CLIENT_ID, _NEW_CLIENT_ID, _RESTRICTION),
        free_on_success=True,
    ),
    Endpoint(
        cancel_all,
        "DELETE",
        "/api/v3/openOrders",
        "openOrders.cancelAll",
        right=Right.TRADE,
        required=(_SYMBOL,),
        free_on_success=True,
    ),
    Endpoint(
        query,
        "GET",
        "/api/v3/order",
        "order.status",
        weight=4,
        right=Right.READ,
        required=(_SYMBOL,),
        optional=(_ORDER_ID, _ORIGINAL_CLIENT_ID),
    ),
    Endpoint(
        open_orders,
        "GET",
        "/api/v3/openOrders",
        "openOrders.status",
        weight=open_orders_weight,
        right=Right.READ,
        optional=(_SYMBOL,),
    ),
    Endpoint(
        all_orders,
        "GET",
        "/api/v3/allOrders",
        "allOrders",
        weight=20,
        right=Right.READ,
        required=(_SYMBOL,),
        optional=(_ORDER_ID, _START, _END, _LIMIT),
    ),
)
