"""Fills the store with a market's past: asks only for what is not there, keeps what it got whatever happens next.

Run twice, the second run asks nobody for anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from gridtide.domain.errors import RateLimited, Transient
from gridtide.market_data.block import empty_block, joined
from gridtide.market_data.column_checks import require_sound
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.gaps import GapPolicy, MissingCandles, find_missing, refuse_gaps
from gridtide.market_data.load import loaded_series
from gridtide.market_data.parquet_file import Part
from gridtide.market_data.series import Series, Span, merged, without
from gridtide.market_data.supplier import Delivery

if TYPE_CHECKING:
    from gridtide.market_data.store import MarketStore
    from gridtide.market_data.supplier import Supplier

NOTHING = ", nothing"
"""Behind the name of a repairer that had nothing for a gap, so that it is not asked again."""
_FLUSH_SECONDS = 2.0
_FLUSH_ROWS = 100_000
"""What a killed run loses at most: it is asked for again."""
_FAILURES = 5
"""So many times in a row without a row between them, then the person decides."""
_FIRST_PAUSE_SECONDS = 1.0
_MAY_STILL_COME_MS = 3 * 86_400_000
"""Archives publish a day late; what they do not have of older times they are not asked for again."""
_LONGEST_WAIT_SECONDS = 120.0
"""An exchange that asks to wait longer is not waited for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is. `done` and `total` are milliseconds of the market's time that were missing."""

    done: int
    total: int
    rows: int


@dataclass(frozen=True, slots=True)
class DownloadReport:
    """What is there now, of the time that was asked for."""

    series: Series
    span: Span
    rows: int
    new_rows: int
    parts: tuple[Part, ...]
    not_given: tuple[Span, ...]
    """Nobody gave this time: not over yet, or not to be had."""
    gaps: tuple[MissingCandles, ...]
    """Where there are no candles, of the time that was given."""
    notes: tuple[str, ...]
    checksum: str
    """Of the rows that are there, as a backtest over them states it; empty where there are none."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be downloaded, and how."""

    series: Series
    span: Span
    gaps: GapPolicy = GapPolicy.KEEP


Listener = Callable[[Progress], None]
Sleep = Callable[[float], Awaitable[None]]


