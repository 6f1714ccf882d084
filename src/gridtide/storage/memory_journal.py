"""A journal in memory, for backtests and simulations: the contract of `SqlJournal` without a database.

It refuses what the database's keys refuse, before anything is changed. Imports no SQL: sweep workers use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import nlargest
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect, Fenced
from gridtide.domain.journal import BotSnapshot, BotState, BotStatePut, CursorPut
from gridtide.domain.ledger import Account, AccountBalance, LedgerState, LedgerTotals, Lot
from gridtide.storage.batch import Batch, collapse
from gridtide.storage.codec import decode_part, encode_part

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill, FillKey
    from gridtide.domain.journal import JournalEntry, OrderRow, SlotRow
    from gridtide.domain.market import Asset, Symbol, Timestamp


RECENT_ORDERS = 200
"""As `queries.RECENT_ORDERS`."""


@dataclass(slots=True)
class _Tables:
    """What one generation of a bot has written."""

    generation: int
    orders: dict[str, OrderRow] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)
    """Slot -> client order id of its live order (R2)."""
    owners: dict[tuple[Symbol, str], str] = field(default_factory=dict)
    """Exchange's order -> client order id (I2)."""
    slots: dict[str, SlotRow] = field(default_factory=dict)
    fills: dict[FillKey, Fill] = field(default_factory=dict)
    foreign_fills: dict[FillKey, Timestamp] = field(default_factory=dict)
    balances: dict[tuple[Account, Asset], AccountBalance] = field(default_factory=dict)
    lots: dict[int, Lot] = field(default_factory=dict)
    closings: set[int] = field(default_factory=set)
    totals: LedgerTotals = field(default_factory=LedgerTotals)
    strategy_state: dict[str, str] = field(default_factory=dict)
    """As JSON, so that a restart sees what it would see after SQL."""
    bot_state: BotStatePut = field(default_factory=lambda: BotStatePut(BotState.STARTING))
    cursor: CursorPut = field(default_factory=lambda: CursorPut(0, 0))
    baseline: dict[Asset, Decimal] = field(default_factory=dict)
    was_written: bool = False


class MemoryDatabase:
    """Holds one bot's generations; outlives the journals, as a file outlives a crashed process."""

    def __init__(self) -> None:
        self._tables: _Tables | None = None
        self.epoch = 0

    def open_bot(self, *, resume: bool = False, minimum_generation: int = 1) -> MemoryJournal:
        """A journal on the newest generation, or on a new one; earlier journals are fenced from now on."""
        newest = self._tables
        if newest is None or not resume:
            after = newest.generation + 1 if newest is not None else 1
            newest = self._tables = _Tables(max(after, minimum_generation))
        self.epoch += 1
        return MemoryJournal(self, newest)


class MemoryJournal:
    """The `Journal` of one bot in memory. Made by `MemoryDatabase.open_bot`."""

    def __init__(self, database: MemoryDatabase, tables: _Tables) -> None:
        self._database = database
        self._tables = tables
        self._epoch = database.epoch
        self._is_closed = False

    @property
    def generation(self) -> int:
        return self._tables.generation

    def load(self) -> BotSnapshot:
        """What to continue from."""
        tables = self._tables
        open_orders = [row for row in tables.orders.values() if not row.state.is_terminal]
        filled = {key.order_id for key in tables.fills if key.trade_id >= tables.cursor.safe}
        newest = {
            id(row) for row in nlargest(RECENT_ORDERS, tables.orders.values(), key=attrgetter("updated_at"))
        }
        recent = [
            row
            for row in tables.orders.values()
            if row.state.is_terminal and (row.order_id in filled or id(row) in newest)
        ]
        order_ids = {row.order_id for row in (*open_orders, *recent)}
        return BotSnapshot(
            generation=tables.generation,
            state=tables.bot_state.state,
            pause_reason=tables.bot_state.reason,
            pause_detail=tables.bot_state.detail,
            orders=tuple(open_orders),
            slots=tuple(tables.slots[key] for key in sorted(tables.slots)),
            ledger=LedgerState(
                tuple(tables.balances[key] for key in sorted(tables.balances)),
                tuple(tables.lots[lot_id] for lot_id in sorted(tables.lots)),
                tables.totals,
            ),
            strategy_state={name: decode_part(text) for name, text in tables.strategy_state.items()} or None,
            recent_orders=tuple(recent),
            fills=tuple(tables.fills[key] for key in sorted(tables.fills) if key.order_id in order_ids),
            cursor=tables.cursor,
            baseline=dict(tables.baseline),
            fill_count=len(tables.fills),
            recent_executions=tuple(
                sorted(
                    (
                        (at, key.trade_id)
                        for key, at in (
                            *((key, fill.timestamp) for key, fill in tables.fills.items()),
                            *tables.foreign_fills.items(),
                        )
                        if key.trade_id >= tables.cursor.safe
                    ),
                    key=itemgetter(1, 0),
                )
            ),
            foreign_fills=frozenset(
                key for key in tables.foreign_fills if key.trade_id >= tables.cursor.safe
            ),
            is_resume=tables.was_written,
        )

    def commit(self, entries: Sequence[JournalEntry], now: Timestamp) -> None:
        """Take all entries or none; raises `Fenced`, also after `close`, and `Defect` where the tables would."""
        self.renew_lease()
        if not entries:
            return
        batch = collapse(entries)
        tables = self._tables
        live = _live_slots(tables, batch)
        owners = _new_owners(tables, batch)
        _check_additions(tables, batch)
        _check_exact(batch)
        parts = {name: encode_part(value) for name, value in batch.strategy_state.items()}
        tables.live = live
        tables.strategy_state.update(parts)
        tables.owners.update(owners)
        _apply(tables, batch)

    def renew_lease(self) -> None:
        """Raise `Fenced` unless the bot is still ours."""
        if self._is_closed or self._database.epoch != self._epoch:
            raise Fenced("this journal is closed or another has taken over: nothing was stored")

    def close(self) -> None:
        """Refuse further commits; the database keeps what was written."""
        self._is_closed = True


