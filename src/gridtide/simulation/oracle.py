"""What must never happen, seen from the exchange's side: it knows the truth, and nothing of the bot's own reckoning.

Checked at every order that reaches the venue, and once more when everything has come to rest.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gridtide.engine import order_ids
from gridtide.venue.messages import OrderChanged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from gridtide.venue.messages import VenueEvent, VenueOrder
    from gridtide.venue.venue import Venue


class Oracle:
    """Collects violations; `sent` holds the ids whose transmission the journal has on record."""

    def __init__(self, venue: Venue, account_id: str) -> None:
        self.sent: set[str] = set()
        self.violations: list[str] = []
        self._venue = venue
        self._account_id = account_id
        self._open: dict[str, set[int]] = {}
        self._placed: dict[str, int] = {}
        self._wished: dict[tuple[str, int], Decimal] = {}
        self._executed: dict[tuple[str, int], dict[int, Decimal]] = {}

    @property
    def orders(self) -> int:
        """Orders of the bot that the exchange took."""
        return len(self._placed)

    def see(self, events: Iterable[VenueEvent]) -> None:
        """Look at what just happened at the venue."""
        for event in events:
            if isinstance(event, OrderChanged) and event.order.account_id == self._account_id:
                self._see_order(event)

    def _see_order(self, event: OrderChanged) -> None:
        order = event.order
        name = order.original_client_order_id or order.client_order_id
        decoded = order_ids.decode(name)
        if decoded is None:
            return
        if event.execution_type == "NEW":
            self._see_new(order, name)
        self._see_executed(order, decoded.slot.key, decoded.cycle)
        resting = self._open.setdefault(decoded.slot.key, set())
        if order.status.is_final:
            resting.discard(order.order_id)
        else:
            resting.add(order.order_id)
        if len(resting) > 1:
            self.violations.append(f"two orders of slot {decoded.slot} are open together: {sorted(resting)}")

    def _see_executed(self, order: VenueOrder, slot: str, cycle: int) -> None:
        """One wish is executed at most once, be the orders of its attempts never open together."""
        amounts = self._executed.setdefault((slot, cycle), {})
        amounts[order.order_id] = order.executed_amount
        wished = self._wished[slot, cycle] = max(order.amount, self._wished.get((slot, cycle), order.amount))
        if sum(amounts.values()) > wished:
            self.violations.append(f"slot {slot} executed two orders of one wish: {sorted(amounts)}")

    def _see_new(self, order: VenueOrder, name: str) -> None:
        if name in self._placed:
            self.violations.append(f"{name} was sent twice: orders {self._placed[name]} and {order.order_id}")
        self._placed[name] = order.order_id
        if name not in self.sent:
            self.violations.append(f"{name} reached the exchange without a row (R1)")

    def own_fills(self) -> list[tuple[int, int]]:
        """(trade id, order id) of each execution of the bot's orders, as the exchange has them."""
        symbol = self._venue.markets()[0].symbol
        return [
            (fill.trade_id, fill.order_id)
            for fill in self._venue.fills(self._account_id, symbol, 0, None, 10**9)
            if order_ids.decode(fill.client_order_id) is not None
        ]

    def doubled(self, keys: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Keys that occur twice."""
        return [key for key, count in Counter(keys).items() if count > 1]
