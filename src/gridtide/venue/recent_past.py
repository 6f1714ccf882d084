"""What happened at the venue of late, so that queries can be shown a past of it.

Nothing of the venue is copied: only what changed while somebody may ask for its past, and what those things were
before. What has no entry is now as it was then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from gridtide.venue.messages import BalancesChanged, OrderChanged, OrderListChanged

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.market import Asset, Symbol
    from gridtide.venue.messages import VenueEvent, VenueOrder, VenueOrderList
    from gridtide.venue.venue import Venue

KEPT_SECONDS = 130
"""Longer than the longest lag."""
_PRUNE_EVERY = 1_000
T = TypeVar("T")
_ALWAYS = -1
_DONE = "ALL_DONE"

OrderKey = tuple[str, "Symbol", int]


class RecentPast:
    """Entries of the last two minutes, from the moment it was begun. Before that everything was as it was then."""

    def __init__(self) -> None:
        self._orders: dict[OrderKey, list[tuple[int, VenueOrder]]] = {}
        self._fills: dict[tuple[str, Symbol, int, int], int] = {}
        """When it happened, by account, symbol, order and trade."""
        self._balances: defaultdict[tuple[str, Asset], list[tuple[int, Balance]]] = defaultdict(list)
        self._lists: dict[tuple[str, int], list[tuple[int, VenueOrderList]]] = {}
        self._added = 0

    def begin(self, venue: Venue) -> None:
        """Forget everything and note what may change: open orders and balances."""
        for kept in (self._orders, self._fills, self._balances, self._lists):
            kept.clear()
        for account_id in venue.accounts():
            for order_list in venue.open_order_lists(account_id):
                self._lists[account_id, order_list.order_list_id] = [(_ALWAYS, order_list)]
            for order in venue.open_orders(account_id):
                self._orders[_key(order)] = [(_ALWAYS, order)]
            for asset, balance in venue.balances(account_id).items():
                self._balances[account_id, asset].append((_ALWAYS, balance))

    def add(self, events: Sequence[VenueEvent], now: int) -> None:
        """Note what happened at `now`."""
        for event in events:
            match event:
                case OrderChanged(order=order, fill=fill):
                    self._orders.setdefault(_key(order), []).append((now, _as_queried(event)))
                    if fill is not None:
                        self._fills[fill.account_id, fill.symbol, fill.order_id, fill.trade_id] = now
                case OrderListChanged(order_list=order_list):
                    key = (order_list.account_id, order_list.order_list_id)
                    self._lists.setdefault(key, []).append((now, order_list))
                case BalancesChanged():
                    for asset, balance in event.balances:
                        self._balances[event.account_id, asset].append((now, balance))
                case _:
                    pass
        self._added += len(events)
        if self._added >= _PRUNE_EVERY:
            self._added = 0
            self._prune(now - KEPT_SECONDS * 1000)

    @property
    def size(self) -> int:
        """How many entries are kept."""
        orders = sum(len(entries) for entries in self._orders.values())
        lists = sum(len(entries) for entries in self._lists.values())
        return orders + lists + len(self._fills) + sum(len(entries) for entries in self._balances.values())

    # --- the past ------------------------------------------------------------------------------------

    def order_at(self, present: VenueOrder, at: int) -> VenueOrder | None:
        """The order as it was; None where it did not exist yet."""
        entries = self._orders.get(_key(present))
        return present if entries is None else _last_until(entries, at)

    def recently_open(self, account_id: str, symbol: Symbol | None) -> Iterator[VenueOrder]:
        """The newest state of every order that changed of late."""
        for (account, market, _), entries in self._orders.items():
            if account == account_id and symbol in (None, market):
                yield entries[-1][1]

    def is_known(self, account_id: str, symbol: Symbol, order_id: int, trade_id: int, at: int) -> bool:
        """Whether an execution had happened."""
        return self._fills.get((account_id, symbol, order_id, trade_id), _ALWAYS) <= at

    def list_at(self, present: VenueOrderList, at: int) -> VenueOrderList | None:
        """An order list as it was; None where it did not exist yet."""
        entries = self._lists.get((present.account_id, present.order_list_id))
        return present if entries is None else _last_until(entries, at)

    def balance_at(self, account_id: str, asset: Asset, present: Balance, at: int) -> Balance | None:
        """A balance as it was; None where the account did not know the asset."""
        entries = self._balances.get((account_id, asset))
        return present if entries is None else _last_until(entries, at)

    # --- keeping it small ----------------------------------------------------------------------------

    def _prune(self, horizon: int) -> None:
        """Forget what no lag reaches."""
        for key, entries in tuple(self._orders.items()):
            _forget_before(entries, horizon)
            if len(entries) == 1 and entries[0][0] <= horizon and entries[0][1].status.is_final:
                del self._orders[key]
        for list_key, lists in tuple(self._lists.items()):
            _forget_before(lists, horizon)
            if len(lists) == 1 and lists[0][0] <= horizon and lists[0][1].order_status == _DONE:
                del self._lists[list_key]
        for balances in self._balances.values():
            _forget_before(balances, horizon)
        self._fills = {key: at for key, at in self._fills.items() if at > horizon}


def _key(order: VenueOrder) -> OrderKey:
    return order.account_id, order.symbol, order.order_id


def _as_queried(changed: OrderChanged) -> VenueOrder:
    """The event of a cancel carries the cancel's id, that of an amendment the former id; a query shows neither."""
    order = changed.order
    if not order.original_client_order_id:
        return order
    own = order.original_client_order_id if changed.execution_type == "CANCELED" else order.client_order_id
    return order._replace(client_order_id=own, original_client_order_id="")


def _last_until(entries: Iterable[tuple[int, T]], at: int) -> T | None:
    found: T | None = None
    for when, value in entries:
        if when > at:
            break
        found = value
    return found


def _forget_before(entries: list[tuple[int, T]], horizon: int) -> None:
    """Keep the last entry until `horizon` and all after it."""
    kept = 0
    while kept + 1 < len(entries) and entries[kept + 1][0] <= horizon:
        kept += 1
    del entries[:kept]
