"""Reading beside a running bot: everything a status needs, nothing changed, nobody kept waiting."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import insert

from gridtide.domain.errors import InvalidInput, StorageFailed
from gridtide.domain.journal import BotState
from gridtide.domain.market import Timestamp
from gridtide.storage.reader import Reader, StoredRun, open_reader
from gridtide.storage.sql_journal import Run
from gridtide.storage.sqlite_file import backup
from gridtide.storage.tables import CURSORS
from tests.storage.builders import BOT, NOW, commits_of_fills, first_commit, notice, order
from tests.storage.processes import line, python
from tests.storage.stores import SqlStore, sqlite_url


def test_what_a_status_needs(sql_store: SqlStore) -> None:
    journal = sql_store.open()
    journal.begin_run(Run("run-1", NOW, "sandbox", "0.1.0", "abc"))
    journal.commit(first_commit(), NOW)
    journal.end_run(Timestamp(NOW + 60_000))
    journal.begin_run(Run("run-2", Timestamp(NOW + 70_000), "sandbox", "0.1.0", "abc"))
    journal.commit([notice("second")], Timestamp(NOW + 70_000))
    with open_reader(sql_store.url) as reader:
        (bot,) = reader.bots()
        assert (bot.name, bot.account_id, bot.symbol, bot.mode) == (
            BOT.name,
            BOT.account_id,
            BOT.symbol,
            BOT.mode,
        )
        assert (bot.generation, bot.created_at, bot.config) == (1, NOW, {"grid": 41})
        assert reader.runs(bot.bot_id) == (
            StoredRun("run-1", NOW, Timestamp(NOW + 60_000), "sandbox", "0.1.0", "abc"),
            StoredRun("run-2", Timestamp(NOW + 70_000), None, "sandbox", "0.1.0", "abc"),
        )
        state = reader.state(bot.bot_id)
        assert state is not None
        assert (state.state, state.detail) == (BotState.PAUSED, "drawdown")
        snapshot = journal.load()
        assert reader.live_orders(bot.bot_id) == snapshot.orders == (order(),)
        assert [row.slot for row in reader.parked_slots(bot.bot_id)] == ["042S"]
        assert reader.ledger(bot.bot_id) == snapshot.ledger
        assert reader.strategy_state(bot.bot_id) == snapshot.strategy_state
        assert [item.text for item in reader.notices(bot.bot_id)] == ["hello", "second"]
        first = reader.notices(bot.bot_id, limit=1)[0]
        assert [item.text for item in reader.notices(bot.bot_id, after_seq=first.seq)] == ["second"]


def test_fills_come_in_pages(sql_store: SqlStore) -> None:
    """Each fill once, in the order of their trades, whatever the page's size."""
    journal = sql_store.open()
    for entries in commits_of_fills(25):
        journal.commit(entries, NOW)
    with open_reader(sql_store.url) as reader:
        bot_id = journal.bot_id
        seen: list[int] = []
        after = None
        while page := reader.fills(bot_id, after, limit=10):
            seen += [item.fill.trade_id for item in page]
            after = page[-1].fill.key
            assert {item.source for item in page} == {"stream"}
        assert seen == list(range(1, 26))
        assert reader.fill_count(bot_id) == 25
        assert [fill.trade_id for fill in reader.newest_fills(bot_id, 3)] == [23, 24, 25]


def test_what_an_export_needs(sql_store: SqlStore) -> None:
    """The slot of every order the exchange numbered, and each part of a lot that a sell closed, once and in order."""
    journal = sql_store.open()
    for entries in commits_of_fills(5):
        journal.commit(entries, NOW)
    with open_reader(sql_store.url) as reader:
        slots = reader.order_slots(journal.bot_id)
        assert slots == {f"id-gt1-{number}": ("042S" if number % 2 else "041B") for number in range(5)}
        closings = reader.lot_closings(journal.bot_id)
        assert [closing.closing_id for closing in closings] == [1, 2]
        profit = sum(closing.proceeds - closing.cost for closing in closings)
        assert profit == reader.ledger(journal.bot_id).totals.grid_profit


