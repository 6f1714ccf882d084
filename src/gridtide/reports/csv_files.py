"""Tables as CSV, for spreadsheets: money as exact text, times as ms UTC and beside them as a person reads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide.domain.money import plain
from gridtide.reports.joined import TABLES, joined_curves, joined_table
from gridtide.reports.table import Table
from gridtide.reports.whole_file import write_whole

if TYPE_CHECKING:
    from gridtide.reports.backtest_result import BacktestResult

_TIMES = {"time", "times", "opened_at", "closed_at"}


def write_csv(result: BacktestResult, folder: Path | str) -> tuple[Path, ...]:
    """Write fills.csv, round_trips.csv, level_profits.csv and curve.csv, and return where. Raises `StorageFailed`."""
    tables = {name: joined_table(result, name) for name in TABLES}
    curves = {name: values.tolist() for name, values in joined_curves(result).items()}
    tables["curve"] = Table("curve", curves)
    written = []
    for name, table in tables.items():
        path = Path(folder) / f"{name}.csv"
        write_whole(path, csv_text(table).encode())
        written.append(path)
    return tuple(written)


def csv_text(table: Table) -> str:
    """The table with its names in the first line; what is None stays empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list(_columns(table))
    writer.writerow([name for name, _ in columns])
    writer.writerows(zip(*(values for _, values in columns), strict=True))
    return text.getvalue()


def _columns(table: Table) -> Iterator[tuple[str, Sequence[str]]]:
    for name in table.columns:
        values = table[name]
        yield name, [_text(value) for value in values]
        if name in _TIMES:
            yield f"{name}_utc", [_moment(value) for value in values]


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case _:
            return str(value)


def _moment(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")[:23]
