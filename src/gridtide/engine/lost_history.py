"""An exchange that lost its history and counts anew, as a testnet does at a reset (F47): told, never worked with.

Order and trade ids only grow. One that comes again, or comes back, proves that the books and the exchange have no past
in common any more; a person then begins anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.journal import PauseReason

if TYPE_CHECKING:
    from gridtide.domain.events import SnapshotTaken
    from gridtide.domain.fill import Fill
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder

SAME_MOMENT = 60_000
"""How far apart, ms, an event and a record may date one execution."""


def pause(state: EngineState, evidence: str) -> None:
    """Stop for a person, with what shows it."""
    state.pause(
        PauseReason.INTEGRITY,
        f"the exchange has lost its history, as a testnet does at a reset: {evidence}; nothing is placed any more: "
        "stop the bot, move its database away and start it anew",
    )


def reuses_number(state: EngineState, order: TrackedOrder, order_id: str) -> bool:
    """Whether the exchange's id of `order` is another order's, or older than ids known when it was sent."""
    other = state.orders.find("", order_id)
    if other is not None and other is not order:
        pause(
            state, f"it gave {order.client_order_id} the number {order_id}, which {other.client_order_id} had"
        )
        return True
    grows = state.settings.order_numbers_grow and order_id.isdigit()
    if grows and int(order_id) <= order.numbers_before:
        pause(state, f"it gave {order.client_order_id} the number {order_id} after {order.numbers_before}")
        return True
    return False


def goes_back(state: EngineState, fill: Fill) -> bool:
    """Whether a new execution has a smaller id than one that is older than the safe age."""
    if fill.trade_id >= state.cursor.safe or fill.timestamp <= state.now - state.settings.times.safe_age:
        return False
    pause(state, f"its execution of just now is number {fill.trade_id}, an old one was {state.cursor.safe}")
    return True


def is_another(state: EngineState, booked: Fill, record: Fill) -> bool:
    """Whether a record under the key of a booked fill is about something else."""
    if record.side is booked.side and abs(record.timestamp - booked.timestamp) <= SAME_MOMENT:
        return False
    pause(state, f"its execution {record.trade_id} of order {record.order_id} is not the one that is booked")
    return True


def see_start(state: EngineState, newest_trade_id: int) -> None:
    """At a start the account shows its newest execution. One read is no proof; the round that follows is (R7)."""
    state.reset_suspected = newest_trade_id + 1 < state.cursor.safe


def see_round(state: EngineState, snapshot: SnapshotTaken) -> None:
    """Executions, or orders that rested for long, which a whole round of reads does not know any more."""
    if not snapshot.stable:
        return
    if state.reset_suspected and not snapshot.fills:
        pause(state, f"it has no execution as new as {state.cursor.safe}, which is booked")
    state.reset_suspected = False
    long_ago = state.now - state.settings.times.alarm
    for name in snapshot.not_found:
        order = state.orders.find(name)
        if order is not None and order.state.rests_at_exchange and order.updated_at < long_ago:
            pause(state, f"it does not know {name}, which rested there")
            return
