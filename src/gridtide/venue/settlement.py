"""An execution's consequences: funds move, the fee is taken, the fill is written down, the public sees a trade.

The buyer pays exactly what the seller receives, and what an order has locked always covers its rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO, notional
from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.fees import charge_fee
from gridtide.venue.messages import VenueFill
from gridtide.venue.rounding import cut_to_precision

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Asset, Market
    from gridtide.venue.matching import Match, Plan
    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder


def execute_plan(step: Step, taker: WorkingOrder, plan: Plan) -> None:
    """Make every match of the plan happen, then expire the own orders that stood in the way."""
    for match in plan.matches:
        _trade(step, taker, match)
    for maker in plan.prevented:
        prevent_self_trade(step, maker)


def _trade(step: Step, taker: WorkingOrder, match: Match) -> None:
    trade_id = step.desk.next_trade_id()
    maker_side = taker.side.opposite
    step.touch_level(maker_side, match.level_price)
    if match.maker is not None:
        _execute_resting(step, match.maker, match.amount, trade_id)
    else:
        step.desk.ambient.take(maker_side, match.level_price, match.amount)
    fill = _settle(step, taker, match.price, match.amount, trade_id, is_maker=False)
    if match.maker is None:
        step.desk.trade_with_outside(taker.side, fill.amount, fill.quote_amount)
    maker_id = match.maker.order_id if match.maker is not None else 0
    buyer_id, seller_id = (taker.order_id, maker_id) if taker.side is Side.BUY else (maker_id, taker.order_id)
    step.print_trade(trade_id, match.price, match.amount, taker.side, buyer_id, seller_id)


def fill_resting(step: Step, order: WorkingOrder, amount: Decimal) -> None:
    """The walking market takes `amount` of a resting order at the order's own price."""
    trade_id = step.desk.next_trade_id()
    step.touch_level(order.side, order.price)
    fill = _execute_resting(step, order, amount, trade_id)
    step.desk.trade_with_outside(order.side, fill.amount, fill.quote_amount)
    if order.side is Side.BUY:
        step.print_trade(trade_id, order.price, amount, Side.SELL, buyer_order_id=order.order_id)
    else:
        step.print_trade(trade_id, order.price, amount, Side.BUY, seller_order_id=order.order_id)


def _execute_resting(step: Step, order: WorkingOrder, amount: Decimal, trade_id: int) -> VenueFill:
    step.desk.book.side(order.side).reduce(order, amount)
    return _settle(step, order, order.price, amount, trade_id, is_maker=True)


def _settle(
    step: Step, order: WorkingOrder, price: Decimal, amount: Decimal, trade_id: int, *, is_maker: bool
) -> VenueFill:
    desk, account = step.desk, order.account
    market = desk.market
    quote = cut_to_precision(notional(price, amount))
    order.execute(amount, quote, step.now)
    _move_funds(order, market, amount, quote)
    fee, fee_asset = charge_fee(
        account, market, order.side, amount, quote, is_maker=is_maker, price_of=desk.price_of
    )
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
        step.now,
    )
    account.records[market.symbol].note_fill(order, fill)
    step.change_order(order, "TRADE", fill)
    step.touch_balances(account, market.base, market.quote, fee_asset)
    return fill


def _move_funds(order: WorkingOrder, market: Market, amount: Decimal, quote: Decimal) -> None:
    """Pay from what the order had locked, release what a better price left over, credit the proceeds."""
    account = order.account
    gives, gets = market.base, market.quote
    paid, received = amount, quote
    if order.side is Side.BUY:
        gives, gets, paid, received = gets, gives, quote, amount
    keeps = order.lock_needed() if order.price else order.locked - paid
    released = order.locked - keeps
    order.locked = keeps
    account.locked[gives] -= released
    account.free[gives] += released - paid
    account.free[gets] += received


def lock_funds(step: Step, order: WorkingOrder, amount: Decimal) -> None:
    """Set `amount` aside for a new order."""
    asset = given_asset(order.side, step.desk.market)
    order.locked = amount
    order.account.lock(asset, amount)
    step.touch_balances(order.account, asset)


def end_order(step: Step, order: WorkingOrder, status: OrderStatus, expiry_reason: str = "") -> None:
    """Close an order that is not in the book any more and give back what it had locked; tells nobody yet."""
    asset = given_asset(order.side, step.desk.market)
    order.account.unlock(asset, order.locked)
    order.locked = ZERO
    order.end(status, step.now, expiry_reason)
    order.account.records[step.desk.market.symbol].open.pop(order.order_id, None)
    step.touch_balances(order.account, asset)


def take_off_book(step: Step, order: WorkingOrder) -> None:
    """Remove a resting order from the book."""
    step.desk.book.side(order.side).remove(order)
    step.touch_level(order.side, order.price)


def prevent_self_trade(step: Step, maker: WorkingOrder) -> None:
    """Expire a resting order that its own account would have hit."""
    take_off_book(step, maker)
    end_order(step, maker, OrderStatus.EXPIRED_IN_MATCH)
    step.change_order(maker, "TRADE_PREVENTION")


def given_asset(side: Side, market: Market) -> Asset:
    """What an order of `side` gives away."""
    return market.quote if side is Side.BUY else market.base
