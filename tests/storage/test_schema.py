"""The migrations make the tables the program speaks of, whoever opens the database first."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from gridtide.domain.fill import Fill
from gridtide.domain.journal import BotStatePut, CursorPut, NoticeAdded, OrderRow, SlotRow
from gridtide.domain.ledger import AccountBalance, LedgerTotals, Lot, LotClosing, Posting
from gridtide.storage import migrations, schema, tables
from gridtide.storage.database import open_database
from gridtide.storage.projection import value_columns
from gridtide.storage.tables import METADATA
from tests.storage.processes import go, line, python
from tests.storage.stores import sqlite_url

SQLITE_CATALOGUE = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name"
POSTGRES_CATALOGUE = """
    SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public'
    UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""


def catalogue(connection: Connection) -> list[str]:
    """Everything the database says about its tables, sorted, without layout and migration bookkeeping."""
    statement = SQLITE_CATALOGUE if connection.dialect.name == "sqlite" else POSTGRES_CATALOGUE
    rows = [" ".join(" ".join(map(str, row)).split()) for row in connection.execute(text(statement))]
    return sorted(_without_order(row) for row in rows if schema.VERSION_TABLE not in row)


def _without_order(row: str) -> str:
    """Constraints of a table may be listed in any order."""
    return " ".join(sorted(row.replace(",", " ").split()))


def test_no_drift_between_migrations_and_tables(bare_url: str) -> None:
    """Columns, keys, checks and partial indexes of the migrated database are those of tables.py."""
    database = open_database(bare_url)
    with closing(database), database.transaction() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, METADATA) == []
        migrated = catalogue(connection)
    assert migrated == catalogue_of_tables(bare_url)


def catalogue_of_tables(url: str) -> list[str]:
    """The catalogue of a database made from tables.py at once."""
    if url.startswith("sqlite"):
        engine = create_engine("sqlite://")
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as made:
        METADATA.create_all(made)
        found = catalogue(made)
    engine.dispose()
    return found


def test_the_newest_migration_is_the_one_the_program_wants() -> None:
    """A migration that is added without raising `NEWEST` would never run."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.NEWEST


def test_every_field_of_a_stored_value_has_its_column() -> None:
    """A field that is added to a row and forgotten in its table is found here, not in production."""
    stored = {
        tables.ORDERS: OrderRow,
        tables.SLOTS: SlotRow,
        tables.POSTINGS: Posting,
        tables.LEDGER_BALANCES: AccountBalance,
        tables.LEDGER_TOTALS: LedgerTotals,
        tables.LOTS: Lot,
        tables.LOT_CLOSINGS: LotClosing,
        tables.BOT_STATES: BotStatePut,
        tables.CURSORS: CursorPut,
        tables.NOTICES: NoticeAdded,
    }
    for table, value in stored.items():
        assert set(value_columns(table)) == names(value), table.name
    for table in (tables.FILLS, tables.FOREIGN_FILLS):
        assert set(value_columns(table)) - {"fee_amount", "fee_asset", "source"} == names(Fill) - {"fee"}


def names(value: Any) -> set[str]:
    return set(value._fields) if hasattr(value, "_fields") else {field.name for field in fields(value)}


def test_processes_that_open_at_once_migrate_once(bare_url: str) -> None:
    """The schema's lock lets one migrate while the others wait; all of them get a database."""
    with ExitStack() as stack:
        processes = [stack.enter_context(python("opener", bare_url)) for _ in range(3)]
        assert [line(process) for process in processes] == ["ready"] * 3
        for process in processes:
            go(process)
        assert [line(process) for process in processes] == ["opened"] * 3
    open_database(bare_url).close()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    open_database(url).close()
    content = (tmp_path / "bot.db").read_bytes()
    open_database(url).close()
    assert (tmp_path / "bot.db").read_bytes() == content
