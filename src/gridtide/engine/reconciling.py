"""Reconciliation: ours against theirs, from one round of reads; then, and only then, the bot runs.

Pure: the runner does the reading (order-safety, reconciliation steps 3 to 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridtide.domain.journal import BalancesSeen, BotState, PauseReason
from gridtide.engine import invariants, lost_history, outcomes, resolving, whose_fill
from gridtide.engine.state import PASSING

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.events import SnapshotTaken
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset
    from gridtide.engine.state import EngineState


def apply_snapshot(state: EngineState, snapshot: SnapshotTaken) -> None:
    """Steps 4 to 8: fills first, then orders, then the invariants, then RUNNING."""
    lost_history.see_round(state, snapshot)
    if not apply_fills(state, snapshot.fills) or whose_fill.holds_up_everything(state):
        return  # somebody's fill is unknown: the order is asked for, and the round is repeated
    for update in (*snapshot.open_orders, *snapshot.queried):
        order = outcomes.see_order(state, update)
        if order is not None:
            outcomes.settle(state, order, just_read=True)
            outcomes.ask_for_missing_fills(state, order)
    for client_order_id in snapshot.not_found:
        known = state.orders.find(client_order_id)
        if known is not None:
            resolving.not_found(state, known)
    for order in state.orders:
        resolving.prove_absent(state, order, snapshot)
    if snapshot.balances is not None:
        relevant = {asset: snapshot.balances[asset] for asset in _assets(state) if asset in snapshot.balances}
        state.write(BalancesSeen(relevant))
    if snapshot.stable:
        if snapshot.balances is not None:
            state.read_at = snapshot.asked_at
            state.funds_changed = True  # what waited for a reading is tried
        _check(state, snapshot)
        _resume_after_reading(state)


def apply_fills(state: EngineState, fills: tuple[Fill, ...]) -> bool:
    """Book trade records in the order of their ids; move the cursor behind what was applied (step 4)."""
    complete = True
    applied = state.cursor.applied
    for fill in fills:
        known = outcomes.see_fill(state, fill, "records")
        complete = complete and known
        if complete:
            applied = max(applied, fill.trade_id)
        order = state.orders.find(fill.client_order_id, fill.order_id)
        if order is not None:
            outcomes.settle(state, order, just_read=True)
    state.move_cursor(applied, _safe_cursor(state, applied))
    return complete


def _safe_cursor(state: EngineState, applied: int) -> int:
    """Newest execution older than the safe age: late rows before it are not expected any more."""
    safe = state.cursor.safe
    edge = state.now - state.settings.times.safe_age
    while state.safe_candidates and state.safe_candidates[0][0] <= edge:
        trade_id = state.safe_candidates.popleft()[1]
        if trade_id <= applied:
            safe = max(safe, trade_id)
    if safe > state.cursor.safe:
        whose_fill.forget_before(state, safe)
    return safe


def _check(state: EngineState, snapshot: SnapshotTaken) -> None:
    breaches = invariants.own_breaches(state)
    if breaches:
        state.pause(PauseReason.INTEGRITY, "; ".join(breaches))
        return
    moved_since = snapshot.asked_at is None or state.last_activity > snapshot.asked_at
    if moved_since or snapshot.balances is None or not invariants.is_quiet(state):
        return
    if state.accept_account:
        _take_new_baseline(state, snapshot.balances)
    differences = invariants.exchange_differences(state, snapshot)
    if differences and not state.increase_halted:
        state.increase_halted = (
            "the account differs from the books; nothing is bought until that is explained"
        )
        state.notice("alarm", "books.differ", "; ".join(differences[:5]))
    elif not differences and state.increase_halted:
        state.increase_halted = ""
        state.funds_changed = True
        state.notice("info", "books.agree", "the account agrees with the books again")


def _take_new_baseline(state: EngineState, balances: Mapping[Asset, Balance]) -> None:
    """What moved on the account without us is named and counted as the account's, never as profit (F45)."""
    state.accept_account = False
    whose_fill.give_to_account(state)
    state.set_baseline({asset: item.total - state.ledger.holding(asset) for asset, item in balances.items()})
    state.notice("warning", "books.baseline", "the account's other holdings were taken as they are now")


def _resume_after_reading(state: EngineState) -> None:
    if state.bot_state is BotState.RECONCILING or (
        state.bot_state is BotState.PAUSED and state.pause_reason in PASSING - {PauseReason.CLOCK}
    ):
        state.enter(BotState.RUNNING)
        state.funds_changed = True  # what came free meanwhile woke nobody


def _assets(state: EngineState) -> list[Asset]:
    return sorted({state.market.base, state.market.quote, *state.third_prices})
