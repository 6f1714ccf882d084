"""Placing order lists: an OCO pair, or a working order with the legs that wait for it (OTO, OTOCO, OPO, OPOCO).

A list is accepted whole or refused whole, and a refusal changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.order import OrderStatus, Side
from gridtide.venue import refusals
from gridtide.venue.admission import admit, check_list_permission, check_position
from gridtide.venue.closing import given_asset, set_lock
from gridtide.venue.filters import check_request
from gridtide.venue.market_filters import ALGO_TYPES
from gridtide.venue.order_list import OrderList
from gridtide.venue.order_parameters import ParameterNames, check_client_order_id
from gridtide.venue.placement import (
    accept,
    enter,
    new_order,
    plan_entry,
    refuse_duplicate,
    refuse_entry,
)
from gridtide.venue.releasing import enter_pair, plan_pair

if TYPE_CHECKING:
    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import NewOrder, NewOrderList
    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder


# --- parameters --------------------------------------------------------------------------------------


def check_list(request: NewOrderList, desk: Desk) -> None:
    """Raise the first refusal that kinds of order, parameters, permissions or filters call for."""
    check_client_order_id(request.list_client_order_id, "listClientOrderId")
    _check_types(request)
    check_list_permission(request, desk.filters)
    for order, names, follows in _named_orders(request):
        check_request(order, desk, amount_follows=follows, names=names)
        if order.iceberg_amount:
            raise refusals.no_icebergs()


def _named_orders(request: NewOrderList) -> list[tuple[NewOrder, ParameterNames, bool]]:
    """Each order, how its parameters are called, and whether its amount is still to come."""
    named = []
    if request.working is not None:
        named.append((request.working, _names("working", "workingQuantity"), False))
    for order, place in zip(request.legs, ("Above", "Below"), strict=False):
        if request.working is None:
            names = _names(place.lower(), "quantity")
        else:
            names = _names("pending" + (place if len(request.legs) > 1 else ""), "pendingQuantity")
        named.append((order, names, request.pays))
    return named


def _names(prefix: str, quantity: str) -> ParameterNames:
    return ParameterNames(prefix, quantity, f"{prefix}ClientOrderId")


def _check_types(request: NewOrderList) -> None:
    """Which types may stand where (the exchange's pages on order lists, and its error codes)."""
    if request.working is not None:
        if request.working.type not in {"LIMIT", "LIMIT_MAKER"}:
            raise refusals.working_type_not_supported()
        if request.pays and request.working.side is not Side.BUY:
            raise refusals.opo_must_buy()
        if request.pays and any(leg.side is not Side.SELL for leg in request.legs):
            raise refusals.opo_must_sell()
    if len(request.legs) == 2:
        _check_pair_types(*request.legs)
    elif request.legs[0].quote_amount is not None:
        raise refusals.not_required("quoteOrderQty")


def _check_pair_types(above: NewOrder, below: NewOrder) -> None:
    for leg in (above, below):
        if leg.type not in ALGO_TYPES and leg.type != "LIMIT_MAKER":
            raise refusals.oco_type_not_supported()
    if above.type == below.type == "LIMIT_MAKER":
        raise refusals.oco_without_contingent()
    # A pair sells at the better price above and cuts its loss below; it buys the other way round.
    profit, loss = (above, below) if above.side is Side.SELL else (below, above)
    if loss.type == "LIMIT_MAKER":
        raise refusals.oco_limit_misplaced(above.side)
    if profit.type.startswith("STOP_LOSS"):
        raise refusals.oco_stop_loss_misplaced(above.side)
    if loss.type.startswith("TAKE_PROFIT"):
        raise refusals.oco_take_profit_misplaced(above.side)


# --- placing -----------------------------------------------------------------------------------------


def place_list(step: Step, account: Account, request: NewOrderList, list_id: int) -> OrderList:
    """Accept a list whose parameters and filters are in order, or raise what the engine refuses. What a working order
    that fills at once sets off comes later (`aftermath`): the answer still shows its legs as PENDING_NEW."""
    desk = step.desk
    every = request.legs if request.working is None else (request.working, *request.legs)
    admit(desk, account, every, lists=1)
    order_list = _new_list(step, account, request, list_id)
    _refuse_duplicates(account, order_list)
    if order_list.working is None:
        _place_pair(step, order_list)
    else:
        _place_working(step, order_list, order_list.working)
    return order_list


def _new_list(step: Step, account: Account, request: NewOrderList, list_id: int) -> OrderList:
    name = request.list_client_order_id or f"list{list_id}"
    order_list = OrderList(account, request.symbol, list_id, name, pays=request.pays, now=step.now)
    next_id = step.desk.last_order_id + 1
    if request.working is not None:
        order_list.working = new_order(step, account, request.working, next_id)
        next_id += 1
    # The leg that cuts a loss is placed first, as in the exchange's samples of pairs of either side.
    legs = sorted(request.legs, key=lambda leg: not leg.type.startswith("STOP_LOSS"))
    order_list.legs = tuple(new_order(step, account, leg, next_id + place) for place, leg in enumerate(legs))
    for order in order_list.orders:
        order.order_list = order_list
    if request.working is not None:
        for leg in order_list.legs:
            leg.wait(OrderStatus.PENDING_NEW)
    return order_list


def _refuse_duplicates(account: Account, order_list: OrderList) -> None:
    if account.is_open_list_id(order_list.list_client_order_id):
        raise refusals.duplicate_order()
    for order in order_list.orders:
        refuse_duplicate(account, order)
    if len({order.client_order_id for order in order_list.orders}) < len(order_list.orders):
        raise refusals.duplicate_order()


def _accept_list(step: Step, order_list: OrderList) -> None:
    for order in order_list.orders:
        accept(step, order)
    order_list.account.add_list(order_list)
    step.desk.open_lists += 1
    step.tell_list(order_list.view())


def _place_pair(step: Step, order_list: OrderList) -> None:
    first = order_list.legs[0]
    check_position(step.desk, order_list.account, first.side, first.amount)
    entries = plan_pair(step.desk, order_list)
    _accept_list(step, order_list)
    enter_pair(step, order_list, entries)


def _place_working(step: Step, order_list: OrderList, working: WorkingOrder) -> None:
    desk, account = step.desk, order_list.account
    check_position(desk, account, working.side, working.amount)
    entry = plan_entry(desk, working)
    if entry.lock > account.free[given_asset(working.side, desk.market)]:
        raise refusals.insufficient_balance()
    refuse_entry(desk, working, entry)
    _accept_list(step, order_list)
    set_lock(step, working, entry.lock)
    for order in order_list.orders:
        step.change_order(order, "NEW")
    enter(step, working, entry)
