"""`gridtide download` as a person types it, against a sandbox: what it fetches, what it says, where it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.cli.downloading import progress_bar
from gridtide.domain.market import Timestamp
from gridtide.market_data.load import load_market_data
from gridtide.sandbox.server import Sandbox
from gridtide.testing import by_hand
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox
from tests.cli.conftest import Command

JANUARY = 1_609_459_200_000
MINUTE = 60_000
TEN_MINUTES = ("--from", "2021-01-01", "--to", "2021-01-01T00:10")


@contextmanager
def played_sandbox() -> Iterator[RunningSandbox]:
    """Twelve minutes of a market; nobody traded in the fourth and the fifth."""

    def play(server: Sandbox) -> None:
        for minute in (0, 1, 2, 5, 6, 7, 8, 9, 10, 11):
            at = Timestamp(JANUARY + minute * MINUTE)
            by_hand.move(server.exchange, "BTC/USDT", str(50_000 + minute), Decimal("0.5"), at, None)

    with running_sandbox() as running:
        running.call(play)
        yield running


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with played_sandbox() as running:
        yield running


def config(folder: Path, url: str, *lines: str) -> str:
    path = folder / "data.yaml"
    path.write_text("\n".join(["mode: sandbox", f"exchange: {{rest_url: '{url}'}}", *lines]))
    return str(path)


def test_once_and_again_without_the_exchange(command: Command, folder: Path) -> None:
    """The second run is answered by what is stored: the exchange is gone by then."""
    with played_sandbox() as sandbox:
        arguments = ("download", "BTC/USDT", *TEN_MINUTES, "--config", config(folder, sandbox.url), "--json")
        once = command(*arguments)
    gap = {"from": JANUARY + 3 * MINUTE, "to": JANUARY + 5 * MINUTE, "candles": 2}
    assert once.code == 0
    assert (once.json["rows"], once.json["new_rows"], once.json["gaps"]) == (8, 8, [gap])
    assert (once.json["exchange"], once.json["not_given"]) == ("binance-sandbox", [])
    again = command(*arguments)
    assert again.code == 0
    assert again.json | {"seconds": 0} == once.json | {"new_rows": 0, "seconds": 0}
    stored = folder / "market-data" / "binance-sandbox" / "BTC-USDT" / "1m"
    assert load_market_data(stored).checksum == once.json["data_checksum"]


def test_people_read_the_gaps_and_where_it_is(
    sandbox: RunningSandbox, command: Command, folder: Path
) -> None:
    settings = config(folder, sandbox.url, "data: {folder: elsewhere, database: 'sqlite:///candles.db'}")
    found = command("download", "BTC/USDT", *TEN_MINUTES, "--config", settings)
    assert found.code == 0
    assert "1m candles of BTC/USDT on binance-sandbox" in found.out
    assert "8, of which 8 are new" in found.out
    assert "1 gap, 2 candles: 2021-01-01 00:03 to 2021-01-01 00:05 (2)" in found.out
    assert (folder / "elsewhere").is_dir()
    assert (folder / "candles.db").exists()


def test_gaps_can_be_refused(sandbox: RunningSandbox, command: Command, folder: Path) -> None:
    settings = config(folder, sandbox.url)
    found = command("download", "BTC/USDT", *TEN_MINUTES, "--config", settings, "--gaps", "refuse")
    assert found.code == 2
    assert "1 gap, 2 candles" in found.err


def test_an_import_needs_no_exchange(command: Command, folder: Path) -> None:
    theirs = folder / "BTC_USDT-1m.json"
    theirs.write_text(json.dumps([[JANUARY + at * MINUTE, 100, 102, 99, 101, 1.5] for at in range(10)]))
    imported = command("download", "--import", str(theirs), "--json")
    assert (imported.code, imported.json["rows"][0]["rows"]) == (0, 10)
    found = command("download", "BTC/USDT", *TEN_MINUTES, "--json")
    assert (found.code, found.json["rows"], found.json["new_rows"]) == (0, 10, 0)
    assert found.json["origins"] == ["import BTC_USDT-1m.json"]


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ([], "no market is named"),
        (["BTC/USDT"], "from when on"),
        (["BTC/USDT", "--from", "yesterday"], "is no date"),
        (["BTC/USDT", "--from", "2021-02-01", "--to", "2021-01-01"], "is not after"),
        (["BTCUSDT", "--from", "2021-01-01"], "names no spot market"),
        (["BTC/USDT", "--from", "2021-01-01", "--timeframe", "1x"], "is not a timeframe"),
        (["BTC/USDT", "--from", "2021-01-01", "--timeframe", "5m", "--trades"], "have no timeframe"),
        (["BTC/USDT", "--from", "2021-01-01", "--exchange", "../x"], "names no exchange"),
        (
            ["BTC/USDT", "--from", "2021-01-01", "--exchange", "kraken", "--from-archive"],
            "leave --from-archive out",
        ),
        (["BTC/USDT", "--import", "x"], "without a market"),
        (["--import", "nowhere"], "there is no file and no folder nowhere"),
    ],
)
def test_wrong_wishes_are_one_sentence_and_ask_nobody(
    arguments: list[str], complaint: str, command: Command, folder: Path
) -> None:
    found = command("download", *arguments)
    assert (found.code, found.out) == (2, "")
    assert complaint in found.err
    assert found.err.count("\n") == 1
    assert not (folder / "market-data").exists()


def test_the_progress_bar_shows_the_share_the_rate_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal; where there is none nothing is drawn."""
    with progress_bar("BTC/USDT 1m", quiet=False) as update:
        update(50, 100, 1000)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("BTC/USDT 1m", quiet=False) as update:
        update(50, 100, 1000)
    drawn = capsys.readouterr().err
    assert "BTC/USDT 1m" in drawn
    assert "50%" in drawn
    assert "1,000, " in drawn
    assert "/s" in drawn


def test_ctrl_c_says_that_what_came_is_stored(folder: Path) -> None:
    """While an exchange keeps it waiting."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = config(folder, f"http://127.0.0.1:{silent.getsockname()[1]}")
        words = ["download", "BTC/USDT", *TEN_MINUTES, "--config", settings]
        with subprocess.Popen(
            [sys.executable, "-m", "gridtide", *words], stderr=subprocess.PIPE, text=True, cwd=folder
        ) as process:
            silent.settimeout(20)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "what came so far is stored, run the same command again to go on" in error
