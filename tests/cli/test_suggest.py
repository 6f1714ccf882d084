"""`gridtide suggest`: proposals with a verdict, a config that loads and trades, and what it refuses."""

from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.bootstrap.kept_verdicts import verdict_line
from gridtide.bootstrap.suggest import width_of
from gridtide.config.load import load_settings
from tests.cli.conftest import Command
from tests.cli.test_study_report import candles


@pytest.fixture
def data(folder: Path) -> Path:
    path = folder / "hours.csv"
    path.write_text("\n".join(candles()))
    return path


def test_it_proposes_and_writes_a_config_with_its_verdict(command: Command, folder: Path, data: Path) -> None:
    """Three quarters of the capital, levels around the last price, the verdict kept for that very grid."""
    said = command(
        "suggest", "btc/usdt", "--capital", "1000", "--data", str(data), "--trials", "40", "--json"
    )
    assert said.code == 0, said.err
    found = said.json
    assert (found["investment"], found["file"]) == ("750.00", "suggested-btc-usdt.yaml")
    assert {each["width"] for each in found["proposals"]} <= {"narrow", "middle", "wide"}
    first, price = found["proposals"][0], Decimal(found["price"])
    assert Decimal(first["lower_price"]) < price < Decimal(first["upper_price"])
    assert 0 <= first["leaves"]["30"] <= 1
    written = folder / "suggested-btc-usdt.yaml"
    (bot,) = load_settings(written).bots
    assert (str(bot.grid.lower_price), bot.grid.levels) == (first["lower_price"], first["num_grids"])
    assert bot.grid.total_investment == 750
    line = verdict_line(written, bot)
    assert line is not None
    assert found["verdict"]["sentence"] in line
    assert f"{found['verdict']['evidence']['trials']:,} tries" in line
    assert " on 20" in line


def test_a_person_reads_the_verdict_before_the_table(command: Command, data: Path) -> None:
    said = command("suggest", "BTC/USDT", "--capital", "1000", "--data", str(data), "--trials", "40")
    assert said.code == 0, said.err
    verdict, table, next_step = (said.out.index(text) for text in (":", "leaves range", "Written:"))
    assert verdict < table < next_step
    assert "no promise" in said.out


def test_a_file_that_is_there_is_left_alone(command: Command, folder: Path, data: Path) -> None:
    """Said before anything takes time; --force writes over it."""
    (folder / "mine.yaml").write_text("mine")
    wish = (
        "suggest",
        "BTC/USDT",
        "--capital",
        "1000",
        "--data",
        str(data),
        "--trials",
        "20",
        "--write",
        "mine.yaml",
    )
    refused = command(*wish)
    assert (refused.code, (folder / "mine.yaml").read_text()) == (2, "mine")
    assert "nothing was done" in refused.err
    assert command(*wish, "--force").code == 0


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("BTC/USDT", "--capital", "0"), "give what you want to put in"),
        (("BTC/USDT", "--capital", "1"), "give more capital or data"),
        (("bitcoin", "--capital", "100"), "bitcoin"),
    ],
)
def test_what_it_refuses(command: Command, data: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """One sentence, exit code 2, nothing written."""
    refused = command("suggest", *arguments, "--data", str(data), "--trials", "20")
    assert refused.code == 2
    assert sentence in refused.err


def test_only_the_last_days_of_a_file_where_that_is_asked(command: Command, data: Path) -> None:
    """And the sandbox of the config begins at the price the grid was made for."""
    wish = ("suggest", "BTC/USDT", "--capital", "1000", "--data", str(data), "--trials", "20")
    found = command(*wish, "--days", "30", "--json").json
    assert found["to"] - found["from"] == 30 * 86_400_000
    assert load_settings(Path(found["file"])).sandbox.start_price == Decimal(found["price"])


def test_widths_by_name() -> None:
    """A range of 20 % of the price is narrow, of 50 % middle, of 60 % wide."""
    named = {("-10%", "10%"): "narrow", ("-25%", "25%"): "middle", ("-20%", "40%"): "wide"}
    for (low, high), name in named.items():
        assert width_of({"lower_price": low, "upper_price": high}) == name
