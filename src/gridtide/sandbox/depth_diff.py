"""What changed in a book between two depth events: absolute amounts, update ids without a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox.wire import JsonObject, encode_levels

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.messages import BookChanged


class DepthDiff:
    """Changed levels since the last event, in absolute amounts; update ids follow each other without a gap."""

    def __init__(self) -> None:
        self._first = 0
        self._last = 0
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def add(self, changed: BookChanged) -> None:
        self._first = self._first or changed.first_update_id
        self._last = changed.last_update_id
        self._bids.update(changed.bids)
        self._asks.update(changed.asks)

    def take(self, exchange_id: str, now: int) -> JsonObject | None:
        """The event of everything added since the last time, or None."""
        if not self._first:
            return None
        event: JsonObject = {
            "e": "depthUpdate",
            "E": now,
            "s": exchange_id,
            "U": self._first,
            "u": self._last,
            "b": encode_levels(self._bids.items()),
            "a": encode_levels(self._asks.items()),
        }
        self.clear()
        return event

    def clear(self) -> None:
        self._first = self._last = 0
        self._bids.clear()
        self._asks.clear()
