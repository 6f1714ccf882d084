"""A backtest's result on the terminal, 80 columns wide: figures, simpler ways, and what the reader has to know."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gridtide.reports.shown_figures import (
    BASELINES,
    FIGURES,
    Figure,
    amount_text,
    figure_text,
    is_signed,
    percent_text,
    period_of,
    quote_of,
    title_of,
)
from gridtide.telemetry.console import without_control
from gridtide.telemetry.redaction import SECRETS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gridtide.reports.backtest_result import BacktestResult

WIDTH = 80
_SHORT = 12
"""Characters of a checksum that a person compares."""


def print_result(result: BacktestResult) -> None:
    """Print the panel; colours only on a terminal."""
    terminal().print(result_panel(result))


def terminal(width: int = WIDTH) -> Console:
    """Where tables go: never wider than the terminal, and as wide as `width` where there is none."""
    console = Console(highlight=False, soft_wrap=False)
    console.width = min(width, console.width) if console.is_terminal else width
    return console


def shown(text: str, style: str = "") -> Text:
    """Text of the user's: no markup, no control characters, no secrets."""
    return Text(SECRETS.text(without_control(text)), style=style)


def result_panel(result: BacktestResult) -> RenderableType:
    """One result."""
    parts: list[RenderableType] = [_figures(result)]
    if result.baselines:
        parts += [Text(), _baselines(result)]
    parts += [Text(), *(shown(f"- {note}") for note in result.notes)] if result.notes else []
    origin = f"data {result.data_checksum[:_SHORT]}, config {result.config_hash[:_SHORT]}"
    parts += [Text(), shown(f"{result.seconds:.3f} s to play, {origin}", style="dim")]
    period = f"{period_of(result)}, in {quote_of(result)}"
    return Panel(
        Group(*parts),
        title=shown(title_of(result), style="bold"),
        title_align="left",
        subtitle=shown(period),
        subtitle_align="right",
        box=box.ROUNDED,
        border_style="dim",
        padding=(0, 1),
    )


def _figures(result: BacktestResult) -> Table:
    """Two figures a line."""
    grid = Table.grid(padding=(0, 1), expand=True)
    for ratio, justify in ((3, "left"), (3, "right"), (1, "left"), (3, "left"), (3, "right")):
        grid.add_column(justify=justify, ratio=ratio, no_wrap=True)  # type: ignore[arg-type]  # both are its words
    middle = (len(FIGURES) + 1) // 2
    for left, right in zip_longest(FIGURES[:middle], FIGURES[middle:]):
        grid.add_row(*_cells(result, left), Text(), *(_cells(result, right) if right else ()))
    return grid


def _cells(result: BacktestResult, figure: Figure) -> tuple[Text, Text]:
    value = figure.value(result)
    style = "bold" if figure.key == "final_equity" else ""
    if value and is_signed(figure):
        style = "green" if value > 0 else "red"
    return Text(figure.label), Text(figure_text(figure, value, result.initial_equity), style=style)


def _baselines(result: BacktestResult) -> Table:
    """What simpler ways would have made of the same cash."""
    table = Table(box=None, expand=True, padding=(0, 1), pad_edge=False)
    table.add_column("the same cash", style="dim", header_style="dim")
    for name in ("final equity", "return", "max drawdown", "Sharpe"):
        table.add_column(name, justify="right", header_style="dim", no_wrap=True)
    for each in result.baselines:
        gain = each.final_equity / result.initial_equity - 1
        table.add_row(
            shown(BASELINES.get(each.name, each.name)),
            amount_text(each.final_equity, result.initial_equity),
            percent_text(gain, sign=True),
            percent_text(each.max_drawdown),
            "-" if each.sharpe is None else f"{each.sharpe:.2f}",
        )
    return table
