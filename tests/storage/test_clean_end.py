"""A start reads the whole file only where the last end was not clean, the file changed since, or a day has passed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gridtide.domain.errors import StorageFailed
from gridtide.storage import clean_end
from gridtide.storage.database import open_database
from tests.storage.builders import NOW, commits_of_fills
from tests.storage.stores import SqlStore, sqlite_url


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file with some pages, closed in good order."""
    store = SqlStore(sqlite_url(tmp_path))
    journal = store.open()
    for entries in commits_of_fills(20):
        journal.commit(entries, NOW)
    store.close()
    return tmp_path / "bot.db"


def damage(path: Path) -> None:
    """As a dying disk does it, without a trace in the folder: a page of the journal that no start needs."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    page = content.rfind(b"strategy_state_put") // 4096
    content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def is_read(path: Path) -> bool:
    """Whether a start reads all of it: then it finds the damage."""
    try:
        open_database(f"sqlite:///{path}").close()
    except StorageFailed as error:
        return "is damaged" in str(error)
    return False


def test_a_clean_end_is_believed_on_the_same_day(database: Path) -> None:
    """What a fast start costs: damage that leaves no trace is found a day later at most."""
    damage(database)
    assert not is_read(database)


def test_a_day_later_everything_is_read(database: Path) -> None:
    note = clean_end.note_path(database)
    *same, day = note.read_text().split()
    note.write_text(" ".join([*same, str(int(day) - 1)]) + "\n")
    damage(database)
    assert is_read(database)


def test_a_file_that_was_touched_is_read(database: Path) -> None:
    """A restored backup or an edited file has another time (F46, F59)."""
    damage(database)
    os.utime(database)
    assert is_read(database)


def test_a_file_in_another_place_is_read(database: Path) -> None:
    """A copy is another file, even with its note beside it."""
    copy = database.with_name("copy.db")
    copy.write_bytes(database.read_bytes())
    clean_end.note_path(copy).write_text(clean_end.note_path(database).read_text())
    damage(copy)
    assert is_read(copy)


def test_a_killed_process_leaves_no_note(database: Path) -> None:
    """From the opening to the orderly end there is none."""
    opened = open_database(f"sqlite:///{database}")
    assert not clean_end.note_path(database).exists()
    opened.close()
    assert stat.S_IMODE(clean_end.note_path(database).stat().st_mode) == 0o600
    clean_end.note_path(database).unlink()
    damage(database)
    assert is_read(database)


def test_an_end_after_a_failure_is_not_clean(database: Path) -> None:
    opened = open_database(f"sqlite:///{database}")
    with pytest.raises(StorageFailed), opened.transaction() as connection:
        connection.exec_driver_sql("SELECT * FROM no_such_table")
    opened.close()
    assert not clean_end.note_path(database).exists()


def test_what_waits_in_the_log_is_read(database: Path) -> None:
    """A log beside the file is the work of somebody who did not close it."""
    database.with_name("bot.db-wal").write_bytes(b"\0" * 4096)
    assert not clean_end.is_noted(database)
