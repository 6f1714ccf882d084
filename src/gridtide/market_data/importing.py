"""Candles and market trades that somebody else downloaded: freqtrade's folders, plain CSV and Parquet files.

Only runs without a gap count as complete: what an import lacks a later download asks for.
"""

from __future__ import annotations

import gzip
import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import orjson

from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.market_data.block import Block, make_block
from gridtide.market_data.column_checks import require_sound
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.frames import columns_of_frame
from gridtide.market_data.known_markets import symbol_of_name
from gridtide.market_data.load import read_file
from gridtide.market_data.parquet_file import Part
from gridtide.market_data.series import TRADES, Series, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gridtide.market_data.store import MarketStore

    Columns = dict[str, NDArray[Any]]

IMPORTED = "import "
"""Begins the origin of what was imported."""
_TIMEFRAME = re.compile(r"-(\d+[smhdw]|(?:agg)?trades)(?=[-.]|$)")
_NO_SPOT = re.compile(r"-(futures|mark|index|premiumIndex|funding_rate)\b")
_CANDLES = ("timestamp", "open", "high", "low", "close", "volume")
_TRADES = ("timestamp", "id", "type", "side", "price", "amount", "cost")
"""The columns of freqtrade's JSON files, in their order (its data/history/datahandlers/jsondatahandler.py)."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What was taken over and what was left."""

    rows: dict[Series, int]
    files: int
    notes: tuple[str, ...]


def import_files(
    store: MarketStore,
    source: Path,
    exchange: str,
    now: int,
    on_file: Callable[[int, int], None] = lambda *_: None,
) -> ImportReport:
    """Take over a file, or every file below a folder whose name tells its market and timeframe.

    What is stored already stays as it is. A candle that is not over at `now` (ms) is left out. A file that cannot be
    used is named in `notes`; if none can, `DataUnusable` is raised. `on_file` hears how many of how many are done.
    """
    paths = [source] if source.is_file() else sorted(_usable(source))
    rows: dict[Series, int] = {}
    notes: list[str] = []
    for number, path in enumerate(paths):
        try:
            series, block = read_series(path, exchange, now)
        except InvalidInput as error:
            notes.append(str(error))
        else:
            _store(store, series, block, origin=f"{IMPORTED}{path.name}")
            rows[series] = rows.get(series, 0) + len(block)
        on_file(number + 1, len(paths))
    if not rows:
        why = f" ({notes[0]})" if notes else ""
        raise DataUnusable(
            f"{source} holds nothing that can be imported{why}: name a folder of freqtrade's data, or of Parquet, "
            "CSV, JSON or Feather files called like BTCUSDT-1m.parquet or BTC_USDT-1m.feather"
        )
    return ImportReport(rows, len(paths) - len(notes), tuple(notes))


def read_series(path: Path, exchange: str, now: int) -> tuple[Series, Block]:
    """One file: whose data it holds, by its name, and the rows that are over at `now`, sorted, each once.

    Market trades of the file's last millisecond are left out: there may have been more of them.

    Raises `InvalidInput` for a name that tells no spot market and `DataUnusable` for bad rows.
    """
    series = _series_of(path, exchange)
    kind, columns = _reader_of(path)(path)
    if kind is not series.kind:
        raise DataUnusable(f"{path.name} holds {kind}, but its name says {series.kind}: rename it")
    block = make_block(kind, columns)
    require_sound(block, f"{path.name}: its")
    return series, block.within(Span(0, _end_of(block, series, now)))


def _end_of(block: Block, series: Series, now: int) -> int:
    if block.kind is FileKind.TRADES:
        return int(block.timestamps[-1]) if len(block) else 0
    return now - series.step_ms + 1


def _store(store: MarketStore, series: Series, block: Block, origin: str) -> None:
    parts = [Part(span, origin) for span in runs_of(block, series.step_ms)]
    store.add(series, parts, block, repairs=True)


