"""`gridtide init`: a dialogue that ends in a config which loads, or in nothing."""

import io
from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.config import Mode, load_settings
from tests.cli.conftest import Command


def test_with_yes_nothing_is_asked_and_the_defaults_load(command: Command, folder: Path) -> None:
    found = command("init", "--yes")
    assert found.code == 0
    assert "gridtide run gridtide.yaml" in found.out
    settings = load_settings(folder / "gridtide.yaml")
    assert settings.mode is Mode.SANDBOX
    assert settings.bots[0].grid.levels == 41


def test_answers_may_come_as_options(command: Command, folder: Path) -> None:
    options = [
        "--market",
        "eth/usdt",
        "--lower-price",
        "2000",
        "--upper-price",
        "3000.5",
        "--num-grids",
        "11",
    ]
    command("init", "my.yaml", *options, "--total-investment", "250", "--mode", "testnet", "--yes", "--json")
    (bot,) = load_settings(folder / "my.yaml").bots
    assert (bot.market, bot.grid.levels, str(bot.grid.upper_price)) == ("ETH/USDT", 11, "3000.5")


def test_the_proposed_range_is_about_the_market(command: Command, folder: Path) -> None:
    assert command("init", "my.yaml", "--market", "ETH/USDT", "--yes").code == 0
    strategy = load_settings(folder / "my.yaml").bots[0].grid
    assert [strategy.lower_price, strategy.upper_price] == [Decimal(2700), Decimal(3300)]


def test_no_range_is_made_up_for_a_market_nobody_knows(command: Command, folder: Path) -> None:
    found = command("init", "my.yaml", "--market", "FOO/BAR", "--yes")
    assert found.code == 2
    assert "give --lower-price and --upper-price" in found.err
    assert not (folder / "my.yaml").exists()


def test_a_file_that_is_there_is_not_touched(command: Command, folder: Path) -> None:
    before = (folder / "grid.yaml").read_text()
    found = command("init", "grid.yaml", "--yes")
    assert found.code == 2
    assert "is there already: nothing was written" in found.err
    assert (folder / "grid.yaml").read_text() == before
    assert command("init", "grid.yaml", "--yes", "--force").code == 0


def test_answers_that_make_no_grid_write_nothing(command: Command, folder: Path) -> None:
    found = command("init", "--lower-price", "5", "--upper-price", "4", "--yes")
    assert found.code == 2
    assert "upper_price must be above lower_price" in found.err
    assert sorted(path.name for path in folder.iterdir()) == ["grid.yaml"]


def test_where_nobody_can_answer_it_says_so(command: Command) -> None:
    assert "give --yes and the values as options" in command("init").err


def test_the_dialogue_asks_again_after_a_slip(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["", "", "cheap", "40000", "60000", "", "500"]
    monkeypatch.setattr("gridtide.cli.questions.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    found = command("init")
    assert found.code == 0, found.err
    assert '"cheap" cannot be read; try again' in found.out
    assert "Lowest price of the grid, in USDT [45000]:" in found.err
    (bot,) = load_settings(folder / "gridtide.yaml").bots
    assert (str(bot.grid.lower_price), str(bot.strategy.total_investment)) == ("40000", "500")


def test_the_config_is_for_its_owner_only(command: Command, folder: Path) -> None:
    command("init", "--yes")
    assert (folder / "gridtide.yaml").stat().st_mode & 0o077 == 0
