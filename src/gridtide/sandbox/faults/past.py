"""The exchange as it was: its venue shows the past, and hides some of the newest orders."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from gridtide.venue.past import PastVenue

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import VenueOrder
    from gridtide.venue.recent_past import RecentPast


class PastExchange:
    """An exchange whose venue is that of `lag_ms` ago; of orders younger than `blind_ms` it hides a share, chosen by
    `salt`. Everything else is the present's."""

    def __init__(
        self,
        present: SandboxExchange,
        recent: RecentPast,
        lag_ms: int,
        blind_ms: int,
        blind_share: float,
        salt: str,
    ) -> None:
        self._present = present
        blind_from = present.now() - blind_ms

        def hides(order: VenueOrder) -> bool:
            if order.created_at <= blind_from:
                return False
            draw = random.Random(f"{salt}/{order.symbol}/{order.order_id}")  # noqa: S311  a seeded choice
            return draw.random() < blind_share

        self.venue = PastVenue(present.venue, recent, present.now() - lag_ms, hides)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._present, name)
