"""The charts of a study: heat maps over two parameters, the front, the walk-forward's equity, inside against outside.

As in the report of a run no text of the user's goes in as markup; parameter names are settings' names.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.reports.chart_figures import Chart
from gridtide.reports.thinning import thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.reports.study_view import StudyView

    Floats = NDArray[np.float64]

MOST_MAPS = 6
"""Pairs of parameters that get a heat map: those that matter most."""
MOST_CELLS = 24
"""Columns or rows of a heat map; more values of a parameter share one."""
MOST_POINTS = 4_000
"""Trials that are drawn as points."""
_SCALE = [[0, "@sell"], [0.5, "@card"], [1, "@buy"]]
_SCALE_OF_COSTS = [[0, "@buy"], [0.5, "@card"], [1, "@sell"]]


def study_charts(view: StudyView) -> dict[str, Chart]:
    """By the id of their place on the page; a chart without anything to show is left out."""
    charts = {}
    if len(view.times):
        charts["forward"] = forward_chart(view)
    if len(view.windows) > 1:
        charts["inside-outside"] = inside_outside_chart(view)
    if len(view.figures[view.objectives[0].name]):
        charts["front"] = front_chart(view)
    for number, (first, second) in enumerate(pairs_of(view)):
        charts[f"map-{number}"] = heat_map(view, first, second)
    return charts


def pairs_of(view: StudyView) -> list[tuple[str, str]]:
    """The pairs of parameters that get a heat map, the most telling parameters first."""
    varied = [name for name, values in view.parameters.items() if len(_values(values)) > 1]
    varied.sort(key=lambda name: -_spread(view, name))
    return list(combinations(varied, 2))[:MOST_MAPS]


def forward_chart(view: StudyView) -> Chart:
    """The equity of one account that went through all windows, and what holding made of the same money."""
    traces = []
    if view.hold is not None:
        traces.append(_line("hold", view.times, view.hold, "@hold", 1.25))
    traces.append(_line("walk-forward", view.times, view.equity, "@accent", 2.5))
    axis = {"type": "date", "range": [int(view.times[0]), int(view.times[-1])]}
    layout = {"hovermode": "x unified", "xaxis": axis, "yaxis": {"automargin": True, "hoverformat": ",.2f"}}
    shapes = [_boundary(window.outside_start) for window in view.windows[1:]]
    return Chart(traces, layout | {"shapes": shapes}, 380)


def inside_outside_chart(view: StudyView) -> Chart:
    """Each window's choice: its objective where it was chosen, against where it was not."""
    inside = np.array([window.inside for window in view.windows])
    outside = np.array([window.outside for window in view.windows])
    known = np.isfinite(inside) & np.isfinite(outside)
    both = np.concatenate((inside[known], outside[known]))
    low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 1.0)
    label = view.objectives[0].label
    points = {
        "type": "scatter",
        "mode": "markers+text",
        "name": "windows",
        "x": _rounded(inside[known]),
        "y": _rounded(outside[known]),
        "text": [str(number + 1) for number in np.flatnonzero(known)],
        "textposition": "top center",
        "marker": {"color": "@accent", "size": 10},
        "hovertemplate": "window %{text}<br>inside %{x:,.4~g}, outside %{y:,.4~g}<extra></extra>",
    }
    equal = {
        "type": "scatter",
        "mode": "lines",
        "name": "as good outside as inside",
        "x": [low, high],
        "y": [low, high],
        "line": {"color": "@level", "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
    }
    layout = {
        "hovermode": "closest",
        "xaxis": {"title": {"text": f"{label}, in-sample"}},
        "yaxis": {"title": {"text": f"{label}, out-of-sample"}, "automargin": True},
    }
    return Chart([equal, points], layout, 380)


def front_chart(view: StudyView) -> Chart:
    """All trials over two objectives, and those that no other one beats in both."""
    across, up = axes_of(view)
    x, y = view.figures[across], view.figures[up]
    rows = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    drawn = rows if len(rows) <= MOST_POINTS else rows[:: -(-len(rows) // MOST_POINTS)]
    front = np.array(
        [row for row in view.front if np.isfinite(x[row]) and np.isfinite(y[row])], dtype=np.int64
    )
    front = front[np.argsort(x[front], kind="stable")]
    labels = {objective.name: objective.label for objective in view.objectives}
    layout = {
        "hovermode": "closest",
        "xaxis": {"title": {"text": labels.get(across, across.replace("_", " "))}},
        "yaxis": {"title": {"text": labels.get(up, up.replace("_", " "))}, "automargin": True},
    }
    traces = [
        _points(view, "trials", drawn, x, y, "@level", 5),
        _points(view, "best", front, x, y, "@accent", 9),
    ]
    note = f"{len(drawn):,} of {len(rows):,} trials are drawn." if len(drawn) < len(rows) else ""
    return Chart(traces, layout, 420, note)


def axes_of(view: StudyView) -> tuple[str, str]:
    """The two figures over which the front is drawn: two objectives, or the only one and the drawdown."""
    names = [objective.name for objective in view.objectives]
    if len(names) > 1:
        return names[0], names[1]
    return ("max_drawdown" if names[0] != "max_drawdown" else "final_equity"), names[0]


def heat_map(view: StudyView, across: str, up: str) -> Chart:
    """The median of the first objective over two parameters: a plateau is to be trusted, a peak is not."""
    objective = view.objectives[0]
    values = view.figures[objective.name]
    x, y = _cells(view.parameters[across]), _cells(view.parameters[up])
    grid = np.full((len(y.labels), len(x.labels)), np.nan)
    counts = np.zeros(grid.shape, dtype=np.int64)
    known = np.isfinite(values)
    for row in range(len(y.labels)):
        for column in range(len(x.labels)):
            inside = values[known & (x.place == column) & (y.place == row)]
            counts[row, column] = len(inside)
            if len(inside):
                grid[row, column] = np.median(inside)
    trace = {
        "type": "heatmap",
        "x": x.labels,
        "y": y.labels,
        "z": [[None if np.isnan(cell) else float(f"{cell:.6g}") for cell in line] for line in grid],
        "customdata": counts.tolist(),
        "colorscale": _SCALE if objective.is_more_better else _SCALE_OF_COSTS,
        "hovertemplate": (
            f"{across} %{{x}}<br>{up} %{{y}}<br>{objective.label}: %{{z:,.4~g}} "
            "(median of %{customdata})<extra></extra>"
        ),
    }
    layout = {
        "hovermode": "closest",
        "xaxis": {"type": "category", "title": {"text": across}},
        "yaxis": {"type": "category", "title": {"text": up}, "automargin": True},
    }
    return Chart([trace], layout, min(560, max(300, 120 + 22 * len(y.labels))))


# --- parts -------------------------------------------------------------------------------------------


class _Cells:
    """Where each trial falls along one axis of a heat map, and what stands there."""

    def __init__(self, place: NDArray[np.int64], labels: list[str]) -> None:
        self.place, self.labels = place, labels


def _cells(values: NDArray[Any]) -> _Cells:
    values, unit = _measured(values)
    distinct = _values(values)
    if values.dtype.kind in "OU":
        return _text_cells(values, distinct)
    if len(distinct) <= MOST_CELLS:
        labels = [_label(each) + unit for each in distinct]
        return _Cells(np.searchsorted(distinct, values).astype(np.int64), labels)
    # With about two trials in the mean a cell of a map of two such parameters is seldom empty.
    cells = min(MOST_CELLS, max(4, int((len(values) / 2) ** 0.5)))
    edges = np.unique(np.quantile(values.astype(float), np.linspace(0, 1, cells + 1)))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    labels = [f"{_label(low)}{unit} to {_label(high)}{unit}" for low, high in pairwise(edges)]
    return _Cells(place.astype(np.int64), labels)


def _measured(values: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Percentages, which are kept as text, as the numbers they are, and what to write after them."""
    texts = values.tolist()
    if all(isinstance(value, str) and value.endswith("%") for value in texts):
        return np.array([float(value[:-1]) for value in texts]), "%"
    return values, ""


def _text_cells(values: NDArray[Any], distinct: NDArray[Any]) -> _Cells:
    """Words have no order in which neighbours could share a cell: the last cell is that of all others."""
    place = np.searchsorted(distinct, values).astype(np.int64)
    labels = [_label(each) for each in distinct]
    if len(labels) > MOST_CELLS:
        place, labels = np.minimum(place, MOST_CELLS - 1), [*labels[: MOST_CELLS - 1], "others"]
    return _Cells(place, labels)


def _values(values: NDArray[Any]) -> NDArray[Any]:
    return np.unique(values)


def _label(value: Any) -> str:
    if isinstance(value, str):
        return value
    number = float(value)
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def _spread(view: StudyView, name: str) -> float:
    """How much the objective's median changes along a parameter."""
    values, cells = view.figures[view.objectives[0].name], _cells(view.parameters[name])
    medians = [
        float(np.median(inside))
        for column in range(len(cells.labels))
        for inside in [values[np.isfinite(values) & (cells.place == column)]]
        if len(inside)
    ]
    return max(medians) - min(medians) if medians else 0.0


def _points(
    view: StudyView, name: str, rows: NDArray[np.int64], x: Floats, y: Floats, colour: str, size: int
) -> dict[str, Any]:
    texts = [
        ", ".join(f"{key} {_label(values[row])}" for key, values in view.parameters.items())
        for row in rows.tolist()
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _rounded(x[rows]),
        "y": _rounded(y[rows]),
        "customdata": texts,
        "marker": {"color": colour, "size": size, "opacity": 0.8},
        "hovertemplate": "%{customdata}<br>%{x:,.4~g}, %{y:,.4~g}<extra></extra>",
    }


def _line(name: str, times: NDArray[np.int64], values: Floats, colour: str, width: float) -> dict[str, Any]:
    rows = thinned(values)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": times[rows].tolist(),
        "y": _rounded(values[rows]),
        "line": {"color": colour, "width": width},
    }


def _boundary(moment: int) -> dict[str, Any]:
    """Where one window's choice ends and the next begins."""
    line = {"color": "@level", "width": 1, "dash": "dot"}
    return {"type": "line", "x0": moment, "x1": moment, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _rounded(values: Floats) -> list[float]:
    return [float(f"{value:.8g}") for value in values.tolist()]
