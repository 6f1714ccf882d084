"""Random commits: memory and database agree, a restart changes nothing, and the journal alone rebuilds every table."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from gridtide.domain.errors import Defect, InvalidInput
from gridtide.domain.journal import BotSnapshot, JournalEntry
from gridtide.domain.market import Timestamp
from gridtide.storage.database import Database, open_database
from gridtide.storage.memory_journal import MemoryDatabase
from gridtide.storage.rebuild import rebuild_from_journal
from gridtide.storage.sql_journal import Run, open_bot
from gridtide.storage.tables import METADATA
from tests.storage.builders import BOT, NOW, commits_of_fills, first_commit, notice
from tests.storage.entries import commits
from tests.storage.stores import Journal, SqlStore, sqlite_url

Commits = Sequence[tuple[Sequence[JournalEntry], Timestamp]]


def outcomes(journal: Journal, made: Commits) -> Iterator[tuple[bool, BotSnapshot]]:
    """After each commit: whether it was taken, and what a restart would see."""
    for entries, now in made:
        try:
            journal.commit(entries, now)
            taken = True
        except Defect:
            taken = False
        yield taken, journal.load()


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, apart from leases, which belong to processes."""
    with database.transaction() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
            if table.name != "leases"
        }


@given(made=commits)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_memory_database_restart_and_replay_agree(migrated_file: Path, tmp_path: Path, made: Commits) -> None:
    """I14, and the contract of the memory journal: the same commits are refused and the same state is loaded."""
    for name in ("bot", "copy"):
        shutil.copy(migrated_file, tmp_path / f"{name}.db")
    store = SqlStore(sqlite_url(tmp_path))
    try:
        journal = store.open()
        seen = list(outcomes(journal, made))
        assert seen == list(outcomes(MemoryDatabase().open_bot(), made))
        assert store.open().load() == seen[-1][1]
        assert store.database is not None
        assert_replay_agrees(store.database, sqlite_url(tmp_path, "copy.db"))
    finally:
        store.close()


def assert_replay_agrees(source: Database, target_url: str) -> None:
    target = open_database(target_url)
    try:
        rebuild_from_journal(source, target)
        assert contents(target) == contents(source)
    finally:
        target.close()


def test_a_replay_rebuilds_all_bots_and_runs(sql_store: SqlStore, tmp_path: Path) -> None:
    """I14 on a real history: two generations, runs, a hundred fills; the rebuilt database trades on."""
    sql_store.open().commit(first_commit(), NOW)
    journal = sql_store.open(resume=False)
    journal.begin_run(Run("run-1", NOW, "sandbox", "0.1.0", "abc"))
    for number, entries in enumerate(commits_of_fills(100)):
        journal.commit(entries, Timestamp(NOW + number // 3))
    journal.end_run(Timestamp(NOW + 99))
    assert sql_store.database is not None
    rebuilt = open_database(sqlite_url(tmp_path, "rebuilt.db"))
    try:
        assert rebuild_from_journal(sql_store.database, rebuilt) == len(first_commit()) + journal.last_seq
        assert contents(rebuilt) == contents(sql_store.database)
        again = open_bot(rebuilt, BOT, NOW, resume=True)
        assert again.load() == journal.load()
        again.commit([notice()], NOW)
        again.close()
    finally:
        rebuilt.close()


def test_a_rebuild_never_writes_over_bots(file_store: SqlStore, tmp_path: Path) -> None:
    file_store.open().commit([notice()], NOW)
    assert file_store.database is not None
    other = open_database(sqlite_url(tmp_path, "other.db"))
    try:
        with pytest.raises(InvalidInput, match="not empty"):
            rebuild_from_journal(other, file_store.database)
    finally:
        other.close()
