"""What must hold of every row of a market file; one query finds the first row that breaks a rule."""

# ruff: noqa: S608 - the SQL is built from our own rules and column names

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.errors import DataUnusable
from gridtide.domain.market import Timestamp
from gridtide.market_data.file_table import COLUMNS, FileKind

if TYPE_CHECKING:
    from gridtide.market_data.file_table import FileTable

_EARLIEST_MS = 1_000_000_000_00
"""1973: smaller numbers are seconds."""
_LATEST_MS = 100_000_000_000_000
"""The year 5138: larger numbers are microseconds or nanoseconds."""

_CANDLE_RULES = {
    "least(open, high, low, close) <= 0": "a price is not above zero",
    "high < low": "high is below low",
    "open NOT BETWEEN low AND high": "open is not between low and high",
    "close NOT BETWEEN low AND high": "close is not between low and high",
    "volume < 0": "volume is negative",
    "timestamp <= earlier": "its time is not after the row before: sort the file and remove duplicates",
}
_TRADE_RULES = {
    "price <= 0": "price is not above zero",
    "amount <= 0": "amount is not above zero",
    "side IS NULL OR lower(side) NOT IN ('buy', 'sell')": "side is neither buy nor sell",
    "timestamp < earlier": "its time is before the row before: sort the file",
}
_TIME_RULES = {
    "timestamp IS NULL": "timestamp is no time: give integer milliseconds UTC or a timestamp type",
    f"timestamp < {_EARLIEST_MS}": "timestamp looks like seconds: give milliseconds",
    f"timestamp > {_LATEST_MS}": "timestamp looks like microseconds: give milliseconds",
}
RULES = {FileKind.CANDLES: _CANDLE_RULES, FileKind.TRADES: _TRADE_RULES}


class Extent(NamedTuple):
    """How many rows, from when to when (ms)."""

    rows: int
    first: Timestamp
    last: Timestamp


class Gap(NamedTuple):
    """Open times of two neighbouring candles between which others are missing, ms."""

    after: Timestamp
    before: Timestamp


def check_rows(table: FileTable) -> Extent:
    """Raise `DataUnusable` for the first bad row or an empty file; returns the extent."""
    found = table.query(
        f"SELECT row, problem FROM (SELECT *, CASE {_cases(table)} END AS problem FROM {_numbered(table)}) "
        "WHERE problem IS NOT NULL LIMIT 1"
    )
    if found:
        row, problem = found[0]
        raise DataUnusable(f"{table.path.name}, row {row}: {problem}; correct the file or fetch it again")
    ((rows, first, last),) = table.query(
        f"SELECT count(*), min({table.timestamp()}), max({table.timestamp()}) FROM {{file}}"
    )
    if not rows:
        raise DataUnusable(f"{table.path.name} holds no {table.kind}: fetch it again")
    return Extent(rows, Timestamp(first), Timestamp(last))


def _cases(table: FileTable) -> str:
    numbers = [name for name in COLUMNS[table.kind] if name not in {"timestamp", "side"}]
    not_numbers = {f"{name} IS NULL OR NOT isfinite({name})": f"{name} is not a number" for name in numbers}
    rules = _TIME_RULES | not_numbers | RULES[table.kind]
    return " ".join(f"WHEN {condition} THEN '{problem}'" for condition, problem in rules.items())


def _numbered(table: FileTable) -> str:
    """The rows with their number (from 1), the time of the row before, and every value in a type to compare."""
    values = [
        f"{name if name == 'side' else table.number(name)} AS {name}"
        for name in COLUMNS[table.kind]
        if name != "timestamp"
    ]
    timestamp = table.timestamp()
    return (
        f"(SELECT row_number() OVER () AS row, {timestamp} AS timestamp, lag({timestamp}) OVER () AS earlier, "
        f"{', '.join(values)} FROM {{file}})"
    )


def find_timeframe(table: FileTable) -> int | None:
    """The most frequent distance between candles in ms; None for a single candle."""
    ((timeframe,),) = table.query(f"SELECT mode(timestamp - earlier) FROM {_numbered(table)}")
    return None if timeframe is None else int(timeframe)


def find_gaps(table: FileTable, timeframe_ms: int) -> tuple[Gap, ...]:
    """Every place where candles are missing, in order."""
    found = table.query(
        f"SELECT earlier, timestamp FROM {_numbered(table)} WHERE timestamp - earlier > {int(timeframe_ms)}"
    )
    return tuple(Gap(Timestamp(earlier), Timestamp(later)) for earlier, later in found)
