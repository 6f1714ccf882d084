"""What a grid's books say of its intervals and of orders under way, for the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.lifecycle import IntentState
from gridtide.domain.order import Side, Slot
from gridtide.engine.settings import ProtocolTimes
from gridtide.engine.strategy_desk import own_parts
from gridtide.storage.findings import Finding, finding, unchecked
from gridtide.strategies.caretaker import is_cared_for
from gridtide.strategies.grid.state import Phase
from gridtide.strategies.grid.strategy import GridTradingStrategy

if TYPE_CHECKING:
    from gridtide.storage.examination import Rows
    from gridtide.storage.reader import Reader, StoredBot

_UNDER_WAY = (IntentState.UNKNOWN, IntentState.CANCELLING, IntentState.CLOSING)
_ALL_NOTICES = 1_000_000


def intervals_have_orders(reader: Reader, stored: StoredBot) -> Finding:
    """I13: interval k has its buy at level k or its sell at k + 1, live or parked."""
    own = own_parts(reader.strategy_state(stored.bot_id))
    if own is None:
        return unchecked("I13", "the grid has not been placed yet")
    if is_cared_for(own):
        return unchecked("I13", "the books were rebuilt without the grid")
    strategy = GridTradingStrategy.from_state(own)
    if strategy.plan is None or own.get("phase") != Phase.TRADING:
        return unchecked("I13", "the grid is still making its first purchase")
    live = {order.slot for order in reader.live_orders(stored.bot_id)}
    parked = {slot.slot for slot in reader.parked_slots(stored.bot_id)}
    count = len(strategy.levels) - 1
    problems = [
        f"the interval above level {index} has neither an order nor a wish"
        for index in range(count)
        if not {Slot.level(index, Side.BUY).key, Slot.level(index + 1, Side.SELL).key} & (live | parked)
    ]
    return finding("I13", problems, f"{count} intervals, {len(live)} orders, {len(parked)} parked wishes")


def nothing_is_stuck(reader: Reader, rows: Rows, *, is_running: bool) -> Finding:
    """I15: what is under way for more than ten minutes was told."""
    stuck = [order for order in rows.orders if order.state in _UNDER_WAY]
    if stuck and not is_running:
        return unchecked("I15", f"{len(stuck)} orders are under way, and the next run resolves them")
    notices = reader.notices(rows.bot.bot_id, limit=_ALL_NOTICES)
    told = " ".join(notice.text for notice in notices if notice.kind == "order.stuck")
    newest = max((order.updated_at for order in rows.orders), default=0)
    problems = [
        f"{order.client_order_id} is {order.state}, and nobody was told"
        for order in stuck
        if newest - order.updated_at > ProtocolTimes().alarm and order.client_order_id not in told
    ]
    return finding("I15", problems, f"{len(stuck)} orders under way")
