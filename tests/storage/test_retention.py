"""Old entries of the journal go, a checkpoint stands for them: what is loaded and replayed stays the same."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from gridtide.domain.errors import Defect, StorageFailed
from gridtide.domain.market import Timestamp
from gridtide.storage import checkpoint, retention
from gridtide.storage.database import Database, open_database
from gridtide.storage.rebuild import rebuild_from_journal, table_differences
from gridtide.storage.retention import DAY_MS, Retention
from gridtide.storage.sql_journal import open_bot
from gridtide.storage.sqlite_library import sqlite3
from gridtide.storage.tables import CHECKPOINTS, JOURNAL, NOTICES
from tests.storage.builders import BOT, NOW, commits_of_fills, fill_commit, funded_ledger, notice
from tests.storage.entries import commits
from tests.storage.processes import line, python
from tests.storage.stores import SqlStore, sqlite_url
from tests.storage.test_journal_properties import Commits

EAGER = Retention(keep_ms=2_000, keep_newest=30, checkpoint_ms=500, chunk=25, keep_notices=5)


def replay_agrees(source: Database, folder: Path) -> None:
    """I14, from wherever the journal begins."""
    with closing(open_database(sqlite_url(folder, "replayed.db"))) as target:
        rebuild_from_journal(source, target)
        with source.transaction() as one, target.transaction() as other:
            assert table_differences(one, other) == []


def entries_and_notices(database: Database, bot_id: int) -> tuple[int, int, int]:
    """First entry, number of entries, number of notices."""
    with database.transaction() as connection:
        j = JOURNAL.c
        first = connection.scalar(select(func.min(j.seq)).where(j.bot_id == bot_id))
        count = connection.scalar(select(func.count()).select_from(JOURNAL).where(j.bot_id == bot_id))
        notices = connection.scalar(
            select(func.count()).select_from(NOTICES).where(NOTICES.c.bot_id == bot_id)
        )
        return first or 0, count or 0, notices or 0


def test_the_journal_stops_growing_and_replays_all_the_same(sql_store: SqlStore, tmp_path: Path) -> None:
    """A hundred fills over a hundred seconds with a retention of two: on SQLite and on PostgreSQL."""
    sql_store.open().close()
    assert sql_store.database is not None
    journal = open_bot(sql_store.database, BOT, NOW, resume=True, retention=EAGER)
    counts = []
    for number, entries in enumerate(commits_of_fills(100)):
        journal.commit([*entries, notice(str(number))], Timestamp(NOW + 100 * number))
        journal.renew_lease()
        counts.append(entries_and_notices(sql_store.database, journal.bot_id)[1])
    before = journal.load()
    first, count, notices = entries_and_notices(sql_store.database, journal.bot_id)
    assert first > 500
    assert max(counts) == max(counts[:60])
    assert count < 300
    assert notices < 50
    assert journal.load() == before
    replay_agrees(sql_store.database, tmp_path)
    journal.close()


def test_young_and_newest_entries_stay(file_store: SqlStore) -> None:
    """Nothing goes before its time, and never the newest."""
    journal = file_store.open()
    assert file_store.database is not None
    for entries in commits_of_fills(300):
        journal.commit(entries, NOW)
    with file_store.database.transaction() as connection:
        for moment in range(20):
            retention.step(connection, journal.bot_id, NOW + moment * DAY_MS // 4, Retention())
    assert entries_and_notices(file_store.database, journal.bot_id)[0] == 1
    with file_store.database.transaction() as connection:
        for _ in range(20):
            retention.step(connection, journal.bot_id, NOW + 8 * DAY_MS, Retention())
    first, count, _ = entries_and_notices(file_store.database, journal.bot_id)
    assert (first, count) == (journal.last_seq - 999, 1_000)


def test_a_step_is_a_little_work(file_store: SqlStore) -> None:
    """Trading never waits for the tidying: a step takes a bounded number of entries."""
    journal = file_store.open()
    assert file_store.database is not None
    for entries in commits_of_fills(60):
        journal.commit(entries, NOW)
    with file_store.database.transaction() as connection:
        retention.step(connection, journal.bot_id, NOW, EAGER)
        for done in range(1, 4):
            retention.step(connection, journal.bot_id, NOW + 5_000, EAGER)
            first = connection.scalar(select(func.min(JOURNAL.c.seq)))
            assert first == 1 + done * EAGER.chunk


def test_older_generations_are_tidied_too(file_store: SqlStore, tmp_path: Path) -> None:
    """A bot that was begun anew leaves a journal that nobody writes to any more."""
    journal = file_store.open()
    for entries in commits_of_fills(60):
        journal.commit(entries, NOW)
    file_store.open(resume=False).close()
    assert file_store.database is not None
    newer = open_bot(file_store.database, BOT, NOW, resume=True, retention=EAGER)
    for second in range(100):
        newer.commit([notice()], Timestamp(NOW + 1_000 * second))
        newer.renew_lease()
    assert entries_and_notices(file_store.database, journal.bot_id)[1] == EAGER.keep_newest
    replay_agrees(file_store.database, tmp_path)
    newer.close()


@given(made=commits, at=st.integers(0, 8), dropped=st.integers(1, 40))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_replay_from_any_checkpoint_gives_the_same_tables(
    migrated_file: Path, tmp_path: Path, made: Commits, at: int, dropped: int
) -> None:
    """I14 for whatever comes before and behind a checkpoint, orders that come back from their end included."""
    for name in ("bot", "replayed"):
        for old in tmp_path.glob(f"{name}.db*"):
            old.unlink()
        shutil.copy(migrated_file, tmp_path / f"{name}.db")
    store = SqlStore(sqlite_url(tmp_path))
    try:
        journal = store.open()
        assert store.database is not None
        taken = 0
        for number, (entries, now) in enumerate(made):
            if number == at:
                with store.database.transaction() as connection:
                    checkpoint.take(connection, journal.bot_id, journal.last_seq, now)
                taken = journal.last_seq
            try:
                journal.commit(entries, now)
            except Defect:
                continue
        with store.database.transaction() as connection:
            connection.execute(JOURNAL.delete().where(JOURNAL.c.seq <= min(dropped, taken)))
        replay_agrees(store.database, tmp_path)
    finally:
        store.close()


def test_a_journal_without_its_checkpoint_is_not_replayed(file_store: SqlStore, tmp_path: Path) -> None:
    """Half a history is no proof of anything."""
    journal = file_store.open()
    for entries in commits_of_fills(5):
        journal.commit(entries, NOW)
    assert file_store.database is not None
    with file_store.database.transaction() as connection:
        connection.execute(JOURNAL.delete().where(JOURNAL.c.seq < 10))
        connection.execute(CHECKPOINTS.delete())
    with pytest.raises(StorageFailed, match="begins at entry 10 and no checkpoint"):
        replay_agrees(file_store.database, tmp_path)


def test_a_kill_in_the_middle_of_tidying_leaves_a_whole_history(tmp_path: Path) -> None:
    """kill -9 while a process commits and tidies as fast as it can: what is left replays to the same tables."""
    url = sqlite_url(tmp_path)
    for seconds in (0.5, 1.0, 1.5):
        with python("committer", url, "tidy") as process:
            line(process)
            with pytest.raises(Exception, match="timed out"):
                process.wait(seconds)
            process.kill()
            process.wait()
        (tmp_path / "replayed.db").unlink(missing_ok=True)
        with closing(open_database(url)) as database:
            replay_agrees(database, tmp_path)
    with closing(sqlite3.connect(tmp_path / "bot.db")) as connection:
        assert connection.execute("SELECT min(seq) FROM journal").fetchone()[0] > 1


def test_a_file_stops_growing_when_what_is_kept_does(file_store: SqlStore) -> None:
    """Free pages are used again: what the file gains then are the books of its fills."""
    file_store.open().close()
    assert file_store.database is not None
    journal = open_bot(file_store.database, BOT, NOW, resume=True, retention=EAGER)
    ledger, opened = funded_ledger()
    journal.commit([opened], NOW)
    sizes = []
    for number in range(450):
        journal.commit(fill_commit(ledger, number), Timestamp(NOW + 100 * number))
        journal.renew_lease()
        if number % 150 == 149:
            with file_store.database.transaction() as connection:
                sizes.append(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)
    assert (sizes[2] - sizes[1]) * 4096 / 150 < 1_500  # bytes a fill; an entry of each fill alone has 5,000
    journal.close()
