"""What must hold of the venue at any time: funds are conserved, locks are exact, books are not crossed.

The audit rebuilds every balance from deposits and fills, not from the code that moved the funds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue.public_book import best_level
from gridtide.venue.settlement import given_asset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from gridtide.domain.market import Asset, Symbol
    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk

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
        traded = self._traded[desk.market.symbol]
        for asset, gained in desk.outside.items():
            if traded[asset] + gained:
                raise Defect(
                    f"{desk.market.symbol}: accounts and the outside differ by {traded[asset] + gained} {asset}"
                )


def _check_locks(account: Account, desks: list[Desk]) -> None:
    expected: Sums = defaultdict(lambda: ZERO)
    for desk in desks:
        for order in account.records[desk.market.symbol].open.values():
            if not order.is_open or order.locked != order.lock_needed():
                raise Defect(f"order {order.order_id} ({order.status}) locks {order.locked}")
            expected[given_asset(order.side, desk.market)] += order.locked
    for asset, locked in account.locked.items():
        if locked != expected[asset]:
            raise Defect(
                f"{account.account_id} has {locked} {asset} locked, its open orders need {expected[asset]}"
            )


def _check_not_crossed(desk: Desk) -> None:
    bid, ask = best_level(desk, Side.BUY), best_level(desk, Side.SELL)
    if bid is not None and ask is not None and bid.price >= ask.price:
        raise Defect(f"{desk.market.symbol}: the book is crossed, bid {bid.price} against ask {ask.price}")


def _check_resting(desk: Desk, accounts: Iterable[Account]) -> None:
    """The book holds exactly the open orders, and each level's total is theirs."""
    resting = {}
    for side in (desk.book.bids, desk.book.asks):
        for level in side:
            if level.total != sum((order.remaining for order in level.orders.values()), ZERO):
                raise Defect(f"{desk.market.symbol}: the level {level.price} does not add up")
            resting.update(level.orders)
    opened = {
        order_id: order
        for account in accounts
        for order_id, order in account.records[desk.market.symbol].open.items()
    }
    if resting != opened:
        raise Defect(f"{desk.market.symbol}: the book and the open orders differ")
