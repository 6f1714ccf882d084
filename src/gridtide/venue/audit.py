"""What must hold of the venue at any time: funds are conserved, locks are exact, books are not crossed.

The audit rebuilds every balance from deposits and fills, not from the code that moved the funds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue.closing import given_asset
from gridtide.venue.public_book import best_level

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from gridtide.domain.market import Asset, Symbol
    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.order_list import OrderList
    from gridtide.venue.working_order import WorkingOrder

Sums = defaultdict["Asset", "Decimal"]


class Audit:
    """Sums over fills, carried on from audit to audit so that each looks only at what is new."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Symbol], int] = {}
        self._flows: dict[str, Sums] = {}
        self._traded: dict[Symbol, Sums] = {}

    def check(self, desks: Iterable[Desk], accounts: Iterable[Account]) -> None:
        """Raise `Defect` at the first thing that does not hold."""
        desks = list(desks)
        for account in accounts:
            for desk in desks:
                self._read_new_fills(account, desk)
            self._check_balances(account)
            _check_locks(account, desks)
        for desk in desks:
            self._check_trades(desk)
            _check_not_crossed(desk)
            _check_resting(desk, accounts)

    def _read_new_fills(self, account: Account, desk: Desk) -> None:
        market = desk.market
        fills = account.records[market.symbol].fills
        flow = self._flows.setdefault(account.account_id, defaultdict(lambda: ZERO))
        traded = self._traded.setdefault(market.symbol, defaultdict(lambda: ZERO))
        for fill in fills[self._seen.get((account.account_id, market.symbol), 0) :]:
            sign = 1 if fill.side is Side.BUY else -1
            for asset, amount in (
                (market.base, sign * fill.amount),
                (market.quote, -sign * fill.quote_amount),
            ):
                flow[asset] += amount
                traded[asset] += amount
            flow[fill.fee_asset] -= fill.fee
        self._seen[account.account_id, market.symbol] = len(fills)

    def _check_balances(self, account: Account) -> None:
        flow = self._flows[account.account_id]
        for asset, free in account.free.items():
            locked = account.locked[asset]
            if free < 0 or locked < 0:
                raise Defect(f"{account.account_id} holds {free} {asset} free and {locked} locked")
            expected = account.deposited[asset] + flow[asset]
            if free + locked != expected:
                raise Defect(
                    f"{account.account_id} holds {free + locked} {asset}, its deposits and fills make {expected}"
                )

    def _check_trades(self, desk: Desk) -> None:
        """What accounts gained together is what the ambient side lost: trades between accounts sum to nothing."""
        traded = self._traded.setdefault(desk.market.symbol, defaultdict(lambda: ZERO))
        for asset, gained in desk.outside.items():
            if traded[asset] + gained:
                raise Defect(
                    f"{desk.market.symbol}: accounts and the outside differ by {traded[asset] + gained} {asset}"
                )


def _check_locks(account: Account, desks: list[Desk]) -> None:
    expected: Sums = defaultdict(lambda: ZERO)
    for desk in desks:
        records = account.records[desk.market.symbol]
        for order in records.open.values():
            _check_order(order)
            expected[given_asset(order.side, desk.market)] += order.locked
        for order_list in records.open_lists.values():
            _check_list(order_list)
            expected[given_asset(order_list.legs[0].side, desk.market)] += order_list.locked
    for asset, locked in account.locked.items():
        if locked != expected[asset]:
            raise Defect(
                f"{account.account_id} has {locked} {asset} locked, its open orders need {expected[asset]}"
            )


def _check_order(order: WorkingOrder) -> None:
    """It locks what its rest needs, unless it has not been placed yet or shares the lock of its list."""
    shares = order.is_pending or (
        order.order_list is not None and _is_leg_of_live_pair(order, order.order_list)
    )
    if not order.is_open or order.locked != (ZERO if shares else order.lock_needed()):
        raise Defect(f"order {order.order_id} ({order.status}) locks {order.locked}")
    if order.remaining != order.amount - order.executed_amount - order.prevented_amount:
        raise Defect(f"order {order.order_id} has {order.remaining} left of {order.amount}")


def _is_leg_of_live_pair(order: WorkingOrder, order_list: OrderList) -> bool:
    return order is not order_list.working and order_list.is_live_pair


def _check_list(order_list: OrderList) -> None:
    """A live pair locks the larger need of its legs, an OPO what its working order has bought; others nothing."""
    needs = order_list.shared_need() if order_list.is_live_pair else ZERO
    if order_list.pays and order_list.legs[0].is_pending:
        needs = order_list.locked
        assert order_list.working is not None
        if needs > order_list.working.executed_amount:
            raise Defect(f"list {order_list.list_id} keeps {needs}, more than was bought")
    if (
        order_list.locked != needs
        or order_list.is_done
        or not any(order.is_open for order in order_list.orders)
    ):
        raise Defect(f"list {order_list.list_id} locks {order_list.locked} for {needs}")


def _check_not_crossed(desk: Desk) -> None:
    bid, ask = best_level(desk, Side.BUY), best_level(desk, Side.SELL)
    if bid is not None and ask is not None and bid.price >= ask.price:
        raise Defect(f"{desk.market.symbol}: the book is crossed, bid {bid.price} against ask {ask.price}")


def _check_resting(desk: Desk, accounts: Iterable[Account]) -> None:
    """Every open order stands in the book, before its trigger, or behind its list's working order; nothing else
    does, and each level's total is that of its orders."""
    placed = {order.order_id: order for order in desk.waiting}
    for side in (desk.book.bids, desk.book.asks):
        for level in side:
            if level.total != sum((order.remaining for order in level.orders.values()), ZERO):
                raise Defect(f"{desk.market.symbol}: the level {level.price} does not add up")
            placed.update(level.orders)
    opened = {
        order_id: order
        for account in accounts
        for order_id, order in account.records[desk.market.symbol].open.items()
        if not order.is_pending
    }
    if placed != opened:
        raise Defect(f"{desk.market.symbol}: the book and the open orders differ")
    if any(
        order.is_waiting != (order in waiting) for waiting in [set(desk.waiting)] for order in opened.values()
    ):
        raise Defect(f"{desk.market.symbol}: an order waits that should not, or the other way round")
    if desk.open_lists != sum(len(account.records[desk.market.symbol].open_lists) for account in accounts):
        raise Defect(f"{desk.market.symbol}: the open lists are miscounted")