def _live_slots(tables: _Tables, batch: Batch) -> dict[str, str]:
    """Live orders by slot after `batch`; refuses a second one (R2) and a second transmission (R3)."""
    live = {slot: order for slot, order in tables.live.items() if order not in batch.orders}
    for _, row in batch.orders.values():
        if row.tx_count not in (0, 1):
            raise Defect(f"{row.client_order_id} would be sent {row.tx_count} times")
        if row.state.is_live and live.setdefault(row.slot, row.client_order_id) != row.client_order_id:
            raise Defect(f"slot {row.slot} would have two live orders")
    return live


def _new_owners(tables: _Tables, batch: Batch) -> dict[tuple[Symbol, str], str]:
    """The exchange's orders that `batch` names; refuses one that belongs to two intents (I2)."""
    named: dict[tuple[Symbol, str], str] = {}
    for _, row in batch.orders.values():
        if row.order_id:
            key = row.symbol, row.order_id
            if named.setdefault(key, tables.owners.get(key, row.client_order_id)) != row.client_order_id:
                raise Defect(f"order {row.order_id} of the exchange would belong to two intents")
    return named


def _check_additions(tables: _Tables, batch: Batch) -> None:
    """Refuse a fill or a closing of a lot that is there already (I4)."""
    keys = [item.fill.key for _, item in batch.fills]
    if len(set(keys)) < len(keys) or not tables.fills.keys().isdisjoint(keys):
        raise Defect("a fill would be booked twice")
    for item in batch.corrected:
        if item.fill.key not in tables.fills and item.fill.key not in keys:
            raise Defect(f"fill {item.fill.trade_id} would be corrected, but is not booked")
    closings = [item.closing_id for item in batch.closings]
    if len(set(closings)) < len(closings) or not tables.closings.isdisjoint(closings):
        raise Defect("a lot would be closed twice")


def _check_exact(batch: Batch) -> None:
    """Refuse a number that is not exact, as the columns of a database do."""
    found: list[object] = []
    for _, row in batch.orders.values():
        found += (row.amount, row.reserved_amount, row.executed_amount, row.executed_quote)
        found += (row.filled_amount, row.filled_quote, row.received)
        if row.price is not None:
            found.append(row.price)
    for fill in (*(item.fill for _, item in batch.fills), *(item.fill for item in batch.corrected)):
        found += (fill.price, fill.amount, fill.quote_amount, fill.fee.amount)
    found += [item.balance for item in batch.ledger_balances.values()]
    for lot in batch.lots.values():
        found += (lot.amount, lot.cost)
    if batch.baseline is not None:
        found += batch.baseline.baseline.values()
    for value in found:
        if type(value) is not Decimal or not value.is_finite():
            raise Defect(f"a value cannot be stored: {value!r} is no exact decimal")


def _apply(tables: _Tables, batch: Batch) -> None:
    tables.was_written = True
    tables.orders.update({client_id: row for client_id, (_, row) in batch.orders.items()})
    tables.slots.update(batch.slots)
    tables.fills.update((item.fill.key, item.fill) for _, item in batch.fills)
    for item in batch.corrected:
        tables.fills[item.fill.key] = tables.fills[item.fill.key].corrected_by(item.fill)
    for _, seen in batch.foreign_fills:
        tables.foreign_fills.setdefault(seen.fill.key, seen.fill.timestamp)
    tables.closings.update(item.closing_id for item in batch.closings)
    tables.balances.update(batch.ledger_balances)
    for lot_id, lot in batch.lots.items():
        if lot.amount:
            tables.lots[lot_id] = lot
        else:
            tables.lots.pop(lot_id, None)
    tables.totals = batch.totals or tables.totals
    tables.bot_state = batch.bot_state or tables.bot_state
    tables.cursor = batch.cursor or tables.cursor
    if batch.baseline is not None:
        tables.baseline = dict(batch.baseline.baseline)
