"""Self-trade prevention: what becomes of two orders of one account that would have met (the exchange's STP FAQ).

Every such meeting leaves a record, and funds are released for exactly what is prevented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.order import OrderStatus
from gridtide.venue.closing import set_lock
from gridtide.venue.contingency import close, engage
from gridtide.venue.messages import PreventedMatch
from gridtide.venue.settings import SelfTradePrevention

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder

DECREMENTS = (SelfTradePrevention.DECREMENT, SelfTradePrevention.TRANSFER)
EXPIRES_MAKER = (SelfTradePrevention.EXPIRE_MAKER, SelfTradePrevention.EXPIRE_BOTH)
EXPIRES_TAKER = (SelfTradePrevention.EXPIRE_TAKER, SelfTradePrevention.EXPIRE_BOTH)


def prevent_self_trade(step: Step, taker: WorkingOrder, maker: WorkingOrder, amount: Decimal) -> None:
    """The taker's mode decides whose rest expires; to decrement takes `amount` from both."""
    mode = taker.self_trade_prevention
    of_maker = maker.remaining if mode in EXPIRES_MAKER else amount if mode in DECREMENTS else None
    of_taker = taker.remaining if mode in EXPIRES_TAKER else amount if mode in DECREMENTS else None
    record = PreventedMatch(
        taker.account.account_id,
        taker.symbol,
        step.desk.next_prevented_id(),
        taker.order_id,
        maker.order_id,
        mode.value,
        maker.price,
        of_taker,
        of_maker,
        step.now,
        min(amount, taker.remaining),
    )
    taker.account.records[taker.symbol].prevented.append(record)
    step.prevented.append(record)
    if of_maker is not None:
        engage(step, maker)
        step.desk.book.side(maker.side).reduce(maker, of_maker)
        step.touch_level(maker.side, maker.price)
        _take_from(step, maker, of_maker, record)
    if of_taker is not None:
        _take_from(step, taker, of_taker, record)


def _take_from(step: Step, order: WorkingOrder, amount: Decimal, record: PreventedMatch) -> None:
    order.prevent(amount, record.match_id, step.now)
    if not order.remaining:
        close(step, order, OrderStatus.EXPIRED_IN_MATCH, "TRADE_PREVENTION", prevented=record)
        return
    if order.price:
        set_lock(step, order, order.lock_needed())
    step.change_order(order, "TRADE_PREVENTION", prevented=record)
