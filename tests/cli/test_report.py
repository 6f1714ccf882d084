"""`gridtide report`: saved runs on the terminal, as JSON and as files; wrong folders and options in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridtide.cli.backtest_view import print_result
from gridtide.reports.saved_run import save_run
from tests.cli.conftest import Command
from tests.reports.builders import result


@pytest.fixture
def runs(folder: Path) -> Path:
    save_run(result(fills=8, moments=60), folder / "wide")
    save_run(result(fills=8, moments=60, final="16000", settings={"mode": "live"}), folder / "narrow")
    return folder


def test_one_run(command: Command, runs: Path) -> None:
    """The panel of the backtest, 80 columns wide; as JSON the figures that the backtest gave."""
    said = command("report", "wide")
    assert said.code == 0
    assert "15,424.70" in said.out
    assert "50/50 mix" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    told = command("report", "wide", "--json").json
    assert told["runs"] == [{"name": "wide", **result(fills=8, moments=60).summary()}]
    assert told["best"] == told["differences"] == {}


def test_two_runs(command: Command, runs: Path) -> None:
    """The best is marked and the settings that differ are listed; two folders of one name go by their paths."""
    said = command("report", "wide", "narrow")
    assert said.code == 0
    assert "* 16,000.00" in said.out
    assert "bots[0].strategy.num_grids" in said.out
    told = command("report", "wide", "narrow", "--json").json
    assert told["best"]["final_equity"] == ["narrow"]
    assert told["differences"]["mode"] == {"wide": "sandbox", "narrow": "live"}
    save_run(result(fills=8, moments=60), runs / "other" / "wide")
    again = command("report", "wide", "other/wide", "--json").json
    assert [run["name"] for run in again["runs"]] == ["wide", "other/wide"]
    assert again["differences"] == {}


def test_three_runs_keep_the_names_of_settings_whole(command: Command, runs: Path) -> None:
    """A setting whose name is broken in the middle cannot be searched for or copied; no column is cut off."""
    strategy = {"lower_price": "1", "upper_price": "2"}
    settings = {"bots": [{"strategy": strategy}], "backtest": {"candle_path": "nearer_extreme_first"}}
    save_run(result(fills=8, moments=60, settings=settings), runs / "third-run")
    said = command("report", "wide", "narrow", "third-run")
    for name in ("bots[0].strategy.lower_price", "bots[0].strategy.upper_price", "backtest.candle_path"):
        assert any(line.strip().startswith(f"{name} ") for line in said.out.splitlines())
    assert said.out.count("third-run") == 2


def test_files_are_written(command: Command, runs: Path) -> None:
    said = command("report", "wide", "--html", "out.html", "--png", "out.png", "--csv", "tables", "--json")
    assert said.code == 0
    assert said.json["written"][:2] == ["out.html", "out.png"]
    assert all((runs / name).stat().st_size > 100 for name in said.json["written"])
    assert len(list((runs / "tables").glob("*.csv"))) == 4


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["nowhere"], "nowhere is no saved run"),
        (["wide", "narrow", "--html", "out.html"], "are for one run: give one folder"),
        (["wide", "./wide"], "the same folder is named twice"),
        ([], "FOLDER"),
    ],
)
def test_what_cannot_be_shown(command: Command, runs: Path, arguments: list[str], sentence: str) -> None:
    said = command("report", *arguments)
    assert said.code == 2
    assert sentence in said.err
    assert not (runs / "out.html").exists()


def test_names_cannot_paint(capsys: pytest.CaptureFixture[str]) -> None:
    """Markup and control characters in names and notes stand there as text, or as question marks."""
    print_result(
        result(bots=(("[red]x[/red]\x1b[2J", "BTC/USDT"),), notes=("[bold]note\x07",), fills=2, moments=9)
    )
    shown = capsys.readouterr().out
    assert "[red]x[/red]?[2J on BTC/USDT" in shown
    assert "[bold]note?" in shown
    assert "\x1b" not in shown
