"""Legs of an order list on their way to the market: an OCO pair, or what waited until the working order was filled.

What the market does not take of those that waited expires with the reason REJECTED; there is nobody left to refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import OrderStatus, Side
from gridtide.venue import refusals
from gridtide.venue.closing import given_asset, set_lock
from gridtide.venue.contingency import end_list, share_lock
from gridtide.venue.filters import check_lot_sizes, check_notional
from gridtide.venue.messages import VenueRefusal
from gridtide.venue.placement import Entry, enter, plan_entry, refuse_entry, start_trailing
from gridtide.venue.rounding import UNIT, largest_multiple

if TYPE_CHECKING:
    from gridtide.venue.desk import Desk
    from gridtide.venue.order_list import OrderList
    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder


# --- pairs -------------------------------------------------------------------------------------------


def plan_pair(desk: Desk, order_list: OrderList) -> list[Entry]:
    """How both legs of an OCO would enter; raises what the engine refuses. They lock the larger need once."""
    legs = order_list.legs
    _refuse_price_relation(desk, legs)
    entries = [plan_entry(desk, leg) for leg in legs]
    free = order_list.account.free[given_asset(legs[0].side, desk.market)]
    if order_list.shared_need() > free:
        raise refusals.insufficient_balance()
    for leg, entry in zip(legs, entries, strict=True):
        refuse_entry(desk, leg, entry)
    return entries


def enter_pair(step: Step, order_list: OrderList, entries: list[Entry]) -> None:
    """Lock once and let both legs stand; neither can trade at once."""
    share_lock(step, order_list, order_list.shared_need())
    for leg in order_list.legs:
        start_trailing(step, leg)
        step.change_order(leg, "NEW")
    for leg, entry in zip(order_list.legs, entries, strict=True):
        enter(step, leg, entry)


def _refuse_price_relation(desk: Desk, legs: tuple[WorkingOrder, ...]) -> None:
    """The last price lies between the legs: a price or, without one, a stop price on the side of profit, a stop price
    on that of loss (the exchange's page on OCO). A trailing leg without a stop price has no place."""
    last = desk.last_price
    if last is None:
        return
    for leg in legs:
        is_loss = leg.type.startswith("STOP_LOSS")
        price = leg.stop_price if is_loss else leg.price or leg.stop_price
        is_above = is_loss == (leg.side is Side.BUY)
        if price and not (price > last if is_above else price < last):
            raise refusals.prices_misrelated()


# --- after the working order -------------------------------------------------------------------------


def place_legs(step: Step, order_list: OrderList) -> None:
    """The working order has filled: place its legs, or let the list end."""
    if order_list.pays:
        _size_legs(step, order_list)
    for leg in order_list.legs:
        if leg.is_conditional:
            leg.wait()
        else:
            leg.start_working(step.now)
    try:
        entries = _plan_legs(step.desk, order_list)
    except VenueRefusal:
        for leg in order_list.legs:
            leg.wait(OrderStatus.PENDING_NEW)
        end_list(step, order_list, "REJECTED")
        return
    for leg in order_list.legs:
        leg.updated_at = step.now
    if len(order_list.legs) == 2:
        enter_pair(step, order_list, entries)
        return
    leg = order_list.legs[0]
    set_lock(step, leg, entries[0].lock)
    start_trailing(step, leg)
    step.change_order(leg, "NEW")
    enter(step, leg, entries[0])


def _size_legs(step: Step, order_list: OrderList) -> None:
    """The legs of an OPO sell what was bought, cut to what the filters allow; the rest is free (the OPO FAQ)."""
    rules, filters = step.desk.market.rules, step.desk.filters
    bought = order_list.locked
    share_lock(step, order_list, ZERO)
    is_market = any(leg.type == "MARKET" for leg in order_list.legs)
    bounds = (rules.max_amount, rules.market_max_amount if is_market else ZERO)
    amount = min([bought, *(bound for bound in bounds if bound)])
    for lot in (rules.lot_size, filters.market_lot_size if is_market else ZERO):
        amount = largest_multiple(amount, lot or UNIT)
    for leg in order_list.legs:
        leg.resize(amount)


def _plan_legs(desk: Desk, order_list: OrderList) -> list[Entry]:
    """How the legs would enter; raises what filters or the engine refuse."""
    if order_list.pays:
        for leg in order_list.legs:
            _check_amount(desk, leg)
    if len(order_list.legs) == 2:
        return plan_pair(desk, order_list)
    leg = order_list.legs[0]
    entry = plan_entry(desk, leg)
    if entry.lock > order_list.account.free[given_asset(leg.side, desk.market)]:
        raise refusals.insufficient_balance()
    refuse_entry(desk, leg, entry)
    return [entry]


def _check_amount(desk: Desk, leg: WorkingOrder) -> None:
    if leg.amount <= 0:
        raise refusals.invalid_quantity()
    check_lot_sizes(leg.amount, desk.market.rules, desk.filters, is_market=leg.type == "MARKET")
    check_notional(leg.as_request(), desk)
