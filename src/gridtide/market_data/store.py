"""The three layers as one: memory over Parquet files over a database, where there is one.

What the files lack and the database has comes back into the files by itself; the database is written behind them.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.domain.candle import Candle
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.market_data.block import block_of_candles
from gridtide.market_data.disk_layer import DiskLayer, FileKey, pages_of
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.memory_layer import MemoryLayer
from gridtide.market_data.parquet_file import Part
from gridtide.market_data.series import Series, Span, without
from gridtide.ports.candle_shelf import CandleRun, CandleSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gridtide.market_data.block import Block
    from gridtide.ports.candle_shelf import CandleShelf

MEMORY_BYTES = 256 * 1024 * 1024
"""About ten years of minutes."""


class MarketStore:
    """What is known of all markets' past."""

    def __init__(
        self, folder: Path, shelf: CandleShelf | None = None, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self.disk = DiskLayer(folder, MemoryLayer[FileKey](memory_bytes))
        self._shelf = shelf

    def parts(self, series: Series, span: Span) -> tuple[Part, ...]:
        """Which of that time is there, and who gave it. The database is asked where the files do not have it all."""
        found = self.disk.parts(series, span)
        if self._recall(series, without(span, (part.span for part in found))):
            return self.disk.parts(series, span)
        return found

    def missing(self, series: Series, span: Span) -> tuple[Span, ...]:
        """What of that time nobody has given yet."""
        return without(span, (part.span for part in self.parts(series, span)))

    def rows(self, series: Series, span: Span) -> Block:
        """The rows of that time, as far as they are there."""
        self.parts(series, span)
        return self.disk.rows(series, span)

    def add(self, series: Series, parts: Sequence[Part], block: Block, *, repairs: bool = False) -> None:
        """Store the rows of some parts, on the disk when this returns (see `DiskLayer.add`)."""
        self.disk.add(series, parts, block, repairs=repairs)

    def shelve(self, series: Series, span: Span) -> None:
        """Put into the database what it does not have of that time. Market trades stay in files."""
        if self._shelf is None or series.kind is FileKind.TRADES:
            return
        candles = _set_of(series)
        runs = self._shelf.runs(candles)
        for part in self.disk.parts(series, span):
            known = (Span(run.start, run.end) for run in runs if run.origin == part.origin)
            for rest in without(part.span, known):
                for page in pages_of(series, rest):
                    piece = rest.clipped(page.span)
                    rows = list(candles_of(self.disk.rows(series, piece)))
                    self._shelf.put(candles, CandleRun(piece.start, piece.end, part.origin), rows)

    def _recall(self, series: Series, spans: tuple[Span, ...]) -> bool:
        """Fill the files from the database; True where there was something."""
        if self._shelf is None or series.kind is FileKind.TRADES or not spans:
            return False
        candles, found = _set_of(series), False
        for run in self._shelf.runs(candles):
            for span in spans:
                piece = span.clipped(Span(run.start, run.end))
                if not piece.is_empty:
                    rows = block_of_candles(self._shelf.read(candles, *piece))
                    self.disk.add(series, [Part(piece, run.origin)], rows, repairs=True)
                    found = True
        return found


def _set_of(series: Series) -> CandleSet:
    return CandleSet(series.exchange, series.symbol, series.timeframe)


def candles_of(block: Block) -> Iterator[Candle]:
    """The rows as candles, every number the exchange's own decimal."""
    columns = [
        block.columns[name].tolist() for name in ("timestamp", "open", "high", "low", "close", "volume")
    ]
    for timestamp, *numbers in zip(*columns, strict=True):
        first, high, low, close, volume = (Decimal(repr(number)) for number in numbers)
        yield Candle(
            Timestamp(timestamp), Price(first), Price(high), Price(low), Price(close), Amount(volume)
        )
