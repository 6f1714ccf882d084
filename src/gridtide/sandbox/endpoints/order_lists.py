"""Placing order lists: OCO, OTO, OTOCO, OPO, OPOCO and the older request for an OCO (rest-api.md, "Order lists").

Orders stand in the list as they were placed: the working order first, then the one above, then the one below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gridtide.domain.order import Side
from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.order_parameters import (
    ANSWER_TYPE,
    PREVENTION,
    QUANTITY,
    SIDE,
    SYMBOL,
    AnswerType,
    OrderParameters,
    new_order,
    order_parameters,
    strategy_type,
    time_in_force,
)
from gridtide.sandbox.endpoints.order_shapes import order_list, placed
from gridtide.sandbox.errors import mandatory
from gridtide.venue.messages import NewOrderList, OrderChanged

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.parameters import Parameter
    from gridtide.sandbox.wire import JsonObject
    from gridtide.venue.messages import ListPlacement, NewOrder, VenueOrder

LIST_CLIENT_ID = parameters.client_id("listClientOrderId")

_COMMON: tuple[Parameter[Any], ...] = (LIST_CLIENT_ID, ANSWER_TYPE, PREVENTION)

_WORKING = order_parameters("working")
_PENDING = order_parameters("pending")
_ABOVE = order_parameters("above", side="side", amount="quantity")
_BELOW = order_parameters("below", side="side", amount="quantity")
_PENDING_ABOVE = order_parameters("pendingAbove", side="pendingSide", amount="pendingQuantity")
_PENDING_BELOW = order_parameters("pendingBelow", side="pendingSide", amount="pendingQuantity")


@dataclass(frozen=True, slots=True)
class ListKind:
    """What a request for a list is made of: a working order or none, one leg or a pair, paid for by the first."""

    name: str
    legs: tuple[OrderParameters, ...]
    working: OrderParameters | None = None
    pays: bool = False

    @property
    def required(self) -> tuple[Parameter[Any], ...]:
        """What every request of this kind must send; the venue asks for what an order's type needs besides."""
        first = self.legs[0]
        found: list[Parameter[Any]] = [SYMBOL]
        if self.working is not None:
            working = self.working
            found += [working.type, working.side, working.price, working.amount]
        found.append(first.side)
        if not self.pays:
            found.append(first.amount)
        return (*found, *(leg.type for leg in self.legs))

    @property
    def optional(self) -> tuple[Parameter[Any], ...]:
        """All else it may send."""
        described = (*self.legs, *([] if self.working is None else [self.working]))
        required = {parameter.name for parameter in self.required}
        options = (option for each in described for option in each.options if option.name not in required)
        return (*_COMMON, *options)


OCO = ListKind("oco", (_ABOVE, _BELOW))
OTO = ListKind("oto", (_PENDING,), _WORKING)
OTOCO = ListKind("otoco", (_PENDING_ABOVE, _PENDING_BELOW), _WORKING)
OPO = ListKind("opo", (_PENDING,), _WORKING, pays=True)
OPOCO = ListKind("opoco", (_PENDING_ABOVE, _PENDING_BELOW), _WORKING, pays=True)
LIST_KINDS = (OCO, OTO, OTOCO, OPO, OPOCO)


# --- from parameters to a request --------------------------------------------------------------------


def _requested(exchange: SandboxExchange, call: Call, kind: ListKind) -> NewOrderList:
    def order(names: OrderParameters) -> NewOrder:
        return new_order(exchange, call, names, call.need(names.type))

    return NewOrderList(
        account_id=call.account_id,
        symbol=exchange.listing(call.need(SYMBOL)).symbol,
        legs=tuple(map(order, kind.legs)),
        working=None if kind.working is None else order(kind.working),
        pays=kind.pays,
        list_client_order_id=call.get(LIST_CLIENT_ID) or "",
    )


# --- the older request for an OCO --------------------------------------------------------------------

_OLD_PRICE = parameters.decimal("price")
_OLD_STOP_PRICE = parameters.decimal("stopPrice")
_OLD_STOP_LIMIT = parameters.decimal("stopLimitPrice")
_OLD_STOP_TIME = time_in_force("stopLimitTimeInForce")

