"""The notebooks of the docs run from top to bottom, and are kept as a reader gets them: explained, without output."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells_of(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def run_cell(number: int, source: str, names: dict[str, Any]) -> object:
    """Execute a cell in `names` and give the value of its last line, as a notebook would show it."""
    *lines, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        lines, shown = [*lines, last], None
    else:
        shown = compile(ast.Expression(last.value), f"cell {number}", "eval")
    exec(compile(ast.Module(lines, []), f"cell {number}", "exec"), names)
    return None if shown is None else eval(shown, names)


def test_there_is_a_notebook_on_backtests() -> None:
    assert "backtest" in [path.stem for path in NOTEBOOKS]


@every_notebook
def test_all_cells_pass_in_order(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one namespace and in an empty folder; what a cell shows has a text, and none shows that something is false."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for number, cell in enumerate(cells_of(path)):
        if cell["cell_type"] == "code":
            shown = run_cell(number, "".join(cell["source"]), names)
            assert shown is not False, f"cell {number} shows False"
            assert repr(shown)
    assert names["result"].fill_count > 100, "a market in which nothing happens shows nothing"


@every_notebook
def test_cells_are_explained_and_kept_without_output(path: Path) -> None:
    """Output would hold one machine's times and paths, and change with each save."""
    cells = cells_of(path)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert cells[0]["cell_type"] == "markdown"
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert 2 * (len(cells) - len(code)) > len(code)
    assert len({cell["id"] for cell in cells}) == len(cells)
