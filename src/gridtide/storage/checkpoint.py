"""What a bot's tables held at one moment, so that the journal can be replayed from there (I14).

A checkpoint holds only rows that later entries may change. What is never changed again, the books (ended orders, fills,
postings, closed lots), stays in its tables and is taken from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import delete, func, insert, select

from gridtide.domain.errors import StorageFailed
from gridtide.domain.journal import LedgerBooked, OrderPut
from gridtide.domain.lifecycle import IntentState
from gridtide.storage import tables as t
from gridtide.storage.codec import decode
from gridtide.storage.tables import ExactDecimal, Word

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

VERSION = 1

_Row = dict[str, Any]

_CHANGING = (
    t.SLOTS,
    t.LEDGER_BALANCES,
    t.LEDGER_TOTALS,
    t.LOTS,
    t.STRATEGY_STATES,
    t.BOT_STATES,
    t.CURSORS,
    t.BASELINES,
)
"""Tables whose rows entries overwrite or take away."""
_ADDED = (t.FILLS, t.FOREIGN_FILLS, t.POSTINGS, t.BALANCE_SNAPSHOTS, t.NOTICES)
"""Tables whose rows keep the number of the entry that added them."""
_TERMINAL = sorted(state for state in IntentState if state.is_terminal)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The rows by table behind the entry `seq`, taken at `at` (ms)."""

    seq: int
    at: int
    rows: Mapping[str, list[_Row]]


def take(connection: Connection, bot_id: int, seq: int, at: int) -> None:
    """Store what the tables hold now, which is what they hold behind the newest entry `seq`."""
    rows = {str(table.name): _rows(connection, table, bot_id) for table in _CHANGING}
    rows["orders"] = _rows(connection, t.ORDERS, bot_id, t.ORDERS.c.state.not_in(_TERMINAL))
    payload = orjson.dumps({"version": VERSION, "rows": rows}, default=_exact).decode()
    connection.execute(insert(t.CHECKPOINTS).values(bot_id=bot_id, seq=seq, at=at, payload=payload))


def forget_before(connection: Connection, bot_id: int, seq: int) -> None:
    """Drop the checkpoints older than `seq`."""
    c = t.CHECKPOINTS.c
    connection.execute(delete(t.CHECKPOINTS).where(c.bot_id == bot_id, c.seq < seq))


def base_of(connection: Connection, bot_id: int) -> Checkpoint | None:
    """What a replay begins with; None where the journal is whole. Raises `StorageFailed` where it is neither."""
    first = connection.scalar(select(func.min(t.JOURNAL.c.seq)).where(t.JOURNAL.c.bot_id == bot_id))
    if first == 1:
        return None
    c = t.CHECKPOINTS.c
    query = select(c.seq, c.at, c.payload).where(c.bot_id == bot_id).limit(1)
    if first is None:  # nothing was written since the newest one, or ever
        query = query.order_by(c.seq.desc())
    else:
        query = query.where(c.seq >= first - 1).order_by(c.seq)
    found = connection.execute(query).one_or_none()
    if found is None and first is None:
        return None
    if found is None:
        raise StorageFailed(f"the journal begins at entry {first} and no checkpoint says what was before it")
    return Checkpoint(found.seq, found.at, _decoded(found.payload))


def lay(reading: Connection, writing: Connection, bot_id: int, base: Checkpoint) -> None:
    """Fill the empty tables of `writing` with what `reading` held behind the entry `base.seq`."""
    put_later, closed_later = _changed_later(reading, bot_id, base.seq)
    for name, rows in base.rows.items():
        _insert(writing, t.METADATA.tables[name], bot_id, rows)
    for table in _ADDED:
        _insert(writing, table, bot_id, _rows(reading, table, bot_id, table.c.seq <= base.seq))
    closings = _rows(reading, t.LOT_CLOSINGS, bot_id)
    _insert(
        writing, t.LOT_CLOSINGS, bot_id, (row for row in closings if row["closing_id"] not in closed_later)
    )
    known = {row["client_order_id"] for row in base.rows[t.ORDERS.name]}
    ended = _rows(reading, t.ORDERS, bot_id, t.ORDERS.c.opened_seq <= base.seq)
    _insert(
        writing,
        t.ORDERS,
        bot_id,
        (
            _aside(row) if row["client_order_id"] in put_later else row
            for row in ended
            if row["client_order_id"] not in known
        ),
    )


def _aside(row: _Row) -> _Row:
    """An order that a later entry puts again, whole: until then it takes no slot and no number of the exchange."""
    return {**row, "state": IntentState.SETTLED, "order_id": ""}


def _changed_later(connection: Connection, bot_id: int, seq: int) -> tuple[set[str], set[int]]:
    """Orders put and lots closed by entries behind `seq`."""
    j = t.JOURNAL.c
    query = select(j.kind, j.payload).where(
        j.bot_id == bot_id, j.seq > seq, j.kind.in_(("order_put", "ledger_booked"))
    )
    orders, closings = set[str](), set[int]()
    for row in connection.execute(query.execution_options(yield_per=1000)):
        match decode(row.kind, row.payload):
            case OrderPut(order):
                orders.add(order.client_order_id)
            case LedgerBooked(change):
                closings.update(item.closing_id for item in change.closings)
            case _:
                pass  # the query asks for no other
    return orders, closings


# --- rows ----------------------------------------------------------------------------------------------


def _rows(connection: Connection, table: Table, bot_id: int, *where: Any) -> list[_Row]:
    """Rows of one bot, without its id."""
    columns = [column for column in table.c if column.name != "bot_id"]
    query = select(*columns).where(table.c.bot_id == bot_id, *where)
    names = [str(column.name) for column in columns]
    return [dict(zip(names, row, strict=True)) for row in connection.execute(query)]


def _insert(connection: Connection, table: Table, bot_id: int, rows: Iterable[_Row]) -> None:
    values = [{"bot_id": bot_id, **row} for row in rows]
    if values:
        connection.execute(insert(table), values)


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} has no exact form in JSON")


def _decoded(payload: str) -> dict[str, list[_Row]]:
    document = orjson.loads(payload)
    if document["version"] != VERSION:
        raise StorageFailed(
            f"a checkpoint of version {document['version']} cannot be read: it was left as it is; use the version of "
            "gridtide that wrote it"
        )
    return {
        name: [_typed(t.METADATA.tables[name], row) for row in rows]
        for name, rows in document["rows"].items()
    }


def _typed(table: Table, row: _Row) -> _Row:
    return {name: _value(table.c[name].type, value) for name, value in row.items()}


def _value(kind: object, value: Any) -> Any:
    if value is not None and isinstance(kind, ExactDecimal):
        return Decimal(value)
    return kind.words(value) if value is not None and isinstance(kind, Word) else value
