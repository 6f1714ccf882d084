"""Finding an account's order by either of its ids, and cancelling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.order import OrderStatus
from gridtide.venue import refusals
from gridtide.venue.closing import end_order, leave_market
from gridtide.venue.contingency import finish_list
from gridtide.venue.messages import Cancellation, ListCancellation
from gridtide.venue.step import Step

if TYPE_CHECKING:
    from gridtide.domain.market import Timestamp
    from gridtide.venue.account import Account, OwnRecords
    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import VenueOrder
    from gridtide.venue.order_list import OrderList
    from gridtide.venue.working_order import WorkingOrder


def find_order(
    records: OwnRecords, order_id: int | None, client_order_id: str | None
) -> tuple[WorkingOrder | None, bool]:
    """The order with these ids, and whether both ids name it. An order id wins; of a reused client id the newest
    order counts (protocol document, 6.5 and 6.7)."""
    if order_id is None:
        if not client_order_id:
            raise refusals.missing_both("orderId", "origClientOrderId")
        return records.by_client_id.get(client_order_id), True
    order = records.orders.get(order_id)
    agrees = order is None or not client_order_id or order.client_order_id == client_order_id
    return order, agrees


def find_open_order(records: OwnRecords, order_id: int | None, client_order_id: str | None) -> WorkingOrder:
    """The open order with these ids, or -2011."""
    order, agrees = find_order(records, order_id, client_order_id)
    if order is None or not agrees or not order.is_open:
        raise refusals.unknown_order()
    return order


def cancel(desk: Desk, order: WorkingOrder, cancel_id: str, now: Timestamp) -> Cancellation:
    """Take an open order from where it stands and give its funds back; with it goes the whole list it stands in."""
    cancel_id = cancel_id or f"cancel{order.order_id}"
    if order.order_list is not None:
        done = cancel_list(desk, order.order_list, cancel_id, now)
        view = next(view for view in done.orders if view.order_id == order.order_id)
        return Cancellation(view, done.events, done.order_list, done.orders)
    step = Step(desk, now)
    return Cancellation(_cancel_one(step, order, cancel_id), step.finish())


def cancel_list(desk: Desk, order_list: OrderList, cancel_id: str, now: Timestamp) -> ListCancellation:
    """Cancel every open order of a list."""
    step = Step(desk, now)
    cancel_id = cancel_id or f"cancel{order_list.orders[0].order_id}"
    order_list.is_ending = True
    views = tuple(
        _cancel_one(step, order, cancel_id) if order.is_open else order.view() for order in order_list.orders
    )
    finish_list(step, order_list)
    view = order_list.view()
    step.tell_list(view)
    return ListCancellation(view, views, step.finish())


def _cancel_one(step: Step, order: WorkingOrder, cancel_id: str) -> VenueOrder:
    leave_market(step, order)
    end_order(step, order, OrderStatus.CANCELED)
    view = order.view_of_cancel(cancel_id)
    step.tell_order(view, "CANCELED")
    return view


def find_list(account: Account, list_id: int | None, list_client_order_id: str | None) -> OrderList | None:
    """The list with these ids; a list id wins, and both must name the same. Of a reused client id the newest."""
    if list_id is None:
        if not list_client_order_id:
            raise refusals.missing_both("orderListId", "listClientOrderId")
        return account.lists_by_client_id.get(list_client_order_id)
    order_list = account.lists.get(list_id)
    if order_list is not None and list_client_order_id not in {None, "", order_list.list_client_order_id}:
        return None
    return order_list
