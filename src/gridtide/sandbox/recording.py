"""What happened at the exchange, in its order, for whoever plays it again: every step of the markets with its number,
and every single order and cancel with the number of the step after which it was accepted.

Nothing is kept until somebody asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.moments import save_moment
from gridtide.venue.messages import PriceMoved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridtide.domain.market import Symbol
    from gridtide.sandbox.wire import JsonObject
    from gridtide.venue.messages import MarketMove, VenueOrder

MOST_EVENTS = 1_000_000
"""Beyond this a recording would eat up the machine's memory."""


class Recording:
    """`played`: how many steps each market had taken when the recording began. The first step of all has number 0."""

    def __init__(self, played: Mapping[Symbol, int]) -> None:
        self._next = dict(played)
        self._events: list[JsonObject] = []
        self._is_whole = True

    def moved(self, symbol: Symbol, move: MarketMove) -> None:
        """A market took its next step."""
        number = self._next[symbol]
        self._next[symbol] = number + 1
        what = (
            ["point", move.market_time, str(move.price), str(move.volume), move.taker]
            if isinstance(move, PriceMoved)
            else save_moment(move)
        )
        self._add({"event": "moved", "market": symbol, "number": number, "what": what})

    def accepted(self, event: str, order: VenueOrder) -> None:
        """A single order was ``placed`` or ``cancelled``; what the venue refused is not told."""
        self._add(
            {
                "event": event,
                "market": order.symbol,
                "after": self._next[order.symbol] - 1,
                "account": order.account_id,
                "client_order_id": order.original_client_order_id or order.client_order_id,
            }
        )

    def events(self) -> list[JsonObject]:
        """Everything so far. Raises `InvalidInput` where it became too much: a part of it is worth nothing."""
        if not self._is_whole:
            raise InvalidInput(
                f"the recording had more than {MOST_EVENTS} events and was given up: begin a shorter one"
            )
        return self._events

    def _add(self, event: JsonObject) -> None:
        self._is_whole = len(self._events) < MOST_EVENTS
        if self._is_whole:
            self._events.append(event)
