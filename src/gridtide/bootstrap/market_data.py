"""The composition root of market data: which store, which exchange and which archive the settings mean."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.config.settings import Mode
from gridtide.domain.errors import InvalidInput
from gridtide.exchanges.ccxt_candles import CcxtCandleSource
from gridtide.exchanges.connection import ExchangeConnection
from gridtide.market_data.api_supplier import ApiSupplier
from gridtide.market_data.archive import ArchiveSupplier
from gridtide.market_data.download import Download, DownloadReport, Progress, Wanted
from gridtide.market_data.from_trades import TradesSupplier
from gridtide.market_data.gaps import GapPolicy
from gridtide.market_data.importing import ImportReport, import_files, without_import_gaps
from gridtide.market_data.load import LoadedData, loaded_series
from gridtide.market_data.series import TRADES, Series, Span, time_text
from gridtide.market_data.store import MarketStore
from gridtide.storage.candle_shelf import open_candle_shelf

if TYPE_CHECKING:
    from gridtide.config.data import DataSettings
    from gridtide.config.settings import AppSettings
    from gridtide.domain.market import Symbol
    from gridtide.market_data.supplier import Supplier

_ARCHIVED_EXCHANGE = "binance"
_BYTES_IN_A_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DataWish:
    """What somebody wants to have downloaded."""

    symbol: Symbol
    timeframe: str
    """``1m``, …, or ``trades``."""
    span: Span
    from_archive: bool = False
    gaps: GapPolicy | None = None
    """None: as the settings say."""
    folder: Path | None = None
    """None: as the settings say."""


def series_for(settings: AppSettings, symbol: Symbol, timeframe: str) -> Series:
    """The series of the exchange that the settings name; data of a sandbox stand apart from the real exchange's."""
    name = settings.exchange.name
    return Series(f"{name}-sandbox" if _is_sandbox(settings) else name, symbol, timeframe)


@contextmanager
def open_store(settings: DataSettings, folder: Path | None = None) -> Iterator[MarketStore]:
    """The data folder, with the database behind it where there is one."""
    shelf = open_candle_shelf(settings.database) if settings.database is not None else None
    try:
        yield MarketStore(folder or settings.folder, shelf, settings.memory_mb * _BYTES_IN_A_MB)
    finally:
        if shelf is not None:
            shelf.close()


def stored_data(
    store: MarketStore,
    series: Series,
    span: Span,
    gaps: GapPolicy = GapPolicy.KEEP,
    *,
    to_its_end: bool = False,
) -> LoadedData:
    """What the store has of that time, for a backtest; with `to_its_end` up to the last moment that is stored.

    Gaps within what was imported count as gaps of the data. Raises `InvalidInput` where it was not all downloaded.
    """
    if to_its_end:
        span = Span(
            span.start, max((part.span.end for part in store.parts(series, span)), default=span.start)
        )
        if span.is_empty:
            raise _not_downloaded(series, f"{time_text(span.start)} on")
    if missing := without_import_gaps(store.missing(series, span), store.parts(series, span)):
        raise _not_downloaded(series, str(missing[0]))
    return loaded_series(store.rows(series, span), series, gaps, span)


def _not_downloaded(series: Series, when: str) -> InvalidInput:
    what = "--trades" if series.timeframe == TRADES else f"--timeframe {series.timeframe}"
    return InvalidInput(
        f"the {series} from {when} are not downloaded: run `gridtide download {series.symbol} {what}` for that time, "
        "or name files with --data"
    )


async def download_data(
    settings: AppSettings, wish: DataWish, on_progress: Callable[[Progress], None] = lambda _: None
) -> DownloadReport:
    """Bring what is missing into the store and tell what is there. Only public data is read: no key is used."""
    series = series_for(settings, wish.symbol, wish.timeframe)
    wanted = Wanted(series, wish.span, wish.gaps or GapPolicy(settings.data.gaps))
    async with AsyncExitStack() as stack:
        store = stack.enter_context(open_store(settings.data, wish.folder))
        suppliers, repairers = _suppliers(settings, wish.from_archive)
        for supplier in (*suppliers, *repairers):
            stack.push_async_callback(supplier.close)
        return await Download(store, wanted, suppliers, repairers, now=_now(), on_progress=on_progress).run()


def import_data(
    settings: AppSettings, source: Path, folder: Path | None, on_file: Callable[[int, int], None]
) -> ImportReport:
    """Take over what somebody else downloaded from the settings' exchange."""
    with open_store(settings.data, folder) as store:
        return import_files(store, source, settings.exchange.name, _now(), on_file)


def _suppliers(settings: AppSettings, from_archive: bool) -> tuple[list[Supplier], list[Supplier]]:
    """Who is asked for everything, and who for gaps."""
    api = ApiSupplier(CcxtCandleSource(_public_connection(settings)))
    has_archive = settings.exchange.name == _ARCHIVED_EXCHANGE and not _is_sandbox(settings)
    if from_archive and not has_archive:
        raise InvalidInput(
            f"there is a bulk archive for {_ARCHIVED_EXCHANGE} itself only: leave --from-archive out"
        )
    if not has_archive:
        return [api], [TradesSupplier(api)]
    archive = ArchiveSupplier(settings.data.archive, now=_now)
    suppliers: list[Supplier] = [archive, api] if from_archive else [api]
    others: list[Supplier] = [api] if from_archive else [archive]
    return suppliers, [*others, TradesSupplier(archive), TradesSupplier(api)]


def _public_connection(settings: AppSettings) -> ExchangeConnection:
    """Without a key: the sandbox whose address is given, else the real exchange, whatever is traded on."""
    if _is_sandbox(settings):
        return ExchangeConnection(
            settings.exchange.name, "sandbox", rest_url=settings.exchange.rest_url or ""
        )
    return ExchangeConnection(settings.exchange.name, "live")


def _is_sandbox(settings: AppSettings) -> bool:
    return settings.mode is Mode.SANDBOX and bool(settings.exchange.rest_url)


def _now() -> int:
    return round(time.time() * 1000)
