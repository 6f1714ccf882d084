"""Looking after orders whose fate is not settled: polls, cancel probes and the absence proof (T10 to T20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.commands import QueryOrder, ReadFills, TakeSnapshot
from gridtide.domain.lifecycle import IntentEvent, IntentState
from gridtide.domain.market import Timestamp
from gridtide.engine import invariants, placing, whose_fill
from gridtide.engine.exchange_health import polling_wait
from gridtide.engine.settings import ABSENCE_READS

if TYPE_CHECKING:
    from gridtide.domain.events import SnapshotTaken
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder


_AT_REST = (IntentState.PLANNED, IntentState.OPEN, IntentState.PART)


def unconfirmed(state: EngineState, order: TrackedOrder, message: str) -> None:
    """T8: from now on the order may or may not exist; look it up at once."""
    if order.state is not IntentState.SENDING:
        return
    order.reason = message
    state.orders.move(order, IntentEvent.UNCONFIRMED, state.now)
    state.notice(
        "warning", "order.unknown", f"{order.slot}: {message}; its level is blocked until it is found"
    )
    state.orders.look_again(order, state.now)


def look_after(state: EngineState, order: TrackedOrder) -> None:
    """The next thing to do about an order whose time has come."""
    state.orders.look_again(order, Timestamp(state.now + polling_wait(state, order)))
    _alarm_if_old(state, order)
    match order.state:
        case IntentState.SENDING:
            unconfirmed(state, order, "no answer within the time-out")
            _resolve_unknown(state, order)
        case IntentState.UNKNOWN:
            _resolve_unknown(state, order)
        case IntentState.CANCELLING:
            _poll_cancel(state, order)
        case IntentState.ZOMBIE if order.status is None or not order.status.is_final:
            _poll_cancel(state, order)  # T21, T22: what should not exist is cancelled until it has ended
        case IntentState.ZOMBIE | IntentState.CLOSING:
            _query(state, order)
            state.order(ReadFills(state.market.symbol, state.cursor.safe))
        case IntentState.OPEN | IntentState.PART if order.filled_amount < order.executed_amount:
            state.order(ReadFills(state.market.symbol, state.cursor.safe))
        case _:
            state.orders.look_again(order, None)


def not_found(state: EngineState, order: TrackedOrder) -> None:
    """A successful query did not know the order: evidence only after it can no longer take effect (R7)."""
    if order.state is not IntentState.UNKNOWN or not _is_dead(state, order):
        return
    order.proof.see_not_found(state.now)


def read_failed(state: EngineState, order: TrackedOrder) -> None:
    """An error is not an observation, and it spoils the reads around it (f)."""
    order.proof.reset()


def cancel_found_nothing(state: EngineState, order: TrackedOrder) -> None:
    """-2011: not open now, and nothing more (T17); part (a) of the absence proof if the request is dead."""
    if order.state is IntentState.UNKNOWN and _is_dead(state, order):
        order.proof.probed_at = state.now
    order.cancel_again_at = Timestamp(state.now + state.settings.times.cancel_again)
    state.orders.look_again(order, Timestamp(state.now + state.settings.times.poll))
    _query(state, order)


def cancel_unconfirmed(state: EngineState, order: TrackedOrder) -> None:
    """T18: ask; if it still rests once the request is dead, another DELETE follows."""
    state.orders.look_again(order, Timestamp(state.now + polling_wait(state, order)))
    _query(state, order)


def prove_absent(state: EngineState, order: TrackedOrder, snapshot: SnapshotTaken) -> None:
    """T11: parts (c) to (e) of the proof, on a snapshot asked for after the reads were complete."""
    proof = order.proof
    if order.state is not IntentState.UNKNOWN or proof.complete_at is None or not snapshot.stable:
        return
    if snapshot.balances is None or snapshot.asked_at is None or snapshot.asked_at < proof.complete_at:
        return  # a light round, or one that was under way already: its lists may be older than the reads (b)
    proof.complete_at = None
    listed = any(update.client_order_id == order.client_order_id for update in snapshot.open_orders)
    is_doubtful = whose_fill.holds_up_everything(state) or whose_fill.may_belong_to(state, order)
    if listed or is_doubtful or not _balances_exclude(state, order, snapshot):
        return
    placing.absent(state, order)


def _balances_exclude(state: EngineState, order: TrackedOrder, snapshot: SnapshotTaken) -> bool:
    """(e): on an account only we use, what is held equals the books without this order. Tells nothing, and so hinders
    nothing, while other orders are on their way, the account is shared, or a person has said that it differs."""
    others = (other for other in state.orders if other is not order)
    if any(other.state not in _AT_REST for other in others) or state.increase_halted or state.accept_account:
        return True
    return not invariants.total_differences(state, snapshot)


def waits_for_account(state: EngineState) -> bool:
    """Whether an order's absence may hang on balances alone (e): only a person can then say that they are right."""
    return any(
        order.state is IntentState.UNKNOWN
        and order.proof.probed_at is not None
        and _reads_complete(state, order)
        for order in state.orders
    )


