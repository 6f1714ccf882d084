"""One HTML file that shows the whole result of a backtest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.reports.chart_figures import Chart, drawdown_chart, equity_chart, level_chart, price_chart
from gridtide.reports.html_page import html_page
from gridtide.reports.html_sections import sections
from gridtide.reports.shown_figures import title_of
from gridtide.reports.whole_file import write_whole

if TYPE_CHECKING:
    from gridtide.reports.backtest_result import BacktestResult


def write_html(result: BacktestResult, path: Path | str) -> None:
    """Write the report. Raises `StorageFailed`; what was at `path` is untouched then."""
    write_whole(path, html_report(result).encode())


def html_report(result: BacktestResult) -> str:
    """The page. It holds plotly.js from the installed package, so it has about 5 MB whatever the result."""
    charts = _charts(result)
    return html_page(title_of(result), sections(result, charts), charts)


def _charts(result: BacktestResult) -> dict[str, Chart]:
    """By the id of their place on the page."""
    charts = {"equity": equity_chart(result), "drawdown": drawdown_chart(result)}
    for number, market in enumerate(result.markets):
        charts[f"price-{number}"] = price_chart(result, market)
        charts[f"levels-{number}"] = level_chart(market)
    return charts
