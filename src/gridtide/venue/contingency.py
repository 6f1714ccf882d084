"""What the orders of one list do to each other.

Whichever leg of an OCO pair first trades or triggers ends the other; a working order that ends unfilled ends the legs
that waited for it; and a list is done with its last order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import OrderStatus
from gridtide.venue.closing import end_order, given_asset, leave_market

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.messages import PreventedMatch
    from gridtide.venue.order_list import OrderList
    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder


def close(
    step: Step,
    order: WorkingOrder,
    status: OrderStatus,
    execution_type: str,
    expiry_reason: str = "",
    prevented: PreventedMatch | None = None,
) -> None:
    """End an order that stands nowhere any more, tell it, and see to its list."""
    end_order(step, order, status, expiry_reason)
    step.change_order(order, execution_type, prevented=prevented)
    after_end(step, order)


def expire(step: Step, order: WorkingOrder, reason: str) -> None:
    """End an order that stands nowhere any more as EXPIRED."""
    close(step, order, OrderStatus.EXPIRED, "EXPIRED", reason)


def engage(step: Step, order: WorkingOrder) -> None:
    """An order is about to trade or has triggered: in a live pair the other leg expires, and the pair's lock becomes
    this leg's own as far as it needs it."""
    order_list = order.order_list
    if order_list is None or not order_list.is_live_pair:
        return
    sibling = next(leg for leg in order_list.legs if leg is not order)
    leave_market(step, sibling)
    order.locked = order.lock_needed()
    share_lock(step, order_list, ZERO, passed_on=order.locked)
    end_order(step, sibling, OrderStatus.EXPIRED, "OCO_TRIGGER")
    step.change_order(sibling, "EXPIRED")


def share_lock(step: Step, order_list: OrderList, amount: Decimal, passed_on: Decimal = ZERO) -> None:
    """Let the list keep exactly `amount` locked for its legs; `passed_on` of the rest stays locked for one of them."""
    asset = given_asset(order_list.legs[0].side, step.desk.market)
    order_list.account.unlock(asset, order_list.locked - amount - passed_on)
    order_list.locked = amount
    step.touch_balances(order_list.account, asset)


def after_end(step: Step, order: WorkingOrder) -> None:
    """An order has ended, and that was told. A filled working order lets its legs go to the market later in the
    step; any other end is the end of the list."""
    order_list = order.order_list
    if order_list is None or order_list.is_ending:
        return
    if order is not order_list.working:
        end_list(step, order_list, "OCO_TRIGGER")
    elif order.status is OrderStatus.FILLED:
        step.fulfilled.append(order_list)
    else:
        end_list(step, order_list, "OTO_PHASE_ONE_EXPIRED")


def end_list(step: Step, order_list: OrderList, reason: str) -> None:
    """Expire what is still open of a list and tell that it is done."""
    order_list.is_ending = True
    for order in order_list.orders:
        if order.is_open:
            leave_market(step, order)
            expire(step, order, reason)
    finish_list(step, order_list)
    step.tell_list(order_list.view())


def finish_list(step: Step, order_list: OrderList) -> None:
    """A list whose orders have ended: give back what they shared and count it no more."""
    share_lock(step, order_list, ZERO)
    order_list.is_done = order_list.is_ending = True
    order_list.transaction_time = step.now
    del order_list.account.records[order_list.symbol].open_lists[order_list.list_id]
    step.desk.open_lists -= 1
