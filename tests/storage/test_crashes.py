"""What a killed process, a full disk or a foreign lock leave behind: every commit whole, or nothing of it."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from gridtide.domain.errors import StorageFailed
from gridtide.domain.journal import NoticeAdded
from gridtide.domain.market import Timestamp
from gridtide.storage.reader import open_reader
from gridtide.storage.sqlite_library import sqlite3
from tests.storage.builders import NOW, commits_of_fills, first_commit, notice
from tests.storage.processes import line, python
from tests.storage.stores import SqlStore, sqlite_url

LATER = Timestamp(NOW + 1)


def kill_while_committing(url: str, seconds: float) -> int:
    """Let a process commit for a while, kill it at once, and return the last number it was promised."""
    with python("committer", url) as process:
        first = line(process)
        time.sleep(seconds)
        process.kill()
        assert process.stdout is not None
        return int([first, *process.stdout.read().split()][-1])


def test_a_killed_process_keeps_every_commit_it_was_promised(tmp_path: Path) -> None:
    """F07, R1: SIGKILL at ten random moments: the file is sound, no acknowledged commit is missing or half there."""
    random = Random(2)
    store = SqlStore(sqlite_url(tmp_path))
    for _ in range(10):
        promised = kill_while_committing(store.url, random.uniform(0.0, 0.12))
        with open_reader(store.url) as reader:  # rolls back what the killed process left half done
            assert reader.bots()[0].generation == 1
        journal = store.open()  # checks the file
        assert journal.last_seq >= promised
        snapshot = journal.load()
        assert journal.last_seq == 2 + 8 * snapshot.fill_count
        assert snapshot.cursor.applied == snapshot.fill_count
        assert len(snapshot.orders) == 1
        store.close()


def test_a_writer_that_locks_too_long_fails_the_commit(file_store: SqlStore) -> None:
    """F57: nothing is stored, so nothing may leave; when the lock is gone the same journal goes on."""
    journal = file_store.open()
    journal.commit(first_commit(), NOW)
    before = journal.load()
    with closing(sqlite3.connect(path_of(file_store), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            StorageFailed, match=r"locked.*nothing of this step was stored and nothing will be sent"
        ):
            journal.commit([notice()], LATER)
        other.execute("ROLLBACK")
    assert journal.load() == before
    journal.commit([notice()], LATER)


def test_a_reader_that_lingers_fails_the_commit(file_store: SqlStore) -> None:
    """F57: with a rollback journal COMMIT itself may be refused; it is undone whole and holds no lock afterwards."""
    file_store.sqlite_version = (3, 40, 1)
    journal = file_store.open()
    journal.commit(first_commit(), NOW)
    before = journal.load()
    with closing(sqlite3.connect(path_of(file_store), isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM journal").fetchone()
        with pytest.raises(StorageFailed, match="locked"):
            journal.commit(commits_of_fills(1)[1], LATER)
        assert other.execute("SELECT count(*) FROM journal").fetchone() == (len(first_commit()),)
        other.execute("ROLLBACK")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    assert journal.load() == before
    journal.commit([notice()], LATER)


def test_with_a_wal_a_reader_that_lingers_delays_nothing(file_store: SqlStore) -> None:
    """F57: `gridtide status` and exports never stand between a fill and its counter-order."""
    file_store.sqlite_version = (3, 51, 3)
    journal = file_store.open()
    journal.commit(first_commit(), NOW)
    with closing(sqlite3.connect(path_of(file_store), isolation_level=None)) as other:
        other.execute("BEGIN")
        seen = other.execute("SELECT count(*) FROM journal").fetchone()
        journal.commit(commits_of_fills(1)[1], LATER)
        assert other.execute("SELECT count(*) FROM journal").fetchone() == seen
        other.execute("ROLLBACK")
        assert other.execute("SELECT count(*) FROM journal").fetchone() > seen


def test_a_file_moved_away_fails_the_commit(file_store: SqlStore) -> None:
    """F46: a backup copied over a running bot's database must not take its commits."""
    journal = file_store.open()
    journal.commit([notice()], NOW)
    path = path_of(file_store)
    path.rename(path.with_suffix(".moved"))
    with pytest.raises(StorageFailed):
        journal.commit([notice()], LATER)
    path.with_suffix(".moved").rename(path)
    journal.commit([notice()], LATER)
    assert journal.last_seq == 2


def test_a_full_disk_fails_the_commit(file_store: SqlStore) -> None:
    """F58: a write that does not fit is undone; with room again the same journal goes on."""
    journal = file_store.open()
    journal.commit(first_commit(), NOW)
    before = journal.load()
    with file_size_limit(path_of(file_store).stat().st_size + 8192):
        assert_full(journal.commit)
    assert journal.load() == before
    journal.commit([notice()], LATER)
    assert file_store.open().load() == before


def test_no_space_left_on_the_device(tmp_path: Path) -> None:
    """F58 with a real ENOSPC, on a file system of one megabyte."""
    with small_disk(tmp_path / "disk") as disk:
        store = SqlStore(sqlite_url(disk))
        journal = store.open()
        journal.commit(first_commit(), NOW)
        before = journal.load()
        filler = disk / "filler"
        fill_up(filler)
        assert_full(journal.commit)
        filler.unlink()
        assert journal.load() == before
        journal.commit([notice()], LATER)
        assert store.open().load() == before
        store.close()


def assert_full(commit: object) -> None:
    big = [NoticeAdded("info", "test.big", "x" * 60_000) for _ in range(3)]
    assert callable(commit)
    with pytest.raises(StorageFailed, match="nothing of this step was stored and nothing will be sent"):
        commit(big, LATER)


def path_of(store: SqlStore) -> Path:
    assert store.database is not None
    assert store.database.path is not None
    return store.database.path


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size`: writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except OSError:
        pass
    finally:
        os.close(descriptor)
