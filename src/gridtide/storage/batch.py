"""What the entries of one commit come to: the last word for each row, and everything that only ever adds.

Entries put whole rows, so only the last put of a key counts. Orders that are over come before live ones, because an
order may take a slot in the very commit that frees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from gridtide.domain.journal import (
    BalancesSeen,
    BaselinePut,
    BotStatePut,
    CursorPut,
    FillAdded,
    FillCorrected,
    ForeignFillSeen,
    JournalEntry,
    LedgerBooked,
    NoticeAdded,
    OrderPut,
    OrderRow,
    SlotPut,
    SlotRow,
    StrategyStatePut,
)

if TYPE_CHECKING:
    from gridtide.domain.ledger import (
        Account,
        AccountBalance,
        LedgerChange,
        LedgerTotals,
        Lot,
        LotClosing,
        Posting,
    )
    from gridtide.domain.market import Asset


@dataclass(slots=True)
class Batch:
    """The entries of one commit by what they change. Numbers beside values are positions among the entries."""

    orders: dict[str, tuple[int, OrderRow]] = field(default_factory=dict)
    """By client order id: where the order was first put, and its last row."""
    slots: dict[str, SlotRow] = field(default_factory=dict)
    fills: list[tuple[int, FillAdded]] = field(default_factory=list)
    corrected: list[FillCorrected] = field(default_factory=list)
    foreign_fills: list[tuple[int, ForeignFillSeen]] = field(default_factory=list)
    postings: list[tuple[int, int, Posting]] = field(default_factory=list)
    """Position of the booking, line within it, posting."""
    ledger_balances: dict[tuple[Account, Asset], AccountBalance] = field(default_factory=dict)
    lots: dict[int, Lot] = field(default_factory=dict)
    """An amount of zero means the lot is gone."""
    closings: list[LotClosing] = field(default_factory=list)
    totals: LedgerTotals | None = None
    strategy_state: dict[str, Any] = field(default_factory=dict)
    """The last value of each part."""
    bot_state: BotStatePut | None = None
    cursor: CursorPut | None = None
    baseline: BaselinePut | None = None
    balances: list[tuple[int, BalancesSeen]] = field(default_factory=list)
    notices: list[tuple[int, NoticeAdded]] = field(default_factory=list)

    def ended_first(self) -> list[tuple[int, OrderRow]]:
        """The orders, those that free a slot before those that may take it."""
        return sorted(self.orders.values(), key=lambda item: item[1].state.is_live)


def collapse(entries: Sequence[JournalEntry]) -> Batch:
    """The batch that `entries` come to."""
    batch = Batch()
    for position, entry in enumerate(entries):
        _add(batch, position, entry)
    return batch


def _add(batch: Batch, position: int, entry: JournalEntry) -> None:
    match entry:
        case OrderPut(row):
            first, _ = batch.orders.get(row.client_order_id, (position, row))
            batch.orders[row.client_order_id] = first, row
        case SlotPut(slot):
            batch.slots[slot.slot] = slot
        case FillAdded():
            batch.fills.append((position, entry))
        case FillCorrected():
            batch.corrected.append(entry)
        case ForeignFillSeen():
            batch.foreign_fills.append((position, entry))
        case LedgerBooked(change):
            _add_booking(batch, position, change)
        case StrategyStatePut(state):
            batch.strategy_state.update(state)
        case BotStatePut():
            batch.bot_state = entry
        case CursorPut():
            batch.cursor = entry
        case BaselinePut():
            batch.baseline = entry
        case BalancesSeen():
            batch.balances.append((position, entry))
        case NoticeAdded():
            batch.notices.append((position, entry))
        case _:
            assert_never(entry)


def _add_booking(batch: Batch, position: int, change: LedgerChange) -> None:
    batch.postings.extend((position, line, posting) for line, posting in enumerate(change.postings))
    batch.ledger_balances.update({(item.account, item.asset): item for item in change.balances})
    batch.lots.update({lot.lot_id: lot for lot in change.lots})
    batch.closings.extend(change.closings)
    batch.totals = change.totals
