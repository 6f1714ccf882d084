"""Market data as columns for a backtest, from whatever holds them: a file, a folder, a dict of arrays, a data frame.

All are held to the same rules as files that are played, and nothing is made up for what is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.domain.candle import timeframe_seconds
from gridtide.domain.errors import DataUnusable, InvalidValue
from gridtide.market_data.block import TYPES, Block, make_block
from gridtide.market_data.checksums import data_checksum
from gridtide.market_data.column_checks import require_rows
from gridtide.market_data.file_table import COLUMNS, FileKind, FileTable
from gridtide.market_data.frames import columns_of_frame, is_frame
from gridtide.market_data.gaps import GapPolicy, MissingCandles, find_missing, refuse_gaps
from gridtide.market_data.known_markets import symbol_of_name
from gridtide.market_data.parquet_file import is_stored, read_contents
from gridtide.market_data.series import END_OF_TIME, TRADES, WHOLE, Series, Span, time_text
from gridtide.price_path.columns import CandleColumns, TradeColumns
from gridtide.price_path.units import MOST_PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gridtide.domain.market import Symbol

MINUTE_MS = 60_000
_PRICE_ERROR = 1e-4
"""By how much of itself a price may be rounded: a tenth of a usual fee."""
_QUIET_MS = 3_600_000
"""So long nobody may trade without the data of market trades being short."""
_SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True, slots=True)
class LoadedData:
    """Market data, checked, with what a result says of them."""

    name: str
    """The file or folder, or what kind of thing it was."""
    symbol: Symbol | None
    """Where the name tells it."""
    columns: CandleColumns | TradeColumns
    checksum: str
    gaps: tuple[MissingCandles, ...]
    """Where candles are missing; always empty for market trades."""
    notes: tuple[str, ...] = ()
    """Where the data do not reach as far as was asked for."""


def load_columns(
    source: Any, *, timeframe: str | None = None, span: Span = WHOLE
) -> CandleColumns | TradeColumns:
    """The columns of `source` alone; see `load_market_data`."""
    return load_market_data(source, timeframe=timeframe, span=span).columns


def load_market_data(
    source: Any,
    *,
    timeframe: str | None = None,
    span: Span = WHOLE,
    gaps: GapPolicy = GapPolicy.KEEP,
) -> LoadedData:
    """Candles or market trades from `source`, those that lie in `span` (ms).

    `source`: a Parquet or CSV file; a folder of such files, as the disk layer makes them; a dict of arrays; a pandas
    or Polars frame. `timeframe` (``1m``) where the most frequent distance of the candles is not to be trusted.
    Raises `DataUnusable` for the first row that breaks a rule, and for gaps with `GapPolicy.REFUSE`; nothing can be
    repaired here.
    """
    name, symbol, kind, arrays = _read(source)
    require_rows(kind, arrays, name)
    block = make_block(kind, arrays).within(span)
    return loaded_block(block, name, symbol, timeframe=timeframe, gaps=gaps, asked=span)


def loaded_block(
    block: Block,
    name: str,
    symbol: Symbol | None,
    *,
    timeframe: str | None = None,
    gaps: GapPolicy = GapPolicy.KEEP,
    asked: Span = WHOLE,
) -> LoadedData:
    """Rows that are known to be sound, such as those of a store, as data for a backtest. `asked`: the time they are
    meant to be of."""
    if not len(block):
        raise DataUnusable(
            f"{name} holds no {block.kind} of that time: download them, or choose another time"
        )
    timeframe_ms = _timeframe_ms(block, timeframe, name)
    _refuse_finer_prices(block, name)
    try:
        columns = _columns(block, timeframe_ms)
    except InvalidValue as error:
        raise DataUnusable(f"{name}: {error}") from None
    found = find_missing(block.timestamps, timeframe_ms) if block.kind is FileKind.CANDLES else ()
    if gaps is not GapPolicy.KEEP:
        refuse_gaps(found, name)
    notes = tuple(_ends(block, asked, timeframe_ms if block.kind is FileKind.CANDLES else _QUIET_MS))
    return LoadedData(name, symbol, columns, data_checksum(columns), found, notes)


def loaded_series(
    block: Block, series: Series, gaps: GapPolicy = GapPolicy.KEEP, asked: Span = WHOLE
) -> LoadedData:
    """The rows of a store; raises `DataUnusable` where there are none."""
    timeframe = None if series.kind is FileKind.TRADES else series.timeframe
    return loaded_block(block, str(series), series.symbol, timeframe=timeframe, gaps=gaps, asked=asked)


def _ends(block: Block, asked: Span, slack_ms: int) -> Iterator[str]:
    """What a result has to say where the data begin later, or end earlier, than was asked for."""
    first, last = int(block.timestamps[0]), int(block.timestamps[-1])
    if asked.start > 0 and first >= asked.start + slack_ms:
        yield f"asked for was the time from {time_text(asked.start)} on, the data begin {time_text(first)}"
    if asked.end < END_OF_TIME and last + 2 * slack_ms <= asked.end:
        yield f"asked for was the time to {time_text(asked.end)}, the data end {time_text(last + slack_ms)}"


def read_file(path: Path) -> tuple[FileKind, dict[str, NDArray[Any]]]:
    """The columns of one Parquet or CSV file in the order of its rows, unchecked; NaN for what is no number."""
    table = FileTable(path)
    found = table.columns(_selected(table))
    return table.kind, {name: np.asarray(_filled(found[name])) for name in TYPES[table.kind]}


# --- reading -----------------------------------------------------------------------------------------


def _read(source: Any) -> tuple[str, Symbol | None, FileKind, dict[str, NDArray[Any]]]:
    if isinstance(source, str | PathLike):
        path = Path(source)
        kind, arrays = _read_folder(path) if path.is_dir() else read_file(path)
        return path.name, _symbol_of(path), kind, arrays
    if is_frame(source):
        kind, arrays = columns_of_frame(source)
        return f"the {type(source).__name__}", None, kind, arrays
    raise DataUnusable(
        f"a {type(source).__name__} is no market data: give a file, a folder, a dict of arrays or a data frame"
    )


def _read_folder(folder: Path) -> tuple[FileKind, dict[str, NDArray[Any]]]:
    """All files of a folder, one after the other by name; they must be of one market and one kind."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.name[0] != ".")
    if not paths:
        raise DataUnusable(
            f"{folder} holds no Parquet and no CSV file: name the folder of one market's candles"
        )
    stems = {re.split(r"-\d{4}(?:-\d\d)*", path.stem)[0] for path in paths}
    if len(stems) > 1:
        raise DataUnusable(
            f"{folder} holds data of several markets ({', '.join(sorted(stems))}): name one file"
        )
    parts = [_read_part(path) for path in paths]
    kind = parts[0][0]
    return kind, {name: np.concatenate([arrays[name] for _, arrays in parts]) for name in TYPES[kind]}


