"""Strategies of other people, installed for a test as pip would leave them behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

INSTALLED = Path(__file__).with_name("installed")
ENTRY_POINTS = """\
[gridtide.strategies]
rebuyer = rebuyer:Rebuyer
watcher = watcher:Watcher
broken = nowhere:It
"""


@pytest.fixture
def strategies_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`rebuyer`, `watcher`, and `broken`, which cannot be imported."""
    about = tmp_path / "site" / "others-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(about.parent)
    monkeypatch.syspath_prepend(INSTALLED)
    yield
    for name in ("rebuyer", "watcher"):
        sys.modules.pop(name, None)
