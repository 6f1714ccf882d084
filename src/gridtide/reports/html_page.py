"""A page in one file that asks nobody for anything: styles, scripts and data are inside.

Its own policy lets no other script run and no request out.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from gridtide.reports.chart_figures import Chart


def html_page(title: str, body: Iterable[str], charts: Mapping[str, Chart]) -> str:
    """The page: `body` is HTML whose texts are escaped already; `charts` by the ids of their places in it.

    It holds plotly.js from the installed package, so it has about 5 MB whatever it shows.
    """
    data = orjson.dumps({name: chart.values() for name, chart in charts.items()}).decode()
    scripts = [_inline(_plotly()), _inline(_own("report.js"))]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title>",
            f"<style>{_own('report.css')}</style>\n</head>\n<body>\n<main>",
            *body,
            f'</main>\n<script type="application/json" id="charts">{data.replace("<", chr(92) + "u003c")}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body>\n</html>\n",
        ]
    )


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
