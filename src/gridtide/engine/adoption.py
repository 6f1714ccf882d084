"""An order with our id that no row knows (T22): taken in as a ZOMBIE, and the bot waits for a person."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidValue
from gridtide.domain.journal import PauseReason
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, Amount, Price
from gridtide.domain.order import OrderIntent, OrderType
from gridtide.engine import order_ids
from gridtide.engine.tracked_order import TrackedOrder

if TYPE_CHECKING:
    from gridtide.domain.order import OrderUpdate
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
        order_type = OrderType(update.type)
    except ValueError:
        order_type = OrderType.LIMIT
    try:
        intent = OrderIntent(
            decoded.slot, update.symbol, order_type, Price(update.price), Amount(update.amount)
        )
    except InvalidValue:
        return None
    order = TrackedOrder(
        client_order_id=update.client_order_id,
        intent=intent,
        cycle=decoded.cycle,
        attempt=decoded.attempt,
        state=IntentState.ZOMBIE,
        reserved_asset=state.market.quote,
        reserved=Decimal(ZERO),
        created_at=state.now,
        updated_at=state.now,
        tx_count=1,
        due_at=Timestamp(state.now + state.settings.times.poll),
    )
    state.orders.adopt(order)
    slot.zombies += 1
    slot.cycle, slot.attempt = max((slot.cycle, slot.attempt), (decoded.cycle, decoded.attempt))
    state.slots.touch(slot)
    state.pause(PauseReason.INTEGRITY, f"{update.client_order_id} is ours, but no row knows it")
    return order