def test_a_bot_that_wrote_nothing(sql_store: SqlStore) -> None:
    bot_id = sql_store.open().bot_id
    with open_reader(sql_store.url) as reader:
        assert reader.state(bot_id) is None
        assert reader.strategy_state(bot_id) is None
        assert not reader.fills(bot_id)
        assert not reader.live_orders(bot_id)


def test_a_reader_cannot_write(sql_store: SqlStore) -> None:
    bot_id = sql_store.open().bot_id
    with (
        open_reader(sql_store.url) as reader,
        pytest.raises(StorageFailed),
        reader.transaction() as connection,
    ):
        connection.execute(insert(CURSORS).values(bot_id=bot_id, applied=1, safe=1))


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 3)])
def test_reading_and_committing_do_not_meet(
    file_store: SqlStore, version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F57: between two calls a reader holds no lock, in either journal mode."""
    monkeypatch.setattr("sqlite3.sqlite_version_info", version)
    journal = file_store.open()
    with open_reader(file_store.url) as reader:
        for number, entries in enumerate(commits_of_fills(5)):
            journal.commit(entries, NOW)
            assert reader.fill_count(journal.bot_id) == number
            assert reader.ledger(journal.bot_id) == journal.load().ledger


def test_reading_while_another_process_commits(file_store: SqlStore) -> None:
    """What a reader sees is the end of some commit, never its middle."""
    with python("committer", file_store.url) as process:
        assert int(line(process)) > 0
        with open_reader(file_store.url) as reader:
            seen = [fills_and_cursor(reader) for _ in range(60)]
    assert all(fills == cursor for fills, cursor in seen)
    assert len(set(seen)) > 1


def fills_and_cursor(reader: Reader) -> tuple[int, int]:
    """Two numbers that every commit of the committer raises together."""
    with reader.transaction() as connection:
        fills, applied = connection.exec_driver_sql(
            "SELECT (SELECT count(*) FROM fills), (SELECT max(applied) FROM cursors)"
        ).one()
    return fills, applied or 0


def test_where_there_is_no_database(tmp_path: Path, bare_postgres_url: str) -> None:
    """A reader makes nothing."""
    with pytest.raises(InvalidInput, match="there is no database"):
        open_reader(sqlite_url(tmp_path))
    assert not list(tmp_path.iterdir())
    with pytest.raises(InvalidInput, match="holds no gridtide tables"):
        open_reader(bare_postgres_url)


# --- backup ------------------------------------------------------------------------------------------


def test_a_backup_is_a_whole_database(file_store: SqlStore, tmp_path: Path) -> None:
    """F46: made through SQLite's own interface while the bot has the file open; private; never over another file."""
    journal = file_store.open()
    for entries in commits_of_fills(10):
        journal.commit(entries, NOW)
    assert file_store.database is not None
    target = tmp_path / "backup.db"
    file_store.database.backup(target)
    journal.commit([notice()], NOW)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    copy = SqlStore(f"sqlite:///{target}")
    snapshot = copy.open().load()
    copy.close()
    assert snapshot == journal.load()
    with pytest.raises(InvalidInput, match="exists: nothing was copied"):
        file_store.database.backup(target)
    with pytest.raises(StorageFailed, match="the database itself is untouched"):
        file_store.database.backup(tmp_path / "no" / "folder.db")
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


def test_a_backup_while_another_process_commits(tmp_path: Path) -> None:
    """Each copy is the end of some commit, and none of them stops the bot."""
    with python("committer", sqlite_url(tmp_path)) as process:
        line(process)
        for number in range(5):
            backup(tmp_path / "bot.db", tmp_path / f"backup-{number}.db")
        assert process.poll() is None
    for number in range(5):
        with open_reader(sqlite_url(tmp_path, f"backup-{number}.db")) as reader:
            fills, cursor = fills_and_cursor(reader)
            assert fills == cursor


def test_a_server_is_backed_up_by_its_own_tools(postgres_store: SqlStore, tmp_path: Path) -> None:
    postgres_store.open()
    assert postgres_store.database is not None
    with pytest.raises(InvalidInput, match="pg_dump"):
        postgres_store.database.backup(tmp_path / "backup.db")
