"""The preflight, part by part, and what real money needs to pass."""

import time
from pathlib import Path

import pytest

from gridtide.cli import checks, launch
from gridtide.cli.check_outcome import Check, Outcome
from gridtide.cli.launch import Manner
from gridtide.cli.world import Wish
from gridtide.domain.errors import InvalidInput
from tests.cli.conftest import CONFIG


class Clock:
    """An exchange as far as the check of the clock sees it."""

    def __init__(self, offset_ms: int) -> None:
        self._offset = offset_ms

    def now(self) -> int:
        return int(time.time() * 1000) + self._offset


@pytest.mark.parametrize(
    "offset, outcome",
    [(0, Outcome.PASSED), (900, Outcome.PASSED), (-2000, Outcome.WARNING), (5000, Outcome.WARNING)],
)
def test_the_clock(offset: int, outcome: Outcome) -> None:
    found = checks.check_clock(Clock(offset))  # type: ignore[arg-type]  # all the check needs
    assert found.outcome is outcome
    assert ("set it by NTP" in found.text) == (outcome is Outcome.WARNING)


def test_an_env_file_that_others_can_read_is_a_warning(folder: Path) -> None:
    (folder / ".env").write_text("EXCHANGE__API_KEY=x\n")
    (folder / ".env").chmod(0o644)
    (found,) = checks.check_secrets()
    assert found.outcome is Outcome.WARNING
    assert "chmod 600 .env" in found.text
    (folder / ".env").chmod(0o600)
    assert checks.check_secrets()[0].outcome is Outcome.PASSED


def test_the_database(folder: Path) -> None:
    assert checks.check_database("sqlite:///new.db").outcome is Outcome.PASSED
    assert checks.check_database("sqlite:///no/such/folder/new.db").outcome is Outcome.FAILED
    (folder / "junk.db").write_bytes(b"junk" * 300)
    assert checks.check_database("sqlite:///junk.db").outcome is Outcome.FAILED
    shown = checks.check_database("postgresql+psycopg://bot:CANARY@127.0.0.1:1/x").text
    assert "CANARY" not in shown


class Started(Exception):  # no error: it marks that the run would have begun
    """Raised in place of the run."""


@pytest.fixture
def live(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Wish:
    """A live config with keys, whose run is replaced by `Started`."""
    (folder / "live.yaml").write_text(CONFIG.replace("sandbox", "live"))
    monkeypatch.setenv("EXCHANGE__API_KEY", "key")
    monkeypatch.setenv("EXCHANGE__API_SECRET", "secret")

    async def started(_: object) -> None:
        raise Started

    monkeypatch.setattr(launch, "run_bot", started)
    return Wish(folder / "live.yaml", state_folder=folder / "state")


def checked(monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> None:
    async def check_wish(_: Wish) -> list[Check]:
        return [Check("key", outcome, "something") for outcome in outcomes]

    monkeypatch.setattr("gridtide.cli.planning.check_wish", check_wish)


def begin(wish: Wish, *, yes: bool) -> None:
    launch.launch(wish, Manner(quiet=True, yes=yes), seconds=1, policy=None)


def test_real_money_starts_only_with_passed_checks(live: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    """F77: even with --yes: it answers questions, it does not pass checks."""
    checked(monkeypatch, Outcome.PASSED, Outcome.FAILED)
    with pytest.raises(InvalidInput, match="a check failed, so nothing was started"):
        begin(live, yes=True)


def test_real_money_starts_only_with_a_word(live: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(monkeypatch, Outcome.PASSED, Outcome.WARNING)
    with pytest.raises(InvalidInput, match="REAL MONEY"):
        begin(live, yes=False)
    monkeypatch.setattr("gridtide.cli.questions.can_ask", lambda: True)
    monkeypatch.setattr("gridtide.cli.questions.ask", lambda _: "yes")
    with pytest.raises(InvalidInput, match="not confirmed: nothing was done"):
        begin(live, yes=False)
    monkeypatch.setattr("gridtide.cli.questions.ask", lambda _: "trade")
    with pytest.raises(Started):
        begin(live, yes=False)


def test_real_money_starts_with_yes_given(live: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(monkeypatch, Outcome.PASSED)
    with pytest.raises(Started):
        begin(live, yes=True)
