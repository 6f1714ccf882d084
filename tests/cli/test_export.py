"""`gridtide export`: what the books say of fills and lots, exact, whole, and without disturbing a bot that runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridtide.domain.market import Timestamp
from gridtide.storage.reader import PAGE, open_reader
from tests.cli.conftest import Command
from tests.storage.builders import NOW, commits_of_fills
from tests.storage.stores import SqlStore, sqlite_url

FILLS = 9


@pytest.fixture
def store(folder: Path) -> Iterator[SqlStore]:
    """The books of a bot that runs: its journal stays open, and it has just sold the fourth lot of five."""
    found = SqlStore(sqlite_url(folder))
    journal = found.open()
    for entries in commits_of_fills(FILLS):
        journal.commit(entries, NOW)
    yield found
    found.close()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def total(rows: list[dict[str, Any]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row[column]), Decimal(0))


def test_fills_with_level_fee_and_profit(command: Command, store: SqlStore) -> None:
    """Each fill once; their profits are the grid profit of the books to the last digit, their fees the books' fees."""
    rows = rows_of(command("export", "fills", "--database", store.url).out)
    assert [row["trade_id"] for row in rows] == [str(number + 1) for number in range(FILLS)]
    assert [(row["side"], row["level"]) for row in rows[:2]] == [("BUY", "41"), ("SELL", "42")]
    assert (rows[0]["price"], rows[0]["time"], rows[0]["heard_by"]) == ("60000.10", str(NOW), "stream")
    assert rows[0]["bot"] == "btc-grid"
    with open_reader(store.url) as reader:
        totals = reader.ledger(1).totals
    assert total(rows, "profit") == totals.grid_profit != 0
    assert total(rows, "fee") == totals.fees_value != 0


def test_lots_closed_and_held(command: Command, store: SqlStore) -> None:
    """A line each part that was sold, with what it brought, then what is still held, with its level and no proceeds."""
    told = command("export", "lots", "--database", store.url, "--json").json["lots"]
    closed, held = [row for row in told if row["closed_at"]], [row for row in told if not row["closed_at"]]
    assert (len(closed), len(held)) == (FILLS // 2, 1)
    assert {row["level"] for row in told} == {42}
    with open_reader(store.url) as reader:
        ledger = reader.ledger(1)
    assert total(closed, "profit") == ledger.totals.grid_profit
    assert [row["amount"] for row in held] == [f"{ledger.lots[0].amount:f}"]
    assert held[0]["proceeds"] is held[0]["profit"] is None


def test_the_bot_goes_on_meanwhile(command: Command, store: SqlStore, folder: Path) -> None:
    """Nothing is written into its database, and it commits as before; the next export has the new fill."""
    before = command("export", "fills", "--database", store.url, "--csv", "fills.csv")
    assert before.code == 0
    assert f"{FILLS} fills" in before.err
    assert len(rows_of((folder / "fills.csv").read_text())) == FILLS
    journal = store.open()
    journal.commit(commits_of_fills(FILLS + 1)[-1], Timestamp(NOW + 1))
    assert len(rows_of(command("export", "fills", "--database", store.url).out)) == FILLS + 1


def test_more_than_a_page(command: Command, folder: Path) -> None:
    """Of more fills than one page of the reader none is lost or told twice."""
    store = SqlStore(sqlite_url(folder))
    journal = store.open()
    journal.commit([entry for entries in commits_of_fills(PAGE + 3) for entry in entries], NOW)
    store.close()
    rows = rows_of(command("export", "fills", "--database", store.url).out)
    assert [int(row["trade_id"]) for row in rows] == list(range(1, PAGE + 4))


def test_by_config(command: Command, store: SqlStore, folder: Path) -> None:
    """A config leads to its own database and bot."""
    config = (folder / "grid.yaml").read_text().replace("mode: sandbox", "mode: testnet")
    (folder / "live.yaml").write_text(f"{config}storage: {{url: {store.url}}}\n")
    assert len(rows_of(command("export", "fills", "--config", "live.yaml").out)) == FILLS


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["fills"], "nothing ran in"),
        (["fills", "--database", "sqlite:///none.db"], "there is no database"),
        (["fills", "--database", "STORE", "--bot", "other"], "the books hold no bot named other"),
        (["fills", "--database", "STORE", "--config", "grid.yaml"], "name two places"),
        (["fills", "--database", "STORE", "--json", "--csv", "x.csv"], "give one of them"),
        (["trades"], "trades"),
    ],
)
def test_what_cannot_be_exported(
    command: Command, store: SqlStore, folder: Path, arguments: list[str], sentence: str
) -> None:
    said = command("export", *[store.url if word == "STORE" else word for word in arguments])
    assert said.code == 2
    assert sentence in said.err
    assert not (folder / "x.csv").exists()
