"""Books made anew take the place of the old ones only when they are complete, and nothing old is lost."""

from pathlib import Path

import pytest

from gridtide.domain.errors import Fenced
from gridtide.domain.market import Symbol, Timestamp
from gridtide.storage.database import open_database
from gridtide.storage.reader import open_reader
from gridtide.storage.set_aside import books_anew, nobody_trades
from gridtide.storage.sql_journal import BotIdentity, open_bot

BOT = BotIdentity("grid", "a1", Symbol("BTC/USDT"), "binance", "sandbox")
OTHER = BotIdentity("other", "a1", Symbol("BTC/USDT"), "binance", "sandbox")
NOW = Timestamp(1_700_000_000_000)


def begin(url: str, *bots: BotIdentity) -> None:
    database = open_database(url)
    for bot in bots:
        open_bot(database, bot, NOW, resume=False).close()
    database.close()


def generations(url: str) -> list[tuple[str, int]]:
    with open_reader(url) as reader:
        return [(bot.name, bot.generation) for bot in reader.bots()]


def made_anew(url: str, label: str = "before rebuild 1") -> list[str]:
    with nobody_trades(url, BOT), books_anew(url, BOT, label) as (database, told):
        open_bot(database, BOT, NOW, resume=False, minimum_generation=5).close()
    return told


def test_in_a_file_the_old_books_are_kept_twice(tmp_path: Path) -> None:
    """As a file beside it, and as rows under another name; another bot's rows stay as they are."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    begin(url, BOT, OTHER)
    told = made_anew(url)
    assert generations(url) == [("grid (before rebuild 1)", 1), ("other", 1), ("grid", 5)]
    kept = tmp_path / "bot-before-rebuild-1.db"
    assert str(kept) in told[0]
    assert generations(f"sqlite:///{kept}") == [("grid", 1), ("other", 1)]
    assert not list(tmp_path.glob(".*rebuilding*"))
    assert (tmp_path / "bot.db").stat().st_mode & 0o077 == 0


def test_on_a_server_the_old_rows_stay_under_another_name(postgres_url: str) -> None:
    begin(postgres_url, BOT, OTHER)
    told = made_anew(postgres_url)
    assert sorted(generations(postgres_url)) == [("grid", 5), ("grid (before rebuild 1)", 1), ("other", 1)]
    assert "before rebuild 1" in told[0]


def test_what_fails_on_the_way_leaves_everything_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    begin(url, BOT)
    before = (tmp_path / "bot.db").read_bytes()
    with pytest.raises(RuntimeError), books_anew(url, BOT, "x"):
        raise RuntimeError
    assert (tmp_path / "bot.db").read_bytes() == before
    assert [found.name for found in tmp_path.glob("*rebuilding*")] == []


def test_no_books_are_made_anew_while_a_bot_runs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    database = open_database(url)
    journal = open_bot(database, BOT, NOW, resume=False)
    with pytest.raises(Fenced, match="nothing was started"), nobody_trades(url, BOT):
        raise AssertionError("the bot runs")
    journal.close()
    database.close()
    with nobody_trades(url, BOT):
        database = open_database(url)
        with pytest.raises(Fenced):
            open_bot(database, BOT, NOW, resume=True)
        database.close()