def _resolve_unknown(state: EngineState, order: TrackedOrder) -> None:
    proof = order.proof
    if not _is_dead(state, order) or proof.probed_at is None:
        if _is_dead(state, order) or order.cancel_requested:
            placing.send_cancel(state, order)  # T10: the probe is answered by the matching engine
            state.orders.look_again(order, Timestamp(state.now + polling_wait(state, order)))
        _query(state, order)
        return
    if _reads_complete(state, order):
        proof.complete_at = proof.complete_at or state.now
        state.order(full_snapshot(state))
        return
    _query(state, order)


def full_snapshot(state: EngineState, *, full: bool = True) -> TakeSnapshot:
    """The command for a round of reads that covers every order that may exist."""
    ids = tuple(order.client_order_id for order in state.orders if order.state is not IntentState.PLANNED)
    return TakeSnapshot(state.market.symbol, state.cursor.safe, ids, full, state.now)


def _reads_complete(state: EngineState, order: TrackedOrder) -> bool:
    """(b): enough successful "does not exist" answers, spread over the read lag."""
    proof = order.proof
    if proof.first_not_found is None or proof.last_not_found is None:
        return False
    spread = proof.last_not_found - proof.first_not_found
    return proof.not_found_count >= ABSENCE_READS and spread >= state.settings.times.read_lag


def _poll_cancel(state: EngineState, order: TrackedOrder) -> None:
    if order.cancel_again_at is None or state.now >= order.cancel_again_at:
        placing.send_cancel(state, order)
        state.orders.look_again(order, Timestamp(state.now + polling_wait(state, order)))
    _query(state, order)


def _query(state: EngineState, order: TrackedOrder) -> None:
    state.order(QueryOrder(state.market.symbol, order.client_order_id))


def _is_dead(state: EngineState, order: TrackedOrder) -> bool:
    """Whether the request can no longer take effect, by the exchange's own rules and our margin."""
    return order.signed_at is not None and state.now > order.signed_at + state.settings.times.dead_after


def _alarm_if_old(state: EngineState, order: TrackedOrder) -> None:
    """T12, T20, I15: what stays open too long is told once."""
    if order.alarmed or state.now - order.updated_at < state.settings.times.alarm:
        return
    if order.state.rests_at_exchange:
        return
    order.alarmed = True
    text = f"{order.client_order_id} has been {order.state} for ten minutes"
    if waits_for_account(state):
        text += (
            "; only the account's balances speak against its absence: look at them, then `gridtide resume`"
        )
    state.notice("alarm", "order.stuck", text)


def ask_about_all(state: EngineState) -> None:
    """T8 at a process start: every SENDING order is UNKNOWN, and each is looked up."""
    for order in state.orders:
        if order.state is IntentState.SENDING:
            order.reason = "the process ended while it was being sent"
            state.orders.move(order, IntentEvent.UNCONFIRMED, state.now)
        if order.state in (
            IntentState.UNKNOWN,
            IntentState.CANCELLING,
            IntentState.CLOSING,
            IntentState.ZOMBIE,
        ):
            state.orders.look_again(order, Timestamp(state.now + state.settings.times.poll))
