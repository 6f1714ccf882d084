"""Two instances never trade one bot (F55, F56)."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, closing
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import update

from gridtide.domain.errors import Fenced
from gridtide.storage.database import open_database
from gridtide.storage.lease import PATIENCE_SECONDS, ServerLease
from gridtide.storage.sql_journal import SqlJournal, open_bot
from gridtide.storage.tables import LEASES
from tests.storage.builders import BOT, NOW, first_commit, notice
from tests.storage.processes import go, line, python
from tests.storage.stores import SqlStore


def test_of_processes_started_at_once_one_trades(url: str) -> None:
    """F55: the others say in one sentence which process runs the bot."""
    with ExitStack() as stack:
        processes = [stack.enter_context(python("opener", url, "hold")) for _ in range(3)]
        assert [line(process) for process in processes] == ["ready"] * 3
        for process in processes:
            go(process)
        answers = {process.pid: line(process) for process in processes}
        (winner,) = [pid for pid, answer in answers.items() if answer == "opened"]
        for pid, answer in answers.items():
            if pid != winner:
                assert answer.startswith(f"Fenced: another gridtide (process {winner}")
                assert "runs btc-grid: nothing was started; stop that one first" in answer


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_process_holds_nothing(url: str, how: signal.Signals) -> None:
    """The kernel or the server frees the lock; the next start raises the epoch."""
    with python("opener", url, "hold") as process:
        go(process)
        assert [line(process), line(process)] == ["ready", "opened"]
        with closing(open_database(url)) as database:
            with pytest.raises(Fenced, match=f"process {process.pid}"):
                open_bot(database, BOT, NOW, resume=True)
            os.kill(process.pid, how)
            process.wait()
            journal = opened_soon(SqlStore(url))
            journal.commit(first_commit(), NOW)
            journal.close()


def opened_soon(store: SqlStore) -> SqlJournal:
    """A server needs a moment to notice that a client is gone."""
    for _ in range(50):
        try:
            return store.open()
        except Fenced:
            store.close()
            time.sleep(0.02)
    return store.open()


def test_a_second_start_in_the_same_process_is_refused(file_store: SqlStore) -> None:
    journal = file_store.open()
    assert file_store.database is not None
    with pytest.raises(Fenced, match=f"process {os.getpid()}"):
        open_bot(file_store.database, BOT, NOW, resume=False)
    journal.commit([notice()], NOW)
    assert journal.generation == 1


def test_other_bots_are_not_in_the_way(sql_store: SqlStore) -> None:
    """A lease is for one bot: name, account, market, exchange and mode."""
    sql_store.open()
    assert sql_store.database is not None
    others = [
        replace(BOT, name="eth-grid"),
        replace(BOT, name="../etc/passwd"),
        replace(BOT, account_id="8"),
        replace(BOT, mode="live"),
    ]
    journals = [open_bot(sql_store.database, bot, NOW, resume=False) for bot in others]
    for journal in journals:
        journal.commit(first_commit(), NOW)
        assert (journal.generation, journal.last_seq) == (1, len(first_commit()))
        journal.close()


def test_whoever_was_overtaken_cannot_commit(sql_store: SqlStore) -> None:
    """F56, layer 3: a process that wakes up after a take-over finds another epoch and stores nothing."""
    journal = sql_store.open()
    journal.commit(first_commit(), NOW)
    before = journal.load()
    assert sql_store.database is not None
    with sql_store.database.transaction() as connection:
        connection.execute(update(LEASES).values(epoch=LEASES.c.epoch + 1, owner="somebody else"))
    with pytest.raises(Fenced, match="nothing was stored and nothing will be sent"):
        journal.commit([notice()], NOW)
    with pytest.raises(Fenced):
        journal.renew_lease()
    assert journal.load() == before


# --- PostgreSQL only ---------------------------------------------------------------------------------


def test_a_lease_that_ran_out_is_lost(postgres_store: SqlStore) -> None:
    """By the database's clock: a holder that slept too long may not go on, even if nobody took over."""
    journal = postgres_store.open()
    journal.renew_lease()
    with psycopg.connect(postgres_store.url, autocommit=True) as other:
        other.execute("UPDATE leases SET expires_at = expires_at - 20000")
    with pytest.raises(Fenced):
        journal.commit([notice()], NOW)


def test_a_commit_renews_the_lease(postgres_store: SqlStore) -> None:
    journal = postgres_store.open()
    with psycopg.connect(postgres_store.url, autocommit=True) as other:
        other.execute("UPDATE leases SET expires_at = expires_at - 15000")
        journal.commit([notice()], NOW)
        left = other.execute(
            "SELECT expires_at - extract(epoch FROM clock_timestamp()) * 1000 FROM leases"
        ).fetchone()
    assert left is not None
    assert 15_000 < left[0] <= 20_000


def test_a_holder_that_could_not_renew_stops_itself(postgres_url: str) -> None:
    """By its own monotonic clock, before the lease ends at the database; a failed commit is no renewal."""
    clock = [100.0]
    with closing(open_database(postgres_url)) as database:
        lease = ServerLease(database, BOT.key, BOT.name, monotonic=lambda: clock[0])
        with database.transaction() as connection:
            lease.take(connection)
        lease.confirm()
        clock[0] += PATIENCE_SECONDS
        with database.transaction() as connection:
            lease.check(connection)  # not confirmed: as if its commit had failed
        clock[0] += 0.1
        with pytest.raises(Fenced), database.transaction() as connection:
            lease.check(connection)


def test_a_broken_connection_fences_at_once(postgres_store: SqlStore) -> None:
    """The lock on the bot goes with the session: nothing may be sent, and another instance can start."""
    journal = postgres_store.open()
    with psycopg.connect(postgres_store.url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for _ in range(2):
        with pytest.raises(Fenced, match=r"the connection to the PostgreSQL database .* is gone"):
            journal.commit([notice()], NOW)
    second = SqlStore(postgres_store.url)
    opened_soon(second).commit([notice()], NOW)
    second.close()
