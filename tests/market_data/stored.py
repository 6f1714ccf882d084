"""Stores, blocks and downloads for tests, in a folder of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from gridtide.domain.market import Symbol
from gridtide.market_data.block import Block, make_block
from gridtide.market_data.download import Download, DownloadReport, Wanted
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.gaps import GapPolicy
from gridtide.market_data.series import TRADES, Series, Span
from gridtide.market_data.store import MarketStore
from gridtide.market_data.supplier import Supplier

SYMBOL = Symbol("BTC/USDT")
CANDLES = Series("binance", SYMBOL, "1m")
MARKET_TRADES = Series("binance", SYMBOL, TRADES)
MINUTE = 60_000
DAY = 86_400_000
JANUARY = 1_609_459_200_000
"""2021-01-01."""
FEBRUARY = JANUARY + 31 * DAY
MARCH = FEBRUARY + 28 * DAY
NOW = JANUARY + 200 * DAY


def minutes(numbers: Iterable[int], start: int = JANUARY, price: float = 100.0) -> Block:
    """Candles of those minutes after `start`."""
    times = [start + number * MINUTE for number in numbers]
    one = [price] * len(times)
    columns = {
        "timestamp": times,
        "open": one,
        "high": [price + 2] * len(times),
        "low": [price - 1] * len(times),
        "close": [price + 1] * len(times),
        "volume": [12.5] * len(times),
    }
    return make_block(FileKind.CANDLES, columns)


def span_of(first: int, count: int, start: int = JANUARY) -> Span:
    """`count` minutes from minute `first` on."""
    return Span(start + first * MINUTE, start + (first + count) * MINUTE)


def opened(folder: Path) -> MarketStore:
    """A new store over a folder, as another process would see it."""
    return MarketStore(folder)


async def download(
    folder: Path,
    span: Span,
    *suppliers: Supplier,
    repairers: Sequence[Supplier] = (),
    gaps: GapPolicy = GapPolicy.KEEP,
    series: Series = CANDLES,
    now: int = NOW,
    store: MarketStore | None = None,
) -> DownloadReport:
    """One run over a folder; it waits for nothing."""
    return await Download(
        store or opened(folder),
        Wanted(series, span, gaps),
        suppliers,
        repairers,
        now=now,
        sleep=lambda _: asyncio.sleep(0),
    ).run()
