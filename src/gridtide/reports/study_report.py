"""One HTML file that shows a search for parameters: its verdict first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.reports.html_page import html_page
from gridtide.reports.shown_figures import day_text, percent_text, time_text
from gridtide.reports.study_charts import pairs_of, study_charts
from gridtide.reports.whole_file import write_whole

if TYPE_CHECKING:
    from gridtide.reports.chart_figures import Chart
    from gridtide.reports.study_view import StudyView

MOST_ROWS = 20
"""Trials of the front that are listed."""
_TONES = {"holds": "good", "overfitted": "bad", "fragile": "bad"}


def write_study_html(view: StudyView, path: Path | str) -> None:
    """Write the report. Raises `StorageFailed`; what was at `path` is untouched then."""
    write_whole(path, study_html(view).encode())


def study_html(view: StudyView) -> str:
    """The page."""
    charts = study_charts(view)
    return html_page(view.title, _sections(view, charts), charts)


def _sections(view: StudyView, charts: Mapping[str, Chart]) -> Iterable[str]:
    yield f"<h1>{escape(view.title)}</h1>"
    yield f'<p class="muted">{time_text(view.start)} to {time_text(view.stop)}</p>'
    yield "<noscript><p>The charts need scripts, which are part of this file; the tables do not.</p></noscript>"
    tone = _TONES.get(view.verdict_level, "muted")
    yield _section("Verdict", f'<p class="verdict {tone}">{escape(view.verdict)}</p>')
    yield (
        '<div class="cards">'
        + "".join(
            f'<div class="card"><span>{escape(name)}</span><strong>{escape(value)}</strong></div>'
            for name, value in view.cards
        )
        + "</div>"
    )
    yield _section("Notes", _list(view.notes)) if view.notes else ""
    yield _section("What speaks for it and against it", _statistics(view)) if view.statistics else ""
    titles = {
        "forward": "Walk-forward: only what was not seen when it was chosen",
        "inside-outside": "In-sample against out-of-sample",
        "front": "All trials, and those that no other one beats",
    }
    for name, title in titles.items():
        if name in charts:
            yield _section(title, _place(name, charts) + (_windows(view) if name == "forward" else ""))
    for number, (first, second) in enumerate(pairs_of(view)):
        yield _section(
            f"{view.objectives[0].label} over {first} and {second}", _place(f"map-{number}", charts)
        )
    yield _section("The best trials", _front(view)) if view.front else ""
    yield _section("Settings", f"<details><summary>Every setting</summary>{_pairs(view.settings)}</details>")
    yield _section("Where it comes from", _pairs(view.origin))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _place(name: str, charts: Mapping[str, Chart]) -> str:
    note = charts[name].note
    return f'<div class="chart" id="{name}"></div>' + (
        f'<p class="muted small">{escape(note)}</p>' if note else ""
    )


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _pairs(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f'<table class="pairs">{cells}</table>'


def _statistics(view: StudyView) -> str:
    rows = "".join(
        f'<tr><th>{escape(each.label)}<br><span class="small muted">{escape(each.meaning)}</span></th>'
        f'<td class="number">{escape(each.value)}</td></tr>'
        for each in view.statistics
    )
    return f"<table>{rows}</table>"


def _windows(view: StudyView) -> str:
    if not view.windows:
        return ""
    titles = ("out-of-sample", "chosen", f"{view.objectives[0].label}, inside", "outside", "return")
    kinds = ("", ' class="wide"', *(' class="number"',) * 3)
    cells = "".join(f"<th{kind}>{escape(title)}</th>" for kind, title in zip(kinds, titles, strict=True))
    head = f"<tr>{cells}</tr>"
    rows = "".join(
        f"<tr><td>{day_text(window.outside_start)} to {day_text(window.outside_stop)}</td>"
        f'<td class="wide">{escape(window.chosen)}</td>{_number(window.inside)}{_number(window.outside)}'
        f'<td class="number">{_share(window.outside_return)}</td></tr>'
        for window in view.windows
    )
    return f"<table>{head}{rows}</table>"


def _front(view: StudyView) -> str:
    names = [
        *view.parameters,
        *dict.fromkeys([*(each.name for each in view.objectives), "final_equity", "max_drawdown"]),
    ]
    columns = {**view.parameters, **view.figures}
    head = "".join(f'<th class="number">{escape(name.replace("_", " "))}</th>' for name in names)
    rows = "".join(
        "<tr>" + "".join(_cell(columns[name][row]) for name in names) + "</tr>"
        for row in view.front[:MOST_ROWS]
    )
    more = len(view.front) - MOST_ROWS
    note = f'<p class="muted small">and {more:,} more</p>' if more > 0 else ""
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>{note}'


def _cell(value: object) -> str:
    return (
        f'<td class="number">{escape(value)}</td>' if isinstance(value, str) else _number(float(str(value)))
    )


def _number(value: float) -> str:
    return f'<td class="number">{value:,.6g}</td>' if isfinite(value) else '<td class="number">-</td>'


def _share(value: float) -> str:
    return percent_text(value) if isfinite(value) else "-"
