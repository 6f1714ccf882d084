"""Verifies what the rows of one bot say about each other, without an exchange. It reads only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import inspect, select

from gridtide.domain.journal import BotState, BotStatePut, CursorPut, FillCorrected, OrderPut
from gridtide.domain.ledger import Account, Ledger
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Asset
from gridtide.domain.money import ZERO, tidy
from gridtide.domain.order import Side
from gridtide.storage import queries
from gridtide.storage import tables as t
from gridtide.storage.codec import decode
from gridtide.storage.findings import Finding, finding

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import JournalEntry, OrderRow
    from gridtide.domain.ledger import LedgerState
    from gridtide.storage.reader import StoredBot

_ALL = 2**31
_UNKNOWN_FATE = (IntentState.SENDING, IntentState.UNKNOWN, IntentState.CANCELLING)


@dataclass(frozen=True, slots=True)
class Rows:
    """All that a bot's tables hold."""

    bot: StoredBot
    orders: tuple[OrderRow, ...]
    fills: tuple[Fill, ...]
    ledger: LedgerState
    indexes: frozenset[str]

    @property
    def base(self) -> Asset:
        return Asset(self.bot.symbol.partition("/")[0])

    @property
    def quote(self) -> Asset:
        return Asset(self.bot.symbol.partition("/")[2])


def read_rows(connection: Connection, bot: StoredBot) -> Rows:
    """The rows of one generation of a bot."""
    indexes = {str(index["name"]) for index in inspect(connection).get_indexes("orders")}
    page = queries.fills(connection, bot.bot_id, after=None, limit=_ALL)
    return Rows(
        bot,
        queries.all_orders(connection, bot.bot_id),
        tuple(fill for fill, _ in page),
        queries.ledger_state(connection, bot.bot_id),
        frozenset(indexes),
    )


def examine_rows(connection: Connection, rows: Rows) -> Iterator[Finding]:
    """I1 to I5, I9 to I12 and I16, as far as rows alone can tell, and whether the journal has gaps."""
    yield one_live_order(rows)
    yield sent_once(rows)
    yield fills_add_up(rows)
    yield booked_once(rows)
    yield postings_add_up(connection, rows)
    yield nothing_below_zero(rows)
    yield lots_are_the_base(rows)
    yield reserved_is_held(rows)
    yield from journal_is_orderly(connection, rows)


def one_live_order(rows: Rows) -> Finding:
    live = Counter(order.slot for order in rows.orders if order.state.is_live)
    problems = [f"slot {slot} has {count} live orders" for slot, count in live.items() if count > 1]
    if t.ONE_LIVE_ORDER.name not in rows.indexes:
        problems.append(f"the index {t.ONE_LIVE_ORDER.name} is gone")
    return finding("I1", problems, f"{sum(live.values())} live orders in {len(live)} slots")


def sent_once(rows: Rows) -> Finding:
    problems = [
        f"{order.client_order_id} was sent {order.tx_count} times"
        for order in rows.orders
        if order.tx_count > 1
    ]
    numbers = Counter(order.order_id for order in rows.orders if order.order_id)
    problems += [f"order {number} belongs to {count} rows" for number, count in numbers.items() if count > 1]
    return finding("I2", problems, f"{sum(order.tx_count for order in rows.orders)} orders were sent")


def fills_add_up(rows: Rows) -> Finding:
    booked: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for fill in rows.fills:
        sums = booked[fill.order_id]
        sums[0] += fill.amount
        sums[1] += fill.quote_amount
    problems = []
    for order in rows.orders:
        amount, quote = booked[order.order_id] if order.order_id else (ZERO, ZERO)
        if (amount, quote) != (order.filled_amount, order.filled_quote):
            problems.append(
                f"{order.client_order_id} says {tidy(order.filled_amount)}, its fills {tidy(amount)}"
            )
        elif order.state is IntentState.SETTLED and (
            amount != order.executed_amount or (order.executed_quote >= 0 and order.executed_quote != quote)
        ):
            problems.append(
                f"{order.client_order_id} executed {tidy(order.executed_amount)}, booked {tidy(amount)}"
            )
    settled = sum(order.state is IntentState.SETTLED for order in rows.orders)
    return finding("I3", problems, f"{settled} orders are over, {len(rows.fills)} fills add up to them")


