"""Rebuilds every table from the journal: the proof that the journal is complete (I14), and a repair.

A journal whose old entries are gone is replayed from its checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gridtide.domain.errors import InvalidInput
from gridtide.storage import checkpoint
from gridtide.storage.batch import collapse
from gridtide.storage.candle_tables import CANDLE_RUNS, CANDLE_SERIES, CANDLES
from gridtide.storage.codec import decode
from gridtide.storage.projection import Projection
from gridtide.storage.tables import BOTS, CHECKPOINTS, JOURNAL, LEASES, METADATA, RUNS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Table

    from gridtide.storage.database import Database


def rebuild_from_journal(source: Database, target: Database) -> int:
    """Replay the journals of all bots in `source` into the empty `target`; returns the number of entries.

    Bots and runs are copied, leases are not: no process holds a copy. Raises `InvalidInput` for a target that
    holds bots already.
    """
    with source.transaction() as reading:
        return replay_journal(reading, target)


def replay_journal(reading: Connection, target: Database) -> int:
    """The same from any connection that can read the source."""
    with target.transaction() as writing:
        if writing.scalar(select(func.count()).select_from(BOTS)):
            raise InvalidInput(f"{target.place} is not empty: nothing was written; name a new database")
        bots = _copy(reading, writing, BOTS)
        _copy(reading, writing, RUNS)
        return sum(_replay(reading, writing, bot["id"]) for bot in bots)


def table_differences(one: Connection, other: Connection) -> list[str]:
    """Tables that are not equal, row by row. The leases are left out, which belong to processes, and the candles,
    which belong to no bot (I14)."""
    found = []
    for table in METADATA.sorted_tables:
        if table not in (LEASES, CANDLE_SERIES, CANDLES, CANDLE_RUNS):
            ours, theirs = _rows(one, table), _rows(other, table)
            changed = sum(ours[key] != theirs[key] for key in ours.keys() & theirs.keys())
            missing = len(ours.keys() ^ theirs.keys())
            if changed or missing:
                found.append(f"{table.name}: {changed} rows differ, {missing} are in one only")
    return found


def _rows(connection: Connection, table: Table) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    keys = [column.name for column in table.primary_key]
    rows = connection.execute(select(table))
    return {tuple(getattr(row, key) for key in keys): tuple(row) for row in rows}


def _copy(reading: Connection, writing: Connection, table: Any, *where: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in reading.execute(select(table).where(*where)).mappings()]
    if rows:
        writing.execute(table.insert(), rows)
    return rows


def _replay(reading: Connection, writing: Connection, bot_id: int) -> int:
    _copy(reading, writing, CHECKPOINTS, CHECKPOINTS.c.bot_id == bot_id)
    base = checkpoint.base_of(reading, bot_id)
    after = 0
    if base is not None:
        checkpoint.lay(reading, writing, bot_id, base)
        after = base.seq
        _copy(reading, writing, JOURNAL, JOURNAL.c.bot_id == bot_id, JOURNAL.c.seq <= after)
    projection = Projection(writing, bot_id)
    count = 0
    for commit in _commits(reading, bot_id, after):
        encoded = [(row.kind, row.payload) for row in commit]
        batch = collapse([decode(kind, payload) for kind, payload in encoded])
        first = commit[0]
        projection.append(encoded, first.seq, first.run_id, first.at)
        projection.apply(batch, first.seq, first.at)
        count += len(commit)
    return count


def _commits(reading: Connection, bot_id: int, after: int) -> Iterator[list[Row[Any]]]:
    """The journal behind the entry `after`, commit by commit.

    Entries of one run and moment are taken together. Two commits may be joined that way, which changes nothing:
    the last word for each row is the same, and each end of a commit keeps all rules.
    """
    query = select(JOURNAL).where(JOURNAL.c.bot_id == bot_id, JOURNAL.c.seq > after).order_by(JOURNAL.c.seq)
    rows = reading.execute(query.execution_options(yield_per=1000))
    for _, commit in groupby(rows, key=lambda row: (row.run_id, row.at)):
        yield list(commit)
