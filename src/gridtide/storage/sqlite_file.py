"""An SQLite database as a file: who may read it, how it is opened, and how it becomes durable.

A commit is on the disk when it returns. Nothing here changes a file that is not ours.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from gridtide.domain.errors import GridtideError, InvalidInput, StorageFailed
from gridtide.storage import clean_end
from gridtide.storage.sqlite_library import sqlite3

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

SAFE_WAL_VERSION = (3, 51, 3)
"""3.7.0 to 3.51.2 may corrupt a database when a WAL is reset (order-safety, storage)."""


def journal_mode(version: tuple[int, ...]) -> str:
    """WAL where the library's WAL is sound, else a rollback journal whose commits are durable at once.

    With DELETE and synchronous=FULL the journal's removal is not flushed: after a power loss it may come back
    and undo a commit that had returned. PERSIST flushes the header it clears, and is faster.
    """
    return "WAL" if version >= SAFE_WAL_VERSION else "PERSIST"


def database_path(address: URL) -> Path:
    """The file that an ``sqlite:///`` address names, absolute."""
    if not address.database or address.database == ":memory:":
        raise InvalidInput("storage.url names no file: write sqlite:///gridtide.db, nothing was opened")
    return Path(address.database).expanduser().resolve()


def prepare(path: Path) -> None:
    """Make sure `path` is a file that only we can read (0600), in a folder we can write to.

    A folder that is missing is made (0700) where its own parent exists. A file that is there is never opened
    here: closing it again would take away the locks that another connection of this process holds on it.
    """
    folder = path.parent
    if os.path.isdir(path):  # unlike Path.is_dir this is False, not an error, where we may not look
        raise InvalidInput(f"{path} is a folder: nothing was opened; name a file in storage.url")
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        if path.stat().st_mode & 0o077:
            with contextlib.suppress(PermissionError):  # somebody else's file, shared with us on purpose
                path.chmod(0o600)
    except OSError as error:
        raise InvalidInput(_path_problem(path, error)) from error
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        raise InvalidInput(
            f"{path} cannot be read and written: nothing was changed; change its rights or storage.url"
        )
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        raise InvalidInput(f"the folder {folder} cannot be written to: nothing was opened; change its rights")


def _path_problem(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"the folder {path.parent} does not exist: nothing was opened; make it or change storage.url"
    return (
        f"{path} cannot be opened ({error.strerror}): nothing was changed; change its rights or storage.url"
    )


def identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at `path` now; None where there is none. A WAL would go on in a file that was moved (F46)."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def writing_engine(path: Path, busy_timeout_seconds: float, version: tuple[int, ...]) -> Engine:
    """An engine whose transactions take the write lock at their start; each connection checks the file first (F59),
    unless its last use ended well, today, and nobody touched it since."""

    def connect() -> sqlite3.Connection:
        with _connected(
            path, busy_timeout_seconds, ["synchronous=FULL", "foreign_keys=ON", "cache_size=-512"]
        ) as connection:
            if not clean_end.is_noted(path):
                check(path, connection)
            clean_end.forget(path)
            _set_journal_mode(path, connection, journal_mode(version))
            return connection

    return _engine(connect, "BEGIN IMMEDIATE")


def _set_journal_mode(path: Path, connection: sqlite3.Connection, mode: str) -> None:
    """SQLite answers with the mode it kept where it cannot change it, which needs the file for itself."""
    (kept,) = connection.execute(f"PRAGMA journal_mode={mode}").fetchone()
    if kept.upper() != mode:
        raise StorageFailed(f"{path} is in use by another program: nothing was changed; end it and try again")


def reading_engine(path: Path, busy_timeout_seconds: float) -> Engine:
    """An engine that cannot write.

    Its connections are opened for writing all the same: only such a one can undo what a killed writer left half
    done.
    """

    def connect() -> sqlite3.Connection:
        with _connected(path, busy_timeout_seconds, ["query_only=ON"]) as connection:
            return connection

    return _engine(connect, "BEGIN")


@contextlib.contextmanager
def _connected(path: Path, busy_timeout_seconds: float, pragmas: list[str]) -> Iterator[sqlite3.Connection]:
    """A connection, closed again if anything about it fails. Never makes a file that is not there."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout_seconds,
        isolation_level=None,  # transactions begin where we say so
        check_same_thread=False,
    )
    try:
        for pragma in (*pragmas, "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}").close()
        yield connection
    except BaseException:
        connection.close()
        raise


def _engine(connect: Callable[[], sqlite3.Connection], begin: str) -> Engine:
    engine = create_engine(
        "sqlite://", creator=connect, module=sqlite3, poolclass=NullPool, hide_parameters=True
    )

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says while opening `path` into a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise explanation(path, error) from error
    except DBAPIError as error:
        raise explanation(path, error.orig) from error


def explanation(path: Path, error: BaseException | None) -> GridtideError:
    """What a failed opening or reading of `path` means, and what to do."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_NOTADB":
        return InvalidInput(
            f"{path} is not a database: it was left as it is; name another file in storage.url"
        )
    if name.startswith("SQLITE_CORRUPT"):
        return damaged(path)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StorageFailed(
            f"{path} is locked by another program: nothing was changed; end it and try again"
        )
    return StorageFailed(
        f"{path} cannot be read ({error}): nothing was changed; check its rights and its disk"
    )


def damaged(path: Path) -> StorageFailed:
    return StorageFailed(
        f"{path} is damaged: it was left as it is and nothing is traded on it; restore a backup, or make the books "
        "anew from the exchange's records with `gridtide rebuild`"
    )


def check(path: Path, connection: sqlite3.Connection) -> None:
    """Read every page; raises `StorageFailed` for a damaged database (F59)."""
    if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        raise damaged(path)


def advice(error: BaseException | None) -> str:
    """What to do about a failed write."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "end the program that locks it"
    if name == "SQLITE_FULL":
        return "free some space"
    if name.startswith("SQLITE_READONLY"):
        return "make it writable again"
    return "check its disk"


def backup(source: Path, target: Path) -> None:
    """Copy `source`, which may be in use, to the new file `target`, through SQLite's backup interface.

    The copy appears under its name when it is complete and checked. Never copy the file itself: without its
    journal it may go back in time (F46).
    """
    if target.exists():
        raise InvalidInput(f"{target} exists: nothing was copied; name a file that does not")
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        _copy(source, unfinished)
        os.link(unfinished, target)
    except (OSError, sqlite3.Error) as error:
        raise StorageFailed(
            f"{target} could not be written ({error}): the database itself is untouched"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    _flush(target.parent)


def _copy(source: Path, target: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(source)) as reading,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        reading.backup(copy)
        check(target, copy)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
