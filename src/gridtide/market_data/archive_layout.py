"""Where the exchange's public bulk archive keeps what, and how a row of its files reads.

``data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2021-01.zip``, one CSV file in each, and beside it ``.CHECKSUM`` with
its SHA-256 (the archive's own README, github.com/binance/binance-public-data). From 2025 on its times of spot data
are microseconds.
"""

# ruff: noqa: S608 - the SQL is built from our own column names; the path is a parameter

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from gridtide.domain.errors import DataUnusable
from gridtide.market_data.block import Block, make_block
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.series import Series, Span, days_of, months_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_MICROSECONDS = 100_000_000_000_000
"""Times above it are microseconds: as milliseconds they would be in the year 5138."""
_CANDLES = ("open_time", "open", "high", "low", "close", "volume")
_TRADES = ("id", "price", "amount", "first_id", "last_id", "time", "is_buyer_maker")
_SELECTED = {
    FileKind.CANDLES: "{time} AS timestamp, open, high, low, close, volume",
    FileKind.TRADES: "{time} AS timestamp, price, amount, "
    "CASE WHEN lower(is_buyer_maker) = 'true' THEN -1 ELSE 1 END::TINYINT AS taker, id",
}
_NUMBERS = {"open_time": "BIGINT", "time": "BIGINT", "id": "BIGINT", "is_buyer_maker": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One zip of the archive, by its path below the archive's address, and the time it is for."""

    path: str
    span: Span

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def monthly_files(series: Series, span: Span) -> Iterator[ArchiveFile]:
    """The files for whole months that `span` touches. Market trades have too many rows for that: none."""
    if series.kind is FileKind.CANDLES:
        yield from _files(series, "monthly", "%Y-%m", months_of(span))


def daily_files(series: Series, span: Span) -> Iterator[ArchiveFile]:
    """The files for the days that `span` touches."""
    return _files(series, "daily", "%Y-%m-%d", days_of(span))


def _files(series: Series, period: str, pattern: str, spans: Iterable[Span]) -> Iterator[ArchiveFile]:
    code = series.code
    what = "aggTrades" if series.kind is FileKind.TRADES else series.timeframe
    folder = f"aggTrades/{code}" if series.kind is FileKind.TRADES else f"klines/{code}/{series.timeframe}"
    for span in spans:
        day = datetime.fromtimestamp(span.start / 1000, UTC).strftime(pattern)
        yield ArchiveFile(f"data/spot/{period}/{folder}/{code}-{what}-{day}.zip", span)


def read_csv(path: Path, kind: FileKind, file_name: str) -> Block:
    """The rows of an unzipped file; `file_name` is what to call it. Raises `DataUnusable` where they are not what the
    archive's files hold."""
    columns = _CANDLES if kind is FileKind.CANDLES else _TRADES
    time = "open_time" if kind is FileKind.CANDLES else "time"
    milliseconds = f"CASE WHEN {time} > {_MICROSECONDS} THEN {time} // 1000 ELSE {time} END"
    values = ", ".join(f"{name}::{_NUMBERS.get(name, 'DOUBLE')} AS {name}" for name in columns)
    try:
        with duckdb.connect() as connection:
            found = connection.execute(
                f"SELECT {_SELECTED[kind].format(time=milliseconds)} FROM (SELECT {values} FROM "
                "read_csv(?, columns = ?, header = false, auto_detect = false, delim = ',', quote = '', skip = ?))",
                [str(path), _all_columns(path, columns), _header_lines(path)],
            ).fetchnumpy()
        return make_block(kind, {column: np.asarray(values) for column, values in found.items()})
    except (duckdb.Error, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0].strip()
        raise DataUnusable(
            f"{file_name} is not what the archive's files are ({reason}): nothing of it was stored"
        ) from None


def _header_lines(path: Path) -> int:
    """How many lines of names stand above the numbers: one in some files, none in most."""
    with path.open("rb") as file:
        return 0 if file.read(1).isdigit() else 1


def _all_columns(path: Path, known: tuple[str, ...]) -> dict[str, str]:
    """Every column as text, those we do not need under their number."""
    with path.open("rb") as file:
        count = file.readline().count(b",") + 1
    return {
        known[at] if at < len(known) else f"column_{at}": "VARCHAR" for at in range(max(count, len(known)))
    }
