"""What path and crossing index cost: built at memory speed, asked in about a microsecond, small beside the data.

A year of minutes is real, where the data stands beside the repository; twenty million trades are a seeded walk.
"""

from __future__ import annotations

import tracemalloc
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gridtide.price_path.columns import CandleColumns, TradeColumns
from gridtide.price_path.crossing import CrossingIndex
from gridtide.price_path.path import path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

YEAR = Path(__file__).parents[2].parent / "shared" / "data" / "candles" / "BTCUSDT-1m-2021.parquet"
TRADES = 20_000_000
Columns = CandleColumns | TradeColumns


@cache
def year_of_floats() -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    if not YEAR.exists():
        pytest.skip(f"{YEAR.name} is not beside the repository")
    duckdb = pytest.importorskip("duckdb")
    rows = duckdb.connect().execute(
        "SELECT epoch_ms(timestamp) AS timestamp, open, high, low, close, volume FROM read_parquet(?)",
        [str(YEAR)],
    )
    return {name: np.asarray(values) for name, values in rows.fetchnumpy().items()}


@cache
def year() -> CandleColumns:
    rows = year_of_floats()
    prices = (rows["open"], rows["high"], rows["low"], rows["close"])
    return CandleColumns.of_floats(rows["timestamp"].astype(np.int64), prices, rows["volume"], 60_000)


@cache
def trades() -> TradeColumns:
    steps = np.random.default_rng(1).choice([-120, 0, 0, 0, 120], TRADES)
    ones = np.ones(TRADES, np.int64)
    times = np.arange(TRADES, dtype=np.int64) * 1500
    prices = np.abs(4_000_000 + np.cumsum(steps)) + 1
    return TradeColumns(times, prices, ones, ones.astype(np.int8), times, 2, 5)


SOURCES = pytest.mark.parametrize("source", [year, trades])


def build(columns: Columns) -> CrossingIndex:
    return CrossingIndex(path_of(columns))


def megabytes_of(columns: Columns) -> float:
    """Memory that path and index take while they are built, above the columns."""
    tracemalloc.start()
    build(columns)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


@SOURCES
def test_path_and_index(benchmark: BenchmarkFixture, source: Callable[[], Columns]) -> None:
    """Aim: 10 ms and 40 MB for a year of minutes, 60 ms for twenty million trades."""
    index = benchmark.pedantic(build, (source(),), rounds=15, warmup_rounds=2)  # type: ignore[no-untyped-call]  # untyped there
    benchmark.extra_info["points"] = len(index.path)
    benchmark.extra_info["megabytes"] = megabytes_of(source())
    assert benchmark.extra_info["megabytes"] < 40


def visits(index: CrossingIndex, step: float) -> int:
    """Jump from one level of a grid to the next, as a backtest does; returns how often."""
    place: int | None = 0
    count = 0
    while place is not None:
        price = int(index.path.prices[place])
        place = index.next_touch(place, int(price * (1 - step)), int(price * (1 + step)))
        count += 1
    return count


@SOURCES
def test_the_next_touch(benchmark: BenchmarkFixture, source: Callable[[], Columns]) -> None:
    """Aim: under 3 µs each, asked from Python one by one, however long the walk is."""
    step = 0.015 if source is year else 0.002
    index = build(source())
    benchmark.extra_info["touches"] = visits(index, step)
    benchmark.pedantic(visits, (index, step), rounds=15, warmup_rounds=2)  # type: ignore[no-untyped-call]  # untyped there


def test_columns_of_a_year_of_floats(benchmark: BenchmarkFixture) -> None:
    """Floats of a file as exact integers."""
    rows = year_of_floats()
    prices = (rows["open"], rows["high"], rows["low"], rows["close"])
    times = rows["timestamp"].astype(np.int64)
    benchmark(CandleColumns.of_floats, times, prices, rows["volume"], 60_000)
