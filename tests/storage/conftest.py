"""Databases for the storage tests: migrated once a session, empty for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gridtide.storage.database import open_database
from gridtide.storage.tables import METADATA
from tests.storage.stores import MemoryStore, SqlStore, Store, postgres_server, sqlite_url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    open_database(sqlite_url(folder)).close()
    return folder / "bot.db"


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """A database on a server of our own."""
    with postgres_server() as address:
        execute(
            address, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"
        )  # nobody pulls the plug on a test
        yield address


@pytest.fixture
def bare_postgres_url(postgres_server_url: str) -> str:
    """PostgreSQL without tables."""
    execute(postgres_server_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return postgres_server_url


@pytest.fixture
def postgres_url(postgres_server_url: str) -> str:
    """PostgreSQL with all tables, each of them empty."""
    open_database(postgres_server_url).close()
    execute(postgres_server_url, f"TRUNCATE {', '.join(METADATA.tables)}")
    return postgres_server_url


def execute(address: str, *statements: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def file_url(tmp_path: Path, migrated_file: Path) -> str:
    """SQLite with all tables, each of them empty."""
    shutil.copy(migrated_file, tmp_path / "bot.db")
    return sqlite_url(tmp_path)


@pytest.fixture(params=["file_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    """A database of each kind."""
    address: str = request.getfixturevalue(request.param)
    return address


@pytest.fixture(params=["sqlite", "bare_postgres_url"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where no database of ours has been yet."""
    address: str = (
        sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue(request.param)
    )
    return address


@pytest.fixture
def sql_store(url: str) -> Iterator[SqlStore]:
    yield from opened(SqlStore(url))


@pytest.fixture
def file_store(file_url: str) -> Iterator[SqlStore]:
    """SQLite only, for what concerns the file."""
    yield from opened(SqlStore(file_url))


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[SqlStore]:
    """PostgreSQL only, for what concerns the server."""
    yield from opened(SqlStore(postgres_url))


@pytest.fixture(params=["memory", "file_url", "postgres_url"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each kind of storage."""
    if request.param == "memory":
        yield MemoryStore()
    else:
        yield from opened(SqlStore(request.getfixturevalue(request.param)))


def opened(store: SqlStore) -> Iterator[SqlStore]:
    yield store
    store.close()
