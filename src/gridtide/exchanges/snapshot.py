"""One consistent view of an account from reads that each see another moment (order-safety, reconciliation step 3).

Fills are read first and last: an execution between two reads shows up in the last one, and the round is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from gridtide.domain.commands import QueryOrder
from gridtide.domain.events import SnapshotTaken

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.commands import TakeSnapshot
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset, Symbol
    from gridtide.domain.order import OrderUpdate

MAX_ROUNDS = 5
_QUERIES_AT_ONCE = 8


class AccountReads(Protocol):
    """What a snapshot is made of; every adapter has these."""

    async def fills(self, symbol: Symbol, from_trade_id: int) -> tuple[Fill, ...]: ...

    async def open_orders(self, symbol: Symbol) -> tuple[OrderUpdate, ...]: ...

    async def find(self, command: QueryOrder) -> OrderUpdate | None: ...

    async def balances(self) -> Mapping[Asset, Balance]: ...


async def take_snapshot(exchange: AccountReads, command: TakeSnapshot) -> SnapshotTaken:
    """Rounds of reads until no fill came in between, five at most; then `stable` is False.

    Raises what the reads raise: a snapshot with a hole in it is no observation (R7).
    """
    fills = _by_key(await exchange.fills(command.symbol, command.from_trade_id))
    for round_number in range(1, MAX_ROUNDS + 1):
        open_orders = await exchange.open_orders(command.symbol)
        queried, not_found = await _query_missing(exchange, command, open_orders)
        balances = await exchange.balances() if command.full else None
        known = len(fills)
        fills |= _by_key(await exchange.fills(command.symbol, command.from_trade_id))
        is_stable = len(fills) == known
        if is_stable or round_number == MAX_ROUNDS:
            return SnapshotTaken(
                symbol=command.symbol,
                fills=tuple(fills[key] for key in sorted(fills)),
                open_orders=open_orders,
                queried=queried,
                not_found=not_found,
                balances=balances,
                stable=is_stable,
                asked_at=command.asked_at,
            )
    raise AssertionError("the last round returns")


def _by_key(fills: tuple[Fill, ...]) -> dict[tuple[int, str], Fill]:
    """Each execution once, by what tells it from all others of its market."""
    return {(fill.trade_id, fill.order_id): fill for fill in fills}


async def _query_missing(
    exchange: AccountReads, command: TakeSnapshot, open_orders: tuple[OrderUpdate, ...]
) -> tuple[tuple[OrderUpdate, ...], tuple[str, ...]]:
    """Ask for each of our live orders that is not open: it ended, or it was never there. Never assumed."""
    shown = {update.client_order_id for update in open_orders}
    missing = [name for name in command.client_order_ids if name not in shown]
    queried: list[OrderUpdate] = []
    not_found: list[str] = []
    for start in range(0, len(missing), _QUERIES_AT_ONCE):
        batch = missing[start : start + _QUERIES_AT_ONCE]
        asked = [exchange.find(QueryOrder(command.symbol, name)) for name in batch]
        found = await asyncio.gather(*asked) if len(asked) > 1 else [await asked[0]]
        queried += [update for update in found if update is not None]
        not_found += [name for name, update in zip(batch, found, strict=True) if update is None]
    return tuple(queried), tuple(not_found)
