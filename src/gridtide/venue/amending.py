"""Reducing the amount of an open order, which keeps its id and its place in the queue (amend keep priority).

Whatever cannot be done is refused and leaves the order as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.venue import refusals
from gridtide.venue.admission import check_amend
from gridtide.venue.cancelling import find_order
from gridtide.venue.closing import set_lock
from gridtide.venue.contingency import share_lock
from gridtide.venue.filters import check_lot_sizes, check_notional, check_precision
from gridtide.venue.messages import Amendment, OrderAmendment
from gridtide.venue.order_parameters import ParameterNames, check_client_order_id

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.account import OwnRecords
    from gridtide.venue.desk import Desk
    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder

_NAMES = ParameterNames(quantity="newQty")


def amend(
    step: Step,
    records: OwnRecords,
    order_id: int | None,
    client_order_id: str | None,
    new_client_order_id: str,
    new_amount: Decimal,
) -> Amendment:
    """Reduce the amount of an open order, and rename it."""
    check_client_order_id(new_client_order_id, "newClientOrderId")
    order = _find(records, order_id, client_order_id)
    others = _paired_with(order)
    for each in (order, *others):
        _check_new_amount(step.desk, each, new_amount)
    _check_possible(step.desk, records, order, new_amount)
    taken = records.by_client_id.get(new_client_order_id)
    if taken is not None and taken.is_open and taken is not order:
        raise refusals.amend_rejected("Duplicate order sent.")
    record = _amend_one(step, records, order, new_amount, new_client_order_id)
    answer = order.view_of_amend(record.original_client_order_id)
    order_list = order.order_list
    if order_list is None:
        return Amendment(answer, record, step.finish())
    for other in others:
        _amend_one(step, records, other, new_amount, other.client_order_id)
    if order_list.is_live_pair:
        share_lock(step, order_list, order_list.shared_need())
    if record.new_client_order_id != record.original_client_order_id:
        order_list.transaction_time = step.now
        step.tell_list(order_list.view("UPDATED"))
    return Amendment(answer, record, step.finish(), order_list.view())


def _find(records: OwnRecords, order_id: int | None, client_order_id: str | None) -> WorkingOrder:
    order, agrees = find_order(records, order_id, client_order_id)
    if order is None or not agrees or not order.is_open:
        raise refusals.amend_rejected("Unknown order sent.")
    return order


def _check_new_amount(desk: Desk, order: WorkingOrder, new_amount: Decimal) -> None:
    """What any order over that amount would have to pass."""
    if not new_amount.is_finite() or new_amount <= 0:
        raise refusals.invalid_quantity()
    asked = order.as_request(new_amount)
    check_precision(asked, desk.market.rules, _NAMES)
    check_lot_sizes(new_amount, desk.market.rules, desk.filters, is_market=order.type == "MARKET")
    check_notional(asked, desk)


def _check_possible(desk: Desk, records: OwnRecords, order: WorkingOrder, new_amount: Decimal) -> None:
    check_amend(desk, len(records.amendments.get(order.order_id, ())))
    if order.is_pending and order.order_list is not None and order.order_list.pays:
        raise refusals.amend_rejected("Order amend (pending OPO order) is not supported.")
    if new_amount > order.amount:
        raise refusals.amend_rejected("Order amend (quantity increase) is not supported.")
    if new_amount == order.amount:
        raise refusals.amend_rejected("The requested action would change no state; rejecting")
    if new_amount <= order.amount - order.remaining:
        # The exchange documents no text for this; its code is that of any refused amendment.
        raise refusals.amend_rejected("Invalid quantity.")


def _paired_with(order: WorkingOrder) -> tuple[WorkingOrder, ...]:
    """The other leg of an OCO pair, which always is over the same amount."""
    order_list = order.order_list
    if order_list is None or order is order_list.working:
        return ()
    return tuple(leg for leg in order_list.legs if leg is not order and leg.is_open)


def _amend_one(
    step: Step, records: OwnRecords, order: WorkingOrder, amount: Decimal, client_order_id: str
) -> OrderAmendment:
    former_id, former_amount = order.client_order_id, order.amount
    if not (order.is_pending or order.is_waiting):
        step.desk.book.side(order.side).reduce(order, former_amount - amount)
        step.touch_level(order.side, order.price)
    order.amend(amount, client_order_id or f"amend{step.desk.last_execution_id + 1}", step.now)
    records.rename(order, former_id)
    if order.locked:
        set_lock(step, order, order.lock_needed())
    execution_id = step.tell_order(order.view_of_amend(former_id), "REPLACED")
    record = OrderAmendment(
        order.symbol,
        order.order_id,
        execution_id,
        former_id,
        order.client_order_id,
        former_amount,
        amount,
        step.now,
    )
    records.amendments.setdefault(order.order_id, []).append(record)
    return record
