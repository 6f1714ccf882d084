"""Reads a database beside the running bot: short transactions, never a change, never a lock for long.

With a rollback journal a reader keeps the bot's commit waiting, so each method reads one thing and lets go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import orjson
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from gridtide.domain.errors import InvalidInput, StorageFailed
from gridtide.storage import postgres, queries, schema, sqlite_file
from gridtide.storage.database import first_line, parse_url
from gridtide.storage.tables import BOTS, NOTICES, RUNS

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path
    from types import TracebackType

    from sqlalchemy import Connection, Engine

    from gridtide.domain.fill import Fill, FillKey
    from gridtide.domain.journal import BotSnapshot, BotStatePut, OrderRow, SlotRow
    from gridtide.domain.ledger import LedgerState, LotClosing
    from gridtide.domain.market import Asset, Symbol, Timestamp

PAGE = 500
"""Rows a method returns unless told otherwise."""


@dataclass(frozen=True, slots=True)
class StoredBot:
    """One generation of a bot; `bot_id` is what the reader's other methods take."""

    bot_id: int
    name: str
    account_id: str
    symbol: Symbol
    exchange: str
    mode: str
    generation: int
    config: Mapping[str, Any]
    created_at: Timestamp


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One execution; `ended_at` is None where it still runs or was killed."""

    run_id: str
    started_at: Timestamp
    ended_at: Timestamp | None
    mode: str
    version: str
    config_hash: str


@dataclass(frozen=True, slots=True)
class StoredFill:
    """A fill and where we heard of it first: ``stream``, ``reply`` or ``records``."""

    fill: Fill
    source: str


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """Something the owner should know; `seq` orders notices and pages them."""

    seq: int
    at: Timestamp
    level: str
    kind: str
    text: str


class Reader:
    """Read-only access to a database. Made by `open_reader`; may be used by one thread at a time."""

    def __init__(self, engine: Engine, place: str, path: Path | None = None) -> None:
        self._engine = engine
        self.place = place
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def bots(self) -> tuple[StoredBot, ...]:
        """All generations of all bots, oldest first."""
        with self.transaction() as connection:
            rows = connection.execute(select(BOTS).order_by(BOTS.c.id)).mappings()
            return tuple(_bot(dict(row)) for row in rows)

    def runs(self, bot_id: int) -> tuple[StoredRun, ...]:
        """Executions of a bot, oldest first."""
        columns = [RUNS.c[name] for name in StoredRun.__dataclass_fields__]
        query = select(*columns).where(RUNS.c.bot_id == bot_id).order_by(RUNS.c.started_at, RUNS.c.run_id)
        with self.transaction() as connection:
            return tuple(StoredRun(*row) for row in connection.execute(query))

    def state(self, bot_id: int) -> BotStatePut | None:
        """What the bot was doing when it last said so; None before its first commit."""
        with self.transaction() as connection:
            return queries.bot_state(connection, bot_id)

    def live_orders(self, bot_id: int) -> tuple[OrderRow, ...]:
        """Orders that are open or on their way, in the order they were wished for."""
        with self.transaction() as connection:
            return queries.live_orders(connection, bot_id)

    def newest_order_number(self, bot_ids: Iterable[int]) -> int:
        """The newest of the exchange's numbers of these bots' orders; 0 where there is none."""
        with self.transaction() as connection:
            return queries.newest_order_number(connection, bot_ids)

    def sent_orders(self, bot_ids: Iterable[int], client_order_ids: Sequence[str]) -> frozenset[str]:
        """Those of `client_order_ids` that a row of these bots says were sent."""
        with self.transaction() as connection:
            return queries.sent_orders(connection, bot_ids, client_order_ids)

    def snapshot(self, bot: StoredBot) -> tuple[int, BotSnapshot]:
        """The number of the bot's newest journal entry, and what an engine would continue from at that moment."""
        with self.transaction() as connection:
            seq = queries.last_seq(connection, bot.bot_id)
            return seq, queries.snapshot(
                connection, bot.bot_id, bot.symbol, bot.generation, is_resume=seq > 0
            )

    def last_seq(self, bot_id: int) -> int:
        """The number of the newest journal entry; 0 where there is none."""
        with self.transaction() as connection:
            return queries.last_seq(connection, bot_id)

    def parked_slots(self, bot_id: int) -> tuple[SlotRow, ...]:
        """Slots without an order on purpose, by key."""
        with self.transaction() as connection:
            return tuple(row for row in queries.slots(connection, bot_id) if row.parked_reason)

    def ledger(self, bot_id: int) -> LedgerState:
        """The books, for a `Ledger` and its statement."""
        with self.transaction() as connection:
            return queries.ledger_state(connection, bot_id)

    def baseline(self, bot_id: int) -> dict[Asset, Decimal]:
        """What the account held beside the bot's own, by asset."""
        with self.transaction() as connection:
            return queries.baseline(connection, bot_id)

    def strategy_state(self, bot_id: int) -> Mapping[str, Any] | None:
        """The strategy's own state as it was last stored."""
        with self.transaction() as connection:
            return queries.strategy_state(connection, bot_id)

    def fill_count(self, bot_id: int) -> int:
        with self.transaction() as connection:
            return queries.fill_count(connection, bot_id)

    def fills(self, bot_id: int, after: FillKey | None = None, limit: int = PAGE) -> tuple[StoredFill, ...]:
        """A page of fills by trade id; the next page is behind the last one's key, and the last one is short."""
        with self.transaction() as connection:
            page = queries.fills(connection, bot_id, after=after, limit=limit)
            return tuple(StoredFill(fill, source) for fill, source in page)

    def newest_fills(self, bot_id: int, limit: int = 20) -> tuple[Fill, ...]:
        """The newest fills by trade id, newest last."""
        with self.transaction() as connection:
            return queries.newest_fills(connection, bot_id, limit)

    def order_slots(self, bot_id: int) -> dict[str, str]:
        """The slot of each order that the exchange numbered, by that number."""
        with self.transaction() as connection:
            return queries.order_slots(connection, bot_id)

    def lot_closings(self, bot_id: int) -> tuple[LotClosing, ...]:
        """Every part of a lot that a sell closed, in the order of the closings."""
        with self.transaction() as connection:
            return queries.lot_closings(connection, bot_id)

    def notices(self, bot_id: int, after_seq: int = 0, limit: int = PAGE) -> tuple[StoredNotice, ...]:
        """A page of notices, oldest first, behind `after_seq`."""
        columns = [NOTICES.c[name] for name in StoredNotice.__dataclass_fields__]
        query = (
            select(*columns)
            .where(NOTICES.c.bot_id == bot_id, NOTICES.c.seq > after_seq)
            .order_by(NOTICES.c.seq)
            .limit(limit)
        )
        with self.transaction() as connection:
            return tuple(StoredNotice(*row) for row in connection.execute(query))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One short read; raises `StorageFailed` where the database does not answer."""
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            if self._path is not None:
                raise sqlite_file.explanation(self._path, error.orig) from error
            raise StorageFailed(
                f"{self.place} could not be read ({first_line(error)}): nothing was changed; check that it runs"
            ) from error

    def close(self) -> None:
        self._engine.dispose()


def open_reader(url: str, *, busy_timeout_seconds: float = 5.0) -> Reader:
    """Read-only access to the database at `url`.

    Raises `InvalidInput` where there is none or it has another schema, `StorageFailed` where it cannot be read.
    """
    address = parse_url(url)
    if address.get_backend_name() == "sqlite":
        path = sqlite_file.database_path(address)
        if not path.is_file():
            raise InvalidInput(
                f"there is no database {path}: nothing was read; start a bot first or change storage.url"
            )
        reader = Reader(sqlite_file.reading_engine(path, busy_timeout_seconds), str(path), path)
    else:
        reader = Reader(postgres.reading_engine(address, busy_timeout_seconds), postgres.place(address))
    with reader.transaction() as connection:
        schema.require_newest(connection, reader.place)
    return reader


def _bot(row: dict[str, Any]) -> StoredBot:
    config = orjson.loads(row.pop("config"))
    return StoredBot(bot_id=row.pop("id"), config=config, **row)
