"""A study's answer on the terminal, 80 columns wide: the verdict, what choices earned afterwards, the set to trade."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gridtide.cli.backtest_view import shown, terminal
from gridtide.optimize.objectives import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from gridtide.bootstrap.optimize import Answer, Prepared

_MOST_ROWS = 8
"""Of a front."""
_STYLES = {
    "overfitted": "bold red",
    "not shown": "bold yellow",
    "fragile": "bold yellow",
    "holds": "bold green",
}


def print_answer(prepared: Prepared, answer: Answer) -> None:
    """Print the panel; colours only on a terminal."""
    terminal().print(_panel(prepared, answer))


def _panel(prepared: Prepared, answer: Answer) -> RenderableType:
    plain = answer.plain
    parts: list[RenderableType] = []
    if answer.judged is not None:
        verdict = answer.judged.verdict
        parts += [shown(verdict.sentence, _STYLES.get(verdict.level.value, "bold")), Text()]
    parts += [_windows(prepared, plain), Text(), *_chain(plain)]
    if answer.searched.whole is not None:
        parts += [Text(), *_choice(prepared, plain)]
    parts += [Text(), *(shown(f"- {note}", "dim") for note in _notes(answer))]
    (bot,) = prepared.settings.bots
    return Panel(
        Group(*parts),
        title=shown(f"{bot.name} on {bot.market}: {sum(plain['trials'].values()):,} trials", "bold"),
        title_align="left",
        subtitle=shown(f"{_day(plain['time'][0])} to {_day(plain['time'][1])}"),
        subtitle_align="right",
        box=box.ROUNDED,
        border_style="dim",
        padding=(0, 1),
    )


def _windows(prepared: Prepared, plain: Mapping[str, Any]) -> Table:
    """One line a window: the choice's objective where it was chosen, and its gain there and afterwards."""
    name = prepared.wish.objectives[0]
    table = Table(box=None, expand=True, padding=(0, 1), pad_edge=False)
    table.add_column("walk-forward", header_style="dim", no_wrap=True)
    for column in (f"{name} chosen by", "gain inside", "gain after", "max drawdown after"):
        table.add_column(column, justify="right", header_style="dim")
    for window in plain["walk_forward"]["windows"]:
        inside, after = window["in_sample"], window["out_of_sample"]
        gain = None if window["chosen"] is None else _gain(after, window["out_of_sample_capital"])
        table.add_row(
            f"{_day(window['out_of_sample_time'][0])} +{_days(window['out_of_sample_time'])}d",
            _figure(_objective(prepared, inside, window["in_sample_capital"])),
            _percent(_gain(inside, window["in_sample_capital"])),
            Text("refused" if window["reason"] else _percent(gain), style=_sign(gain)),
            _percent(after["max_drawdown"]),
        )
    return table


def _chain(plain: Mapping[str, Any]) -> list[RenderableType]:
    walk = plain["walk_forward"]
    gain = walk["last_equity"] / walk["first_equity"] - 1
    line = Text("all windows chained: ")
    line.append(_percent(gain), style=f"bold {_sign(gain)}".strip())
    line.append(
        f" in {sum(_days(each['out_of_sample_time']) for each in walk['windows'])} days that no choice had seen"
    )
    return [line]


def _choice(prepared: Prepared, plain: Mapping[str, Any]) -> list[RenderableType]:
    """The set to trade, as lines for the config, and the front where there are several objectives."""
    chosen = plain.get("chosen")
    if chosen is None:
        return [Text("Every set was refused: nothing was chosen.", style="bold red"), *_refusals(plain)]
    lines: list[RenderableType] = [Text(f"{choice_title(plain)}, for the config's strategy:")]
    for name, value in chosen["now"].items():
        drawn = chosen["set"][name]
        lines.append(shown(f"  {name}: {value}" + (f"   # {drawn}" if str(drawn) != str(value) else "")))
    figures, capital = chosen["in_sample"], plain["capital"]
    lines.append(
        shown(
            f"in-sample: {_percent(_gain(figures, capital))}, Sharpe {_figure(figures['sharpe'])}, max drawdown "
            f"{_percent(figures['max_drawdown'])}, {_figure(figures['fills'])} fills",
            "dim",
        )
    )
    if len(prepared.wish.objectives) > 1:
        lines += [Text(), _front(prepared, plain)]
    return lines


def choice_title(plain: Mapping[str, Any]) -> str:
    """What to call the chosen set: only one that the verdict does not speak against is one to trade."""
    level = plain.get("verdict", {}).get("level")
    if level in {"holds", "fragile"}:
        return "the set to trade now"
    return "the best that was tried, and no advice to trade it"


def _front(prepared: Prepared, plain: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, title_justify="left")
    rows, capital = plain["front"], plain["capital"]
    table.add_column(f"front ({len(rows)} sets)", header_style="dim")
    for name in prepared.wish.objectives:
        table.add_column(name, justify="right", header_style="dim")
    for each in rows[:_MOST_ROWS]:
        values = [
            _figure(_objective(prepared, each["in_sample"], capital, name))
            for name in prepared.wish.objectives
        ]
        table.add_row(shown(", ".join(f"{name} {value}" for name, value in each["set"].items())), *values)
    if len(rows) > _MOST_ROWS:
        table.add_row(Text(f"and {len(rows) - _MOST_ROWS} more in study.json", style="dim"))
    return table


def _refusals(plain: Mapping[str, Any]) -> list[RenderableType]:
    return [shown(f"  {count:,} times: {reason}") for reason, count in list(plain["refused"].items())[:3]]


def _notes(answer: Answer) -> list[str]:
    plain, notes = answer.plain, list(answer.notes)
    refused = sum(plain.get("refused", {}).values())
    if refused and "chosen" in plain:
        reason, count = next(iter(plain["refused"].items()))
        notes.append(f"{refused:,} sets were refused, {count:,} of them because: {reason}")
    if plain["by_engine"]:
        notes.append(
            f"{plain['by_engine']:,} sets were played by the engine, because the kernel cannot express them"
        )
    if answer.judged is not None:
        notes += [f"not known: {missing}" for missing in answer.judged.verdict.missing]
        if answer.judged.neighbours is not None and answer.judged.neighbours.edges:
            edges = ", ".join(answer.judged.neighbours.edges)
            notes.append(f"the best lies at the edge of what was tried of {edges}: widen the space there")
    return notes


# --- numbers -----------------------------------------------------------------------------------------


def _objective(
    prepared: Prepared, figures: Mapping[str, float | None], capital: float, name: str | None = None
) -> float | None:
    import numpy as np

    objective = OBJECTIVES[name or prepared.wish.objectives[0]]
    arrays = {key: np.array([np.nan if value is None else value]) for key, value in figures.items()}
    value = float(objective.values(arrays, capital)[0])
    return None if math.isnan(value) else value


def _gain(figures: Mapping[str, float | None], capital: float) -> float | None:
    final = figures["final_equity"]
    return None if final is None else float(final / capital - 1)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:,.2f} %"


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.3g}"


def _sign(value: float | None) -> str:
    return "" if not value else "green" if value > 0 else "red"


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}"


def _days(times: list[int]) -> int:
    return (times[1] - times[0]) // 86_400_000
