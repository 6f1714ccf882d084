"""The life of a new order at the venue: accept or refuse, match what it meets or wait, then rest or expire.

A refusal changes nothing; the checks run in the exchange's order (protocol document, 18).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.money import ONE, ZERO, multiply_exact
from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.venue import refusals
from gridtide.venue.admission import admit_one, check_position
from gridtide.venue.closing import given_asset, set_lock
from gridtide.venue.contingency import close, expire
from gridtide.venue.filters import check_lot_sizes
from gridtide.venue.market_filters import ALGO_TYPES
from gridtide.venue.matching import Demand, Plan, plan_matches
from gridtide.venue.settings import SelfTradePrevention
from gridtide.venue.settlement import execute_plan
from gridtide.venue.working_order import WorkingOrder

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import NewOrder
    from gridtide.venue.step import Step

_NOTHING = Plan()


@dataclass(slots=True)
class Entry:
    """How an order would enter the market now: the funds it needs, and what it meets (None: it waits)."""

    lock: Decimal
    plan: Plan | None


def place(step: Step, account: Account, request: NewOrder) -> WorkingOrder:
    """Accept a request whose parameters and filters are in order, or raise what the engine refuses."""
    desk = step.desk
    admit_one(desk, account, request)
    order = new_order(step, account, request, desk.last_order_id + 1)
    refuse_duplicate(account, order)
    entry = plan_entry(desk, order)
    if desk.filters.max_position:
        check_position(desk, account, order.side, order.amount)
    if entry.lock > account.free[given_asset(order.side, desk.market)]:
        raise refusals.insufficient_balance()
    refuse_entry(desk, order, entry)
    accept(step, order)
    set_lock(step, order, entry.lock)
    if order.trailing_delta is not None:
        start_trailing(step, order)
    step.change_order(order, "NEW")
    enter(step, order, entry)
    return order


def new_order(step: Step, account: Account, request: NewOrder, order_id: int) -> WorkingOrder:
    """The order asked for, known to nobody yet."""
    asked = request.self_trade_prevention
    prevention = SelfTradePrevention(asked) if asked else step.desk.prevention
    name = request.client_order_id or f"auto{order_id}"
    order = WorkingOrder(account, request, order_id, name, prevention, step.now)
    if order.type in ALGO_TYPES:
        order.wait()
    return order


def refuse_duplicate(account: Account, order: WorkingOrder) -> None:
    known = account.records[order.symbol].by_client_id.get(order.client_order_id)
    if known is not None and known.is_open:
        raise refusals.duplicate_order()


def accept(step: Step, order: WorkingOrder) -> None:
    """The order exists from now on."""
    step.desk.last_order_id = order.order_id
    order.account.records[order.symbol].add(order)


# --- what it would meet ------------------------------------------------------------------------------


def plan_entry(desk: Desk, order: WorkingOrder) -> Entry:
    """Limit orders lock their whole value, market orders what they are about to give, waiting ones what they would
    give at their stop price."""
    if order.working_at < 0 and order.is_waiting:
        _set_lock_price(desk, order)
        return Entry(order.lock_needed(), None)
    plan = plan_order(desk, order)
    if order.price:
        return Entry(order.lock_needed(), plan)
    if order.side is Side.BUY:
        return Entry(max(plan.quote, order.quote_amount), plan)
    return Entry(order.amount, plan)


def _set_lock_price(desk: Desk, order: WorkingOrder) -> None:
    """Waiting buys without a price lock funds at their stop price, trailing ones without that at the last price. The
    exchange does not say (section 18): `VenueSettings.stop_lock_margin` makes it more."""
    if order.trailing_delta is not None and not order.stop_price and desk.last_price is None:
        raise refusals.no_depth()
    if not order.price:
        price = order.stop_price or desk.last_price or ZERO
        order.lock_price = multiply_exact(price, ONE + desk.settings.stop_lock_margin)


def plan_order(desk: Desk, order: WorkingOrder, budget: Decimal | None = None) -> Plan:
    """What the order meets, with no more than `budget` of quote where it has no price. A limit order that reaches
    nothing is told so without a look at the levels."""
    if order.price and not _may_match(desk, order.side, order.price):
        return _NOTHING
    in_quote = order.quote_amount or None
    demand = Demand(
        order.account,
        order.side,
        order.self_trade_prevention,
        order.price or None,
        None if in_quote else order.remaining,
        in_quote or budget,
    )
    plan = plan_matches(desk, demand)
    if in_quote:
        _size_by_quote(desk, order, plan)
    return plan


def _may_match(desk: Desk, side: Side, price: Decimal) -> bool:
    if side is Side.BUY:
        best = desk.book.asks.best
        meets = best is not None and price >= best
    else:
        best = desk.book.bids.best
        meets = best is not None and price <= best
    return meets or (desk.ambient if desk.recorded is None else desk.recorded).may_match(side, price)


def _size_by_quote(desk: Desk, order: WorkingOrder, plan: Plan) -> None:
    """A market order sized in quote becomes one over the amount that quote pays for."""
    if plan.amount:
        check_lot_sizes(plan.amount, desk.market.rules, desk.filters, is_market=True)
    elif not (plan.is_exhausted or plan.meets_anything):
        raise refusals.filter_failure("LOT_SIZE")
    order.resize(plan.amount + plan.prevented)


def refuse_entry(desk: Desk, order: WorkingOrder, entry: Entry) -> None:
    """Post-only orders must not take, and stop prices must lie ahead of the market."""
    if order.type == "LIMIT_MAKER" and entry.plan is not None and entry.plan.steps:
        raise refusals.would_take()
    if entry.plan is None and order.stop_price and _is_met(desk, order):
        raise refusals.would_trigger()


def _is_met(desk: Desk, order: WorkingOrder) -> bool:
    price = desk.last_price
    if price is None:
        return False
    return price >= order.stop_price if order.triggers_above else price <= order.stop_price


# --- entering the market -----------------------------------------------------------------------------


def start_trailing(step: Step, order: WorkingOrder) -> None:
    """A trailing order without a stop price follows the market from its placement on."""
    price = step.desk.last_price
    if order.trailing_delta is not None and not order.stop_price and price is not None:
        order.follow(price, step.now)


def enter(step: Step, order: WorkingOrder, entry: Entry) -> None:
    """Wait for the trigger, or match and rest."""
    if entry.plan is not None:
        work(step, order, entry.plan)
        return
    step.desk.waiting.add(order)


def work(step: Step, order: WorkingOrder, plan: Plan) -> None:
    """Match; then the rest either stands in the book or ends."""
    time_in_force = order.time_in_force
    if time_in_force is TimeInForce.FOK and plan.amount < order.remaining:
        expire(step, order, "UNFILLED_FOK_ORDER_EXPIRED")
        return
    if plan.steps:
        execute_plan(step, order, plan)
    if not order.price:
        _end_market_order(step, order, plan)
    elif order.status.is_final:
        return
    elif time_in_force is TimeInForce.IOC:
        expire(step, order, "UNFILLED_IOC_QUANTITY_EXPIRED")
    else:
        step.desk.book.side(order.side).add(order)
        if step.desk.publishes:
            step.touch_level(order.side, order.price)


def _end_market_order(step: Step, order: WorkingOrder, plan: Plan) -> None:
    """Nothing of it rests: what the book or, after a trigger, the funds did not suffice for expires."""
    if plan.is_exhausted:
        expire(step, order, "INSUFFICIENT_LIQUIDITY")
    elif order.is_open:
        close(step, order, OrderStatus.EXPIRED, "EXPIRED", "REJECTED")
    elif order.locked:
        # Sized in quote or locked at a stop price: some of it was not needed.
        set_lock(step, order, ZERO)
