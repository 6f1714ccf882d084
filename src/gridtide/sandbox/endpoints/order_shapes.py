"""Orders and order lists as answers show them. Fields that appear only under a condition are added in one place.

Shapes: protocol sections 6.2 to 6.6 and rest-api.md, "Conditional fields in Order Responses".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gridtide.domain.order import OrderStatus
from gridtide.sandbox.endpoints.order_parameters import AnswerType
from gridtide.sandbox.wire import JsonObject, number
from gridtide.venue.market_filters import ALGO_TYPES
from gridtide.venue.messages import ListCancellation

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import (
        Cancellation,
        PreventedMatch,
        VenueFill,
        VenueOrder,
        VenueOrderList,
    )


# --- one order ---------------------------------------------------------------------------------------


def placed(
    exchange: SandboxExchange,
    order: VenueOrder,
    kind: AnswerType,
    fills: Iterable[VenueFill] = (),
    prevented: Iterable[PreventedMatch] = (),
) -> JsonObject:
    """An order in the answer to its placement."""
    answer: JsonObject = {
        "symbol": exchange.exchange_id(order.symbol),
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_at,
    }
    if kind is AnswerType.ACK:
        return answer
    answer |= {**_figures(order), "workingTime": order.working_at}
    answer["selfTradePreventionMode"] = order.self_trade_prevention
    answer |= conditional(order)
    if kind is AnswerType.FULL:
        answer["fills"] = [_fill(fill) for fill in fills]
        matches = [_prevented(exchange, match) for match in prevented]
        if matches:
            answer["preventedMatches"] = matches
    return answer


def canceled(exchange: SandboxExchange, order: VenueOrder) -> JsonObject:
    """An order in the answer to its cancel: ``clientOrderId`` is the cancel's, ``origClientOrderId`` its own."""
    return {
        "symbol": exchange.exchange_id(order.symbol),
        "origClientOrderId": order.original_client_order_id,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_at,
        **_figures(order),
        "selfTradePreventionMode": order.self_trade_prevention,
        **conditional(order),
    }


def queried(exchange: SandboxExchange, order: VenueOrder) -> JsonObject:
    """An order in the answer to a query: ``stopPrice`` and ``icebergQty`` are always there (section 6.4)."""
    return {
        "symbol": exchange.exchange_id(order.symbol),
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        **_figures(order),
        "stopPrice": number(order.stop_price),
        "icebergQty": number(order.iceberg_amount),
        "time": order.created_at,
        "updateTime": order.updated_at,
        "isWorking": order.is_working,
        "workingTime": order.working_at,
        "selfTradePreventionMode": order.self_trade_prevention,
        **conditional(order),
    }


def amended(exchange: SandboxExchange, order: VenueOrder) -> JsonObject:
    """An order in the answer to its amendment, which has names of its own for the amounts."""
    shown: JsonObject = {
        "symbol": exchange.exchange_id(order.symbol),
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "origClientOrderId": order.original_client_order_id,
        "clientOrderId": order.client_order_id,
        "price": number(order.price),
        "qty": number(order.amount),
        "executedQty": number(order.executed_amount),
        "preventedQty": number(order.prevented_amount),
        "quoteOrderQty": number(order.quote_amount),
        "cumulativeQuoteQty": number(order.executed_quote),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
    }
    if order.is_working:
        shown["workingTime"] = order.working_at
    return {**shown, "selfTradePreventionMode": order.self_trade_prevention, **conditional(order)}


def _figures(order: VenueOrder) -> JsonObject:
    figures: JsonObject = {
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
    if order.status is OrderStatus.PENDING_NEW and not order.amount:
        # It will sell what the working order buys (OPO): how much that is, nobody knows yet.
        del figures["origQty"]
    return figures


def conditional(order: VenueOrder) -> JsonObject:
    """The fields an order has only because of what it is or what happened to it."""
    found: JsonObject = {}
    if order.type in ALGO_TYPES:
        found["stopPrice"] = number(order.stop_price)
    if order.iceberg_amount:
        found["icebergQty"] = number(order.iceberg_amount)
    if order.trailing_delta is not None:
        found["trailingDelta"] = order.trailing_delta
        found["trailingTime"] = -1 if order.trailing_at is None else order.trailing_at
    if order.strategy_id is not None:
        found["strategyId"] = order.strategy_id
    if order.strategy_type is not None:
        found["strategyType"] = order.strategy_type
    if order.prevented_amount:
        found["preventedMatchId"] = order.prevented_match_id
        found["preventedQuantity"] = number(order.prevented_amount)
    if order.expiry_reason:
        found["expiryReason"] = order.expiry_reason
    return found


def _fill(fill: VenueFill) -> JsonObject:
    return {
        "price": number(fill.price),
        "qty": number(fill.amount),
        "commission": number(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.trade_id,
    }


def _prevented(exchange: SandboxExchange, match: PreventedMatch) -> JsonObject:
    return {
        "preventedMatchId": match.match_id,
        "makerSymbol": exchange.exchange_id(match.symbol),
        "makerOrderId": match.maker_order_id,
        "price": number(match.price),
        **prevented_amounts(match),
    }


def prevented_amounts(match: PreventedMatch) -> JsonObject:
    """What a prevented match took from either order; nothing of an order it left alone."""
    amounts = {
        "takerPreventedQuantity": match.taker_prevented_amount,
        "makerPreventedQuantity": match.maker_prevented_amount,
    }
    return {name: number(amount) for name, amount in amounts.items() if amount is not None}


# --- order lists -------------------------------------------------------------------------------------


def order_list(exchange: SandboxExchange, shown: VenueOrderList) -> JsonObject:
    """An order list and the ids of its orders."""
    symbol = exchange.exchange_id(shown.symbol)
    return {
        "orderListId": shown.order_list_id,
        "contingencyType": shown.contingency,
        "listStatusType": shown.status_type,
        "listOrderStatus": shown.order_status,
        "listClientOrderId": shown.list_client_order_id,
        "transactionTime": shown.transaction_time,
        "symbol": symbol,
        "orders": [
            {"symbol": symbol, "orderId": order_id, "clientOrderId": client_order_id}
            for order_id, client_order_id in shown.orders
        ],
    }


def canceled_list(
    exchange: SandboxExchange, shown: VenueOrderList, orders: Iterable[VenueOrder]
) -> JsonObject:
    """A cancelled list with a report of each of its orders."""
    return {**order_list(exchange, shown), "orderReports": [canceled(exchange, order) for order in orders]}


def cancellation(exchange: SandboxExchange, done: Cancellation | ListCancellation) -> JsonObject:
    """The answer to a cancel: the order, or the whole list where it stood in one (section 6.5)."""
    if isinstance(done, ListCancellation):
        return canceled_list(exchange, done.order_list, done.orders)
    if done.order_list is not None:
        return canceled_list(exchange, done.order_list, done.list_orders)
    return canceled(exchange, done.order)
