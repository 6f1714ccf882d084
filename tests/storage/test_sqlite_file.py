"""Opening a database file: what is set, who may read it, and what each wrong file is told."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gridtide.domain.errors import InvalidInput, StorageFailed
from gridtide.storage.database import Database, open_database
from gridtide.storage.reader import open_reader
from gridtide.storage.sqlite_file import journal_mode
from gridtide.storage.sqlite_library import sqlite3
from tests.storage.builders import NOW, commits_of_fills, first_commit
from tests.storage.stores import SqlStore, sqlite_url

OLD, SOUND = (3, 51, 2), (3, 51, 3)


def pragma(database: Database, name: str) -> object:
    with database.transaction() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.mark.parametrize(
    "version, mode", [(OLD, "persist"), (SOUND, "wal"), ((3, 40, 1), "persist"), ((4, 0), "wal")]
)
def test_the_journal_mode_follows_the_library(tmp_path: Path, version: tuple[int, ...], mode: str) -> None:
    """F59: WAL only where its reset bug is mended, else a rollback journal; durable in both."""
    database = open_database(sqlite_url(tmp_path), sqlite_version=version)
    with closing(database):
        assert journal_mode(version).lower() == mode
        assert pragma(database, "journal_mode") == mode
        assert pragma(database, "synchronous") == 2  # FULL
        assert pragma(database, "foreign_keys") == 1
        assert pragma(database, "busy_timeout") == 5000


@pytest.mark.parametrize("before, after", [(OLD, SOUND), (SOUND, OLD)])
def test_the_mode_changes_with_the_library(
    tmp_path: Path, before: tuple[int, ...], after: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database moves to a machine with another SQLite and keeps its contents."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", before)
    store = SqlStore(sqlite_url(tmp_path))
    store.open().commit(first_commit(), NOW)
    snapshot = store.open().load()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", after)
    assert store.open().load() == snapshot
    assert store.database is not None
    assert pragma(store.database, "journal_mode") == journal_mode(after).lower()
    store.close()


def test_a_mode_that_cannot_be_set_is_no_start(tmp_path: Path) -> None:
    """An older library must not go on with the WAL that another program holds open."""
    url = sqlite_url(tmp_path)
    with (
        closing(open_database(url, sqlite_version=SOUND)),
        pytest.raises(StorageFailed, match=r"in use|locked"),
    ):
        open_database(url, sqlite_version=OLD, busy_timeout_seconds=0.1)


def test_files_are_private(tmp_path: Path) -> None:
    """Directory 0700 where we make it, files 0600, whatever the umask says."""
    store = SqlStore(sqlite_url(tmp_path / "state"))
    before = os.umask(0)
    try:
        store.open().commit(first_commit(), NOW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    files = list((tmp_path / "state").iterdir())
    assert {path.suffix for path in files} >= {".db", ".lock"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    store.close()


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.touch(mode=0o644)
    open_database(sqlite_url(tmp_path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_opening_again_leaves_the_locks_of_this_process_alone(file_store: SqlStore) -> None:
    """POSIX drops a process's locks on a file when any of its descriptors is closed: the file must not be touched."""
    file_store.sqlite_version = (3, 40, 1)
    file_store.open()
    assert file_store.database is not None
    with file_store.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM leases WHERE owner = 'nobody'")
        with pytest.raises(StorageFailed, match="locked"):
            open_database(file_store.url, busy_timeout_seconds=0.0, sqlite_version=(3, 40, 1))
        path = file_store.url.removeprefix("sqlite:///")
        attempt = f"import sqlite3; sqlite3.connect({path!r}, timeout=0).execute('BEGIN IMMEDIATE')"
        answer = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=False)
    assert "database is locked" in answer.stderr


# --- wrong files: one sentence each, and the file as it was ------------------------------------------


