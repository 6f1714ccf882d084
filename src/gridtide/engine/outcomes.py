"""What the exchange showed of our orders, applied: sightings move states, executions move money.

Only execution records make fills (R9); an order is settled when its fills add up to it (I3, T19).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.commands import ReadFills
from gridtide.domain.errors import Defect
from gridtide.domain.journal import FillAdded, PauseReason
from gridtide.domain.ledger import DUST
from gridtide.domain.lifecycle import IntentEvent, IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount
from gridtide.domain.order import OrderStatus, Side
from gridtide.engine import correcting, late_orders, lost_history, placing, whose_fill
from gridtide.engine.adoption import adopt_unknown
from gridtide.engine.fill_values import fee_price, received
from gridtide.strategies.protocol import Ending, SettledOrder

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.order import OrderUpdate
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder

_CLOSED = (IntentState.CLOSING, IntentState.ZOMBIE)
"""No sighting moves them any more; their fills do."""


def see_order(state: EngineState, update: OrderUpdate) -> TrackedOrder | None:
    """Apply a sighting (T5, T6, T9, T13, T14, T16, T21, T22). Returns the order if it is ours."""
    order = state.orders.find(update.client_order_id, update.order_id)
    if order is None:
        order = adopt_unknown(state, update)
        if order is None:
            return None
    if not _matches(state, order, update):
        return order
    if order.state.is_terminal:
        _contradiction(state, order, update)
        return order
    if order.state is IntentState.PLANNED:  # fencing, layer 7: we did not cause it
        state.pause(
            PauseReason.INTEGRITY,
            f"{order.client_order_id} is at the exchange although we never sent it: does another instance run?",
        )
        return order
    if order.order_id != update.order_id and not _learn_order_id(state, order, update.order_id):
        return order
    if _is_stale(order, update):
        return order
    if _learn(order, update):
        state.orders.touch(order)
    _move(state, order, update)
    return order


def see_fill(state: EngineState, fill: Fill, source: str) -> bool:
    """Book an execution once (I4); False while it cannot be booked and the records before it must be read again."""
    order = state.orders.find(fill.client_order_id, fill.order_id)
    if order is None:
        return whose_fill.see_fill_of_unknown_order(state, fill, source)
    booked = order.fills.get(fill.key)
    if booked is not None:
        if source == "records" and booked is not fill:
            correcting.confirm(state, order, booked, fill)
        return True
    if order.state is IntentState.SETTLED:
        _zombie(state, order, f"a fill ({fill.trade_id}) beyond what it executed")
    elif order.state.is_terminal:
        _zombie(state, order, f"a fill ({fill.trade_id}) of an order that was not to exist")
    if order.order_id != fill.order_id and not _learn_order_id(state, order, fill.order_id):
        return False
    if lost_history.goes_back(state, fill):
        return False
    return _book(state, order, fill, source)


def settle(state: EngineState, order: TrackedOrder, *, just_read: bool = False) -> None:
    """T19, T23: the step to SETTLED, once the fills add up to a final, recognised status; else ask for them: at once,
    or after a while where they have `just_read` and some are late (F28, F51)."""
    if order.state not in _CLOSED:
        return
    if order.status is None or not order.status.is_final:
        return
    complete = order.fills_add_up and not (
        order.status is OrderStatus.FILLED and order.executed_amount != order.intent.amount
    )
    if not complete or order.status is OrderStatus.UNRECOGNISED:
        state.orders.look_again(order, Timestamp(state.now + state.settings.times.poll))
        if not just_read:
            state.order(ReadFills(state.market.symbol, state.cursor.safe))
        return
    if order.state is IntentState.ZOMBIE:
        late_orders.settle(state, order)
        return
    ending = _ending(order)
    state.orders.move(order, IntentEvent.FILLS_COMPLETE, state.now)
    slot = placing.free_slot(state, order)
    if not order.filled_amount and placing.gave_way(state, order):
        return
    if ending is Ending.CANCELLED_OUTSIDE:
        slot.held = True
        state.slots.touch(slot)
        text = f"the order at {order.intent.price} was cancelled by somebody else; its level waits for resume"
        state.notice("alarm", "order.cancelled_outside", f"{order.slot}: {text}")
    state.reports.append(
        SettledOrder(
            order.intent.slot,
            order.intent.price,
            order.intent.amount,
            Amount(order.filled_amount),
            order.filled_quote,
            order.received,
            ending,
        )
    )


def _matches(state: EngineState, order: TrackedOrder, update: OrderUpdate) -> bool:
    """T9's guard: an order under our id that is not what we wished for stops the bot."""
    intent = order.intent
    if (
        update.symbol == intent.symbol
        and update.side is intent.slot.side
        and (intent.price is None or intent.price == update.price)
        and update.amount == intent.amount
    ):
        return True
    detail = f"{order.client_order_id} at the exchange is {update.side} {update.amount} at {update.price}, not ours"
    state.pause(PauseReason.INTEGRITY, detail)
    return False


def _learn_order_id(state: EngineState, order: TrackedOrder, order_id: str) -> bool:
    """Note the exchange's id; a second one for the same wish breaks I2 and stops the bot, not the process."""
    if order_id and order.order_id not in ("", order_id):
        detail = (
            f"{order.client_order_id} stands for two orders at the exchange, {order.order_id} and {order_id}"
        )
        state.pause(PauseReason.INTEGRITY, detail)
        return False
    if order_id and not order.order_id and lost_history.reuses_number(state, order, order_id):
        return False
    state.orders.learn_order_id(order, order_id)
    return True


def _is_stale(order: TrackedOrder, update: OrderUpdate) -> bool:
    """T13: cumulative values and the status rank never fall, so late events and stale reads change nothing."""
    if order.status is None:
        return False
    if update.status.rank < order.status.rank:
        return True
    return update.executed_amount < order.executed_amount