def runs_of(block: Block, step_ms: int) -> Iterator[Span]:
    """The times of candles that follow each other without a gap; for market trades from the first to the last."""
    if not len(block):
        return
    times = block.timestamps
    if block.kind is FileKind.TRADES:
        yield Span(int(times[0]), int(times[-1]) + 1)
        return
    ends = np.flatnonzero(np.diff(times) >= 2 * step_ms)
    starts = [0, *(int(end) + 1 for end in ends)]
    for start, end in zip(starts, [*(int(end) for end in ends), len(times) - 1], strict=True):
        yield Span(int(times[start]), int(times[end]) + step_ms)


def without_import_gaps(missing: Sequence[Span], parts: Sequence[Part]) -> tuple[Span, ...]:
    """The times of `missing` that do not lie between two imported `parts`: what an import lacks in its midst nobody
    promised, it is a gap of the data like any other."""
    starts = {part.span.start for part in parts if part.origin.startswith(IMPORTED)}
    ends = {part.span.end for part in parts if part.origin.startswith(IMPORTED)}
    return tuple(span for span in missing if span.start not in ends or span.end not in starts)


# --- files -------------------------------------------------------------------------------------------


def _usable(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise InvalidInput(f"there is no file and no folder {folder}: check the path")
    for path in folder.rglob("[!.]*"):
        if path.is_file() and _ending(path) in _READERS and _TIMEFRAME.search(path.name):
            yield path


def _ending(path: Path) -> str:
    return ".json.gz" if path.name.endswith(".json.gz") else path.suffix.lower()


def _series_of(path: Path, exchange: str) -> Series:
    if _NO_SPOT.search(path.name):
        raise InvalidInput(f"{path.name} is not of a spot market: left out")
    found = _TIMEFRAME.search(path.name)
    if found is None:
        raise InvalidInput(f"the name of {path.name} tells no timeframe: rename it like BTCUSDT-1m.parquet")
    timeframe = TRADES if found[1].endswith("trades") else found[1]
    return Series(exchange, symbol_of_name(path.name), timeframe)


def _reader_of(path: Path) -> Callable[[Path], tuple[FileKind, Columns]]:
    reader = _READERS.get(_ending(path))
    if reader is None:
        raise InvalidInput(f"{path.name} is none of {', '.join(_READERS)}: convert it to one of them")
    return reader


def _read_csv(path: Path) -> tuple[FileKind, Columns]:
    return read_file(path)


def _read_parquet(path: Path) -> tuple[FileKind, Columns]:
    """Also with the column `date` in place of `timestamp`, as freqtrade writes it."""
    with duckdb.connect() as connection:
        try:
            connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
            found = connection.fetchnumpy()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].strip()
            raise DataUnusable(f"{path.name} cannot be read ({reason}): fetch it again") from None
    return columns_of_frame(found)


def _read_json(path: Path) -> tuple[FileKind, Columns]:
    """A list of rows without names, as freqtrade writes it: candles have 6 values, market trades 7."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        rows = orjson.loads(content)
        names = _TRADES if rows and len(rows[0]) == len(_TRADES) else _CANDLES
        columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise DataUnusable(f"{path.name} cannot be read ({type(error).__name__}): fetch it again") from None
    return columns_of_frame({name: list(values) for name, values in columns.items()})


def _read_feather(path: Path) -> tuple[FileKind, Columns]:
    """Arrow's own library reads it; DuckDB cannot, and neither can pandas without it."""
    try:
        feather = importlib.import_module("pyarrow.feather")
    except ModuleNotFoundError:
        raise InvalidInput(
            f"{path.name} is a Feather file, which needs the library pyarrow: nothing of it was imported; "
            "install pyarrow beside gridtide and import again"
        ) from None
    try:
        table = feather.read_table(str(path), memory_map=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataUnusable(f"{path.name} cannot be read ({reason}): fetch it again") from None
    return columns_of_frame({name: table.column(name).to_numpy() for name in table.column_names})


_READERS: dict[str, Callable[[Path], tuple[FileKind, Columns]]] = {
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".json": _read_json,
    ".json.gz": _read_json,
    ".feather": _read_feather,
}
