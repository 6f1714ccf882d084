"""Commands run in an empty folder, and no sandbox outlives its test."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gridtide.bootstrap import comparison
from gridtide.cli import main
from gridtide.sandbox.process import attach
from gridtide.telemetry.redaction import SECRETS
from tests.e2e.bots import Bot

CONFIG = """\
mode: sandbox
bots:
  - name: btc-grid
    market: BTC/USDT
    strategy: {name: grid, lower_price: 45000, upper_price: 55000, num_grids: 21, total_investment: 5000}
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command returned and printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


Command = Callable[..., Said]


def end_sandboxes(folder: Path) -> None:
    async def end(sandbox_folder: Path) -> None:
        handle = await attach(sandbox_folder)
        if handle is not None:
            await handle.shutdown()

    for contact in folder.rglob("sandbox.json"):
        asyncio.run(end(contact.parent))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with a config `grid.yaml`. What other tests' secrets were is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SECRETS, "_spellings", set())
    monkeypatch.setattr(SECRETS, "_pattern", None)
    for name in (
        "CREDENTIALS_DIRECTORY",
        "DBUS_SESSION_BUS_ADDRESS",
        "EXCHANGE__API_KEY",
        "EXCHANGE__API_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "grid.yaml").write_text(CONFIG)
    yield tmp_path
    end_sandboxes(tmp_path)


@pytest.fixture(scope="session")
def once_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the bot of `grid.yaml` ran for a moment; to be copied, not to be used."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "grid.yaml").write_text(CONFIG)
    with contextlib.chdir(folder):
        assert main(["run", "grid.yaml", "--for", "1s", "--speed", "150", "--json"]) == 0
    return folder


@pytest.fixture
def bot(once_run: Path, folder: Path) -> Bot:
    """A bot that ran for a moment in `folder`: cheaper than to let it run again for each test."""
    shutil.copytree(once_run / ".gridtide", folder / ".gridtide")
    for name in ("books.json", "last-run.json"):
        (found,) = (folder / ".gridtide").rglob(name)
        found.write_text(found.read_text().replace(str(once_run), str(folder)))
    return Bot(folder / ".gridtide")


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor takes as many looks as ever, without the pause between that a real exchange's lag asks for."""
    monkeypatch.setattr(comparison, "_PAUSE_SECONDS", 0.05)


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process."""

    def run_command(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run_command
