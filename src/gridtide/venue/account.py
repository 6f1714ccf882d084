"""An account: free and locked balances, its orders and its fills. No balance ever goes below zero unseen."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from gridtide.domain.balance import Balance
from gridtide.domain.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from gridtide.domain.market import Asset, Symbol
    from gridtide.venue.messages import OrderAmendment, PreventedMatch, VenueFill
    from gridtide.venue.order_list import OrderList
    from gridtide.venue.settings import AccountFees
    from gridtide.venue.working_order import WorkingOrder


class OwnRecords:
    """What one account did on one market: every order and every fill, oldest first."""

    __slots__ = ("amendments", "by_client_id", "fills", "open", "open_lists", "orders", "prevented")

    def __init__(self) -> None:
        self.orders: dict[int, WorkingOrder] = {}
        self.open: dict[int, WorkingOrder] = {}
        self.by_client_id: dict[str, WorkingOrder] = {}
        """The newest order of each client id. An open one is always the newest, because ids are unique among open
        orders."""
        self.fills: list[VenueFill] = []
        self.prevented: list[PreventedMatch] = []
        self.amendments: dict[int, list[OrderAmendment]] = {}
        """By order id, oldest first."""
        self.open_lists: dict[int, OrderList] = {}

    def add(self, order: WorkingOrder) -> None:
        self.orders[order.order_id] = order
        self.by_client_id[order.client_order_id] = order
        if not order.status.is_final:
            self.open[order.order_id] = order

    def note_fill(self, order: WorkingOrder, fill: VenueFill) -> None:
        """An execution of `order`; its last one closes it."""
        order.fills.append(fill)
        self.fills.append(fill)
        if not order.remaining:
            self.open.pop(order.order_id, None)

    def rename(self, order: WorkingOrder, former_id: str) -> None:
        """The order goes by its new client id from now on; by the former one it is not found any more."""
        if self.by_client_id.get(former_id) is order:
            del self.by_client_id[former_id]
        self.by_client_id[order.client_order_id] = order

    def orders_from(self, from_id: int | None, limit: int) -> list[WorkingOrder]:
        """Ascending from `from_id`, or the newest `limit`."""
        orders = list(self.orders.values())
        if from_id is None:
            return orders[-limit:]
        start = bisect_left(orders, from_id, key=lambda order: order.order_id)
        return orders[start : start + limit]

    def fills_from(self, from_id: int | None, order_id: int | None, limit: int) -> list[VenueFill]:
        """Ascending from trade `from_id`, or the newest `limit`; of one order or of all."""
        fills = self.fills
        if order_id is not None:
            order = self.orders.get(order_id)
            fills = order.fills if order is not None else []
        if from_id is None:
            return fills[-limit:]
        start = bisect_left(fills, from_id, key=lambda fill: fill.trade_id)
        return fills[start : start + limit]


class Account:
    """Balances per asset, records per market, and order lists over all markets."""

    __slots__ = (
        "account_id",
        "deposited",
        "fee_tier",
        "fees",
        "free",
        "lists",
        "lists_by_client_id",
        "locked",
        "records",
    )

    def __init__(self, account_id: str, balances: Mapping[Asset, Decimal], fees: AccountFees) -> None:
        self.account_id = account_id
        self.fees = fees
        self.fee_tier: tuple[int, int] | None = None
        """The day and how many tiers of `fees` it has reached on it; None until somebody asks."""
        self.free: dict[Asset, Decimal] = dict(balances)
        self.locked: dict[Asset, Decimal] = dict.fromkeys(balances, ZERO)
        self.deposited: dict[Asset, Decimal] = dict(balances)
        """Everything paid in less everything withdrawn: what `check` holds the balances against."""
        self.records: dict[Symbol, OwnRecords] = {}
        self.lists: dict[int, OrderList] = {}
        """Every order list by id, oldest first."""
        self.lists_by_client_id: dict[str, OrderList] = {}
        """The newest list of each client id."""

    def add_list(self, order_list: OrderList) -> None:
        self.lists[order_list.list_id] = order_list
        self.lists_by_client_id[order_list.list_client_order_id] = order_list
        if not order_list.is_done:
            self.records[order_list.symbol].open_lists[order_list.list_id] = order_list

    def is_open_list_id(self, list_client_order_id: str) -> bool:
        order_list = self.lists_by_client_id.get(list_client_order_id)
        return order_list is not None and not order_list.is_done

    def know(self, asset: Asset) -> None:
        """Give the asset a balance of zero unless it has one."""
        self.free.setdefault(asset, ZERO)
        self.locked.setdefault(asset, ZERO)
        self.deposited.setdefault(asset, ZERO)

    def deposit(self, asset: Asset, amount: Decimal) -> None:
        self.know(asset)
        self.free[asset] += amount
        self.deposited[asset] += amount

    def lock(self, asset: Asset, amount: Decimal) -> None:
        self.free[asset] -= amount
        self.locked[asset] += amount

    def unlock(self, asset: Asset, amount: Decimal) -> None:
        self.locked[asset] -= amount
        self.free[asset] += amount

    def balance(self, asset: Asset) -> Balance:
        return Balance(self.free[asset], self.locked[asset])
