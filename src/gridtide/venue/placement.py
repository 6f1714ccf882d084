"""The life of a new order at the venue: accept or refuse, match what it meets, then rest or expire.

A refusal changes nothing; the checks run in the exchange's order (protocol document, 18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.market import MarketStatus
from gridtide.domain.money import ZERO
from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.venue import refusals
from gridtide.venue.filters import check_lot_sizes
from gridtide.venue.matching import Demand, Plan, plan_matches
from gridtide.venue.settings import SelfTradePrevention
from gridtide.venue.settlement import end_order, execute_plan, given_asset, lock_funds
from gridtide.venue.working_order import WorkingOrder

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import NewOrder
    from gridtide.venue.step import Step

_NOTHING = Plan()


def place(step: Step, account: Account, request: NewOrder) -> WorkingOrder:
    """Accept a request whose parameters and filters are in order, or raise what the engine refuses."""
    desk = step.desk
    records = account.records[request.symbol]
    _check_admission(desk, account)
    order = _new_order(step, account, request)
    if records.is_open_client_id(order.client_order_id):
        raise refusals.duplicate_order()
    plan = _plan(desk, order, request)
    lock = _lock_for(order, plan)
    if lock > account.free[given_asset(order.side, desk.market)]:
        raise refusals.insufficient_balance()
    if order.type == "LIMIT_MAKER" and plan.meets_anything:
        raise refusals.would_take()
    desk.last_order_id = order.order_id
    records.add(order)
    lock_funds(step, order, lock)
    step.change_order(order, "NEW")
    _work(step, order, plan)
    return order


def _check_admission(desk: Desk, account: Account) -> None:
    if desk.market.status is not MarketStatus.TRADING:
        raise refusals.market_closed()
    limit = desk.market.rules.max_open_orders
    if limit and len(account.records[desk.market.symbol].open) >= limit:
        raise refusals.too_many_orders()


def _new_order(step: Step, account: Account, request: NewOrder) -> WorkingOrder:
    order_id = step.desk.last_order_id + 1
    prevention = request.self_trade_prevention
    return WorkingOrder(
        account,
        request.symbol,
        order_id,
        request.client_order_id or f"auto{order_id}",
        request.side,
        request.type,
        request.time_in_force or TimeInForce.GTC,
        request.price if request.price is not None else ZERO,
        request.amount if request.amount is not None else ZERO,
        request.quote_amount if request.quote_amount is not None else ZERO,
        SelfTradePrevention(prevention) if prevention else step.desk.settings.self_trade_prevention,
        step.now,
    )


def _plan(desk: Desk, order: WorkingOrder, request: NewOrder) -> Plan:
    """What the order meets. A limit order that reaches nothing is told so without a look at the levels."""
    if order.price and not _may_match(desk, order.side, order.price):
        return _NOTHING
    demand = Demand(
        order.account,
        order.side,
        order.self_trade_prevention,
        request.price,
        request.amount,
        request.quote_amount,
    )
    plan = plan_matches(desk, demand)
    if request.quote_amount is not None:
        _size_by_quote(desk, order, plan)
    return plan


def _may_match(desk: Desk, side: Side, price: Decimal) -> bool:
    best = desk.book.side(side.opposite).best_price()
    if best is not None and (price >= best if side is Side.BUY else price <= best):
        return True
    return desk.ambient.may_match(side, price)


def _size_by_quote(desk: Desk, order: WorkingOrder, plan: Plan) -> None:
    """A market order sized in quote becomes one over the amount that quote pays for."""
    if plan.amount:
        check_lot_sizes(plan.amount, desk.market.rules, is_market=True)
    elif not (plan.is_exhausted or plan.taker_expires):
        raise refusals.filter_failure("LOT_SIZE")
    order.amount = order.remaining = plan.amount


def _lock_for(order: WorkingOrder, plan: Plan) -> Decimal:
    """Limit orders lock their whole value, market orders what they are about to give."""
    if order.price:
        return order.lock_needed()
    if order.side is Side.BUY:
        return max(plan.quote, order.quote_amount)
    return order.amount


def _work(step: Step, order: WorkingOrder, plan: Plan) -> None:
    """Match; then the rest either stands in the book or ends. Triggered stop orders will enter here."""
    if order.time_in_force is TimeInForce.FOK and plan.amount < order.amount:
        _expire(step, order, "UNFILLED_FOK_ORDER_EXPIRED")
        return
    execute_plan(step, order, plan)
    if plan.taker_expires:
        end_order(step, order, OrderStatus.EXPIRED_IN_MATCH)
        step.change_order(order, "TRADE_PREVENTION")
    elif not order.price:
        _end_market_order(step, order, plan)
    elif order.is_open and order.time_in_force is TimeInForce.IOC:
        _expire(step, order, "UNFILLED_IOC_QUANTITY_EXPIRED")
    elif order.is_open:
        step.desk.book.side(order.side).add(order)
        step.touch_level(order.side, order.price)


def _end_market_order(step: Step, order: WorkingOrder, plan: Plan) -> None:
    if plan.is_exhausted:
        _expire(step, order, "INSUFFICIENT_LIQUIDITY")
    elif order.locked:
        # Sized in quote: what is left pays for less than a lot.
        end_order(step, order, OrderStatus.FILLED)


def _expire(step: Step, order: WorkingOrder, reason: str) -> None:
    end_order(step, order, OrderStatus.EXPIRED, reason)
    step.change_order(order, "EXPIRED")
