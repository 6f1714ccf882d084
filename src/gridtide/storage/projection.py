"""Writes a batch to the tables. `SqlJournal` and the rebuild from the journal both write through here (I14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, Insert, Table, bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from gridtide.domain.errors import Defect
from gridtide.storage import tables as t
from gridtide.storage.codec import encode_part

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gridtide.domain.fill import Fill
    from gridtide.storage.batch import Batch

_Row = dict[str, Any]

_FROZEN = {"orders": {"opened_seq"}}
"""Columns that keep the value of the first put."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one dialect, built once so that SQLAlchemy compiles each once."""

    put: Mapping[str, Insert]
    """By table: insert, or overwrite the row of the same key."""
    ignore: Insert
    """Foreign fills: insert, or leave the row that is there."""


@cache
def statements(dialect: str) -> Statements:
    """Statements for ``sqlite`` or ``postgresql``."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    put = {}
    for table in (
        t.ORDERS,
        t.SLOTS,
        t.LEDGER_BALANCES,
        t.LEDGER_TOTALS,
        t.LOTS,
        t.STRATEGY_STATES,
        t.BOT_STATES,
        t.CURSORS,
    ):
        statement = insert(table)
        keys = [column.name for column in table.primary_key]
        kept = {*keys, *_FROZEN.get(table.name, ())}
        changed = {name: statement.excluded[name] for name in table.c.keys() if name not in kept}  # noqa: SIM118 (a column collection iterates over columns)
        put[table.name] = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    return Statements(put, insert(t.FOREIGN_FILLS).on_conflict_do_nothing())


_INSERTS: dict[str, Insert] = {
    table.name: table.insert()
    for table in (t.JOURNAL, t.FILLS, t.POSTINGS, t.LOT_CLOSINGS, t.BASELINES, t.BALANCE_SNAPSHOTS, t.NOTICES)
}
"""Rows that are only ever added; a second one of the same key is refused by the database."""

_TOLD = ("price", "amount", "quote_amount", "fee_amount", "fee_asset", "is_maker", "source")
"""What the records may tell otherwise than an event or a reply had."""
_CORRECT_FILL = (
    update(t.FILLS)
    .where(
        *(t.FILLS.c[name] == bindparam(f"at_{name}") for name in ("bot_id", "symbol", "trade_id", "order_id"))
    )
    .values({name: bindparam(f"new_{name}") for name in _TOLD})
)
_DELETE_LOT = delete(t.LOTS).where(t.LOTS.c.bot_id == bindparam("bot"), t.LOTS.c.lot_id == bindparam("lot"))
_DELETE_BASELINE = delete(t.BASELINES).where(t.BASELINES.c.bot_id == bindparam("bot"))


class Projection:
    """Applies batches of one bot within the caller's transaction."""

    def __init__(self, connection: Connection, bot_id: int) -> None:
        self._connection = connection
        self._bot_id = bot_id
        self._statements = statements(connection.dialect.name)

    def append(
        self,
        entries: Sequence[tuple[str, str]],
        first_seq: int,
        run_id: str,
        at: int,
    ) -> None:
        """Write encoded entries (kind, payload) to the journal, numbered from `first_seq`."""
        self._run(
            _INSERTS[t.JOURNAL.name],
            [
                {"seq": seq, "run_id": run_id, "at": at, "kind": kind, "payload": payload}
                for seq, (kind, payload) in enumerate(entries, start=first_seq)
            ],
        )

    def apply(self, batch: Batch, first_seq: int, at: int) -> None:
        """Bring the tables up to what `batch` says."""
        self._put_orders(batch, first_seq)
        self._put(t.SLOTS, (_values(t.SLOTS, row) for row in batch.slots.values()))
        self._add_fills(batch, first_seq)
        self._book(batch, first_seq)
        self._put_states(batch, at)
        self._observe(batch, first_seq, at)

    def _put_orders(self, batch: Batch, first_seq: int) -> None:
        rows = (
            {**_values(t.ORDERS, row), "opened_seq": first_seq + position}
            for position, row in batch.ended_first()
        )
        self._put(t.ORDERS, rows)

    def _add_fills(self, batch: Batch, first_seq: int) -> None:
        own = [_fill(item.fill, first_seq + position, item.source) for position, item in batch.fills]
        self._run(_INSERTS[t.FILLS.name], own)
        for item in batch.corrected:
            self._correct_fill(item.fill)
        foreign = [_fill(item.fill, first_seq + position, "") for position, item in batch.foreign_fills]
        self._run(self._statements.ignore, foreign)

    def _correct_fill(self, fill: Fill) -> None:
        row = {"bot_id": self._bot_id, **_fill(fill, 0, "records")}
        values = {f"new_{name}": row[name] for name in _TOLD}
        keys = {f"at_{name}": row[name] for name in ("bot_id", "symbol", "trade_id", "order_id")}
        if self._connection.execute(_CORRECT_FILL, {**values, **keys}).rowcount != 1:
            raise Defect(f"fill {fill.trade_id} would be corrected, but is not booked")

    def _book(self, batch: Batch, first_seq: int) -> None:
        postings = [
            {**_values(t.POSTINGS, posting), "seq": first_seq + position, "line": line}
            for position, line, posting in batch.postings
        ]
        self._run(_INSERTS[t.POSTINGS.name], postings)
        balances = batch.ledger_balances.values()
        self._put(t.LEDGER_BALANCES, (_values(t.LEDGER_BALANCES, item) for item in balances))
        self._put(t.LOTS, (_values(t.LOTS, lot) for lot in batch.lots.values() if lot.amount))
        gone = [{"bot": self._bot_id, "lot": lot.lot_id} for lot in batch.lots.values() if not lot.amount]
        if gone:
            self._connection.execute(_DELETE_LOT, gone)
        self._run(_INSERTS[t.LOT_CLOSINGS.name], [_values(t.LOT_CLOSINGS, item) for item in batch.closings])
        if batch.totals is not None:
            self._put(t.LEDGER_TOTALS, [_values(t.LEDGER_TOTALS, batch.totals)])

    def _put_states(self, batch: Batch, at: int) -> None:
        parts = (
            {"part": name, "at": at, "payload": encode_part(value)}
            for name, value in batch.strategy_state.items()
        )
        self._put(t.STRATEGY_STATES, parts)
        if batch.bot_state is not None:
            self._put(t.BOT_STATES, [{**_values(t.BOT_STATES, batch.bot_state), "at": at}])
        if batch.cursor is not None:
            self._put(t.CURSORS, [_values(t.CURSORS, batch.cursor)])
        if batch.baseline is not None:
            self._connection.execute(_DELETE_BASELINE, {"bot": self._bot_id})
            baseline = batch.baseline.baseline.items()
            self._run(
                _INSERTS[t.BASELINES.name], [{"asset": asset, "amount": amount} for asset, amount in baseline]
            )

    def _observe(self, batch: Batch, first_seq: int, at: int) -> None:
        snapshots = [
            {
                "seq": first_seq + position,
                "asset": asset,
                "at": at,
                "free": balance.free,
                "locked": balance.locked,
            }
            for position, seen in batch.balances
            for asset, balance in seen.balances.items()
        ]
        self._run(_INSERTS[t.BALANCE_SNAPSHOTS.name], snapshots)
        notices = [
            {**_values(t.NOTICES, notice), "seq": first_seq + position, "at": at}
            for position, notice in batch.notices
        ]
        self._run(_INSERTS[t.NOTICES.name], notices)

    def _put(self, table: Table, rows: Iterable[_Row]) -> None:
        self._run(self._statements.put[table.name], list(rows))

    def _run(self, statement: Executable, rows: list[_Row]) -> None:
        if rows:
            self._connection.execute(statement, [{"bot_id": self._bot_id, **row} for row in rows])


_ELSEWHERE = frozenset({"bot_id", "seq", "line", "at", "opened_seq"})
"""Columns that say where a row belongs; all others bear the names of the value's fields."""


@cache
def value_columns(table: Table) -> tuple[str, ...]:
    """The columns of `table` that hold the fields of the value it stores."""
    return tuple(name for name in table.c.keys() if name not in _ELSEWHERE)  # noqa: SIM118 (as above)


@cache
def _getter(table: Table) -> attrgetter[tuple[Any, ...]]:
    return attrgetter(*value_columns(table))


def _values(table: Table, value: object) -> _Row:
    return dict(zip(value_columns(table), _getter(table)(value), strict=True))


def _fill(fill: Fill, seq: int, source: str) -> _Row:
    return {
        "symbol": fill.symbol,
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "seq": seq,
        "side": fill.side,
        "price": fill.price,
        "amount": fill.amount,
        "quote_amount": fill.quote_amount,
        "fee_amount": fill.fee.amount,
        "fee_asset": fill.fee.asset,
        "is_maker": fill.is_maker,
        "timestamp": fill.timestamp,
        "client_order_id": fill.client_order_id,
        "source": source,
    }
