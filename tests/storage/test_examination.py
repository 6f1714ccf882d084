"""Each rule is really looked at: books that were right are spoilt in one place, and that rule says so."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from gridtide.domain.market import Timestamp
from gridtide.storage.database import open_database
from gridtide.storage.examination import examine_rows, read_rows
from gridtide.storage.examined_file import copy_to_read, examine_file, replayed_equally
from gridtide.storage.findings import Finding, Outcome
from gridtide.storage.reader import open_reader
from gridtide.storage.sql_journal import BotIdentity, Run, open_bot
from tests.engine.test_replay import traded
from tests.engine.world import ACCOUNT, SYMBOL


@pytest.fixture(scope="module")
def right_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a grid that traded: live and ended orders, fills, lots, all from its own engine."""
    path = tmp_path_factory.mktemp("right") / "bot.db"
    world = traded(7, 40)
    database = open_database(f"sqlite:///{path}")
    bot = BotIdentity("test", ACCOUNT, SYMBOL, "venue", "sandbox")
    journal = open_bot(database, bot, Timestamp(1), resume=False)
    journal.begin_run(Run("r1", Timestamp(1), "sandbox", "0", ""))
    for position, entry in enumerate(world.entries):
        journal.commit([entry], Timestamp(position + 2))
    journal.close()
    database.close()
    return path


@pytest.fixture
def path(right_books: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(right_books, tmp_path / "bot.db"))


def examined(path: Path) -> dict[str, Finding]:
    with copy_to_read(f"sqlite:///{path}") as copy, open_reader(copy.url) as reader:
        stored = reader.bots()[-1]
        with reader.transaction() as connection:
            rows = read_rows(connection, stored)
            found = [*examine_file(path, copy.schema), *examine_rows(connection, rows)]
            found.append(replayed_equally(connection, copy.folder))
    return {item.id: item for item in found}


def broken(path: Path) -> set[str]:
    return {name for name, item in examined(path).items() if item.outcome is Outcome.BROKEN}


def test_books_that_are_right_are_held_everywhere(path: Path) -> None:
    found = examined(path)
    assert {item.outcome for item in found.values()} == {Outcome.HELD}
    assert {f"I{number}" for number in (1, 2, 3, 4, 5, 9, 10, 11, 12, 14, 16)} < found.keys()
    assert all(item.detail and not item.advice for item in found.values())


SETTLED = "(SELECT client_order_id FROM orders WHERE state = 'SETTLED' AND order_id <> '' LIMIT 1)"
SPOILT = {
    "I1": ["DROP INDEX uq_orders_live_slot"],
    "I2": [
        "DROP INDEX uq_orders_order_id",
        f"UPDATE orders SET order_id = (SELECT max(order_id) FROM orders) WHERE client_order_id = {SETTLED}",
    ],
    "I3": [f"UPDATE orders SET executed_amount = '99' WHERE client_order_id = {SETTLED}"],
    "I4": ["UPDATE fills SET order_id = '999999' WHERE trade_id = (SELECT max(trade_id) FROM fills)"],
    "I5": ["UPDATE postings SET amount = '7' WHERE seq = (SELECT max(seq) FROM postings) AND line = 1"],
    "I9": ["UPDATE ledger_balances SET balance = '-1' WHERE account = 'holdings' AND asset = 'USDT'"],
    "I10": ["UPDATE lots SET amount = '9' WHERE lot_id = (SELECT max(lot_id) FROM lots)"],
    "I11": ["UPDATE orders SET reserved_amount = '99999' WHERE state = 'OPEN'"],
    "I12": [
        "UPDATE journal SET payload = replace(payload, '\"applied\":', '\"applied\":-') WHERE kind = 'cursor_put' AND "
        "seq = (SELECT max(seq) FROM journal WHERE kind = 'cursor_put')"
    ],
    "I14": ["UPDATE slots SET cycle = cycle + 1 WHERE slot = (SELECT min(slot) FROM slots)"],
    "I16": [
        "UPDATE journal SET payload = replace(payload, '\"RUNNING\"', '\"PAUSED\"') WHERE kind = 'bot_state_put'"
    ],
    "events": ["DELETE FROM journal WHERE seq = (SELECT max(seq) - 3 FROM journal)"],
}


@pytest.mark.parametrize("rule", SPOILT)
def test_a_rule_that_is_broken_is_named(rule: str, path: Path) -> None:
    database = open_database(f"sqlite:///{path}")
    with database.transaction() as connection:
        for statement in SPOILT[rule]:
            connection.execute(text(statement))
    database.close()
    found = examined(path)
    assert found[rule].outcome is Outcome.BROKEN, found[rule]
    assert found[rule].advice
    assert found[rule].detail


def test_others_who_may_read_the_file_are_told(path: Path) -> None:
    path.chmod(0o644)
    assert broken(path) == {"rights"}


def test_the_database_is_not_touched(path: Path) -> None:
    before = path.read_bytes()
    examined(path)
    assert path.read_bytes() == before
