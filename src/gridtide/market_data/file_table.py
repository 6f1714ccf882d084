"""A Parquet or CSV file as a table of the columns we need, streamed through DuckDB row by row.

Nothing is fetched from a network and nothing is written: the file is the only thing that is read.
"""

# ruff: noqa: S608 - the SQL is built from our own column names; the path is a parameter

from __future__ import annotations

import re
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import duckdb

from gridtide.domain.errors import DataUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READERS = {".parquet": "read_parquet(?)", ".csv": "read_csv(?, header = true, sample_size = -1)"}
_BATCH = 1024
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_file_cache": False,
}

_SESSION = "SET enable_progress_bar = false; SET streaming_buffer_size = '64KB'"
"""A progress bar would write into the output of `--json`; a small buffer keeps memory low."""


class FileKind(StrEnum):
    """What the rows of a file are."""

    CANDLES = "candles"
    TRADES = "market trades"


COLUMNS = {
    FileKind.CANDLES: ("timestamp", "open", "high", "low", "close", "volume"),
    FileKind.TRADES: ("timestamp", "price", "amount", "side"),
}


_NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?(_[0-9]+)?")
"""A value in the place of a column's name; a second equal one gets a number behind it."""

_OTHER_NAMES = {
    "timestamp": ("open_time", "opentime", "open time", "time", "date", "datetime", "ts", "unix", "t"),
    "open": ("open_price", "o"),
    "high": ("high_price", "h"),
    "low": ("low_price", "l"),
    "close": ("close_price", "c"),
    "volume": ("vol", "base_volume", "v"),
    "price": ("p",),
    "amount": ("qty", "quantity", "size", "q"),
    "side": ("taker_side", "direction"),
}
"""What exchanges and other programs call the same columns, in lower case."""


class FileTable:
    """The file and what it says of its columns. Raises `DataUnusable` where it is not what we need."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = _reader_of(path)
        self._database = duckdb.connect(config=_SETTINGS)
        described = self.query("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {file})")
        self._types = {str(name).lower(): str(type_) for name, type_ in described}
        self.kind = self._kind()

    def _kind(self) -> FileKind:
        for kind, columns in COLUMNS.items():
            if all(column in self._types for column in columns):
                return kind
        kind = FileKind.TRADES if "price" in self._types else FileKind.CANDLES
        missing = [column for column in COLUMNS[kind] if column not in self._types]
        raise DataUnusable(
            f"{self.path.name} lacks the column {', '.join(missing)}: {kind} need {', '.join(COLUMNS[kind])}; "
            f"it has {', '.join(self._types) or 'none'}: {_remedy(kind, missing, list(self._types))}"
        )

    def timestamp(self) -> str:
        """SQL for the timestamp in ms; NULL where it is none."""
        type_ = self._types["timestamp"]
        if type_.endswith("INT") or type_ == "INTEGER":
            return "timestamp::BIGINT"
        if type_ in {"DOUBLE", "FLOAT"} or type_.startswith("DECIMAL"):
            return "TRY_CAST(timestamp AS BIGINT)"
        if type_ == "TIMESTAMP WITH TIME ZONE":
            return "epoch_ms(timestamp)"
        return "epoch_ms(TRY_CAST(timestamp AS TIMESTAMP))"

    def number(self, column: str) -> str:
        """SQL for a number, for comparing: a double, NULL where it is none."""
        return f"TRY_CAST({column} AS DOUBLE)"

    def exact(self, column: str) -> str:
        """SQL for a number, for reading: a float as it is, anything else as its text."""
        is_float = self._types[column] in {"DOUBLE", "FLOAT"}
        return column if is_float else f"CAST({column} AS VARCHAR)"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query over ``{file}``."""
        with self._reading(sql) as connection:
            return connection.fetchall()

    def identity(self) -> str:
        """SQL for a market trade's id; NULL where it has none."""
        return "TRY_CAST(id AS BIGINT)" if "id" in self._types else "NULL::BIGINT"

    def columns(self, selected: str) -> dict[str, Any]:
        """The whole file as NumPy arrays, by the names of `selected`; masked arrays where there are NULLs."""
        with self._reading(f"SELECT {selected} FROM {{file}}") as connection:
            return connection.fetchnumpy()

    def rows(self, start: int) -> Iterator[tuple[Any, ...]]:
        """The rows from number `start` on: timestamp in ms, numbers as float or text, side as text; for market trades
        then their id, or NULL."""
        columns = [
            self.timestamp() if name == "timestamp" else name if name == "side" else self.exact(name)
            for name in COLUMNS[self.kind]
        ]
        if self.kind is FileKind.TRADES:
            columns.append(self.identity())
        with self._reading(f"SELECT {', '.join(columns)} FROM {{file}} OFFSET {int(start)}") as connection:
            while batch := connection.fetchmany(_BATCH):
                yield from batch

    @contextmanager
    def _reading(self, sql: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor with the query started; damage may show as late as in the last row."""
        with self._database.cursor() as cursor:
            cursor.execute(_SESSION)
            try:
                yield cursor.execute(sql.format(file=self._reader), [str(self.path)])
            except duckdb.Error as error:
                raise DataUnusable(
                    f"{self.path.name} cannot be read ({str(error).splitlines()[0].strip()}): "
                    "it is damaged or not what its name says; fetch it again"
                ) from None


def _remedy(kind: FileKind, missing: list[str], seen: list[str]) -> str:
    """What to do about missing columns: name them, or rename those that others call otherwise."""
    if seen and all(_NUMBER.fullmatch(name) for name in seen):
        names = ",".join(COLUMNS[kind])
        return f"its first line holds numbers and no names, so put a line of names above it, such as {names}"
    renamed = [
        f"{name} to {column}"
        for column in missing
        if (name := next((other for other in _OTHER_NAMES[column] if other in seen), None))
    ]
    return f"rename {', '.join(renamed)}" if renamed else "rename or add what is missing"


def _reader_of(path: Path) -> str:
    if not path.exists():
        raise DataUnusable(f"there is no file {path}: check the path")
    if not path.is_file():
        raise DataUnusable(f"{path} is not a file: name one Parquet or CSV file")
    reader = _READERS.get(path.suffix.lower())
    if path.suffix.lower() in (".json", ".feather"):
        raise DataUnusable(
            f"{path.name} is neither .parquet nor .csv: take it over with `gridtide download --import {path}`, which "
            "stores it as Parquet"
        )
    if path.name.endswith(".jsonl.gz"):
        raise DataUnusable(
            f"{path.name} is a recorded order book, which only the sandbox plays: give candles or market trades"
        )
    if reader is None:
        raise DataUnusable(
            f"{path.name} is neither .parquet nor .csv nor a capture (.jsonl.gz): convert it to one of them"
        )
    if path.stat().st_size == 0:
        raise DataUnusable(f"{path.name} is empty: fetch it again")
    return reader
