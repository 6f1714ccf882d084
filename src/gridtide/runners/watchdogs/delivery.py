"""The second clock of a stream (F24): it may live, ping and say nothing. What reads show must have been told by events.

No false alarm: only executions younger than the connection count, and each gets time to arrive.
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.events import OrderUpdated, StreamInterrupted, StreamRestored
from gridtide.domain.money import ZERO

if TYPE_CHECKING:
    from gridtide.domain.events import Event
    from gridtide.domain.journal import FillAdded
    from gridtide.runners.watchdogs.limits import WatchdogLimits

KEPT = 5_000
"""Orders whose events are remembered."""


class DeliveryWatch:
    """Compares what was booked from reads and replies with what events told. Times are exchange time, ms."""

    def __init__(self, limits: WatchdogLimits) -> None:
        self._limits = limits
        self._told: OrderedDict[str, Decimal] = OrderedDict()
        """Highest executed amount that an event told, by the exchange's order id."""
        self._booked: OrderedDict[str, Decimal] = OrderedDict()
        self._waiting: dict[str, int] = {}
        """Order id -> since when an event is missing."""
        self._connected_at: int | None = None
        self._rebuilt_at: int | None = None

    def see_event(self, event: Event, now: int) -> None:
        if isinstance(event, OrderUpdated):
            order_id, executed = event.update.order_id, event.update.executed_amount
            self._put(self._told, order_id, max(executed, self._told.get(order_id, ZERO)))
        elif isinstance(event, StreamRestored):
            self._connected_at = now
            self._waiting.clear()
        elif isinstance(event, StreamInterrupted):
            self._connected_at = None
            self._waiting.clear()

    def see_booked(self, entry: FillAdded, now: int) -> None:
        fill = entry.fill
        self._put(self._booked, fill.order_id, self._booked.get(fill.order_id, ZERO) + fill.amount)
        if (
            entry.source != "stream"
            and self._connected_at is not None
            and fill.timestamp > self._connected_at
        ):
            self._waiting.setdefault(fill.order_id, now)

    def next_look(self) -> int | None:
        """When somebody has to look whether an event is overdue."""
        if not self._waiting:
            return None
        return min(self._waiting.values()) + int(self._limits.announce_seconds * 1000)

    def reason_to_rebuild(self, now: int) -> str:
        """Why the stream has to be made anew; empty where it delivers, or was made anew just now."""
        told = self._told
        self._waiting = {
            order_id: since
            for order_id, since in self._waiting.items()
            if told.get(order_id, ZERO) < self._booked.get(order_id, ZERO)
        }
        overdue = int(self._limits.announce_seconds * 1000)
        late = [order_id for order_id, since in self._waiting.items() if now - since >= overdue]
        if not late:
            return ""
        for order_id in late:
            del self._waiting[order_id]
        if self._rebuilt_at is not None and now - self._rebuilt_at < self._limits.rebuild_seconds * 1000:
            return ""
        self._rebuilt_at = now
        return f"an execution of order {late[0]} was read that no event told"

    @staticmethod
    def _put(amounts: OrderedDict[str, Decimal], order_id: str, amount: Decimal) -> None:
        amounts[order_id] = amount
        amounts.move_to_end(order_id)
        if len(amounts) > KEPT:
            amounts.popitem(last=False)
