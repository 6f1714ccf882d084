"""Finding an account's order by either of its ids, and cancelling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.order import OrderStatus
from gridtide.venue import refusals
from gridtide.venue.messages import Cancellation
from gridtide.venue.settlement import end_order, take_off_book
from gridtide.venue.step import Step

if TYPE_CHECKING:
    from gridtide.domain.market import Timestamp
    from gridtide.venue.account import OwnRecords
    from gridtide.venue.desk import Desk
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
    """Take an open order off the book and give its funds back."""
    step = Step(desk, now)
    take_off_book(step, order)
    end_order(step, order, OrderStatus.CANCELED)
    view = order.view_of_cancel(cancel_id or f"cancel{order.order_id}")
    step.tell_order(view, "CANCELED")
    return Cancellation(view, step.finish())
