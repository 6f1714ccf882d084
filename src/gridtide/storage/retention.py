"""Keeps the journal from growing for ever: entries older than a week make room, a checkpoint stands for them.

A little at a time, each within a transaction of its own, so that trading never waits for it and a killed process leaves
the journal either longer or shorter, never broken. The books (orders, fills, postings, lots) stay for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from gridtide.storage import checkpoint
from gridtide.storage import tables as t

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the journal stays. Times in ms."""

    keep_ms: int = 7 * DAY_MS
    """Entries younger than this stay."""
    keep_newest: int = 1_000
    """So many entries stay whatever their age."""
    checkpoint_ms: int = DAY_MS
    """Checkpoints are at least this far apart, and `keep_newest` entries."""
    chunk: int = 500
    """Entries that may go in one step: a few milliseconds of work."""
    keep_notices: int = 1_000
    """So many notices stay whatever their age."""


class Tidying:
    """Takes the generations of a bot in turn, one step each time."""

    def __init__(self, retention: Retention, bot_ids: Sequence[int]) -> None:
        self._retention = retention
        self._turns = cycle(bot_ids)

    def step(self, connection: Connection, now: int) -> None:
        """One step for the generation whose turn it is."""
        step(connection, next(self._turns), now, self._retention)


def step(connection: Connection, bot_id: int, now: int, retention: Retention) -> None:
    """Do the next little piece of work for one generation of a bot, within the caller's transaction."""
    first, last = _ends(connection, bot_id)
    if last <= retention.keep_newest:
        return
    _take_checkpoint(connection, bot_id, last, now, retention)
    c = t.CHECKPOINTS.c
    base = connection.scalar(
        select(func.max(c.seq)).where(c.bot_id == bot_id, c.at <= now - retention.keep_ms)
    )
    if base is None:
        return
    checkpoint.forget_before(connection, bot_id, base)
    end = min(base + 1, last - retention.keep_newest + 1, first + retention.chunk)
    if end > first:
        _drop_before(connection, bot_id, end, retention)


def _ends(connection: Connection, bot_id: int) -> tuple[int, int]:
    """The first and the last entry there are."""
    j = t.JOURNAL.c
    # Two queries: each is one step down the index, together they would be a walk over all of it.
    first = connection.scalar(select(func.min(j.seq)).where(j.bot_id == bot_id))
    last = connection.scalar(select(func.max(j.seq)).where(j.bot_id == bot_id))
    return first or 1, last or 0


def _take_checkpoint(connection: Connection, bot_id: int, last: int, now: int, retention: Retention) -> None:
    c = t.CHECKPOINTS.c
    newest = connection.execute(
        select(c.seq, c.at).where(c.bot_id == bot_id).order_by(c.seq.desc()).limit(1)
    ).one_or_none()
    seq, at = (newest.seq, newest.at) if newest is not None else (0, now - retention.checkpoint_ms)
    if last - seq >= retention.keep_newest and now - at >= retention.checkpoint_ms:
        checkpoint.take(connection, bot_id, last, now)


def _drop_before(connection: Connection, bot_id: int, seq: int, retention: Retention) -> None:
    """Entries before `seq`, and what they told of balances and to people."""
    for table in (t.JOURNAL, t.BALANCE_SNAPSHOTS):
        connection.execute(delete(table).where(table.c.bot_id == bot_id, table.c.seq < seq))
    n = t.NOTICES.c
    kept = select(n.seq).where(n.bot_id == bot_id).order_by(n.seq.desc())
    oldest_kept = connection.scalar(kept.offset(retention.keep_notices - 1).limit(1))
    if oldest_kept is not None:
        connection.execute(delete(t.NOTICES).where(n.bot_id == bot_id, n.seq < min(seq, oldest_kept)))
