"""The end of an order that should not have existed (T23): what it executed counts for the wish it was sent for.

That wish is not placed again beside it, and a newer attempt at it is cancelled first. What serves no wish any more
joins the remainders, which the next sell takes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.ledger import DUST
from gridtide.domain.lifecycle import IntentEvent
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, tidy
from gridtide.domain.order import Side
from gridtide.engine import placing
from gridtide.strategies.protocol import Ending, SettledOrder

if TYPE_CHECKING:
    from gridtide.domain.order import OrderIntent
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder


def settle(state: EngineState, order: TrackedOrder) -> None:
    """A ZOMBIE is final and its fills are complete. It stays one while a newer attempt may still execute."""
    slot = state.slots.get(order.slot)
    serves = bool(order.filled_amount) and order.cycle == slot.cycle
    if serves and slot.live is not None and slot.live.cycle == order.cycle:
        if not slot.live.cancel_requested:
            placing.request_cancel(state, slot.live)
        if slot.live is not None:
            state.orders.look_again(order, Timestamp(state.now + state.settings.times.poll))
            return
    state.orders.move(order, IntentEvent.FILLS_COMPLETE, state.now)
    placing.free_slot(state, order)
    slot.zombies = max(0, slot.zombies - 1)
    wish = slot.wish if serves else None
    if wish is not None:
        state.slots.unpark(slot)
        _count(state, order, wish)
    _tell(state, order, served=wish is not None)


def _count(state: EngineState, order: TrackedOrder, wish: OrderIntent) -> None:
    """The strategy hears of the late order as of the one it wished for."""
    if order.side is Side.BUY:
        amount = Amount(min(order.received, state.ledger.owned(DUST)))
        entry_id = f"late:{order.client_order_id}"
        state.book_change(state.ledger.assign(DUST, order.slot.key, amount, entry_id, state.now))
    state.reports.extend(order.fills[key] for key in sorted(order.fills))
    filled = Amount(order.filled_amount)
    ending = Ending.FILLED if filled >= wish.amount else Ending.EXPIRED
    state.reports.append(
        SettledOrder(order.slot, wish.price, wish.amount, filled, order.filled_quote, order.received, ending)
    )


def _tell(state: EngineState, order: TrackedOrder, *, served: bool) -> None:
    what = f"{order.client_order_id}, which should not have existed, is over"
    if not order.filled_amount:
        state.notice("warning", "order.zombie", f"{what}: nothing of it was executed")
        return
    verb = "bought" if order.side is Side.BUY else "sold"
    text = f"{what}: it {verb} {tidy(order.filled_amount)}, "
    if served:
        text += "which counts for its level"
    elif order.side is Side.BUY:
        text += "which goes with the next sell"
    else:
        text += "the money is free for the next buys"
    state.notice("alarm", "order.zombie", text)
