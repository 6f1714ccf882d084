"""The charts of a report as plotly.js takes them, in plain values; colours are names (`@buy`) that the page resolves.

No text of the user's goes in here: plotly reads markup in labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.reports.shown_figures import BASELINES
from gridtide.reports.thinning import thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.reports.backtest_result import BacktestResult, MarketResult
    from gridtide.reports.table import Table

MOST_MARKERS = 2_000
"""Fills of one side that are drawn: more cover each other."""
_MANY = 300
"""More fills of one side than that are drawn smaller."""
_DIGITS = 10
"""Significant digits of what is only looked at."""
_BASELINE_COLOURS = {"hold": "@hold", "constant_mix": "@mix", "dca": "@dca", "cash": "@cash"}
_ROW_PIXELS = 15


@dataclass(frozen=True, slots=True)
class Chart:
    """`traces` and `layout` are plotly's; `note` says what was left out."""

    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    height: int
    note: str = ""

    def values(self) -> dict[str, Any]:
        """As JSON."""
        return {"traces": self.traces, "layout": self.layout, "height": self.height}


def equity_chart(result: BacktestResult) -> Chart:
    """Equity and what simpler ways would have made of the same cash."""
    curve = result.curve
    traces = [
        _line(
            BASELINES.get(each.name, each.name),
            curve.times,
            each.curve,
            _BASELINE_COLOURS.get(each.name, "@cash"),
            width=1.25,
        )
        for each in result.baselines
    ]
    traces.append(_line("this run", curve.times, curve.equity, "@accent", width=2.5))
    return Chart(traces, _dated(result, hovermode="x unified", yaxis={"hoverformat": ",.2f"}), 400)


def price_chart(result: BacktestResult, market: MarketResult) -> Chart:
    """The price, the levels of the grid, and where it bought and sold."""
    times, fills = result.curve.times, market.fills
    sides = np.array([str(side) for side in fills["side"]], dtype=object)
    buys, sells = (_rows_of(fills, sides == side) for side in ("BUY", "SELL"))
    traces = [
        _levels(market),
        _line("price", times, market.prices, "@price", width=1.25),
        _markers("bought", fills, buys, "@buy", "triangle-up"),
        _markers("sold", fills, sells, "@sell", "triangle-down"),
    ]
    drawn = len(buys) + len(sells)
    note = f"{drawn:,} of {len(fills):,} fills are drawn." if drawn < len(fills) else ""
    return Chart(traces, _dated(result, hovermode="closest", yaxis={"hoverformat": ",.8~g"}), 460, note)


def drawdown_chart(result: BacktestResult) -> Chart:
    """How far equity stood below its peak so far; the deepest point exact, from every point of the path."""
    curve = result.curve
    line = _line("drawdown", curve.times, -100 * curve.drawdown, "@sell", width=1.25)
    deepest = {
        "type": "scatter",
        "mode": "markers",
        "name": "deepest",
        "x": [result.drawdown_trough],
        "y": [_rounded(-100 * float(result.max_drawdown))],
        "marker": {"color": "@sell", "size": 9, "symbol": "circle-open", "line": {"width": 2}},
        "hovertemplate": "deepest: %{y:.2f} %<br>%{x|%Y-%m-%d %H:%M}<extra></extra>",
    }
    filled = {"fill": "tozeroy", "fillcolor": "@sellfill", "hovertemplate": "%{y:.2f} %<extra></extra>"}
    yaxis = {"ticksuffix": " %", "rangemode": "tozero"}
    layout = _dated(result, hovermode="closest", showlegend=False, yaxis=yaxis)
    return Chart([line | filled, deepest], layout, 240)


def level_chart(market: MarketResult) -> Chart:
    """What each level earned."""
    table = market.level_profits
    profits = [float(profit) for profit in table["profit"]]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": list(map(_rounded, profits)),
        "y": [f"{price:,f}" for price in table["price"]],
        "customdata": [list(row) for row in zip(table["fills"], table["round_trips"], strict=True)],
        "marker": {"color": ["@buy" if profit >= 0 else "@sell" for profit in profits]},
        "hovertemplate": (
            "level %{y}: %{x:,.4~f}<br>%{customdata[0]} fills, %{customdata[1]} round trips<extra></extra>"
        ),
    }
    layout = {
        "showlegend": False,
        "hovermode": "closest",
        "bargap": 0.25,
        "xaxis": {"zeroline": True},
        "yaxis": {"type": "category", "automargin": True},
    }
    return Chart([trace], layout, min(900, max(220, 70 + _ROW_PIXELS * len(profits))))


# --- parts -------------------------------------------------------------------------------------------


def _dated(result: BacktestResult, yaxis: dict[str, Any], **layout: Any) -> dict[str, Any]:
    """Over the whole run, so that charts below each other show the same time at the same place."""
    period = [int(result.curve.times[0]), int(result.curve.times[-1])]
    return {"xaxis": {"type": "date", "range": period}, "yaxis": {"automargin": True, **yaxis}, **layout}


def _line(
    name: str, times: NDArray[Any], values: NDArray[Any], colour: str, *, width: float
) -> dict[str, Any]:
    rows = thinned(values)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": times[rows].tolist(),
        "y": list(map(_rounded, values[rows].tolist())),
        "line": {"color": colour, "width": width},
    }


def _levels(market: MarketResult) -> dict[str, Any]:
    """All levels as one line with holes: cheaper than a shape each."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "levels",
        "x": [moment for _ in market.levels for moment in (market.start, market.end, None)],
        "y": [value for level in market.levels for value in (float(level), float(level), None)],
        "line": {"color": "@level", "width": 1},
        "hoverinfo": "skip",
    }


def _rows_of(fills: Table, wanted: NDArray[Any]) -> NDArray[np.int64]:
    rows = np.flatnonzero(wanted)
    prices = np.array([float(fills["price"][row]) for row in rows])
    return rows[thinned(prices, MOST_MARKERS)]


def _markers(
    name: str, fills: Table, rows: Sequence[int] | NDArray[np.int64], colour: str, symbol: str
) -> dict[str, Any]:
    def column(of: str) -> list[float]:
        return [_rounded(float(fills[of][row])) for row in rows]

    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "cliponaxis": False,
        "x": [fills["time"][row] for row in rows],
        "y": column("price"),
        "customdata": [
            list(row) for row in zip(column("amount"), column("level"), column("profit"), strict=True)
        ],
        "marker": {"color": colour, "size": 5 if len(rows) > _MANY else 7, "symbol": symbol, "opacity": 0.8},
        "hovertemplate": (
            f"{name} %{{customdata[0]}} at %{{y:,}}<br>level %{{customdata[1]}}, profit %{{customdata[2]:,.4~f}}<br>"
            "%{x|%Y-%m-%d %H:%M}<extra></extra>"
        ),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
