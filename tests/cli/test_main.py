"""How any command fails and helps: one sentence, the right exit code, no secret, no traceback, no waiting."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gridtide import __version__
from gridtide.cli import app, main
from gridtide.cli.questions import confirm
from gridtide.domain.errors import GridtideError, InvalidInput, Transient
from gridtide.telemetry.redaction import SECRETS
from tests.cli.conftest import Command, Said

CANARY = "CANARY-" + "s3cr3t" * 4


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Makes `gridtide pause` raise what a test puts in."""
    errors: list[BaseException] = []

    def pause(*, json: bool = False) -> None:
        """Raise."""
        raise errors[0]

    monkeypatch.setitem(app.COMMANDS, "pause", pause)
    return errors


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    code = main(arguments)
    captured = capsys.readouterr()
    return Said(code, captured.out, captured.err)


@pytest.mark.parametrize(
    "error, code",
    [
        (InvalidInput("the price is wrong: change it"), 2),
        (Transient("the exchange does not answer: try later"), 1),
        (GridtideError("something"), 1),
        (PermissionError(13, "Permission denied", "books.db"), 1),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("inside"), 1),
    ],
)
def test_an_error_is_one_sentence_and_a_code(
    failing: list[BaseException], error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(error)
    found = said(capsys, "pause")
    assert (found.code, found.out) == (code, "")
    assert found.err.startswith("gridtide: ")
    assert found.err.count("\n") == 1
    assert "Traceback" not in found.err


def test_an_error_is_an_object_for_machines(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(InvalidInput("change it"))
    found = said(capsys, "pause", "--json")
    assert found.json == {"error": "change it", "kind": "InvalidInput"}


def test_debug_shows_the_traceback_and_may_stand_anywhere(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(InvalidInput("change it"))
    for arguments in (("--debug", "pause"), ("pause", "--debug")):
        found = said(capsys, *arguments)
        assert found.code == 2
        assert "Traceback (most recent call last)" in found.err


@pytest.mark.parametrize("arguments", [("pause",), ("pause", "--json"), ("pause", "--debug")])
def test_f71_no_secret_in_what_an_error_says(
    failing: list[BaseException], arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Not in the sentence, not in the object, not in the traceback; registered or known by its name."""
    SECRETS.register(CANARY)
    failing.append(ZeroDivisionError(f"signature={'a1b2' * 16} and {CANARY}"))
    found = said(capsys, *arguments)
    assert CANARY not in found.out + found.err
    assert "a1b2" not in found.out + found.err


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (("paus",), 'Unknown command "paus". Did you mean "pause"?'),
        (("run", "--fro", "60s"), "Unknown option: --fro. Did you mean --for?"),
        (("order", "buy", "BTC/USDT"), "requires an argument"),
        (("order", "hold", "BTC/USDT", "1"), "buy"),
        (("order", "buy", "BTC/USDT", "abc"), "abc is not a number"),
        (("order", "buy", "BTC/USDT", "nan"), "nan is not a number"),
        (("order", "buy", "BTC/USDT", "1", "--limit", "inf"), "inf is not a number"),
        (("order", "buy", "BTCUSDT", "1"), '"BTCUSDT" names no market: write base and quote, as in BTC/USDT'),
        (("run", "--speed", "fast"), "fast is not a number"),
        (("run", "--seed", "-1"), "-1 is below zero"),
        (("run", "a.yaml", "b.yaml"), "There is no place for b.yaml. See `gridtide run --help`."),
        (("run", "--state-folder", "grid.yaml/below"), "the state folder grid.yaml/below cannot be made"),
        (("sandbox", "--port", "99999"), "99999 is no port: it must be from 0 to 65535"),
        (("run", "--for", "60"), "write 60s, 10m, 1h30m or 2d"),
        (("run", "--cancel", "--liquidate"), "give one of --keep-orders, --cancel and --liquidate"),
        (("status",), "nothing ran in .gridtide yet"),
        (("pause",), "no bot runs in .gridtide"),
        (("stop",), "nothing ran in .gridtide yet"),
    ],
)
def test_wrong_usage_is_one_sentence_with_what_to_do(
    command: Command, arguments: tuple[str, ...], expected: str
) -> None:
    found = command(*arguments)
    assert found.code == 2
    assert expected in found.err
    assert found.err.count("\n") == 1
    assert json.loads(command(*arguments, "--json").out)["error"]


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version") == Said(0, f"{__version__}\n", "")


@pytest.mark.parametrize("name", ["", *app.COMMANDS])
def test_every_help_says_what_and_shows_an_example(capsys: pytest.CaptureFixture[str], name: str) -> None:
    found = said(capsys, *([name] if name else []), "--help")
    assert found.code == 0
    assert "`" not in found.out, "plain words, no markup"
    assert name == "" or "For example:" in found.out
    assert name == "" or f"gridtide {name}" in found.out
    for promise in ("dashboard", "alert", "telegram"):
        assert promise not in found.out.lower()


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """`gridtide --help` in a tenth of a second or two: what trades is imported by the command that trades."""
    code = (
        "import sys; from gridtide.cli import main; main(['--help']); "
        "heavy = {'aiohttp', 'asyncio', 'ccxt', 'duckdb', 'numpy', 'pydantic', 'sqlalchemy', 'structlog', 'yaml'}; "
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Commands" in done.stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """`gridtide --help | head -1`."""
    pipe = subprocess.run(
        f"{sys.executable} -m gridtide --help | head -1",
        shell=True, capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert pipe.stderr == ""


def test_where_nobody_can_answer_nothing_is_assumed() -> None:
    with pytest.raises(InvalidInput, match="add --yes if it is meant"):
        confirm("This sells everything.", "sell", yes=False)
    confirm("This sells everything.", "sell", yes=True)
