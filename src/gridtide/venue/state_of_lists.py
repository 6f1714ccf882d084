"""Order lists as JSON-compatible values and back, and what stands outside the books after a restoration."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import plain
from gridtide.venue.order_list import OrderList
from gridtide.venue.state_history import History

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk

Json = dict[str, Any]  # the shape is private to save and load, which stand side by side


def save_lists(account: Account) -> History:
    """Open lists as they are now, the others as history."""
    still_open = {
        list_id: _save_list(order_list)
        for records in account.records.values()
        for list_id, order_list in records.open_lists.items()
    }

    def save_list(order_list: OrderList) -> Json:
        return still_open.get(order_list.list_id) or _save_list(order_list)

    return History(account.lists.values(), save_list)


def load_lists(account: Account, saved: list[Json]) -> None:
    """Give the account its lists back, and its orders their list."""
    for row in saved:
        account.add_list(_load_list(account, row))


def _save_list(order_list: OrderList) -> Json:
    working = order_list.working
    return {
        "list_id": order_list.list_id,
        "list_client_order_id": order_list.list_client_order_id,
        "symbol": order_list.symbol,
        "working": None if working is None else working.order_id,
        "legs": [leg.order_id for leg in order_list.legs],
        "pays": order_list.pays,
        "locked": plain(order_list.locked),
        "is_done": order_list.is_done,
        "transaction_time": order_list.transaction_time,
    }


def _load_list(account: Account, saved: Json) -> OrderList:
    symbol = Symbol(saved["symbol"])
    order_list = OrderList(
        account,
        symbol,
        saved["list_id"],
        saved["list_client_order_id"],
        pays=saved["pays"],
        now=Timestamp(saved["transaction_time"]),
    )
    orders = account.records[symbol].orders
    order_list.working = None if saved["working"] is None else orders[saved["working"]]
    order_list.legs = tuple(orders[order_id] for order_id in saved["legs"])
    order_list.locked = Decimal(saved["locked"])
    order_list.is_done = order_list.is_ending = saved["is_done"]
    for order in order_list.orders:
        order.order_list = order_list
    return order_list


def restore_waiting(desk: Desk, accounts: Iterable[Account]) -> None:
    """Let the orders that wait for a price wait again, and count the open lists."""
    for account in accounts:
        records = account.records[desk.market.symbol]
        desk.open_lists += len(records.open_lists)
        for order in records.open.values():
            if order.is_waiting:
                desk.waiting.add(order)