class Download:
    """One download into `store`. `suppliers` are asked in their order, each for what the ones before did not have;
    `repairers` only for gaps, and only with `GapPolicy.REPAIR`. `now` (ms) bounds what can be asked for."""

    def __init__(
        self,
        store: MarketStore,
        wanted: Wanted,
        suppliers: Sequence[Supplier],
        repairers: Sequence[Supplier] = (),
        *,
        now: int,
        on_progress: Listener = lambda _: None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._store = store
        self._series, self._policy, self._now = wanted.series, wanted.gaps, now
        over = now // self._series.step_ms * self._series.step_ms
        self._span = Span(wanted.span.start, max(wanted.span.start, min(wanted.span.end, over)))
        self._suppliers, self._repairers = suppliers, repairers
        self._on_progress = on_progress
        self._sleep = sleep
        self._pieces = store.missing(self._series, self._span)
        self._progress = Progress(0, sum(piece.end - piece.start for piece in self._pieces), 0)

    async def run(self) -> DownloadReport:
        """Fetch, repair, put into the database. Raises what the last supplier could not mend; what came before is
        stored. Raises `DataUnusable` for gaps with `GapPolicy.REFUSE`, everything being stored."""
        began = time.monotonic()
        for supplier in self._suppliers:
            with _Keeper(self._store, self._series, supplier.name) as keeper:
                for piece in self._store.missing(self._series, self._span):
                    await self._take(supplier, piece, keeper)
        if self._policy is GapPolicy.REPAIR:
            await self._repair()
        self._store.shelve(self._series, self._span)
        report = self._report(time.monotonic() - began)
        if self._policy is GapPolicy.REFUSE:
            refuse_gaps(report.gaps, str(self._series))
        return report

    async def _repair(self) -> None:
        """Ask for each gap whoever was not asked yet; where nobody has anything it stays a gap."""
        for repairer in self._repairers:
            gaps = self._gaps()
            parts = self._store.disk.parts(self._series, self._span)
            asked = [part.span for part in parts if part.origin.removesuffix(NOTHING) == repairer.name]
            with _Keeper(self._store, self._series, repairer.name, repairs=True) as keeper:
                for piece in (rest for gap in gaps for rest in without(gap.span, asked)):
                    await self._take(repairer, piece, keeper)
                    if piece.end < self._now - _MAY_STILL_COME_MS:
                        keeper.take(Delivery(Span(keeper.end, piece.end), empty_block(self._series.kind)))

    async def _take(self, supplier: Supplier, piece: Span, keeper: _Keeper) -> None:
        """Everything the supplier has of a time; what passes is waited out."""
        failures, cursor = 0, piece.start
        while cursor < piece.end:
            keeper.end = cursor
            try:
                await self._receive(supplier, Span(cursor, piece.end), keeper)
                return
            except Transient as error:
                failures = 1 if keeper.end > cursor else failures + 1
                cursor = keeper.end
                if failures >= _FAILURES or _asks_for_too_much(error):
                    raise
                await self._sleep(_pause(error, failures))

    async def _receive(self, supplier: Supplier, piece: Span, keeper: _Keeper) -> None:
        async with aclosing(supplier.deliver(self._series, piece)) as deliveries:
            async for delivery in deliveries:
                keeper.take(delivery)
                self._tell(delivery)

    def _tell(self, delivery: Delivery) -> None:
        before = Span(0, delivery.span.end)
        done = sum(max(0, piece.clipped(before).end - piece.start) for piece in self._pieces)
        former = self._progress
        self._progress = Progress(max(done, former.done), former.total, former.rows + len(delivery.block))
        self._on_progress(self._progress)

    def _gaps(self) -> tuple[MissingCandles, ...]:
        """In the time that somebody gave; the rest is not known to be a gap."""
        if self._series.kind is FileKind.TRADES:
            return ()
        given = merged(part.span for part in self._store.disk.parts(self._series, self._span))
        times = self._store.disk.rows(self._series, self._span)
        return tuple(
            gap
            for span in given
            for gap in find_missing(times.within(span).timestamps, self._series.step_ms, span)
        )

    def _report(self, seconds: float) -> DownloadReport:
        parts = self._store.disk.parts(self._series, self._span)
        rows = self._store.disk.rows(self._series, self._span)
        everybody = (*self._suppliers, *self._repairers)
        return DownloadReport(
            series=self._series,
            span=self._span,
            rows=len(rows),
            new_rows=self._progress.rows,
            parts=parts,
            not_given=without(self._span, (part.span for part in parts)),
            gaps=self._gaps(),
            notes=tuple(dict.fromkeys(note for each in everybody for note in each.notes)),
            checksum=loaded_series(rows, self._series).checksum if len(rows) else "",
            seconds=seconds,
        )


class _Keeper:
    """Collects deliveries and stores them now and then, because each storing writes whole files; all of them at its
    end, whatever ended it."""

    def __init__(self, store: MarketStore, series: Series, origin: str, *, repairs: bool = False) -> None:
        self.end = 0
        """Where the last delivery ended."""
        self._store, self._series, self._origin, self._repairs = store, series, origin, repairs
        self._deliveries: list[Delivery] = []
        self._flushed_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def take(self, delivery: Delivery) -> None:
        if delivery.span.is_empty:
            return
        require_sound(delivery.block, f"{self._origin} gave")
        self._deliveries.append(delivery)
        self.end = delivery.span.end
        rows = sum(len(each.block) for each in self._deliveries)
        is_time = time.monotonic() - self._flushed_at > _FLUSH_SECONDS
        if delivery.is_whole_file or rows >= _FLUSH_ROWS or is_time:
            self._flush()

    def _flush(self) -> None:
        """Store what was taken; what a repairer was asked for in vain says so."""
        deliveries, self._deliveries = self._deliveries, []
        parts = [Part(each.span, self._origin_of(each)) for each in deliveries]
        block = joined(self._series.kind, (each.block for each in deliveries))
        self._store.add(self._series, parts, block, repairs=self._repairs)
        self._flushed_at = time.monotonic()

    def _origin_of(self, delivery: Delivery) -> str:
        return self._origin + (NOTHING if self._repairs and not len(delivery.block) else "")


def _asks_for_too_much(error: Transient) -> bool:
    return isinstance(error, RateLimited) and (
        error.banned or error.retry_after_seconds > _LONGEST_WAIT_SECONDS
    )


def _pause(error: Transient, failures: int) -> float:
    if isinstance(error, RateLimited):
        return max(error.retry_after_seconds, _FIRST_PAUSE_SECONDS)
    return _FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1)
