"""Executions of orders that no row knows: asked for, patiently, until the exchange names the order.

Ours are booked, somebody else's move the account's baseline, once each. What nobody can name is told to the owner
after ten minutes and from then on holds up nothing but the one order it may belong to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gridtide.domain.commands import QueryOrder
from gridtide.domain.journal import ForeignFillSeen
from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, tidy
from gridtide.domain.order import Side
from gridtide.engine import order_ids

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder

KEPT_FOREIGN_ORDERS = 10_000
"""Orders of others that are remembered; one more is simply asked for again."""


@dataclass(slots=True)
class WaitingFills:
    """Executions of one order whose owner is not known yet."""

    since: Timestamp
    ask_at: Timestamp
    wait: int
    fills: list[Fill] = field(default_factory=list)
    alarmed: bool = False


def see_fill_of_unknown_order(state: EngineState, fill: Fill, source: str) -> bool:
    """Whether the fill needs nothing more for now: it is somebody else's, or it has waited its ten minutes."""
    if fill.key in state.foreign_fills:
        return True
    is_foreign_name = bool(fill.client_order_id) and order_ids.decode(fill.client_order_id) is None
    if is_foreign_name or fill.order_id in state.foreign_orders:
        note_foreign_order(state, fill.order_id)
        if source == "records":
            _explain(state, fill)
        return True
    waiting = state.unattributed.get(fill.order_id)
    if waiting is None:
        poll = state.settings.times.poll
        waiting = WaitingFills(state.now, Timestamp(state.now + poll), poll)
        state.unattributed[fill.order_id] = waiting
        state.order(QueryOrder(state.market.symbol, "", fill.order_id))
    if fill not in waiting.fills:
        waiting.fills.append(fill)
    return waiting.alarmed


def note_foreign_order(state: EngineState, order_id: str) -> None:
    """The order turned out to be somebody else's (F21)."""
    if len(state.foreign_orders) >= KEPT_FOREIGN_ORDERS:
        state.foreign_orders.clear()
    state.foreign_orders.add(order_id)


def ask_again(state: EngineState) -> None:
    """Repeat each question whose time has come, at growing distances, and tell after ten minutes (I15)."""
    times = state.settings.times
    for order_id, waiting in state.unattributed.items():
        if state.now < waiting.ask_at:
            continue
        waiting.wait = min(2 * waiting.wait, times.longest_wait)
        waiting.ask_at = Timestamp(state.now + waiting.wait)
        state.order(QueryOrder(state.market.symbol, "", order_id))
        if not waiting.alarmed and state.now - waiting.since >= times.alarm:
            waiting.alarmed = True
            state.notice("alarm", "fill.nobodys", _sentence(order_id, waiting))


def next_question(state: EngineState) -> Timestamp | None:
    """When somebody has to be asked again."""
    if not state.unattributed:
        return None
    return min(waiting.ask_at for waiting in state.unattributed.values())


def holds_up_everything(state: EngineState) -> bool:
    """Whether an execution is still so new that its order may yet be named: until then no conclusion is drawn."""
    return any(not waiting.alarmed for waiting in state.unattributed.values())


def may_belong_to(state: EngineState, order: TrackedOrder) -> bool:
    """Whether an execution that nobody named may be one of `order`, whose exchange id we never learned."""
    if order.order_id:
        return False
    return any(_fits(fill, order) for waiting in state.unattributed.values() for fill in waiting.fills)


def give_to_account(state: EngineState) -> None:
    """A person says that the account is right as it is: what nobody could name counts as somebody else's."""
    for order_id, waiting in tuple(state.unattributed.items()):
        if waiting.alarmed:
            del state.unattributed[order_id]
            note_foreign_order(state, order_id)
            for fill in waiting.fills:
                _explain(state, fill)


def forget_before(state: EngineState, trade_id: int) -> None:
    """Records before `trade_id` are not read again."""
    state.foreign_fills = {key for key in state.foreign_fills if key.trade_id >= trade_id}


def _explain(state: EngineState, fill: Fill) -> None:
    """Somebody else's execution: recorded, and the baseline moves by it, never our books (F21, F45)."""
    state.foreign_fills.add(fill.key)
    state.safe_candidates.append((fill.timestamp, fill.trade_id))
    state.write(ForeignFillSeen(fill))
    sign = 1 if fill.side is Side.BUY else -1
    baseline = dict(state.baseline)
    for asset, amount in (
        (state.market.base, sign * fill.amount),
        (state.market.quote, -sign * fill.quote_amount),
        (fill.fee.asset, -fill.fee.amount),
    ):
        baseline[asset] = baseline.get(asset, ZERO) + amount
    state.set_baseline(baseline)


def _fits(fill: Fill, order: TrackedOrder) -> bool:
    intent = order.intent
    if fill.side is not intent.side or fill.amount > intent.amount:
        return False
    if intent.price is None:
        return True
    return fill.price <= intent.price if fill.side is Side.BUY else fill.price >= intent.price


def _sentence(order_id: str, waiting: WaitingFills) -> str:
    amount = sum((fill.amount for fill in waiting.fills), ZERO)
    return (
        f"for ten minutes the exchange has not named the order {order_id}, of which {tidy(amount)} executed: it is not "
        "booked; look at the account, `gridtide resume` counts it as the account's"
    )
