"""What trades set off: stop orders that they trigger, and the legs of lists whose working order they filled.

These enter the market after the order that caused it is done, and may set off more. It ends, because each round takes
an order from those that wait, and nothing here adds any but the legs of lists, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue.closing import set_lock
from gridtide.venue.contingency import engage
from gridtide.venue.placement import plan_order, work
from gridtide.venue.releasing import place_legs

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder


def settle_aftermath(step: Step) -> None:
    """Go on until all is quiet. Orders hear of every price in the order it was paid."""
    while step.traded or step.fulfilled:
        if step.traded:
            hear_price(step, step.traded.pop(0))
        else:
            place_legs(step, step.fulfilled.pop(0))


def hear_price(step: Step, price: Decimal) -> None:
    """The market was at `price`: trailing orders note it, and whoever waited for it is triggered."""
    waiting = step.desk.waiting
    waiting.follow(price)
    while (order := waiting.next_due(price, step.now)) is not None:
        _trigger(step, order)


def _trigger(step: Step, order: WorkingOrder) -> None:
    """The order is told as NEW once more, now working, and enters the market as its type says."""
    order.start_working(step.now)
    engage(step, order)
    step.change_order(order, "NEW")
    budget = _budget(step, order) if order.side is Side.BUY and not order.price else None
    plan = plan_order(step.desk, order, budget)
    if budget is not None and plan.quote > order.locked:
        set_lock(step, order, plan.quote)
    work(step, order, plan)


def _budget(step: Step, order: WorkingOrder) -> Decimal:
    """A market buy may spend what it locked at its stop price, and what is free beside it: the price it gets is
    nearly always a little worse."""
    return order.locked + max(order.account.free[step.desk.market.quote], ZERO)
