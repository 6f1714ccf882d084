"""The second layer: Parquet files under a data folder, one for each month of candles or day of market trades.

``FOLDER/binance/BTC-USDT/1m/BTCUSDT-1m-2021-01.parquet``; each is also a market file as `open_market` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gridtide.market_data.block import Block, empty_block, joined
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.memory_layer import MemoryLayer
from gridtide.market_data.parquet_file import (
    Contents,
    Part,
    read_contents,
    read_parts,
    write_contents,
)
from gridtide.market_data.series import Series, Span, days_of, merged, months_of, without
from gridtide.market_data.series_lock import writing_in

_END_OF_TIME = 2**62

FileKey = tuple[str, int, int, int]
"""Path, inode, time of change and size: another file under the same name is another key."""


@dataclass(frozen=True, slots=True)
class Page:
    """The time that one file is for."""

    name: str
    span: Span


class DiskLayer:
    """The files of all series, and the memory above them."""

    def __init__(self, folder: Path, memory: MemoryLayer[FileKey]) -> None:
        self.folder = folder
        self._memory = memory

    def parts(self, series: Series, span: Span) -> tuple[Part, ...]:
        """Which of that time is there, in order, and who gave it."""
        found = [
            Part(part.span.clipped(span), part.origin)
            for _, path in self._files(series, span)
            for part in read_parts(path)
        ]
        return tuple(sorted((part for part in found if not part.span.is_empty), key=lambda part: part.span))

    def rows(self, series: Series, span: Span) -> Block:
        """The rows of that time, as far as they are there."""
        blocks = [self._block(series, path).within(span) for _, path in self._files(series, span)]
        return joined(series.kind, blocks)

    def add(self, series: Series, parts: Sequence[Part], block: Block, *, repairs: bool = False) -> None:
        """Store the rows of some parts, on the disk when this returns. They take the place of what was there in that
        time; with `repairs` they only fill in what was missing."""
        if not parts:
            return
        hull = Span(min(part.span.start for part in parts), max(part.span.end for part in parts))
        folder = self.folder_of(series)
        with writing_in(folder):
            for page in pages_of(series, hull):
                pieces = tuple(Part(part.span.clipped(page.span), part.origin) for part in parts)
                pieces = tuple(piece for piece in pieces if not piece.span.is_empty)
                if pieces:
                    self._write(series, folder / page.name, pieces, block, repairs=repairs)

    def folder_of(self, series: Series) -> Path:
        """Where the files of a series stand."""
        return self.folder / series.exchange / series.symbol.replace("/", "-") / series.timeframe

    def _files(self, series: Series, span: Span) -> Iterator[tuple[Page, Path]]:
        folder = self.folder_of(series)
        for page in pages_of(series, span):
            path = folder / page.name
            if path.exists():
                yield page, path

    def _block(self, series: Series, path: Path) -> Block:
        found = path.stat()
        key = (str(path), found.st_ino, found.st_mtime_ns, found.st_size)
        block = self._memory.get(key)
        if block is None:
            block = read_contents(path, series.kind).block
            self._memory.put(key, block)
        return block

    def _write(
        self, series: Series, path: Path, parts: tuple[Part, ...], block: Block, *, repairs: bool
    ) -> None:
        former = read_contents(path, series.kind) if path.exists() else _nothing(series.kind)
        spans = merged(part.span for part in parts)
        pieces = [block.within(span) for span in spans]
        if repairs:
            blocks = [*pieces, former.block]  # of two rows for one time the later one counts
        else:
            kept = without(Span(0, _END_OF_TIME), spans)
            blocks = [*(former.block.within(span) for span in kept), *pieces]
        contents = Contents(joined(series.kind, blocks), _parts_with(former.parts, parts))
        write_contents(path, contents)


def _nothing(kind: FileKind) -> Contents:
    return Contents(empty_block(kind), ())


def _parts_with(former: tuple[Part, ...], added: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of each origin as few as possible; where two cover one time both stay named."""
    by_origin: dict[str, list[Span]] = {}
    for each in (*former, *added):
        by_origin.setdefault(each.origin, []).append(each.span)
    parts = (Part(span, origin) for origin, spans in by_origin.items() for span in merged(spans))
    return tuple(sorted(parts, key=lambda each: (each.span, each.origin)))


def pages_of(series: Series, span: Span) -> Iterator[Page]:
    """The files that a time lies in, in order."""
    is_daily = series.kind is FileKind.TRADES
    pattern = "%Y-%m-%d" if is_daily else "%Y-%m"
    for whole in days_of(span) if is_daily else months_of(span):
        text = datetime.fromtimestamp(whole.start / 1000, UTC).strftime(pattern)
        yield Page(f"{series.code}-{series.timeframe}-{text}.parquet", whole)
