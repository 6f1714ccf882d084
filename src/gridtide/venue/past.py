"""The venue as it was: queries ask it the same questions and get the answers of some time ago.

Order queries, lists, executions and balances look back; whatever else is asked goes to the present.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gridtide.venue import refusals

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.market import Asset, Symbol
    from gridtide.venue.messages import VenueFill, VenueOrder, VenueOrderList
    from gridtide.venue.recent_past import RecentPast
    from gridtide.venue.venue import Venue

_NO_LIMIT = 10**9


class PastVenue:
    """A venue at `at`, as `recent` remembers it; orders that `hides` names are not shown at all."""

    def __init__(
        self,
        present: Venue,
        recent: RecentPast,
        at: int,
        hides: Callable[[VenueOrder], bool] | None = None,
    ) -> None:
        self._present = present
        self._recent = recent
        self._at = at
        self._hides = hides

    def __getattr__(self, name: str) -> Any:
        return getattr(self._present, name)

    def order(
        self,
        account_id: str,
        symbol: Symbol,
        order_id: int | None = None,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        then = self._then(self._present.order(account_id, symbol, order_id, client_order_id))
        if then is None:
            raise refusals.no_such_order()
        return then

    def open_orders(self, account_id: str, symbol: Symbol | None = None) -> tuple[VenueOrder, ...]:
        candidates = {
            (order.symbol, order.order_id): order for order in self._recent.recently_open(account_id, symbol)
        }
        for order in self._present.open_orders(account_id, symbol):
            candidates[order.symbol, order.order_id] = order
        then = self._all_then(candidates.values())
        return tuple(sorted((order for order in then if not order.status.is_final), key=lambda o: o.order_id))

    def orders(
        self, account_id: str, symbol: Symbol, from_id: int | None = None, limit: int = 500
    ) -> tuple[VenueOrder, ...]:
        known = self._all_then(self._present.orders(account_id, symbol, from_id or 0, _NO_LIMIT))
        return tuple(known[-limit:] if from_id is None else known[:limit])

    def fills(
        self,
        account_id: str,
        symbol: Symbol,
        from_id: int | None = None,
        order_id: int | None = None,
        limit: int = 500,
    ) -> tuple[VenueFill, ...]:
        known = [
            fill
            for fill in self._present.fills(account_id, symbol, from_id or 0, order_id, _NO_LIMIT)
            if self._recent.is_known(account_id, symbol, fill.order_id, fill.trade_id, self._at)
        ]
        return tuple(known[-limit:] if from_id is None else known[:limit])

    def balances(self, account_id: str) -> dict[Asset, Balance]:
        then = {
            asset: self._recent.balance_at(account_id, asset, balance, self._at)
            for asset, balance in self._present.balances(account_id).items()
        }
        return {asset: balance for asset, balance in then.items() if balance is not None}

    def order_list(
        self,
        account_id: str,
        *,
        order_list_id: int | None = None,
        list_client_order_id: str | None = None,
    ) -> VenueOrderList:
        present = self._present.order_list(
            account_id, order_list_id=order_list_id, list_client_order_id=list_client_order_id
        )
        then = self._recent.list_at(present, self._at)
        if then is None:
            raise refusals.no_such_order()
        return then

    def order_lists(
        self, account_id: str, from_id: int | None = None, limit: int = 500
    ) -> tuple[VenueOrderList, ...]:
        known = self._lists_then(account_id, from_id or 0)
        return tuple(known[-limit:] if from_id is None else known[:limit])

    def open_order_lists(self, account_id: str) -> tuple[VenueOrderList, ...]:
        return tuple(each for each in self._lists_then(account_id, 0) if each.order_status == "EXECUTING")

    def _lists_then(self, account_id: str, from_id: int) -> list[VenueOrderList]:
        present = self._present.order_lists(account_id, from_id, _NO_LIMIT)
        return [then for each in present if (then := self._recent.list_at(each, self._at)) is not None]

    def _all_then(self, orders: Iterable[VenueOrder]) -> list[VenueOrder]:
        return [then for order in orders if (then := self._then(order)) is not None]

    def _then(self, order: VenueOrder) -> VenueOrder | None:
        if self._hides is not None and self._hides(order):
            return None
        return self._recent.order_at(order, self._at)