def refused(url: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        open_database(url, busy_timeout_seconds=0.1)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.write_text("my diary, which is long enough to be taken for a header\n" * 50)
    content = path.read_bytes()
    refused(sqlite_url(tmp_path), InvalidInput, "is not a database: it was left as it is")
    assert path.read_bytes() == content
    with pytest.raises(InvalidInput, match="is not a database"):
        open_reader(sqlite_url(tmp_path))


def test_a_damaged_database_is_not_traded_on(tmp_path: Path) -> None:
    """F59: flipped bytes anywhere are found at the start."""
    store = SqlStore(sqlite_url(tmp_path))
    journal = store.open()
    for entries in commits_of_fills(20):
        journal.commit(entries, NOW)
    store.close()
    path = tmp_path / "bot.db"
    content = bytearray(path.read_bytes())
    for offset in range(4096 * 3, len(content), 4096 * 2):
        content[offset : offset + 64] = os.urandom(64)
    path.write_bytes(content)
    refused(
        sqlite_url(tmp_path), StorageFailed, "is damaged: it was left as it is and nothing is traded on it"
    )
    assert path.read_bytes() == bytes(content)


def test_a_cut_database_is_not_traded_on(tmp_path: Path) -> None:
    open_database(sqlite_url(tmp_path)).close()
    path = tmp_path / "bot.db"
    path.write_bytes(path.read_bytes()[: 4096 * 5])
    refused(sqlite_url(tmp_path), StorageFailed, "is damaged")


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "bot.db")) as theirs:
        theirs.execute("CREATE TABLE trades (id INTEGER)")
    refused(sqlite_url(tmp_path), InvalidInput, "belongs to another program: it was left as it is")


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    open_database(sqlite_url(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / "bot.db")) as newer:
        newer.execute("UPDATE schema_version SET version_num = '9999'")
        newer.commit()
    refused(
        sqlite_url(tmp_path),
        InvalidInput,
        "written by a newer gridtide .*: it was left as it is; update gridtide",
    )
    with pytest.raises(InvalidInput, match="use the same gridtide as the bot"):
        open_reader(sqlite_url(tmp_path))


def test_a_locked_database_says_so(tmp_path: Path) -> None:
    """F57 at the start: another program holds it for longer than we wait."""
    open_database(sqlite_url(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused(sqlite_url(tmp_path), StorageFailed, "locked")
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    "url, words",
    [
        ("sqlite:///{tmp}/no/such/folder/bot.db", "the folder .* does not exist"),
        ("sqlite:///{tmp}", "is a folder"),
        ("sqlite:///{tmp}/file/bot.db", "the folder .* does not exist"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://me:hunter2@host/db", "not an address gridtide knows"),
        ("bot.db", "not an address gridtide knows"),
        ("postgresql://me:hunter2@host:port/db", "not an address gridtide knows"),
    ],
)
def test_a_wrong_address_is_explained(tmp_path: Path, url: str, words: str) -> None:
    """Each says what to change, and none repeats a password (F71)."""
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match=words) as caught:
        open_database(url.replace("{tmp}", str(tmp_path)))
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_not_there_is_explained() -> None:
    with pytest.raises(
        StorageFailed, match=r"the PostgreSQL database db at 127\.0\.0\.1 cannot be reached"
    ) as caught:
        open_database("postgresql://me:hunter2@127.0.0.1:1/db")
    assert "hunter2" not in str(caught.value)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, for whom no file is unreadable."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_rights_is_explained() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        open_database(sqlite_url(folder)).close()
        (folder / "bot.db").chmod(0o000)
        folder.chmod(0o755)
        with as_nobody():
            refused(sqlite_url(folder), InvalidInput, "cannot be read and written: nothing was changed")
        folder.chmod(0o700)
        with as_nobody():
            refused(
                sqlite_url(folder), InvalidInput, "cannot be (opened|read and written).*: nothing was changed"
            )


def test_a_folder_without_rights_is_explained() -> None:
    """SQLite makes its journal beside the file: a folder that cannot be written to is found before trading."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bot.db").touch()
        (folder / "bot.db").chmod(0o666)
        folder.chmod(0o555)
        with as_nobody():
            refused(
                sqlite_url(folder), InvalidInput, "the folder .* cannot be written to: nothing was opened"
            )
        folder.chmod(0o755)
