"""An execution's consequences: funds move, the fee is taken, the fill is written down, the public sees a trade.

The buyer pays exactly what the seller receives, and what an order has locked always covers its rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue.contingency import after_end, engage
from gridtide.venue.fees import charge_fee
from gridtide.venue.matching import Match
from gridtide.venue.messages import VenueFill
from gridtide.venue.prevention import prevent_self_trade
from gridtide.venue.rounding import multiply_cut

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Market
    from gridtide.venue.matching import Plan
    from gridtide.venue.order_list import OrderList
    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder


def execute_plan(step: Step, taker: WorkingOrder, plan: Plan) -> None:
    """Make everything the plan meets happen, in turn."""
    for met in plan.steps:
        if isinstance(met, Match):
            _trade(step, taker, met)
        else:
            prevent_self_trade(step, taker, met.maker, met.amount)


def _trade(step: Step, taker: WorkingOrder, match: Match) -> None:
    trade_id = step.desk.next_trade_id()
    maker_side = taker.side.opposite
    step.touch_level(maker_side, match.level_price)
    if match.maker is not None:
        _execute_resting(step, match.maker, match.amount, trade_id)
    else:
        step.desk.take_outside(maker_side, match.level_price, match.amount)
    fill = _settle(step, taker, match.price, match.amount, trade_id, is_maker=False)
    if match.maker is None:
        step.desk.trade_with_outside(taker.side, fill.amount, fill.quote_amount)
    maker_id = match.maker.order_id if match.maker is not None else 0
    buyer_id, seller_id = (taker.order_id, maker_id) if taker.side is Side.BUY else (maker_id, taker.order_id)
    step.print_trade(trade_id, match.price, match.amount, taker.side, buyer_id, seller_id)


def fill_resting(step: Step, order: WorkingOrder, amount: Decimal) -> None:
    """The walking market takes `amount` of a resting order at the order's own price."""
    desk = step.desk
    trade_id = desk.next_trade_id()
    if desk.publishes:
        step.touch_level(order.side, order.price)
    fill = _execute_resting(step, order, amount, trade_id)
    desk.trade_with_outside(order.side, amount, fill.quote_amount)
    if not desk.publishes and not desk.waiting.any:
        desk.last_price = order.price
    elif order.side is Side.BUY:
        step.print_trade(trade_id, order.price, amount, Side.SELL, buyer_order_id=order.order_id)
    else:
        step.print_trade(trade_id, order.price, amount, Side.BUY, seller_order_id=order.order_id)


def _execute_resting(step: Step, order: WorkingOrder, amount: Decimal, trade_id: int) -> VenueFill:
    if order.order_list is not None:
        engage(step, order)
    step.desk.book.side(order.side).reduce(order, amount)
    return _settle(step, order, order.price, amount, trade_id, is_maker=True)


def _settle(
    step: Step, order: WorkingOrder, price: Decimal, amount: Decimal, trade_id: int, *, is_maker: bool
) -> VenueFill:
    desk, account, now = step.desk, order.account, step.now
    market = desk.market
    quote = multiply_cut(price, amount)
    order.execute(amount, quote, now)
    _move_funds(order, market, amount, quote)
    fee, fee_asset = charge_fee(desk, account, order.side, amount, quote, is_maker=is_maker, now=now)
    fill = VenueFill(
        account.account_id,
        market.symbol,
        trade_id,
        order.order_id,
        order.client_order_id,
        order.side,
        price,
        amount,
        quote,
        fee,
        fee_asset,
        is_maker,
        now,
    )
    account.records[market.symbol].note_fill(order, fill)
    step.change_order(order, "TRADE", fill)
    if desk.tells_balances:
        step.touch_balances(account, *dict.fromkeys((market.base, market.quote, fee_asset)))
    if order.order_list is not None:
        if order is order.order_list.working and order.order_list.pays:
            _keep_for_legs(order.order_list, market, amount, fee if fee_asset == market.base else ZERO)
        if not order.is_open:
            after_end(step, order)
    return fill


def _keep_for_legs(order_list: OrderList, market: Market, received: Decimal, fee: Decimal) -> None:
    """What the working order of an OPO bought stays locked for its legs (the exchange's OPO FAQ): without the
    commission, unless other free funds of the asset cover that and the asset is not the account's fee asset."""
    account = order_list.account
    free_before = account.free[market.base] - received + fee
    if market.base == account.fees.asset or free_before < fee:
        received -= fee
    account.lock(market.base, received)
    order_list.locked += received


def _move_funds(order: WorkingOrder, market: Market, amount: Decimal, quote: Decimal) -> None:
    """Pay from what the order had locked, release what a better price left over, credit the proceeds."""
    account = order.account
    gives, gets = market.base, market.quote
    paid, received = amount, quote
    if order.side is Side.BUY:
        gives, gets, paid, received = gets, gives, quote, amount
    if not order.price:
        keeps = order.locked - paid
    elif order.remaining:
        keeps = order.lock_needed()
    else:
        keeps = ZERO
    released = order.locked - keeps
    order.locked = keeps
    account.locked[gives] -= released
    account.free[gives] += released - paid
    account.free[gets] += received
