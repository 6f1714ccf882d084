"""How long a fill's transaction takes: the fill, its postings and lots, two orders, two slots, 41 levels of state.

`disk` waits for the disk as production does; `ram` is the same without that wait; their difference is fsync.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gridtide.storage.database import open_database
from gridtide.storage.memory_journal import MemoryDatabase
from gridtide.storage.sql_journal import open_bot
from gridtide.storage.sqlite_file import journal_mode
from gridtide.storage.sqlite_library import sqlite3
from tests.storage.builders import BOT, NOW, fill_commit, funded_ledger

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from gridtide.ports.journal import Journal

RAM_DISK = Path("/dev/shm")


@pytest.fixture(params=["disk", "ram", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "memory":
        yield MemoryDatabase().open_bot()
        return
    if request.param == "ram" and not RAM_DISK.is_dir():
        pytest.skip("there is no RAM disk here")
    place = RAM_DISK if request.param == "ram" else tmp_path
    with (
        tempfile.TemporaryDirectory(dir=place) as folder,
        closing(open_database(f"sqlite:///{folder}/bench.db")) as database,
    ):
        yield open_bot(database, BOT, NOW, resume=True)


def test_commit_of_a_fill(benchmark: BenchmarkFixture, journal: Journal) -> None:
    """Aim: a median under 1.5 ms apart from fsync (`ram`)."""
    ledger, opened = funded_ledger()
    journal.commit([opened], NOW)
    numbers = count()

    def next_fill() -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (fill_commit(ledger, next(numbers)), NOW), {}

    benchmark.extra_info["sqlite"] = sqlite3.sqlite_version
    benchmark.extra_info["journal_mode"] = journal_mode(sqlite3.sqlite_version_info)
    benchmark.pedantic(journal.commit, setup=next_fill, rounds=500, warmup_rounds=20)  # type: ignore[no-untyped-call]  # untyped there
    assert journal.load().fill_count == next(numbers)
