"""`gridtide report`: what saved runs found, one by itself or several side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gridtide.cli.options import Json

Folders = Annotated[
    list[Path], Parameter(name="FOLDER", help="The folder of a saved run; several are put side by side.")
]
Html = Annotated[
    Path | None,
    Parameter(name="--html", help="Write an interactive report into one file that opens in any browser."),
]
Png = Annotated[Path | None, Parameter(name="--png", help="Write a picture, for a chat.")]
Csv = Annotated[
    Path | None,
    Parameter(name="--csv", help="Write fills, round trips, levels and the curve into this folder, as CSV."),
]


def report(
    folders: Folders, /, *, html: Html = None, png: Png = None, csv: Csv = None, json: Json = False
) -> None:
    """Show a saved run, or compare several: every figure, the best of each marked, and the settings that differ.

    Nothing is played again: the folders hold what the backtests found. Files are written for one run at a time. Of a
    study that optimize or walk-forward wrote, --html makes the report.

    For example:
      gridtide report runs/wide
      gridtide report runs/wide runs/narrow
      gridtide report runs/wide --html wide.html --png wide.png
      gridtide report .gridtide/studies/grid-3333a829 --html study.html
    """
    from gridtide.cli import reporting
    from gridtide.cli.output import print_json, warn
    from gridtide.reports.comparison import compare

    if any(map(reporting.is_study, folders)):
        reporting.report_study(folders, html, others=png or csv, json=json)
        return
    runs = reporting.load_all(folders)
    written = reporting.write_files(runs, html, png, csv)
    comparison = compare(runs)
    if json:
        print_json(comparison.values() | {"written": [str(path) for path in written]})
        return
    reporting.show(comparison)
    for path in written:
        warn(f"written: {path}")
