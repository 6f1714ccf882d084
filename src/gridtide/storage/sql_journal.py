"""The journal of one bot in a database: every commit is one durable transaction under the bot's lease.

Nothing leaves before `commit` has returned (R1, R10), and nothing of a commit that raised is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, insert, select, update

from gridtide.domain.errors import StorageFailed
from gridtide.storage import queries, schema
from gridtide.storage.batch import collapse
from gridtide.storage.codec import encode
from gridtide.storage.lease import new_lease
from gridtide.storage.projection import Projection
from gridtide.storage.retention import Retention, Tidying
from gridtide.storage.tables import BOTS, RUNS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gridtide.domain.journal import BotSnapshot, JournalEntry
    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.storage.database import Database
    from gridtide.storage.lease import Lease


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """What makes a bot the same one after a restart."""

    name: str
    account_id: str
    symbol: Symbol
    exchange: str
    mode: str

    @property
    def key(self) -> str:
        """One text for all of it, for locks and leases."""
        return orjson.dumps([self.exchange, self.account_id, self.symbol, self.mode, self.name]).decode()


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a bot; `started_at` in ms."""

    run_id: str
    started_at: Timestamp
    mode: str
    version: str
    config_hash: str


def open_bot(
    database: Database,
    bot: BotIdentity,
    now: Timestamp,
    *,
    resume: bool,
    minimum_generation: int = 1,
    config: Mapping[str, Any] | None = None,
    retention: Retention = Retention(),  # noqa: B008  a frozen value
) -> SqlJournal:
    """The journal of `bot`, with its lease taken.

    `resume` continues the newest generation (or begins the first); otherwise a new one begins, at least
    `minimum_generation`: one more than any the exchange still shows. `config` is kept with a new generation for
    people to read: never hand in secrets. `retention` says how long entries of the journal stay. Raises `Fenced`
    where another process runs the bot.
    """
    lease = new_lease(database, bot.key, bot.name)
    try:
        with database.transaction() as connection:
            schema.take_turns(connection)
            lease.take(connection)
            bot_id, generation = _generation(connection, bot, resume, minimum_generation, config or {}, now)
            last_seq = queries.last_seq(connection, bot_id)
            ids = _all_generations(connection, bot)
    except BaseException:
        lease.release()
        raise
    lease.confirm()
    return SqlJournal(database, lease, bot, bot_id, generation, last_seq, Tidying(retention, ids))


def _identity(bot: BotIdentity) -> dict[str, str]:
    return {
        "name": bot.name,
        "account_id": bot.account_id,
        "symbol": bot.symbol,
        "exchange": bot.exchange,
        "mode": bot.mode,
    }


def _all_generations(connection: Connection, bot: BotIdentity) -> tuple[int, ...]:
    """Row ids of the bot in all its generations: its lease covers them all."""
    return tuple(connection.scalars(select(BOTS.c.id).filter_by(**_identity(bot)).order_by(BOTS.c.id)))


def _generation(
    connection: Connection,
    bot: BotIdentity,
    resume: bool,
    minimum: int,
    config: Mapping[str, Any],
    now: Timestamp,
) -> tuple[int, int]:
    """Row id and number of the generation to work in, which may be a new row."""
    identity = _identity(bot)
    newest = connection.execute(
        select(BOTS.c.id, BOTS.c.generation).filter_by(**identity).order_by(BOTS.c.generation.desc()).limit(1)
    ).one_or_none()
    if newest is not None and resume:
        return newest.id, newest.generation
    generation = max(minimum, newest.generation + 1 if newest is not None else 1)
    bot_id = (connection.scalar(select(func.max(BOTS.c.id))) or 0) + 1
    text = orjson.dumps(config, default=str).decode()
    connection.execute(
        insert(BOTS).values(id=bot_id, **identity, generation=generation, config=text, created_at=now)
    )
    return bot_id, generation


class SqlJournal:
    """The `Journal` of one bot in a database. Made by `open_bot`; called from one thread."""

    def __init__(
        self,
        database: Database,
        lease: Lease,
        bot: BotIdentity,
        bot_id: int,
        generation: int,
        last_seq: int,
        tidying: Tidying,
    ) -> None:
        self._database = database
        self._lease = lease
        self._bot = bot
        self._run_id = ""
        self.bot_id = bot_id
        """The generation's row id, as `Reader` takes it."""
        self.generation = generation
        self.last_seq = last_seq
        """Number of the newest entry that is stored."""
        self._tidying = tidying
        self._committed_at: Timestamp | None = None
        self._is_doubtful = False
        """A commit failed that may be durable all the same: the next one looks first."""

    def load(self) -> BotSnapshot:
        """What to continue from."""
        with self._database.transaction() as connection:
            return queries.snapshot(
                connection, self.bot_id, self._bot.symbol, self.generation, is_resume=self.last_seq > 0
            )

    def commit(self, entries: Sequence[JournalEntry], now: Timestamp) -> None:
        """Write all entries in one durable transaction.

        Raises `StorageFailed`, `Fenced`, or `Defect` where a key or check of the tables was broken (a fill booked
        twice, two live orders in a slot, an order sent twice); then none of them is stored.
        """
        if not entries:
            return
        encoded = [encode(entry) for entry in entries]
        batch = collapse(entries)
        first_seq = self.last_seq + 1
        try:
            with self._database.transaction() as connection:
                self._lease.check(connection)
                self._check_doubt(connection)
                projection = Projection(connection, self.bot_id)
                projection.append(encoded, first_seq, self._run_id, now)
                projection.apply(batch, first_seq, now)
            self._lease.confirm()
        except StorageFailed:
            self._is_doubtful = True
            raise
        except OSError as error:
            self._is_doubtful = True
            raise StorageFailed(
                f"the database could not be written ({error.strerror}): nothing will be sent; free the disk or mend "
                "it, then restart the bot"
            ) from error
        self._is_doubtful = False
        self.last_seq += len(entries)
        self._committed_at = now

    def _check_doubt(self, connection: Connection) -> None:
        """A commit that failed in its last flush may be stored: then memory and database differ, and only a restart
        is right."""
        if self._is_doubtful and queries.last_seq(connection, self.bot_id) != self.last_seq:
            raise StorageFailed(
                "an earlier commit failed and is stored all the same: nothing more is written and nothing will be "
                "sent; restart the bot, it goes on from what is stored"
            )

    def renew_lease(self) -> None:
        """Raise `Fenced` unless the bot is still ours. The runner calls this every 5 s, and so the journal is tidied
        here, a little each time, and never while a fill waits for its commit."""
        with self._database.transaction() as connection:
            self._lease.check(connection)
            if self._committed_at is not None and not self._is_doubtful:
                self._tidying.step(connection, self._committed_at)
        self._lease.confirm()

    def begin_run(self, run: Run) -> None:
        """Record that an execution begins; entries committed from now on carry its id."""
        with self._database.transaction() as connection:
            self._lease.check(connection)
            connection.execute(
                insert(RUNS).values(
                    bot_id=self.bot_id,
                    run_id=run.run_id,
                    started_at=run.started_at,
                    mode=run.mode,
                    version=run.version,
                    config_hash=run.config_hash,
                )
            )
        self._lease.confirm()
        self._run_id = run.run_id

    def end_run(self, now: Timestamp) -> None:
        """Record that the execution ended in good order."""
        with self._database.transaction() as connection:
            connection.execute(
                update(RUNS)
                .where(RUNS.c.bot_id == self.bot_id, RUNS.c.run_id == self._run_id)
                .values(ended_at=now)
            )

    def close(self) -> None:
        """Give the lease back; the database stays open."""
        self._lease.release()
