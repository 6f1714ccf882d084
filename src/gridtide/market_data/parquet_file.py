"""One Parquet file of a series: its rows, and in its metadata which time it covers, from where, and their checksum.

A file is whole or not there: it is written beside its place, flushed, and renamed. A file whose rows do not fit
their checksum is refused, never read.
"""

# ruff: noqa: S608 - the SQL is built from our own column names; paths are parameters or quoted

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson

from gridtide.domain.errors import DataUnusable, StorageFailed
from gridtide.market_data.block import TYPES, Block, make_block
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.series import Span

UNFINISHED = ".unfinished"
_METADATA = "gridtide"
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_file_cache": False,
}
_SIDES = {1: "buy", -1: "sell"}
_TIME = "epoch_ms(timestamp) AS timestamp"
_READ = {
    FileKind.CANDLES: f"{_TIME}, open, high, low, close, volume",
    FileKind.TRADES: f"{_TIME}, price, amount, CASE side WHEN 'buy' THEN 1 ELSE -1 END::TINYINT AS taker, id",
}
_WRITTEN = {
    FileKind.CANDLES: "make_timestamp_ms(timestamp)::TIMESTAMP_MS AS timestamp, open, high, low, close, volume",
    FileKind.TRADES: "make_timestamp_ms(timestamp)::TIMESTAMP_MS AS timestamp, price, amount, "
    "CASE taker WHEN 1 THEN 'buy' ELSE 'sell' END AS side, id",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A time whose rows are all there, and who gave them."""

    span: Span
    origin: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds."""

    block: Block
    parts: tuple[Part, ...]


def is_stored(path: Path) -> bool:
    """Whether it is a file of a data folder, and not somebody else's Parquet file."""
    try:
        _metadata(path)
    except DataUnusable:
        return False
    return True


def read_parts(path: Path) -> tuple[Part, ...]:
    """Only the metadata: which time the file covers. Raises `DataUnusable` for a file that is not ours."""
    return _parts(path, _metadata(path))


def read_contents(path: Path, kind: FileKind) -> Contents:
    """Everything. Raises `DataUnusable` for a damaged file."""
    told = _metadata(path)
    with _reading(path) as connection:
        found = connection.execute(f"SELECT {_READ[kind]} FROM read_parquet(?)", [str(path)]).fetchnumpy()
    block = make_block(kind, {name: np.asarray(column) for name, column in found.items()})
    if block.checksum() != told.get("sha256"):
        raise _damaged(path, "its rows do not fit their checksum")
    return Contents(block, _parts(path, told))


def _metadata(path: Path) -> Mapping[str, Any]:
    with _reading(path) as connection:
        rows = connection.execute(
            "SELECT value FROM parquet_kv_metadata(?) WHERE key = ?::BLOB", [str(path), _METADATA]
        ).fetchall()
    try:
        told = orjson.loads(rows[0][0])
        return {"parts": told["parts"], "sha256": told["sha256"]}
    except (IndexError, KeyError, TypeError, orjson.JSONDecodeError):
        raise _damaged(path, "it was not written by gridtide") from None


def _parts(path: Path, told: Mapping[str, Any]) -> tuple[Part, ...]:
    try:
        return tuple(Part(Span(int(start), int(end)), str(origin)) for start, end, origin in told["parts"])
    except (TypeError, ValueError):
        raise _damaged(path, "its metadata cannot be read") from None


@contextmanager
def _reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with _database().cursor() as cursor:
            yield cursor
    except duckdb.Error as error:
        raise _damaged(path, str(error).splitlines()[0].strip()) from None


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for the process, in memory: opening one takes longer than reading a month of minutes."""
    database = duckdb.connect(config=_SETTINGS)
    database.execute("SET enable_progress_bar = false")
    return database


def _damaged(path: Path, why: str) -> DataUnusable:
    return DataUnusable(f"{path} cannot be used ({why}): it was left as it is; remove it and download again")


def write_contents(path: Path, contents: Contents) -> None:
    """Put the file in its place, whole and on the disk; the caller holds the folder's lock.

    What a killed writer left behind is taken away. Raises `StorageFailed`; the file then is as it was before.
    """
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    try:
        for left in path.parent.glob(f".*{UNFINISHED}"):
            left.unlink()
        _copy(contents, unfinished)
        _flush(unfinished, os.O_RDONLY)
        unfinished.replace(path)
        _flush(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except (OSError, duckdb.Error) as error:
        reason = str(error).splitlines()[0].strip()
        raise StorageFailed(
            f"{path} could not be written ({reason}): what was stored before is untouched; free some space or "
            "change its rights, then run the same command again"
        ) from None


def _copy(contents: Contents, target: Path) -> None:
    block = contents.block
    told = orjson.dumps(
        {
            "parts": [[*part.span, part.origin] for part in contents.parts],
            "sha256": block.checksum(),
        }
    ).decode()
    with _database().cursor() as connection:
        rows = {name: block.columns[name] for name in TYPES[block.kind]}
        connection.register("rows", rows)
        connection.execute(
            f"COPY (SELECT {_WRITTEN[block.kind]} FROM rows) TO {_quoted(str(target))} "
            f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{_METADATA}: {_quoted(told)}}})"
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
