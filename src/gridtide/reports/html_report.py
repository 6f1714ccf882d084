"""One HTML file that shows a whole result and asks nobody for anything: styles, scripts and data are inside.

The page's own policy lets no other script run and no request out.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from gridtide.reports.chart_figures import Chart, drawdown_chart, equity_chart, level_chart, price_chart
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
    data = orjson.dumps({name: chart.values() for name, chart in charts.items()}).decode()
    scripts = [_inline(_plotly()), _inline(_own("report.js"))]
    body = "\n".join(sections(result, charts))
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">',
            f"<title>{escape(title_of(result))}</title>",
            f"<style>{_own('report.css')}</style>\n</head>\n<body>\n<main>",
            body,
            f'</main>\n<script type="application/json" id="charts">{data.replace("<", chr(92) + "u003c")}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body>\n</html>\n",
        ]
    )


# --- page --------------------------------------------------------------------------------------------


def _policy(scripts: Sequence[str]) -> str:
    """Nothing but what is inside: no request leaves, and only these very scripts run. plotly.js sets styles itself."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _inline(script: str) -> str:
    """A script that cannot end its own element early."""
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def _plotly() -> str:
    return files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")


def _own(name: str) -> str:
    return files("gridtide.reports").joinpath(name).read_text(encoding="utf-8")


def _charts(result: BacktestResult) -> dict[str, Chart]:
    """By the id of their place on the page."""
    charts = {"equity": equity_chart(result), "drawdown": drawdown_chart(result)}
    for number, market in enumerate(result.markets):
        charts[f"price-{number}"] = price_chart(result, market)
        charts[f"levels-{number}"] = level_chart(market)
    return charts
