"""How an order ends, and what it keeps locked until then: every release of funds that is not a trade is here.

What the end of an order means for the list it stands in follows its own event at once (`contingency`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import OrderStatus, Side

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Asset, Market
    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder


def given_asset(side: Side, market: Market) -> Asset:
    """What an order of `side` gives away."""
    return market.quote if side is Side.BUY else market.base


def set_lock(step: Step, order: WorkingOrder, amount: Decimal) -> None:
    """Let the order keep exactly `amount` locked."""
    account, asset = order.account, given_asset(order.side, step.desk.market)
    more = amount - order.locked
    account.free[asset] -= more
    account.locked[asset] += more
    order.locked = amount
    if step.desk.tells_balances:
        step.touch_balances(account, asset)


def leave_market(step: Step, order: WorkingOrder) -> None:
    """Take an open order from where it stands: the book, the waiting orders, or nowhere."""
    if order.is_pending:
        return
    if order.is_waiting:
        step.desk.waiting.remove(order)
        return
    step.desk.book.side(order.side).remove(order)
    step.touch_level(order.side, order.price)


def end_order(step: Step, order: WorkingOrder, status: OrderStatus, expiry_reason: str = "") -> None:
    """Close an order that stands nowhere any more and give back what it had locked; tells nobody."""
    set_lock(step, order, ZERO)
    order.end(status, step.now, expiry_reason)
    order.account.records[step.desk.market.symbol].open.pop(order.order_id, None)
