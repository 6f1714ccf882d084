"""A commit whose last flush failed: it may be stored, and nobody goes on as if it were not."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridtide.domain.errors import StorageFailed
from gridtide.domain.journal import NoticeAdded
from gridtide.domain.market import Symbol, Timestamp
from gridtide.storage import sql_journal
from gridtide.storage.database import open_database
from gridtide.storage.lease import FileLease

BOT = sql_journal.BotIdentity("grid", "account", Symbol("BTC/USDT"), "binance", "sandbox")


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_failed_flush_is_looked_at_before_anything_else_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    """F58, I12: stored all the same: `StorageFailed`, never a broken key, and a restart goes on. Not stored: the next
    commit is taken."""
    database = open_database(f"sqlite:///{tmp_path / 'books.db'}")
    journal = sql_journal.open_bot(database, BOT, Timestamp(1), resume=True)
    journal.commit([NoticeAdded("info", "first", "")], Timestamp(1))

    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        if is_stored:  # the failure comes after the transaction, as one of the last flush does
            patch.setattr(FileLease, "confirm", fails)
        else:
            patch.setattr(FileLease, "check", fails)
        with pytest.raises(StorageFailed):
            journal.commit([NoticeAdded("info", "second", "")], Timestamp(2))
    if is_stored:
        with pytest.raises(StorageFailed, match="stored all the same"):
            journal.commit([NoticeAdded("info", "third", "")], Timestamp(3))
    else:
        journal.commit([NoticeAdded("info", "third", "")], Timestamp(3))
    journal.close()
    again = sql_journal.open_bot(database, BOT, Timestamp(4), resume=True)
    assert again.last_seq == 2
    again.commit([NoticeAdded("info", "fourth", "")], Timestamp(4))
    database.close()
