"""What docs/overfitting.md says of the statistics is true: its example runs, its functions exist, its thresholds
hold."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from gridtide.optimize.overfitting.findings import Thresholds
from gridtide.optimize.overfitting.wording import Level

PAGE = (Path(__file__).parents[3] / "docs" / "overfitting.md").read_text(encoding="utf-8")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """It says of luck what the page says of it."""
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    exec(compile(example, "overfitting.md", "exec"), {})
    assert capsys.readouterr().out.startswith("overfitted | Overfitted: luck alone")


def test_every_function_named_exists() -> None:
    rows = re.findall(r"^\| (`.*`.*) \| (`.*`) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 14
    for names, modules in rows:
        homes = [
            importlib.import_module(f"gridtide.optimize.overfitting.{module}")
            for module in re.findall("`([a-z_]+)`", modules)
        ]
        for name in re.findall("`([A-Za-z_]+)`", names):
            assert any(hasattr(home, name) for home in homes), name


def test_every_level_and_threshold_is_stated() -> None:
    limits = Thresholds()
    assert all(f"| **{level}** |" in PAGE for level in Level)
    for row in (
        f"| probability of overfitting | {limits.overfitting_bad:.0%} or more | over {limits.overfitting_good:.0%} | |",
        f"| deflated Sharpe ratio | below {limits.deflated_bad:.0%} | below {limits.deflated_good:.0%} | |",
        f"| reality check: chance of luck | {limits.luck_bad:.0%} or more | over {limits.luck_good:.0%} | |",
        f"| walk-forward efficiency | {limits.efficiency_bad:.0f} or less | below {limits.efficiency_good:.0%} | |",
        f"| plateau score | | | below {limits.plateau:.0%} |",
        f"| fees at which the profit is gone | | | below {limits.break_even_fees} times |",
        f"| profitable walk-forward windows | | | below {limits.profitable_windows:.0%} |",
        f"| chance to leave the range in 30 days | | | over {limits.leaves_in_30_days:.0%} |",
    ):
        assert re.sub(r"(\d)%", r"\1 %", row) in PAGE
