"""Orders with our id that no row knows: a ZOMBIE while the bot runs (T22), a row like any other in a rebuild."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect, InvalidValue
from gridtide.domain.journal import PauseReason
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, Amount, Price
from gridtide.domain.order import OrderIntent, OrderStatus, OrderType
from gridtide.engine import order_ids
from gridtide.engine.tracked_order import TrackedOrder
from gridtide.risk.funds import reservation

if TYPE_CHECKING:
    from gridtide.domain.order import OrderUpdate
    from gridtide.engine.order_ids import DecodedId
    from gridtide.engine.slot_book import SlotState
    from gridtide.engine.state import EngineState


def adopt_unknown(state: EngineState, update: OrderUpdate) -> TrackedOrder | None:
    """The adopted order, or None for somebody else's (recorded by its fills only, never touched: F21)."""
    decoded = order_ids.decode(update.client_order_id)
    if decoded is None or decoded.bot_code != state.orders.bot_code:
        return None
    slot = state.slots.get(decoded.slot)
    if (decoded.cycle, decoded.attempt) < (slot.cycle, slot.attempt) and update.status.is_final:
        return None  # an old order, settled and forgotten long ago
    try:
        order = _from_sighting(state, update, decoded, IntentState.ZOMBIE)
    except InvalidValue:
        return None
    order.due_at = Timestamp(state.now + state.settings.times.poll)
    state.orders.adopt(order)
    slot.zombies += 1
    _note_counters(state, slot, order)
    state.pause(PauseReason.INTEGRITY, f"{update.client_order_id} is ours, but no row knows it")
    return order


def take_in(state: EngineState, update: OrderUpdate) -> TrackedOrder:
    """An order of ours from the exchange's records, put where it stood when it was placed, in place of the wish that
    stands for it there. One that ended without a fill only leaves its id and its counters.

    For a rebuild, where orders come in the order they were placed and their slots are free. Raises `Defect` for an
    order that is not ours or does not fit, `InvalidValue` for one with numbers no order can have.
    """
    decoded = order_ids.decode(update.client_order_id)
    if decoded is None or decoded.bot_code != state.orders.bot_code:
        raise Defect(f"{update.client_order_id} is no order of this bot")
    slot = state.slots.get(decoded.slot)
    is_void = update.status.is_final and not update.executed_amount
    order = _from_sighting(state, update, decoded, IntentState.SETTLED if is_void else IntentState.OPEN)
    order.order_id = update.order_id
    order.status = update.status if is_void else OrderStatus.NEW
    if not is_void:
        if slot.live is not None:
            raise Defect(f"{update.client_order_id} was placed before {slot.live.client_order_id} had ended")
        if slot.wish is not None:
            state.slots.unpark(slot)
        reserved = reservation(order.intent, state)
        if reserved is not None:
            order.reserved_asset, order.reserved = reserved
        slot.live = order
    state.orders.adopt(order)
    _note_counters(state, slot, order)
    return order


def _from_sighting(
    state: EngineState, update: OrderUpdate, decoded: DecodedId, at: IntentState
) -> TrackedOrder:
    try:
        order_type = OrderType(update.type)
    except ValueError:
        order_type = OrderType.LIMIT
    price = None if order_type is OrderType.MARKET else Price(update.price)
    return TrackedOrder(
        client_order_id=update.client_order_id,
        intent=OrderIntent(decoded.slot, update.symbol, order_type, price, Amount(update.amount)),
        cycle=decoded.cycle,
        attempt=decoded.attempt,
        state=at,
        reserved_asset=state.market.quote,
        reserved=Decimal(ZERO),
        created_at=state.now,
        updated_at=state.now,
        tx_count=1,
    )


def _note_counters(state: EngineState, slot: SlotState, order: TrackedOrder) -> None:
    """No id is ever used again: the slot's counters are at least those of the order."""
    slot.cycle, slot.attempt = max((slot.cycle, slot.attempt), (order.cycle, order.attempt))
    state.slots.touch(slot)
