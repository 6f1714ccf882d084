"""Rebuilds every table from the journal alone: the proof that the journal is complete (I14), and a repair."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gridtide.domain.errors import InvalidInput
from gridtide.storage.batch import collapse
from gridtide.storage.codec import decode
from gridtide.storage.projection import Projection
from gridtide.storage.tables import BOTS, JOURNAL, RUNS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from gridtide.storage.database import Database


def rebuild_from_journal(source: Database, target: Database) -> int:
    """Replay the journals of all bots in `source` into the empty `target`; returns the number of entries.

    Bots and runs are copied, leases are not: no process holds a copy. Raises `InvalidInput` for a target that
    holds bots already.
    """
    with source.transaction() as reading, target.transaction() as writing:
        if writing.scalar(select(func.count()).select_from(BOTS)):
            raise InvalidInput(f"{target.place} is not empty: nothing was written; name a new database")
        bots = _copy(reading, writing, BOTS)
        _copy(reading, writing, RUNS)
        return sum(_replay(reading, writing, bot["id"]) for bot in bots)


def _copy(reading: Connection, writing: Connection, table: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in reading.execute(select(table)).mappings()]
    if rows:
        writing.execute(table.insert(), rows)
    return rows


def _replay(reading: Connection, writing: Connection, bot_id: int) -> int:
    projection = Projection(writing, bot_id)
    count = 0
    for commit in _commits(reading, bot_id):
        encoded = [(row.kind, row.payload) for row in commit]
        batch = collapse([decode(kind, payload) for kind, payload in encoded])
        first = commit[0]
        projection.append(encoded, first.seq, first.run_id, first.at)
        projection.apply(batch, first.seq, first.at)
        count += len(commit)
    return count


def _commits(reading: Connection, bot_id: int) -> Iterator[list[Row[Any]]]:
    """The journal commit by commit.

    Entries of one run and moment are taken together. Two commits may be joined that way, which changes nothing:
    the last word for each row is the same, and each end of a commit keeps all rules.
    """
    query = select(JOURNAL).where(JOURNAL.c.bot_id == bot_id).order_by(JOURNAL.c.seq)
    rows = reading.execute(query.execution_options(yield_per=1000))
    for _, commit in groupby(rows, key=lambda row: (row.run_id, row.at)):
        yield list(commit)
