"""Makes room for books that are made anew: what was there is kept, under another name.

A database file is replaced only by one that is complete; the old one stays beside it. On a server the old rows stay in
their tables.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import update

from gridtide.domain.errors import GridtideError, InvalidInput, StorageFailed
from gridtide.storage import sqlite_file
from gridtide.storage.database import open_database, parse_url
from gridtide.storage.lease import FileLease
from gridtide.storage.tables import BOTS

if TYPE_CHECKING:
    from gridtide.storage.database import Database
    from gridtide.storage.sql_journal import BotIdentity

_COMPANIONS = ("-wal", "-shm", "-journal")
"""Files that belong to an SQLite database and go where it goes."""


@contextlib.contextmanager
def nobody_trades(url: str, bot: BotIdentity) -> Iterator[None]:
    """While the block runs no process can start `bot` on a database file. Raises `Fenced` where one runs.

    On a server the lock is taken with the writing connection, by `open_bot`.
    """
    address = parse_url(url)
    lease = None
    if address.get_backend_name() == "sqlite":
        lease = FileLease(sqlite_file.database_path(address), bot.key, bot.name)
    try:
        yield
    finally:
        if lease is not None:
            lease.release()


@contextlib.contextmanager
def books_anew(url: str, bot: BotIdentity, label: str) -> Iterator[tuple[Database, list[str]]]:
    """A database for books of `bot` that are made anew, and what there is to tell about the old ones.

    The bot's old generations are in it under the name ``NAME (LABEL)``, other bots' as they are. A file takes the
    place of the old one, which is kept beside it, when the block ends without an error; until then nothing of the old
    one is changed. Use it within `nobody_trades`.
    """
    address = parse_url(url)
    if address.get_backend_name() == "sqlite":
        with _new_file(sqlite_file.database_path(address), bot, label) as made:
            yield made
        return
    database = open_database(url)
    try:
        yield database, _rename(database, bot, label)
    finally:
        database.close()


@contextlib.contextmanager
def _new_file(path: Path, bot: BotIdentity, label: str) -> Iterator[tuple[Database, list[str]]]:
    workshop = path.with_name(f".{path.name}.rebuilding")
    unfinished = workshop / path.name
    kept = path.with_name(f"{path.stem}-{label.replace(' ', '-')}{path.suffix}")
    shutil.rmtree(workshop, ignore_errors=True)  # of a rebuild that was killed
    try:
        workshop.mkdir(mode=0o700)
        told = _copy_old(path, unfinished)
        database = open_database(f"sqlite:///{unfinished}")
        try:
            _rename(database, bot, label)
            if path.exists():
                told.append(f"the old database is kept as {kept}")
            yield database, told
        finally:
            database.close()
        _swap(path, unfinished, kept)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _copy_old(path: Path, target: Path) -> list[str]:
    """Take over what can be read; a damaged or missing file leaves an empty start."""
    if not path.exists():
        return [f"there is no database {path}: its books are made anew"]
    if not path.stat().st_size:
        return [f"{path} is empty: its books are made anew"]
    try:
        sqlite_file.backup(path, target)
        open_database(f"sqlite:///{target}").close()
    except GridtideError as error:
        _remove(target)
        return [f"the old database cannot be read ({error})"]
    return []


def _rename(database: Database, bot: BotIdentity, label: str) -> list[str]:
    """Give the bot's old generations another name: their rows stay, and are nobody's to go on with."""
    with database.transaction() as connection:
        renamed = connection.execute(
            update(BOTS)
            .filter_by(
                name=bot.name,
                account_id=bot.account_id,
                symbol=bot.symbol,
                exchange=bot.exchange,
                mode=bot.mode,
            )
            .values(name=f"{bot.name} ({label})")
        )
    return [f'the old books stay in {database.place} under the name "{bot.name} ({label})"'] * bool(
        renamed.rowcount
    )


def _swap(path: Path, unfinished: Path, kept: Path) -> None:
    """The old file away, then the new one in its place; between the two there is none, which is safe (F46)."""
    if kept.exists():
        raise InvalidInput(f"{kept} exists: nothing was changed; move it away and try again")
    try:
        for suffix in ("", *_COMPANIONS):
            old = path.with_name(path.name + suffix)
            if old.exists():
                old.rename(kept.with_name(kept.name + suffix))
        for suffix in ("", *_COMPANIONS):
            new = unfinished.with_name(unfinished.name + suffix)
            if new.exists():
                new.rename(path.with_name(path.name + suffix))
        _flush(path.parent)
    except OSError as error:
        raise StorageFailed(
            f"{path} could not be replaced ({error.strerror}): the old database is there or beside it as {kept}; run "
            "`gridtide rebuild` again"
        ) from error


def _remove(path: Path) -> None:
    for suffix in ("", *_COMPANIONS):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
