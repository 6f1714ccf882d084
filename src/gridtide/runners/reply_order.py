"""The order of what happened: a reply that shows executions waits a moment for the stream to tell them.

A reply and the stream are two ways, and a reply may overtake what the stream tells of earlier executions. Heard in
another order than they happened, two buys give their remainders to the other's sell: not wrong, but not what a
backtest of the same session says. Nothing depends on the wait: a stream that is late or lost costs it, no more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.events import OrderAccepted, OrderUpdated, StreamInterrupted, StreamRestored
from gridtide.domain.money import ZERO

if TYPE_CHECKING:
    from gridtide.domain.events import Event

PATIENCE_SECONDS = 0.5
KEPT = 1_000
"""Orders whose events are remembered."""


class ReplyOrder:
    """Sees the stream's events and lets replies wait for theirs."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._told: OrderedDict[str, Decimal] = OrderedDict()
        """Executed amount that an event told, by the exchange's order id."""
        self._waiting: dict[str, tuple[Decimal, asyncio.Future[None]]] = {}
        self._is_connected = False

    def see_event(self, event: Event) -> None:
        """An event of the stream, after it was delivered."""
        match event:
            case OrderUpdated(update):
                executed = max(update.executed_amount, self._told.get(update.order_id, ZERO))
                self._told[update.order_id] = executed
                self._told.move_to_end(update.order_id)
                if len(self._told) > KEPT:
                    self._told.popitem(last=False)
                waiting = self._waiting.get(update.order_id)
                if waiting is not None and executed >= waiting[0]:
                    _end(waiting[1])
            case StreamRestored():
                self._is_connected = True
            case StreamInterrupted():
                self._is_connected = False
                for _, future in self._waiting.values():
                    _end(future)
            case _:
                pass

    async def wait_for_stream(self, reply: Event) -> None:
        """Until the stream told what `reply` shows, or it is clear that it may not."""
        if not isinstance(reply, OrderAccepted) or not reply.fills or not self._is_connected:
            return
        order_id, shown = reply.update.order_id, sum((fill.amount for fill in reply.fills), ZERO)
        if self._told.get(order_id, ZERO) >= shown:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting[order_id] = shown, future
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience_seconds):
                    await future
        finally:
            del self._waiting[order_id]


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
