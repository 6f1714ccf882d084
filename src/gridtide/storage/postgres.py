"""A PostgreSQL database: how its connections are opened. A commit is on the server's disk when it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import NullPool, create_engine

from gridtide.domain.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

KEEP_ALIVES = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3}
"""A dead server is noticed within 20 s, and so is a dead client, which else would keep its lock."""


def writing_engine(address: URL, lock_timeout_seconds: float) -> Engine:
    """An engine over psycopg; never behind a pooler, because the lock on the bot belongs to the session."""
    return _engine(address, f"-c synchronous_commit=on -c lock_timeout={int(lock_timeout_seconds * 1000)}")


def reading_engine(address: URL, lock_timeout_seconds: float) -> Engine:
    """An engine whose transactions cannot write and see one state from their start to their end."""
    return _engine(
        address,
        "-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read "
        f"-c lock_timeout={int(lock_timeout_seconds * 1000)}",
    )


def _engine(address: URL, options: str) -> Engine:
    try:
        return create_engine(
            address.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"connect_timeout": 10, "options": options, **KEEP_ALIVES},
        )
    except ModuleNotFoundError as error:
        raise InvalidInput(
            "storage.url names PostgreSQL, but its driver is not installed: nothing was opened; install "
            "gridtide[postgres]"
        ) from error


def place(address: URL) -> str:
    """What to call the database in a sentence: never with its password."""
    host = address.host or address.query.get("host", "localhost")
    return f"the PostgreSQL database {address.database or ''} at {host}"