def booked_once(rows: Rows) -> Finding:
    keys = Counter(fill.key for fill in rows.fills)
    owners = {order.order_id for order in rows.orders if order.order_id}
    problems = [f"fill {key.trade_id} is booked {count} times" for key, count in keys.items() if count > 1]
    problems += [
        f"fill {fill.trade_id} belongs to order {fill.order_id}, which no row has"
        for fill in rows.fills
        if fill.order_id not in owners
    ]
    return finding("I4", problems, f"{len(rows.fills)} fills, each of one order")


def postings_add_up(connection: Connection, rows: Rows) -> Finding:
    """Each fill's entry against the fill, and each entry against itself."""
    lines: dict[str, dict[tuple[Account, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    p = t.POSTINGS.c
    for row in connection.execute(
        select(p.entry_id, p.account, p.asset, p.amount).where(p.bot_id == rows.bot.bot_id)
    ):
        lines[row.entry_id][row.account, row.asset] += row.amount
    problems = []
    for entry, sums in lines.items():
        totals: dict[str, Decimal] = defaultdict(Decimal)
        for (_, asset), amount in sums.items():
            totals[asset] += amount
        problems += [f"{entry} is out by {tidy(total)} {asset}" for asset, total in totals.items() if total]
    for fill in rows.fills:
        entry = "fill:" + ":".join(map(str, fill.key))
        sums = lines.get(entry, {})
        sign = 1 if fill.side is Side.BUY else -1
        wanted = {
            (Account.MARKET, str(rows.base)): -sign * fill.amount,
            (Account.MARKET, str(rows.quote)): sign * fill.quote_amount,
        }
        if fill.fee.amount:
            wanted[Account.FEES, str(fill.fee.asset)] = Decimal(fill.fee.amount)
        if any(sums.get(key, ZERO) != amount for key, amount in wanted.items()):
            problems.append(f"{entry} is not posted as it was executed")
    return finding("I5", problems, f"{len(lines)} entries, each adds up")


def nothing_below_zero(rows: Rows) -> Finding:
    problems = [
        f"{item.asset} stands at {tidy(item.balance)}"
        for item in rows.ledger.balances
        if item.account is Account.HOLDINGS and item.balance < 0
    ]
    problems += [
        f"lot {lot.lot_id} holds {tidy(lot.amount)} at a cost of {tidy(lot.cost)}"
        for lot in rows.ledger.lots
        if lot.amount <= 0 or lot.cost < 0
    ]
    problems += [
        f"{order.client_order_id} reserves {tidy(order.reserved_amount)}"
        for order in rows.orders
        if order.reserved_amount < 0
    ]
    return finding("I9", problems, f"{len(rows.ledger.balances)} balances, {len(rows.ledger.lots)} lots")


def lots_are_the_base(rows: Rows) -> Finding:
    ledger = Ledger(rows.base, rows.quote, rows.ledger)
    held, lots = ledger.holding(rows.base), sum((lot.amount for lot in rows.ledger.lots), ZERO)
    problems = []
    if held != lots:
        problems.append(f"the lots hold {tidy(lots)} {rows.base}, the books {tidy(held)}")
    if not ledger.statement(Decimal(1)).is_balanced:
        problems.append("equity is not what was put in and the profits")
    return finding("I10", problems, f"{tidy(held)} {rows.base} in {len(rows.ledger.lots)} lots")


def reserved_is_held(rows: Rows) -> Finding:
    ledger = Ledger(rows.base, rows.quote, rows.ledger)
    problems, told = [], []
    for asset in (rows.base, rows.quote):
        reserved = sum(
            (
                order.reserved_amount
                for order in rows.orders
                if order.reserved_asset == asset and _holds(order)
            ),
            ZERO,
        )
        told.append(f"{tidy(reserved)} of {tidy(ledger.holding(asset))} {asset}")
        if reserved > ledger.holding(asset):
            problems.append(f"{tidy(reserved)} {asset} are reserved, {tidy(ledger.holding(asset))} held")
    problems += [
        f"{order.client_order_id} is {order.state} and reserves nothing"
        for order in rows.orders
        if order.state in _UNKNOWN_FATE and not order.reserved_amount and order.filled_amount < order.amount
    ]
    return finding("I11", problems, f"{' and '.join(told)} are reserved")


def _holds(order: OrderRow) -> bool:
    return order.state.is_live or order.state is IntentState.ZOMBIE


# --- the journal ---------------------------------------------------------------------------------------


class _Course:
    """Follows a journal and notes what should not happen in one."""

    def __init__(self) -> None:
        self.fell: list[str] = []
        self.sent: list[str] = []
        self.gaps: list[str] = []
        self.count = 0
        self.newest = 0
        self._state: BotState | None = None
        """None until the journal says what the bot was doing."""
        self._cursor = CursorPut(0, 0)
        self._orders: dict[str, OrderRow] = {}
        self._less: dict[str, str] = {}
        """By the exchange's order: that it executed less than before. A correction, in the same commit, explains it."""

    def follow(self, seq: int, entry: JournalEntry) -> None:
        self.count += 1
        if self.newest and seq != self.newest + 1:  # the oldest entries make room after a week
            self.gaps.append(f"entry {seq} follows {self.newest}")
        self.newest = seq
        match entry:
            case BotStatePut(state):
                self._state = state
            case CursorPut(applied, safe):
                if applied < self._cursor.applied or safe < self._cursor.safe:
                    self.fell.append(f"the cursor fell at entry {seq}")
                self._cursor = entry
            case OrderPut(row):
                self._order(seq, row)
            case FillCorrected(fill):
                self._less.pop(fill.order_id, None)
            case _:
                pass

    def found_fallen(self) -> list[str]:
        return [*self.fell, *self._less.values()]

    def _order(self, seq: int, row: OrderRow) -> None:
        before = self._orders.get(row.client_order_id)
        self._orders[row.client_order_id] = row
        if before is None:
            return
        if row.executed_amount < before.executed_amount or row.filled_amount < before.filled_amount:
            self._less[row.order_id] = f"{row.client_order_id} executed less at entry {seq} than before"
        if before.state.is_terminal and row.state not in (before.state, IntentState.ZOMBIE):
            self.fell.append(f"{row.client_order_id} was {before.state} and became {row.state}")
        allowed = (None, BotState.RUNNING, BotState.STOPPING)
        if (before.state, row.state) == (
            IntentState.PLANNED,
            IntentState.SENDING,
        ) and self._state not in allowed:
            self.sent.append(f"{row.client_order_id} was sent while the bot was {self._state}")


def journal_is_orderly(connection: Connection, rows: Rows) -> Iterator[Finding]:
    """I12, I16 and the numbers of the entries, from one pass over the journal."""
    j = t.JOURNAL.c
    query = select(j.seq, j.kind, j.payload).where(j.bot_id == rows.bot.bot_id).order_by(j.seq)
    course = _Course()
    for row in connection.execute(query.execution_options(yield_per=1000)):
        course.follow(row.seq, decode(row.kind, row.payload))
    yield finding("I12", course.found_fallen(), f"{course.count} entries, {len(rows.orders)} orders")
    yield finding(
        "I16", course.sent, f"{sum(order.tx_count for order in rows.orders)} orders left while it ran"
    )
    yield finding("events", course.gaps, f"{course.count} entries, the newest is {course.newest}")
