"""How `gridtide report` loads saved runs, writes their files and shows them beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from gridtide.cli.backtest_view import WIDTH, print_result, shown, terminal
from gridtide.domain.errors import InvalidInput
from gridtide.reports.saved_run import load_run

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gridtide.reports.backtest_result import BacktestResult
    from gridtide.reports.comparison import Comparison, Row

_COLUMN = 18
"""Characters a run needs beside its figures' names."""
_NAMES = 31
"""Characters of `bots[0].strategy.num_grids` and its like, with the space beside them."""
_MARK = "*"

Run = tuple[str, "BacktestResult"]


def is_study(folder: Path) -> bool:
    """Whether a folder holds a study and not a saved run."""
    return (folder / "study.json").exists()


def report_study(folders: Sequence[Path], html: Path | None, *, others: Path | None, json: bool) -> None:
    """Show what a study found, and write its page. Raises `InvalidInput` for several, and for other files."""
    from gridtide.bootstrap.study_view import study_view
    from gridtide.cli.output import print_json, say, warn
    from gridtide.optimize.study_folder import read_study

    if len(folders) > 1 or others is not None:
        raise InvalidInput(
            "a study is shown by itself, and its report is --html: give one folder and --html FILE"
        )
    view = study_view(folders[0])
    if html is not None:
        from gridtide.reports.study_report import write_study_html

        write_study_html(view, html)
    if json:
        print_json(read_study(folders[0]) | {"written": [str(html)] if html is not None else []})
        return
    say(view.title)
    say(view.verdict)
    for line in view.notes:
        say(f"- {line}")
    if html is not None:
        warn(f"written: {html}")


def load_all(folders: Sequence[Path]) -> list[Run]:
    """Each run by its folder's name, or by its whole path where two have the same. Raises `InvalidInput`."""
    counts = Counter(folder.resolve().name for folder in folders)
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InvalidInput("the same folder is named twice: give each run once")
    return [(_name(folder, counts), load_run(folder)) for folder in folders]


def _name(folder: Path, counts: Counter[str]) -> str:
    name = folder.resolve().name
    return name if counts[name] == 1 else str(folder)


def write_files(
    runs: Sequence[Run], html: Path | None, png: Path | None, csv: Path | None
) -> tuple[Path, ...]:
    """Write what was asked for and return where. Raises `InvalidInput` for several runs."""
    if len(runs) > 1 and (html or png or csv):
        raise InvalidInput("--html, --png and --csv are for one run: give one folder")
    _, result = runs[0]
    written: list[Path] = []
    if html is not None:
        from gridtide.reports.html_report import write_html

        write_html(result, html)
        written.append(html)
    if png is not None:
        from gridtide.reports.picture import write_png

        write_png(result, png)
        written.append(png)
    if csv is not None:
        from gridtide.reports.csv_files import write_csv

        written += write_csv(result, csv)
    return tuple(written)


def show(comparison: Comparison) -> None:
    """One run as the backtest itself showed it, several as a table."""
    if len(comparison.results) == 1:
        print_result(comparison.results[0])
        return
    terminal(max(WIDTH, _NAMES + _COLUMN * len(comparison.names))).print(comparison_view(comparison))


def comparison_view(comparison: Comparison) -> RenderableType:
    """A column each run, the best of each row marked; below it the settings that differ."""
    figures = _table("", comparison)
    for row in comparison.rows:
        figures.add_row(Text(row.label), *(_cell(row, at) for at in range(len(comparison.names))))
    parts: list[RenderableType] = [figures, Text(f"{_MARK} the best of the row", style="dim"), Text()]
    if not comparison.differences:
        return Group(*parts, Text("All settings are the same, and so are the data."))
    settings = _table("what differs", comparison)
    for key, texts in comparison.differences:
        settings.add_row(shown(key), *map(shown, texts))
    return Group(*parts, settings)


def _table(title: str, comparison: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column(title, overflow="fold", ratio=_NAMES)
    for name in comparison.names:
        table.add_column(shown(name), justify="right", overflow="fold", ratio=_COLUMN)
    return table


def _cell(row: Row, at: int) -> Text:
    is_best = at in row.best
    return Text(
        f"{_MARK} {row.texts[at]}" if is_best else row.texts[at], style="bold green" if is_best else ""
    )