def _read_part(path: Path) -> tuple[FileKind, dict[str, NDArray[Any]]]:
    """A file of a data folder is held to its checksum, and read several times faster than any other."""
    if path.suffix == ".parquet" and is_stored(path):
        kind = FileKind.TRADES if f"-{TRADES}-" in path.name else FileKind.CANDLES
        return kind, dict(read_contents(path, kind).block.columns)
    return read_file(path)


def _selected(table: FileTable) -> str:
    """SQL for our columns in our types."""
    numbers = [name for name in COLUMNS[table.kind] if name not in {"timestamp", "side"}]
    selected = [f"{table.timestamp()} AS timestamp", *(f"{table.number(name)} AS {name}" for name in numbers)]
    if table.kind is FileKind.TRADES:
        selected.append("CASE lower(side) WHEN 'buy' THEN 1 WHEN 'sell' THEN -1 ELSE 0 END::TINYINT AS taker")
        selected.append(f"coalesce({table.identity()}, 0) AS id")
    return ", ".join(selected)


def _filled(column: Any) -> NDArray[Any]:
    """DuckDB gives a masked array where a value is NULL, which is no time and no number."""
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    if column.dtype.kind == "f":
        return np.asarray(column.filled(np.nan))
    if column.dtype.kind == "i" and np.ma.is_masked(column):
        raise DataUnusable("timestamp is no time: give integer milliseconds UTC or a timestamp type")
    return np.asarray(column.data)


def _symbol_of(path: Path) -> Symbol | None:
    """By the name, or for a folder of the disk layer by the files in it."""
    names = [path.name] if not path.is_dir() else sorted(each.name for each in path.iterdir())
    for name in names:
        try:
            return symbol_of_name(name)
        except DataUnusable:
            continue
    return None


# --- turning -----------------------------------------------------------------------------------------


def _timeframe_ms(block: Block, timeframe: str | None, name: str) -> int:
    """The one that is named, the most frequent distance, or for a single candle the one in the file's name."""
    if timeframe is not None:
        return timeframe_seconds(timeframe) * 1000
    if len(block) > 1 and block.kind is FileKind.CANDLES:
        distances, counts = np.unique(np.diff(block.timestamps), return_counts=True)
        return int(distances[np.argmax(counts)])
    match = re.search(r"[-_.](\d+[smhdw])[-_.]", f"{name}.")
    return timeframe_seconds(match[1]) * 1000 if match else MINUTE_MS


def _refuse_finer_prices(block: Block, name: str) -> None:
    """Raise `DataUnusable` where 8 decimals would make other prices of these, or none at all."""
    for column in ("price",) if block.kind is FileKind.TRADES else ("open", "high", "low", "close"):
        prices = block.columns[column]
        if prices.min() * _PRICE_ERROR >= 10.0**-MOST_PLACES / 2:
            continue
        if (np.abs(np.round(prices, MOST_PLACES) - prices) > prices * _PRICE_ERROR).any():
            raise DataUnusable(
                f"{name}: {column} needs more than {MOST_PLACES} decimals, without which it would be another price: "
                "multiply the prices by 1000 and divide the amounts by it"
            )


def _columns(block: Block, timeframe_ms: int) -> CandleColumns | TradeColumns:
    of = block.columns
    if block.kind is FileKind.TRADES:
        return TradeColumns.of_floats(of["timestamp"], of["price"], of["amount"], of["taker"], of["id"])
    prices = (of["open"], of["high"], of["low"], of["close"])
    return CandleColumns.of_floats(of["timestamp"], prices, of["volume"], timeframe_ms)
