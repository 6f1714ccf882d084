"""What an account looked like at earlier moments: the venue's own events, kept and folded.

Reads of a real exchange lag behind its matching engine; this is where a simulated one finds what it showed then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from gridtide.domain.order import OrderStatus
from gridtide.venue.messages import BalancesChanged, OrderChanged

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.market import Asset, Timestamp
    from gridtide.venue.messages import VenueEvent, VenueFill, VenueOrder

T = TypeVar("T")

_OPEN = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


class Past:
    """One account's orders, fills and balances on one market, as they were. `note` every event from the start on."""

    def __init__(self, account_id: str, balances: dict[Asset, Balance]) -> None:
        self._account_id = account_id
        self._orders: dict[int, list[tuple[Timestamp, VenueOrder]]] = {}
        self._by_client_id: dict[str, list[int]] = {}
        self._fills: list[tuple[Timestamp, VenueFill]] = []
        self._balances: dict[Asset, list[tuple[int, Balance]]] = {
            asset: [(0, balance)] for asset, balance in balances.items()
        }

    def note(self, events: Iterable[VenueEvent], now: Timestamp) -> None:
        """Keep what happened at `now`; times never decrease."""
        for event in events:
            if isinstance(event, OrderChanged) and event.order.account_id == self._account_id:
                self._note_order(event, now)
            elif isinstance(event, BalancesChanged) and event.account_id == self._account_id:
                for asset, balance in event.balances:
                    self._balances.setdefault(asset, []).append((now, balance))

    def _note_order(self, event: OrderChanged, now: Timestamp) -> None:
        order = event.order
        if order.order_id not in self._orders:
            self._orders[order.order_id] = []
            self._by_client_id.setdefault(order.client_order_id, []).append(order.order_id)
        self._orders[order.order_id].append((now, order))
        if event.fill is not None:
            self._fills.append((now, event.fill))

    def order(
        self, at: Timestamp, *, client_order_id: str = "", order_id: int | None = None
    ) -> VenueOrder | None:
        """The order as it was at `at`, None where it did not exist yet; of a reused client id the newest."""
        ids = self._by_client_id.get(client_order_id, []) if order_id is None else [order_id]
        for found in reversed(ids):
            view = _at(self._orders.get(found, []), at)
            if view is not None:
                return view
        return None

    def open_orders(self, at: Timestamp) -> tuple[VenueOrder, ...]:
        """The orders open at `at`, by ascending id."""
        views = (_at(states, at) for states in self._orders.values())
        return tuple(view for view in views if view is not None and view.status in _OPEN)

    def fills(self, at: Timestamp, from_id: int = 0) -> tuple[VenueFill, ...]:
        """The executions up to `at` with trade id >= `from_id`, ascending."""
        count = bisect_right(self._fills, at, key=lambda row: row[0])
        return tuple(fill for _, fill in self._fills[:count] if fill.trade_id >= from_id)

    def balances(self, at: Timestamp) -> dict[Asset, Balance]:
        """Free and locked of every asset at `at`."""
        found = {asset: _at(states, at) for asset, states in self._balances.items()}
        return {asset: balance for asset, balance in found.items() if balance is not None}


def _at(states: Sequence[tuple[int, T]], at: int) -> T | None:
    """The last state up to `at`; None before the first."""
    index = bisect_right(states, at, key=lambda row: row[0])
    return states[index - 1][1] if index else None
