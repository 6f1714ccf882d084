"""What the exchange itself, or one stranger, does to open orders and the book: for tests of those who trade on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput
from gridtide.domain.order import Side
from gridtide.venue.aftermath import settle_aftermath
from gridtide.venue.closing import leave_market
from gridtide.venue.contingency import expire
from gridtide.venue.settlement import fill_resting
from gridtide.venue.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from gridtide.domain.market import Timestamp
    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import VenueEvent
    from gridtide.venue.working_order import WorkingOrder

_MAINTENANCE = "EXCHANGE_CANCELED"


def hit(desk: Desk, order: WorkingOrder, amount: Decimal, now: Timestamp) -> tuple[VenueEvent, ...]:
    """A stranger takes `amount` of an order that rests in the book, at its own price, past whatever is better."""
    if order.is_pending or order.is_waiting or not order.is_open or not 0 < amount <= order.remaining:
        raise InvalidInput(
            f"nobody can take {amount} of order {order.order_id}: it does not rest with so much"
        )
    step = Step(desk, now)
    fill_resting(step, order, amount)
    settle_aftermath(step)
    return step.finish()


def expire_all(desk: Desk, orders: Iterable[WorkingOrder], now: Timestamp) -> tuple[VenueEvent, ...]:
    """Open orders expire, whatever they wait for, and their lists with them."""
    step = Step(desk, now)
    for order in orders:
        if order.is_open:  # an order before it may have ended it, as they stood in one list
            leave_market(step, order)
            expire(step, order, _MAINTENANCE)
    settle_aftermath(step)
    return step.finish()


def desert(desk: Desk, now: Timestamp, *, is_deserted: bool) -> tuple[VenueEvent, ...]:
    """Everybody else leaves the book, or is back."""
    step = Step(desk, now)
    liquidity = desk.ambient if desk.recorded is None else desk.recorded
    for side in Side:
        for price, _ in liquidity.levels(side):
            step.touch_level(side, price)
    desk.is_deserted = is_deserted
    return step.finish()
