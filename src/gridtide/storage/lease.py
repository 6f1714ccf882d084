"""Who may trade a bot: one process at a time (fencing, layers 1 to 3).

A lock decides who may start; an epoch, raised at each start and checked inside every transaction, stops whoever was
there before. The kernel or the server frees the lock of a process that is gone, however it went.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    bindparam,
    insert,
    literal_column,
    select,
    text,
    update,
)

from gridtide.domain.errors import Fenced, GridtideError, InvalidInput
from gridtide.storage.tables import LEASES

if TYPE_CHECKING:
    from gridtide.storage.database import Database

LIFETIME_MS = 20_000
"""How long a lease on PostgreSQL lasts by the database's clock."""

PATIENCE_SECONDS = 15.0
"""How long a holder that could not renew goes on by its own clock; shorter than the lease lives."""


class Lease(Protocol):
    """The right to trade one bot."""

    def take(self, connection: Connection) -> None:
        """Take it and fence whoever had it; raises `Fenced` where another process holds it."""

    def check(self, connection: Connection) -> None:
        """Raise `Fenced` unless it is still ours; part of every transaction of the bot."""

    def confirm(self) -> None:
        """The transaction of the last `take` or `check` was committed."""

    def release(self) -> None:
        """Let others start."""


def new_lease(database: Database, bot_key: str, bot_name: str) -> Lease:
    """The lease that fits `database`; on SQLite it is locked at once. Raises `Fenced` where another process has it."""
    if database.path is not None:
        return FileLease(database.path, bot_key, bot_name)
    return ServerLease(database, bot_key, bot_name)


class FileLease:
    """On SQLite: an exclusive lock on a file beside the database, held until the process ends, and the epoch."""

    def __init__(self, database: Path, bot_key: str, bot_name: str) -> None:
        self._key = bot_key
        self._name = bot_name
        self._epoch = 0
        self._descriptor: int | None = _lock(lock_path(database, bot_key, bot_name), bot_name)

    def take(self, connection: Connection) -> None:
        self._epoch = _raise_epoch(connection, self._key, None)

    def check(self, connection: Connection) -> None:
        # The transaction holds SQLite's write lock: what is read here stays true until it commits.
        if self._descriptor is None or _epoch(connection, self._key) != self._epoch:
            raise _fenced(self._name)

    def confirm(self) -> None:
        """Nothing to do: the lock needs no renewal."""

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lock_path(database: Path, bot_key: str, bot_name: str) -> Path:
    """The lock file of a bot; it stays when the bot ends, because removing it could let two processes in."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", bot_name)[:40]
    digest = hashlib.sha256(bot_key.encode()).hexdigest()[:8]
    return database.with_name(f"{database.name}.{readable}-{digest}.lock")


def _lock(path: Path, bot_name: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be opened ({error.strerror}): nothing was started; change its rights"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise Fenced(
            f"another gridtide (process {holder}) runs {bot_name}: nothing was started; stop that one first"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


class ServerLease:
    """On PostgreSQL: an advisory lock of the writing connection's session, and a lease that runs out.

    The lock goes with the session. The lease stops a holder that slept: its runner calls `SqlJournal.renew_lease`
    every 5 s, and each commit renews it too.
    """

    def __init__(
        self, database: Database, bot_key: str, bot_name: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._key = bot_key
        self._name = bot_name
        self._monotonic = monotonic
        self._lock_id = int.from_bytes(hashlib.sha256(bot_key.encode()).digest()[:8], "big", signed=True)
        self._epoch = 0
        self._is_locked = False
        self._tried_at = 0.0
        self._renewed_at = 0.0

    def take(self, connection: Connection) -> None:
        self._tried_at = self._monotonic()
        self._is_locked = bool(
            connection.scalar(text("SELECT pg_try_advisory_lock(:id)"), {"id": self._lock_id})
        )
        if not self._is_locked:
            holder = (
                connection.scalar(select(LEASES.c.owner).where(LEASES.c.bot_key == self._key)) or "unknown"
            )
            raise Fenced(
                f"another gridtide (process {holder}) runs {self._name}: nothing was started; stop that one first"
            )
        self._epoch = _raise_epoch(connection, self._key, _DATABASE_TIME + LIFETIME_MS)

    def check(self, connection: Connection) -> None:
        now = self._monotonic()
        if not self._is_locked or now - self._renewed_at > PATIENCE_SECONDS:
            raise _fenced(self._name)
        renewed = connection.execute(_RENEW, {"key": self._key, "mine": self._epoch})
        if renewed.rowcount != 1:
            raise _fenced(self._name)
        self._tried_at = now

    def confirm(self) -> None:
        self._renewed_at = self._tried_at

    def release(self) -> None:
        if not self._is_locked:
            return
        self._is_locked = False
        with contextlib.suppress(GridtideError), self._database.transaction() as connection:
            connection.execute(text("SELECT pg_advisory_unlock(:id)"), {"id": self._lock_id})


_DATABASE_TIME: ColumnElement[int] = literal_column(
    "(extract(epoch FROM clock_timestamp()) * 1000)::bigint", BigInteger
)

_RENEW = (
    update(LEASES)
    .where(
        LEASES.c.bot_key == bindparam("key"),
        LEASES.c.epoch == bindparam("mine"),
        LEASES.c.expires_at > _DATABASE_TIME,
    )
    .values(expires_at=_DATABASE_TIME + LIFETIME_MS)
)
"""Check and renewal in one; it locks the row, so a take-over waits until this transaction has ended."""

_EPOCH = select(LEASES.c.epoch).where(LEASES.c.bot_key == bindparam("key"))


def _epoch(connection: Connection, bot_key: str) -> int | None:
    return connection.scalar(_EPOCH, {"key": bot_key})


def _raise_epoch(connection: Connection, bot_key: str, expires_at: ColumnElement[int] | None) -> int:
    before = _epoch(connection, bot_key)
    values = {"epoch": (before or 0) + 1, "owner": _owner(), "expires_at": expires_at}
    if before is None:
        connection.execute(insert(LEASES).values(bot_key=bot_key, **values))
    else:
        connection.execute(update(LEASES).where(LEASES.c.bot_key == bot_key).values(**values))
    return (before or 0) + 1


def _owner() -> str:
    return f"{os.getpid()} on {os.uname().nodename}"


def _fenced(bot_name: str) -> Fenced:
    return Fenced(
        f"another instance may trade {bot_name} now: nothing was stored and nothing will be sent; this one stops"
    )
