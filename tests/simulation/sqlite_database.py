"""A simulated bot's books in a real SQLite file, as `gridtide.simulation` takes its databases."""

from __future__ import annotations

import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.domain.market import Timestamp
from gridtide.simulation.world import ACCOUNT, EPOCH_MS, SYMBOL
from gridtide.storage.database import Database, open_database
from gridtide.storage.rebuild import rebuild_from_journal, table_differences
from gridtide.storage.retention import Retention
from gridtide.storage.sql_journal import BotIdentity, SqlJournal, open_bot
from gridtide.storage.sqlite_library import sqlite3

if TYPE_CHECKING:
    from gridtide.ports.journal import Journal

BOT = BotIdentity("simulated", ACCOUNT, SYMBOL, "simulated", "simulated")


@cache
def _with_tables() -> bytes:
    """An empty database with all tables: migrating one takes longer than a seed's run."""
    with tempfile.TemporaryDirectory(prefix="gridtide-tables-") as folder:
        path = Path(folder) / "empty.db"
        open_database(f"sqlite:///{path}").close()
        return path.read_bytes()


class SqliteFile:
    """One file that every life of the bot opens anew.

    The kernel frees the lock of a killed process, and so does `open_bot`. Its connection stays open, as that of a
    frozen process would: whoever wakes up finds another epoch (F56).
    """

    def __init__(
        self, path: Path, *, frozen_wake_up: bool = True, retention: Retention | None = None
    ) -> None:
        """Without `frozen_wake_up` every process that is gone is gone for good, and so is its connection."""
        path.write_bytes(_with_tables())
        self.path = path
        self.url = f"sqlite:///{path}"
        self._databases: list[Database] = []
        self._journal: SqlJournal | None = None
        self._frozen_wake_up = frozen_wake_up
        self._retention = retention or Retention()

    def open_bot(self, *, resume: bool) -> Journal:
        if self._frozen_wake_up:
            self._free_lock()
        else:
            self.close()
        database = open_database(self.url)
        self._databases.append(database)
        self._journal = open_bot(database, BOT, Timestamp(EPOCH_MS), resume=resume, retention=self._retention)
        return self._journal

    def close(self) -> None:
        self._free_lock()
        while self._databases:
            self._databases.pop().close()

    def _free_lock(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def journal_rows(self) -> int:
        """Entries the journal of all generations holds now."""
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])

    def replay_differences(self) -> list[str]:
        """Where a replay of the journal into an empty database gives other tables (I14)."""
        target = self.path.with_name(f"{self.path.name}.replayed")
        target.write_bytes(_with_tables())
        with (
            closing(open_database(self.url)) as source,
            closing(open_database(f"sqlite:///{target}")) as empty,
        ):
            rebuild_from_journal(source, empty)
            with source.transaction() as one, empty.transaction() as other:
                return table_differences(one, other)
