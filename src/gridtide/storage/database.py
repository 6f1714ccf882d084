"""One database and its one writing connection. Every change is one durable transaction, or none at all.

Not for two threads at a time: the runner calls everything here from its writer thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from gridtide.domain.errors import Defect, Fenced, GridtideError, InvalidInput, StorageFailed
from gridtide.storage import clean_end, postgres, schema, sqlite_file
from gridtide.storage.sqlite_library import sqlite3

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine


class Database:
    """An open database. `open_database` makes one; `close` ends it."""

    def __init__(self, engine: Engine, place: str, path: Path | None = None) -> None:
        self.place = place
        """What to call it in a sentence; never holds a password."""
        self.path = path
        """The file of an SQLite database, None for a server."""
        self._engine = engine
        self._connection = engine.connect()
        self._identity = sqlite_file.identity(path) if path is not None else None
        self._has_failed = False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction on the writing connection, committed at the end.

        Whatever the database refuses raises `StorageFailed`, or `Defect` where one of its keys or checks
        was broken, and `Fenced` once a server's connection, and with it the lock on the bot, is lost.
        """
        if self._is_lost:
            raise self._lost()
        if self.path is not None and sqlite_file.identity(self.path) != self._identity:
            raise StorageFailed(
                f"{self.place} was moved or replaced while it was in use: nothing of this step was stored and nothing "
                "will be sent; put the file back and restart the bot"
            )
        try:
            with self._connection.begin():
                yield self._connection
        except SQLAlchemyError as error:
            self._has_failed = True
            self._roll_back()
            raise self._failure(error) from error
        except BaseException:
            self._has_failed = True
            self._roll_back()
            raise

    def backup(self, target: Path) -> None:
        """Copy an SQLite database, while it is in use, to the new file `target` (0600)."""
        if self.path is None:
            raise InvalidInput(f"{self.place} is not a file: nothing was copied; back it up with pg_dump")
        sqlite_file.backup(self.path, target)

    def close(self) -> None:
        """Close the connection; a transaction that is open is rolled back."""
        was_open = not self._connection.closed
        with contextlib.suppress(SQLAlchemyError):
            self._connection.close()
            if self.path is not None and was_open and not self._has_failed:
                clean_end.note(self.path)

    @property
    def _is_lost(self) -> bool:
        return self._connection.closed or self._connection.invalidated

    def _roll_back(self) -> None:
        """SQLAlchemy sends no ROLLBACK after a COMMIT that failed; SQLite then still holds its locks."""
        if self._is_lost:
            return
        try:
            self._connection.connection.rollback()
        except Exception:  # whatever the driver raises: a connection in an unknown state is not used again
            self._connection.invalidate()

    def _failure(self, error: SQLAlchemyError) -> GridtideError:
        if isinstance(error, StatementError) and isinstance(error.orig, GridtideError):
            return Defect(f"a value cannot be stored: {error.orig}")
        if isinstance(error, IntegrityError):
            return Defect(f"a row breaks a rule the database keeps: {first_line(error)}")
        if self.path is None and self._is_lost:
            return self._lost()
        cause = error.orig if isinstance(error, DBAPIError) else error
        return StorageFailed(
            f"{self.place} refused ({first_line(error)}): nothing of this step was stored and nothing will be sent; "
            f"{sqlite_file.advice(cause)}"
        )

    def _lost(self) -> GridtideError:
        if self.path is not None:
            return StorageFailed(
                f"{self.place} is closed: nothing is stored and nothing will be sent; restart the bot"
            )
        return Fenced(
            f"the connection to {self.place} is gone and with it the lock on the bot: nothing will be sent; restart it"
        )


def first_line(error: SQLAlchemyError) -> str:
    """What the driver said, without statement and parameters."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    return str(cause).strip().partition("\n")[0]


def open_database(
    url: str, *, busy_timeout_seconds: float = 5.0, sqlite_version: tuple[int, ...] | None = None
) -> Database:
    """Open the database at the SQLAlchemy address `url`, checked and with its schema brought up to date.

    Raises `InvalidInput` for what the person has to change (path, rights, a file that is something else, a
    newer schema) and `StorageFailed` for a damaged or locked database. `sqlite_version` stands in for the
    library's own, which decides the journal mode.
    """
    address = parse_url(url)
    if address.get_backend_name() == "sqlite":
        version = sqlite_version or sqlite3.sqlite_version_info
        database = _open_file(sqlite_file.database_path(address), busy_timeout_seconds, version)
    else:
        database = _open_server(address, busy_timeout_seconds)
    try:
        with database.transaction() as connection:
            schema.upgrade(connection, database.place)
    except BaseException:
        database.close()
        raise
    return database


def database_exists(url: str) -> bool:
    """Whether there is something at `url`; a server's database always counts as there."""
    address = parse_url(url)
    return address.get_backend_name() != "sqlite" or sqlite_file.database_path(address).exists()


def place_of(url: str) -> str:
    """What to call the database at `url` in a sentence; never holds a password."""
    address = parse_url(url)
    if address.get_backend_name() == "sqlite":
        return str(sqlite_file.database_path(address))
    return postgres.place(address)


def parse_url(url: str) -> URL:
    """The address; raises `InvalidInput` for anything but SQLite and PostgreSQL, without repeating it."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        address = None
    if address is None or address.get_backend_name() not in {"sqlite", "postgresql"}:
        raise InvalidInput(
            "storage.url is not an address gridtide knows: nothing was opened; write sqlite:///gridtide.db or "
            "postgresql://user@host/database"
        )
    return address


def _open_file(path: Path, busy_timeout_seconds: float, version: tuple[int, ...]) -> Database:
    sqlite_file.prepare(path)
    with sqlite_file.explained(path):
        return Database(sqlite_file.writing_engine(path, busy_timeout_seconds, version), str(path), path)


def _open_server(address: URL, lock_timeout_seconds: float) -> Database:
    place = postgres.place(address)
    try:
        return Database(postgres.writing_engine(address, lock_timeout_seconds), place)
    except SQLAlchemyError as error:
        raise StorageFailed(
            f"{place} cannot be reached ({first_line(error)}): nothing was changed; check that it runs and lets you in"
        ) from error