def _learn(order: TrackedOrder, update: OrderUpdate) -> bool:
    """Take over status and cumulative values; whether they are news."""
    is_news = update.status is not order.status
    order.status = update.status
    if update.executed_amount > order.executed_amount:
        order.executed_amount, is_news = update.executed_amount, True
    if update.executed_quote > order.executed_quote:
        order.executed_quote, is_news = update.executed_quote, True
    return is_news


def _move(state: EngineState, order: TrackedOrder, update: OrderUpdate) -> None:
    if update.status.is_final:
        event = IntentEvent.SEEN_FINAL
        if update.expiry_reason:
            order.reason = update.expiry_reason
    else:
        event = IntentEvent.SEEN_PARTIAL if order.executed_amount else IntentEvent.SEEN_OPEN
    is_open_already = event is IntentEvent.SEEN_OPEN and order.state.rests_at_exchange
    if not is_open_already and order.state not in _CLOSED:
        state.orders.move(order, event, state.now)
    if update.status is OrderStatus.UNRECOGNISED:
        text = f"{order.client_order_id} has the unknown status {update.status_text}"
        state.notice("alarm", "order.unknown_status", text)
    if order.state.rests_at_exchange:
        state.slots.get(order.intent.slot).refusals = 0
        if order.due_at is not None:
            state.orders.look_again(order, None)
        if order.cancel_requested:
            placing.request_cancel(state, order)


def ask_for_missing_fills(state: EngineState, order: TrackedOrder) -> None:
    """An order shows more executed than is booked: the records have the rest."""
    if order.filled_amount < order.executed_amount and order.state is not IntentState.CLOSING:
        state.orders.look_again(order, Timestamp(state.now + state.settings.times.poll))
        state.order(ReadFills(state.market.symbol, state.cursor.safe))


def _book(state: EngineState, order: TrackedOrder, fill: Fill, source: str) -> bool:
    """False where the books cannot take it: an event is missing, the bot stops, the records keep the fill (F44).

    A ZOMBIE's purchase joins the remainders, and its strategy is not told, before it is over and clear whether it
    serves a wish (T23).
    """
    is_zombie = order.state is IntentState.ZOMBIE
    owner = DUST if is_zombie and fill.side is Side.BUY else order.intent.slot.key
    try:
        change = state.ledger.book(fill, owner, fee_price(state, fill))
    except Defect as error:
        state.pause(PauseReason.INTEGRITY, f"fill {fill.trade_id}: {error}")
        return False
    order.fills[fill.key] = fill
    state.orders.release(order, order.release_for(fill))
    order.filled_amount += fill.amount
    order.filled_quote += fill.quote_amount
    order.received += received(state, fill)
    if order.filled_amount > order.intent.amount:
        state.pause(PauseReason.INTEGRITY, f"{order.client_order_id} executed more than it asked for")
    if order.filled_amount > order.executed_amount:
        order.executed_amount, order.executed_quote = order.filled_amount, order.filled_quote
        if order.state is IntentState.OPEN:
            state.orders.move(order, IntentEvent.SEEN_PARTIAL, state.now)
            order.status = OrderStatus.PARTIALLY_FILLED
    state.write(FillAdded(fill, source))
    state.book_change(change)
    if not is_zombie:
        state.reports.append(fill)
    state.fill_count += 1
    state.safe_candidates.append((fill.timestamp, fill.trade_id))
    if not state.ledger.is_balanced:
        state.pause(PauseReason.INTEGRITY, "the books do not balance")
    return True


def _ending(order: TrackedOrder) -> Ending:
    if order.status is OrderStatus.FILLED:
        return Ending.FILLED
    if order.status is OrderStatus.CANCELED:
        return Ending.CANCELLED if order.cancel_requested else Ending.CANCELLED_OUTSIDE
    return Ending.EXPIRED


def _contradiction(state: EngineState, order: TrackedOrder, update: OrderUpdate) -> None:
    """T21, seen by a status: late and repeated old messages about a settled order are none."""
    if order.state is IntentState.SETTLED:
        if update.order_id == order.order_id and update.executed_amount <= order.filled_amount:
            return
        if update.order_id != order.order_id:
            state.pause(PauseReason.INTEGRITY, f"{order.client_order_id} exists twice at the exchange")
            return
    elif order.state is IntentState.REJECTED and update.status is OrderStatus.REJECTED:
        return
    _zombie(state, order, f"it shows as {update.status_text or update.status} although it was {order.state}")
    if not _learn_order_id(state, order, update.order_id):
        return
    _learn(order, update)
    if not update.status.is_final:
        placing.send_cancel(state, order)


def _zombie(state: EngineState, order: TrackedOrder, detail: str) -> None:
    state.orders.move(order, IntentEvent.CONTRADICTED, state.now)
    state.slots.get(order.slot).zombies += 1
    state.orders.look_again(order, Timestamp(state.now + state.settings.times.poll))
    state.pause(PauseReason.INTEGRITY, f"{order.client_order_id}: {detail}")


def attribute_fills(state: EngineState, order_id: str, client_order_id: str) -> None:
    """A query named the order of fills that were waiting: ours are booked, somebody else's are left to the records,
    from which the baseline learns of them (F21)."""
    waiting = state.unattributed.pop(order_id, None)
    if waiting is None:
        return
    order = state.orders.find(client_order_id, order_id)
    if order is None:
        whose_fill.note_foreign_order(state, order_id)
        state.order(ReadFills(state.market.symbol, state.cursor.safe))
        return
    for fill in waiting.fills:
        see_fill(state, fill, "records")
    settle(state, order)
