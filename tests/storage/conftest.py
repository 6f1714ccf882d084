"""Databases for the storage tests: a fresh one for each test, on a PostgreSQL server shared by the session."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.storage.stores import MemoryStore, SqlStore, Store, postgres_server, sqlite_url

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """A template for addresses, with the database's name to be put in."""
    with postgres_server() as template:
        with psycopg.connect(template.format(database="postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # nobody pulls the plug on a test
            connection.execute("SELECT pg_reload_conf()")
        yield template


@pytest.fixture
def postgres_url(postgres_address: str) -> str:
    """A new, empty database."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_address.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return postgres_address.format(database=name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture
def sql_store(url: str) -> Iterator[SqlStore]:
    store = SqlStore(url)
    yield store
    store.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each kind of storage."""
    made: Store
    match request.param:
        case "memory":
            made = MemoryStore()
        case "sqlite":
            made = SqlStore(sqlite_url(tmp_path))
        case _:
            made = SqlStore(request.getfixturevalue("postgres_url"))
    yield made
    made.close()


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SqlStore]:
    """SQLite only, for what concerns the file."""
    store = SqlStore(sqlite_url(tmp_path))
    yield store
    store.close()