_OLD_LIMIT_LEG = replace(
    order_parameters("limit", side="side", amount="quantity", pegs=False), price=_OLD_PRICE
)
_OLD_STOP_LEG = replace(
    order_parameters("stop", side="side", amount="quantity", pegs=False),
    price=_OLD_STOP_LIMIT,
    stop_price=_OLD_STOP_PRICE,
    trailing_delta=parameters.integer("trailingDelta"),
    time_in_force=_OLD_STOP_TIME,
)
_OLD_OPTIONS: tuple[Parameter[Any], ...] = (
    *_COMMON, _OLD_STOP_LIMIT, _OLD_STOP_TIME, _OLD_STOP_LEG.trailing_delta,
    _OLD_LIMIT_LEG.client_id, _OLD_LIMIT_LEG.iceberg_amount,
    _OLD_LIMIT_LEG.strategy_id, strategy_type("limitStrategyType"),
    _OLD_STOP_LEG.client_id, _OLD_STOP_LEG.iceberg_amount,
    _OLD_STOP_LEG.strategy_id, strategy_type("stopStrategyType"),
)  # fmt: skip


def place_old_oco(exchange: SandboxExchange, call: Call) -> JsonObject:
    """A limit and a stop of one side: which is above follows from the side."""
    limit = new_order(exchange, call, _OLD_LIMIT_LEG, "LIMIT_MAKER")
    is_limited = call.get(_OLD_STOP_LIMIT) is not None
    if is_limited and call.get(_OLD_STOP_TIME) is None:
        raise mandatory(_OLD_STOP_TIME.name)
    stop = new_order(exchange, call, _OLD_STOP_LEG, "STOP_LOSS_LIMIT" if is_limited else "STOP_LOSS")
    request = NewOrderList(
        account_id=call.account_id,
        symbol=limit.symbol,
        legs=(limit, stop) if limit.side is Side.SELL else (stop, limit),
        list_client_order_id=call.get(LIST_CLIENT_ID) or "",
    )
    return _answer(exchange, call, exchange.place_order_list(request))


# --- the answer --------------------------------------------------------------------------------------


def _placing(kind: ListKind) -> Callable[[SandboxExchange, Call], JsonObject]:
    def place(exchange: SandboxExchange, call: Call) -> JsonObject:
        return _answer(exchange, call, exchange.place_order_list(_requested(exchange, call, kind)))

    return place


def _answer(exchange: SandboxExchange, call: Call, done: ListPlacement) -> JsonObject:
    """The list with a report of each order. How long these are by default nobody says: RESULT, as printed."""
    kind = call.get(ANSWER_TYPE) or AnswerType.RESULT
    changes = [event for event in done.events if isinstance(event, OrderChanged)]
    reports = [_report(exchange, order, kind, changes) for order in done.orders]
    return {**order_list(exchange, done.order_list), "orderReports": reports}


def _report(
    exchange: SandboxExchange, order: VenueOrder, kind: AnswerType, changes: list[OrderChanged]
) -> JsonObject:
    """An order as it was placed; what a filled working order set off afterwards is left to the events."""
    if not order.is_working:
        return placed(exchange, order, kind)
    own = order.order_id
    fills = [event.fill for event in changes if event.fill is not None and event.fill.order_id == own]
    matches = [event.prevented for event in changes if event.prevented is not None]
    prevented = {match.match_id: match for match in matches if match.taker_order_id == own}
    return placed(exchange, order, kind, fills, prevented.values())


def _endpoint(kind: ListKind) -> Endpoint:
    return Endpoint(
        _placing(kind),
        "POST",
        f"/api/v3/orderList/{kind.name}",
        f"orderList.place.{kind.name}",
        right=Right.TRADE,
        required=kind.required,
        optional=kind.optional,
        free_on_success=True,
        shows_order_counts=True,
    )


ENDPOINTS = (
    *map(_endpoint, LIST_KINDS),
    Endpoint(
        place_old_oco,
        "POST",
        "/api/v3/order/oco",
        "orderList.place",
        right=Right.TRADE,
        required=(SYMBOL, SIDE, QUANTITY, _OLD_PRICE, _OLD_STOP_PRICE),
        optional=_OLD_OPTIONS,
        free_on_success=True,
        shows_order_counts=True,
    ),
)
