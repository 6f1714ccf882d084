"""Brings a database to the schema of this program, or says why not. The steps are Alembic's, inside the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from gridtide.domain.errors import InvalidInput
from gridtide.storage import candle_tables  # noqa: F401  # the metadata must know every table

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEWEST = "0003"
"""The newest migration under migrations/versions."""

VERSION_TABLE = "schema_version"
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_461_203_115_022_318_001
"""PostgreSQL's advisory lock for everything that must not run twice at once; SQLite's write lock does it there."""


def upgrade(connection: Connection, place: str) -> None:
    """Bring the schema up to date within the caller's transaction; raises `InvalidInput` for a newer or foreign one."""
    take_turns(connection)
    found = revision(connection)
    if found == NEWEST:
        return
    if found is None:
        _refuse_foreign(connection, place)
    _migrate(connection, place, found)


def take_turns(connection: Connection) -> None:
    """Wait until no other process is in such a transaction; on SQLite none can be."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def revision(connection: Connection) -> str | None:
    """The schema a database has; None for one without."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 (a constant)
    return found


def require_newest(connection: Connection, place: str) -> None:
    """For readers, which change nothing: raises `InvalidInput` unless the schema is this program's."""
    found = revision(connection)
    if found is None:
        raise InvalidInput(f"{place} holds no gridtide tables: start a bot on it first")
    if found != NEWEST:
        raise InvalidInput(
            f"{place} has the schema {found}, this program reads {NEWEST}: use the same gridtide as the bot"
        )


def _refuse_foreign(connection: Connection, place: str) -> None:
    if connection.dialect.name == "sqlite" and inspect(connection).get_table_names():
        raise InvalidInput(f"{place} belongs to another program: it was left as it is; change storage.url")


def _migrate(connection: Connection, place: str, found: str | None) -> None:
    from alembic import command  # a heavy import that a current database does not need
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise InvalidInput(
            f"{place} was written by a newer gridtide (schema {found}): it was left as it is; update gridtide"
        )
    command.upgrade(config, NEWEST)
