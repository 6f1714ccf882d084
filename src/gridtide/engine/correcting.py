"""Trade records win: a fill that an event or a reply told otherwise is booked as the record has it (R9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect
from gridtide.domain.journal import FillCorrected, PauseReason
from gridtide.domain.ledger import DUST
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.money import ZERO, tidy
from gridtide.engine import lost_history
from gridtide.engine.fill_values import fee_price, received

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder


def confirm(state: EngineState, order: TrackedOrder, booked: Fill, record: Fill) -> None:
    """Compare a booked fill with its trade record; where they differ, the books follow the record, once."""
    if (
        booked.amount == record.amount
        and booked.price == record.price
        and booked.quote_amount == record.quote_amount
        and booked.fee == record.fee
        and booked.is_maker == record.is_maker
        and booked.side is record.side
    ):
        return
    if not lost_history.is_another(state, booked, record):
        _correct(state, order, booked, booked.corrected_by(record))


def _correct(state: EngineState, order: TrackedOrder, booked: Fill, fill: Fill) -> None:
    """Base that turns up goes to the order's slot while it is open, else to the remainders."""
    owner = order.slot.key if order.is_live else DUST
    price = fee_price(state, booked) or fee_price(state, fill)
    try:
        change = state.ledger.correct(booked, fill, owner, state.now, price)
    except Defect as error:
        state.pause(PauseReason.INTEGRITY, f"the record of fill {fill.trade_id}: {error}")
        return
    order.fills[fill.key] = fill
    if order.is_live:
        state.orders.release(order, min(order.reserved, order.used_by(fill) - order.used_by(booked)))
    _follow(order, booked, fill)
    order.received += received(state, fill) - received(state, booked)
    state.orders.touch(order)
    state.write(FillCorrected(fill))
    state.book_change(change)
    state.notice("warning", "fill.corrected", _sentence(booked, fill))
    if order.filled_amount > order.intent.amount:
        state.pause(PauseReason.INTEGRITY, f"{order.client_order_id} executed more than it asked for")


def _follow(order: TrackedOrder, booked: Fill, fill: Fill) -> None:
    """The order's sums. What its status told came from where the fill came from: it falls with the fill, rises again
    with the next look at the order, and of an order that is over the records have the last word (I3)."""
    amount, quote = fill.amount - booked.amount, fill.quote_amount - booked.quote_amount
    order.filled_amount += amount
    order.filled_quote += quote
    if order.state is IntentState.SETTLED:
        order.executed_amount, order.executed_quote = order.filled_amount, order.filled_quote
        return
    order.executed_amount = max(order.executed_amount + min(amount, ZERO), order.filled_amount)
    if order.executed_quote >= 0:
        order.executed_quote = max(order.executed_quote + min(quote, ZERO), order.filled_quote)


def _sentence(booked: Fill, fill: Fill) -> str:
    return (
        f"the trade record of fill {fill.trade_id} has {_words(fill)}, it was told as {_words(booked)}: the books "
        "follow the record"
    )


def _words(fill: Fill) -> str:
    role = "maker" if fill.is_maker else "taker"
    return f"{tidy(fill.amount)} at {tidy(fill.price)} ({role}, fee {tidy(fill.fee.amount)} {fill.fee.asset})"
