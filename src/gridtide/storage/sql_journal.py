"""The journal of one bot in a database: every commit is one durable transaction under the bot's lease.

Nothing leaves before `commit` has returned (R1, R10), and nothing of a commit that raised is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, insert, select, update

from gridtide.domain.journal import BotSnapshot, BotState, BotStatePut
from gridtide.storage import queries, schema
from gridtide.storage.batch import collapse
from gridtide.storage.codec import encode
from gridtide.storage.lease import new_lease
from gridtide.storage.projection import Projection
from gridtide.storage.tables import BOTS, RUNS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gridtide.domain.journal import JournalEntry
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
) -> SqlJournal:
    """The journal of `bot`, with its lease taken.

    `resume` continues the newest generation (or begins the first); otherwise a new one begins, at least
    `minimum_generation`: one more than any the exchange still shows. `config` is kept with a new generation for
    people to read: never hand in secrets. Raises `Fenced` where another process runs the bot.
    """
    lease = new_lease(database, bot.key, bot.name)
    try:
        with database.transaction() as connection:
            schema.take_turns(connection)
            lease.take(connection)
            bot_id, generation = _generation(connection, bot, resume, minimum_generation, config or {}, now)
            last_seq = queries.last_seq(connection, bot_id)
    except BaseException:
        lease.release()
        raise
    lease.confirm()
    return SqlJournal(database, lease, bot, bot_id, generation, last_seq)


def _generation(
    connection: Connection,
    bot: BotIdentity,
    resume: bool,
    minimum: int,
    config: Mapping[str, Any],
    now: Timestamp,
) -> tuple[int, int]:
    """Row id and number of the generation to work in, which may be a new row."""
    identity = {
        "name": bot.name,
        "account_id": bot.account_id,
        "symbol": bot.symbol,
        "exchange": bot.exchange,
        "mode": bot.mode,
    }
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
        self, database: Database, lease: Lease, bot: BotIdentity, bot_id: int, generation: int, last_seq: int
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

    def load(self) -> BotSnapshot:
        """What to continue from."""
        bot_id, symbol = self.bot_id, self._bot.symbol
        with self._database.transaction() as connection:
            state = queries.bot_state(connection, bot_id) or BotStatePut(BotState.STARTING)
            cursor = queries.cursor(connection, bot_id)
            orders = queries.live_orders_and_zombies(connection, bot_id)
            recent = queries.recently_ended_orders(connection, bot_id, symbol, cursor.safe)
            return BotSnapshot(
                generation=self.generation,
                state=state.state,
                pause_reason=state.reason,
                pause_detail=state.detail,
                orders=orders,
                slots=queries.slots(connection, bot_id),
                ledger=queries.ledger_state(connection, bot_id),
                strategy_state=queries.strategy_state(connection, bot_id),
                recent_orders=recent,
                fill_keys=queries.fill_keys(connection, bot_id, symbol, (*orders, *recent)),
                cursor=cursor,
                baseline=queries.baseline(connection, bot_id),
                fill_count=queries.fill_count(connection, bot_id),
                is_resume=self.last_seq > 0,
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
        with self._database.transaction() as connection:
            self._lease.check(connection)
            projection = Projection(connection, self.bot_id)
            projection.append(encoded, first_seq, self._run_id, now)
            projection.apply(batch, first_seq, now)
        self._lease.confirm()
        self.last_seq += len(entries)

    def renew_lease(self) -> None:
        """Raise `Fenced` unless the bot is still ours. The runner calls this every 5 s."""
        with self._database.transaction() as connection:
            self._lease.check(connection)
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
