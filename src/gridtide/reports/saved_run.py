"""A whole result as a folder: Parquet for what is long, `result.json` for every figure, and where they came from.

A folder is a whole result or not there: it is written beside its place and renamed. What does not fit its own
checksums is refused, never read.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import orjson

from gridtide.domain.errors import DataUnusable, InvalidInput, StorageFailed
from gridtide.reports.backtest_result import BacktestResult, BaselineResult, EquityCurve, MarketResult
from gridtide.reports.joined import (
    CURVE_COLUMNS,
    TABLES,
    baseline_column,
    joined_curves,
    joined_table,
    price_column,
)
from gridtide.reports.result_json import decode, encode
from gridtide.reports.table import Table
from gridtide.reports.table_files import database, read_arrays, read_table, write_arrays, write_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FORMAT = 1
"""Rises when an older gridtide could not read the folder any more."""
FIGURES = "result.json"
_KIND = "gridtide backtest"
_CURVE = "curve.parquet"
_UNFINISHED = ".unfinished"
_REPLACED = ".replaced"


def save_run(result: BacktestResult, folder: Path | str) -> None:
    """Write `result` into `folder`; a result saved there before is replaced.

    Files: `result.json`, `curve.parquet` (a row each moment; baselines and prices as further columns), and
    `fills.parquet`, `round_trips.parquet`, `level_profits.parquet` with the bot's name in their first column. Raises
    `InvalidInput` for a folder that holds something else, `StorageFailed` where it cannot be written.
    """
    target = Path(folder).absolute()
    refuse_other_folders(target)
    try:
        with _in_place_of(target) as unfinished, database() as connection:
            columns = {
                name: write_table(connection, joined_table(result, name), unfinished / f"{name}.parquet")
                for name in TABLES
            }
            write_arrays(connection, joined_curves(result), unfinished / _CURVE)
            checksums = {path.name: _checksum(path) for path in sorted(unfinished.iterdir())}
            figures = _figures(result, columns, checksums)
            (unfinished / FIGURES).write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    except (OSError, duckdb.Error) as error:
        raise StorageFailed(
            f"{target} could not be written ({_first_line(error)}): what was there is untouched; free some space or "
            "change its rights, then save again"
        ) from None


def load_run(folder: Path | str) -> BacktestResult:
    """The result saved in `folder`, equal to the one that was saved.

    Raises `InvalidInput` for a folder that is none or was written by a newer gridtide, `DataUnusable` for a damaged
    one.
    """
    place = Path(folder)
    figures = _read_figures(place)
    try:
        for name, checksum in figures["files"].items():
            if _checksum(place / Path(name).name) != checksum:
                raise ValueError(f"{name} is not the file that was saved")
        with database() as connection:
            arrays = read_arrays(connection, place / _CURVE)
            tables = {
                name: read_table(connection, title, place / f"{name}.parquet", figures["columns"][name])
                for name, title in TABLES.items()
            }
        return _result(figures, arrays, tables)
    except (OSError, duckdb.Error, LookupError, TypeError, ValueError, AttributeError) as error:
        raise DataUnusable(
            f"{place} is damaged ({_first_line(error)}): it was left as it is; run the backtest again"
        ) from None


def is_saved_run(folder: Path) -> bool:
    """Whether `folder` says of itself that it is one."""
    try:
        return bool(orjson.loads((folder / FIGURES).read_bytes())["kind"] == _KIND)
    except (OSError, ValueError, LookupError, TypeError):
        return False


# --- writing -----------------------------------------------------------------------------------------


def _figures(
    result: BacktestResult, columns: Mapping[str, Mapping[str, str]], checksums: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "kind": _KIND,
        "format": FORMAT,
        "version": result.version,
        "config_hash": result.config_hash,
        "data_checksum": result.data_checksum,
        "summary": result.summary(),
        "result": encode(result),
        "markets": [encode(market) for market in result.markets],
        "baselines": [encode(baseline) for baseline in result.baselines],
        "columns": columns,
        "files": checksums,
    }


def refuse_other_folders(target: Path) -> None:
    """Raises `InvalidInput` where `target` is something else than a saved run or an empty folder."""
    is_in_the_way = target.exists() and not (target.is_dir() and not any(target.iterdir()))
    if is_in_the_way and not is_saved_run(target):
        raise InvalidInput(
            f"{target} is there and is no saved run: it was left as it is; give a folder that does not exist yet"
        )


@contextmanager
def _in_place_of(target: Path) -> Iterator[Path]:
    """A folder that takes the place of `target` when it is whole; else `target` stays as it was."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}{_UNFINISHED}")
    replaced = unfinished.with_suffix(_REPLACED)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        yield unfinished
        for path in (*unfinished.iterdir(), unfinished):
            _flush(path)
        if is_saved_run(target):
            target.rename(replaced)
        unfinished.replace(target)
        _flush(target.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        if replaced.exists() and not target.exists():
            replaced.rename(target)
        shutil.rmtree(replaced, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- reading -----------------------------------------------------------------------------------------


def _read_figures(folder: Path) -> Mapping[str, Any]:
    if not is_saved_run(folder):
        raise InvalidInput(
            f"{folder} is no saved run (it has no {FIGURES} of a backtest): give a folder that a backtest was saved in"
        )
    found: dict[str, Any] = orjson.loads((folder / FIGURES).read_bytes())
    if not isinstance(found.get("format"), int) or found["format"] > FORMAT:
        raise InvalidInput(
            f"{folder} was saved by a newer gridtide ({found.get('version')}): it was left as it is; update gridtide "
            "to read it"
        )
    return found


def _result(
    figures: Mapping[str, Any], arrays: Mapping[str, Floats], tables: Mapping[str, Table]
) -> BacktestResult:
    markets = tuple(
        _market(found, arrays[price_column(number)], tables)
        for number, found in enumerate(figures["markets"])
    )
    baselines = tuple(
        decode(BaselineResult, found, curve=arrays[baseline_column(found["name"])])
        for found in figures["baselines"]
    )
    curve = EquityCurve(*(arrays[name] for name in CURVE_COLUMNS))  # type: ignore[arg-type]  # times are integers
    return decode(BacktestResult, figures["result"], markets=markets, baselines=baselines, curve=curve)


def _market(found: Mapping[str, Any], prices: Floats, tables: Mapping[str, Table]) -> MarketResult:
    own = {name: _own(tables[name], found["bot"]) for name in TABLES}
    return decode(MarketResult, found, prices=prices, **own)


def _own(table: Table, bot: str) -> Table:
    rows = [row for row, name in enumerate(table["bot"]) if name == bot]
    columns = {name: table[name] for name in table.columns if name != "bot"}
    return Table(table.name, {name: [values[row] for row in rows] for name, values in columns.items()})


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
