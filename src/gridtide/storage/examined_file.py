"""A private copy of a database to look at for as long as it takes: the bot that writes it is not kept waiting.

And what can be said of the database as a file: whole, ours, private, on a disk with room.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.domain.errors import GridtideError, InvalidInput
from gridtide.storage import schema, sqlite_file
from gridtide.storage.database import Database, open_database, parse_url
from gridtide.storage.findings import Finding, finding, unchecked
from gridtide.storage.rebuild import replay_journal, table_differences
from gridtide.storage.sqlite_library import sqlite3

if TYPE_CHECKING:
    from sqlalchemy import Connection

SPARE_BYTES = 100_000_000
"""Room a disk should have beyond the size of the database once more."""


@dataclass(frozen=True, slots=True)
class ReadableCopy:
    """A database to look at for as long as it takes."""

    url: str
    """Of a copy with this program's schema; of a server: of the database itself."""
    folder: Path
    """Private, and gone when the look is over."""
    schema: str
    """The schema that the database itself has."""


@contextlib.contextmanager
def copy_to_read(url: str) -> Iterator[ReadableCopy]:
    """A copy of the database at `url` while the block runs; the database itself is left as it is.

    Raises `InvalidInput` where there is none or it is another program's, `StorageFailed` where it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="gridtide-doctor-") as folder:
        path = file_of(url)
        if path is None:
            yield ReadableCopy(url, Path(folder), schema.NEWEST)
            return
        if not path.is_file():
            raise InvalidInput(f"there is no database {path}")
        copy = Path(folder) / "copy.db"
        yield ReadableCopy(f"sqlite:///{copy}", Path(folder), _copied(path, copy))


def _copied(path: Path, copy: Path) -> str:
    try:
        sqlite_file.backup(path, copy)
        found = schema_of(copy)
        open_database(
            f"sqlite:///{copy}"
        ).close()  # a schema of an older program is brought up to date, in the copy
    except GridtideError as error:
        _explain(path)
        raise type(error)(str(error).replace(str(copy), str(path))) from error
    return found


def _explain(path: Path) -> None:
    """Raise the sentence for a file that cannot be read at all."""
    with sqlite_file.explained(path):
        engine = sqlite_file.reading_engine(path, busy_timeout_seconds=5.0)
        with engine.connect() as connection:
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                raise sqlite_file.damaged(path)


def schema_of(path: Path) -> str:
    """The schema of a database file; empty for one without."""
    with sqlite_file.explained(path):
        engine = sqlite_file.reading_engine(path, busy_timeout_seconds=5.0)
        with engine.connect() as connection:
            return schema.revision(connection) or ""


def file_of(url: str) -> Path | None:
    """The file of a database; None for one on a server."""
    address = parse_url(url)
    return sqlite_file.database_path(address) if address.get_backend_name() == "sqlite" else None


def examine_file(path: Path | None, found_schema: str) -> Iterator[Finding]:
    """Library, rights and room of a database whose copy could be read."""
    yield finding("file", [], _size(path))
    later = "" if found_schema == schema.NEWEST else f"; the next run brings it to {schema.NEWEST}"
    yield finding("schema", [], f"{found_schema}{later}")
    if path is None:
        for name in ("library", "rights", "space"):
            yield unchecked(name, "the database is on a server, which looks after that")
        return
    yield _library(path)
    yield _rights(path)
    free = shutil.disk_usage(path.parent).free
    needed = path.stat().st_size + SPARE_BYTES
    problems = [f"{_mb(free)} are free, {_mb(needed)} would be right"] if free < needed else []
    yield finding("space", problems, f"{_mb(free)} free")


def replayed_equally(connection: Connection, folder: Path) -> Finding:
    """I14: the journal alone gives the same tables."""
    target: Database | None = None
    try:
        target = open_database(f"sqlite:///{folder / 'replayed.db'}")
        count = replay_journal(connection, target)
        with target.transaction() as replayed:
            return finding("I14", table_differences(connection, replayed), f"{count} entries replayed")
    except GridtideError as error:
        return finding("I14", [f"the journal cannot be replayed: {error}"], "")
    finally:
        if target is not None:
            target.close()


def _library(path: Path) -> Finding:
    version = sqlite3.sqlite_version_info
    wanted = sqlite_file.journal_mode(version)
    engine = sqlite_file.reading_engine(path, busy_timeout_seconds=5.0)
    with sqlite_file.explained(path), engine.connect() as connection:
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()).upper()
    # PERSIST is a matter of each connection: a reader sees its own DELETE.
    unsafe = mode == "WAL" and wanted != "WAL"
    text = f"SQLite {sqlite3.sqlite_version}, {'a WAL' if mode == 'WAL' else 'a rollback journal'}"
    return finding("library", [f"{text}: before 3.51.3 a WAL may be damaged"] if unsafe else [], text)


def _rights(path: Path) -> Finding:
    files = [found for found in sorted(path.parent.glob(f"{path.name}*")) if found.is_file()]
    loose = [found for found in files if found.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    problems = [f"{found} is open to others: run `chmod 600 {found}`" for found in loose]
    return finding("rights", problems, f"{len(files)} files, readable by their owner only")


def _size(path: Path | None) -> str:
    return "it answers" if path is None else f"{path}, {_mb(path.stat().st_size)}"


def _mb(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
