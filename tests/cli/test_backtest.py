"""`gridtide backtest`: stored data to their end, and wrong places, markets and files in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import stamina

import gridtide
from gridtide.cli.downloading import quiet_retries
from tests.cli.conftest import CONFIG, Command

MINUTE = 60_000
START = 1_609_459_200_000


@pytest.fixture
def world(folder: Path) -> Path:
    """A config, two hours of candles as another program keeps them, and the same imported."""
    (folder / "grid.yaml").write_text(CONFIG)
    rows = "".join(
        f"{START + at * MINUTE},{50000 + at}.00,{50010 + at}.00,{49990 + at}.00,{50001 + at}.00,2.5\n"
        for at in range(120)
    )
    (folder / "BTCUSDT-1m.csv").write_text(f"timestamp,open,high,low,close,volume\n{rows}")
    return folder


def test_stored_data_without_an_end_are_played_to_their_end(command: Command, world: Path) -> None:
    """--to may be left out, as its help says; the last stored candle is the last one played."""
    assert command("download", "--import", "BTCUSDT-1m.csv").code == 0
    whole = command("backtest", "grid.yaml", "--data", "BTCUSDT-1m.csv", "--json").json
    stored = command("backtest", "grid.yaml", "--from", "2021-01-01", "--json")
    assert stored.code == 0
    assert stored.json["final_equity"] == whole["final_equity"]


def test_data_that_are_not_stored_are_named_with_the_command_that_fetches_them(
    command: Command, world: Path
) -> None:
    command("download", "--import", "BTCUSDT-1m.csv")
    later = command("backtest", "grid.yaml", "--from", "2021-02-01")
    assert later.code == 2
    assert "from 2021-02-01 00:00 on are not downloaded" in later.err
    trades = command(
        "backtest", "grid.yaml", "--from", "2021-01-01", "--to", "2021-01-02", "--timeframe", "trades"
    )
    assert "gridtide download BTC/USDT --trades" in trades.err
    hours = command(
        "backtest", "grid.yaml", "--from", "2021-01-01", "--to", "2021-01-02", "--timeframe", "1h"
    )
    assert "gridtide download BTC/USDT --timeframe 1h" in hours.err


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("--market", "BTCUSDT"), "such as BTC/USDT"),
        (("--report", "place"), "place is a folder"),
        (("--png", "place"), "place is a folder"),
        (("--report", "out.pdf"), "out.pdf"),
        (("--png", "out.gif"), "out.gif"),
        (("--save", "place"), "place is there and is no saved run"),
    ],
)
def test_wrong_places_and_markets_are_refused_before_anything_is_played(
    command: Command, world: Path, arguments: tuple[str, str], sentence: str
) -> None:
    (world / "place").mkdir()
    (world / "place" / "mine").write_text("x")
    said = command("backtest", "grid.yaml", "--data", "BTCUSDT-1m.csv", *arguments)
    assert said.code == 2
    assert sentence in said.err
    assert said.out == ""


def test_files_of_other_programs_are_sent_to_the_import(command: Command, world: Path) -> None:
    (world / "BTC_USDT-1m.json").write_text("[]")
    said = command("backtest", "grid.yaml", "--data", "BTC_USDT-1m.json")
    assert said.code == 2
    assert "gridtide download --import BTC_USDT-1m.json" in said.err


def test_requests_that_are_tried_again_print_nothing_of_the_library() -> None:
    """A library's line on standard output would stand before the object of --json."""
    before = stamina.instrumentation.get_on_retry_hooks()
    with quiet_retries():
        assert stamina.instrumentation.get_on_retry_hooks() == ()
    assert stamina.instrumentation.get_on_retry_hooks() == before


def test_a_run_of_minutes_says_which_minutes(command: Command, world: Path) -> None:
    """Days alone would read `2021-01-01 to 2021-01-01`."""
    said = command("backtest", "grid.yaml", "--data", "BTCUSDT-1m.csv")
    assert "2021-01-01 00:00 to 2021-01-01 01:59" in said.out


def test_a_result_shown_by_itself_is_one_line(world: Path) -> None:
    """A notebook that ends a cell with the result would else print every notice and array of it."""
    shown = repr(gridtide.backtest(world / "grid.yaml", world / "BTCUSDT-1m.csv"))
    assert shown.startswith("<backtest of btc-grid on BTC/USDT: 5000 became ")
    assert len(shown) < 200


def test_a_saved_run_is_replaced_only_on_demand(command: Command, world: Path) -> None:
    """Yesterday's result is not lost to a command taken out of the history."""
    played = ("backtest", "grid.yaml", "--data", "BTCUSDT-1m.csv", "--save", "kept", "--json")
    assert command(*played).code == 0
    before = (world / "kept" / "result.json").read_bytes()
    said = command(*played)
    assert said.code == 2
    assert "kept holds a run that was saved before" in said.json["error"]
    assert (world / "kept" / "result.json").read_bytes() == before
    assert command(*played, "--replace").code == 0
    assert (world / "kept" / "result.json").read_bytes() != before


def test_imported_data_with_a_gap_are_played_and_the_gap_is_named(command: Command, world: Path) -> None:
    """What an import lacks in its midst is a gap like any other; what lies outside of it is still to be downloaded."""
    file = world / "BTCUSDT-1m.csv"
    rows = file.read_text().splitlines(keepends=True)
    file.write_text("".join(rows[:40] + rows[60:]))
    assert command("download", "--import", "BTCUSDT-1m.csv").code == 0
    days = ("--from", "2021-01-01", "--to", "2021-01-01T02:00", "--json")
    found = command("backtest", "grid.yaml", *days).json
    assert any("1 gap, 20 candles: 2021-01-01 00:39" in note for note in found["notes"])
    later = command("backtest", "grid.yaml", "--from", "2021-01-01", "--to", "2021-01-01T03:00")
    assert "are not downloaded" in later.err
