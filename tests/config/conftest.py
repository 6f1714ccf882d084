"""Each test reads the config in an empty folder and an environment without our variables."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = """\
mode: sandbox
bots:
  - name: btc-grid
    market: BTC/USDT
    strategy:
      name: grid
      lower_price: 50000
      upper_price: 70000
      num_grids: 41
      total_investment: 10000
      spacing: geometric
"""

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env, no secrets folder, no keyring, none of our variables."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "CREDENTIALS_DIRECTORY",
        "DBUS_SESSION_BUS_ADDRESS",
        "EXCHANGE__API_KEY",
        "EXCHANGE__API_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a config and return its path."""

    def write_config(text: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_config
