"""Candles in a database: every digit comes back, runs join, and a store without files fills itself from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from gridtide.domain.candle import Candle
from gridtide.domain.errors import StorageFailed
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.market_data.block import block_of_candles
from gridtide.market_data.parquet_file import Part
from gridtide.market_data.series import Series, Span
from gridtide.market_data.store import MarketStore
from gridtide.ports.candle_shelf import CandleRun, CandleSet
from gridtide.storage.candle_shelf import SqlCandleShelf, open_candle_shelf
from gridtide.storage.database import open_database

MINUTE = 60_000
START = 1_609_459_200_000
BITCOIN = CandleSet("binance", Symbol("BTC/USDT"), "1m")
SERIES = Series("binance", Symbol("BTC/USDT"), "1m")
D = Decimal


def candle(minute: int, price: str = "28923.63") -> Candle:
    return Candle(
        Timestamp(START + minute * MINUTE),
        Price(D(price)),
        Price(D(price) + 2),
        Price(D("0.00000001")),
        Price(D(price)),
        Amount(D("123456789.12345678")),
    )


def run(first: int, count: int, origin: str = "binance api") -> CandleRun:
    return CandleRun(START + first * MINUTE, START + (first + count) * MINUTE, origin)


def span(first: int, count: int) -> Span:
    return Span(START + first * MINUTE, START + (first + count) * MINUTE)


@pytest.fixture
def shelf(url: str) -> Iterator[SqlCandleShelf]:
    opened = open_candle_shelf(url)
    yield opened
    opened.close()


def test_every_digit_comes_back(shelf: SqlCandleShelf) -> None:
    rows = [candle(0), candle(1, "0.1"), candle(2, "68999.99999999")]
    shelf.put(BITCOIN, run(0, 3), rows)
    assert shelf.read(BITCOIN, *span(0, 3)) == rows
    assert shelf.read(BITCOIN, *span(1, 1)) == rows[1:2]
    assert shelf.read(CandleSet("kraken", Symbol("BTC/USDT"), "1m"), *span(0, 3)) == []


def test_runs_of_one_origin_join_and_stand_for_empty_times_too(shelf: SqlCandleShelf) -> None:
    shelf.put(BITCOIN, run(0, 2), [candle(0), candle(1)])
    shelf.put(BITCOIN, run(5, 2), [candle(5)])
    shelf.put(BITCOIN, run(1, 4), [])
    shelf.put(BITCOIN, run(3, 1, "trades"), [])
    assert shelf.runs(BITCOIN) == (run(0, 7), run(3, 1, "trades"))
    assert [row.timestamp for row in shelf.read(BITCOIN, *span(0, 10))] == [START, START + 5 * MINUTE]


def test_putting_twice_changes_nothing(shelf: SqlCandleShelf) -> None:
    for _ in range(2):
        shelf.put(BITCOIN, run(0, 2), [candle(0), candle(1)])
    assert len(shelf.read(BITCOIN, *span(0, 2))) == 2
    assert shelf.runs(BITCOIN) == (run(0, 2),)


def test_a_store_puts_its_candles_there_and_gets_them_back(shelf: SqlCandleShelf, tmp_path: Path) -> None:
    """The files are lost: the next store has the candles, their origins and their gap from the database."""
    rows = block_of_candles([Candle(*values) for values in stored_values()])
    first = MarketStore(tmp_path / "first", shelf)
    first.add(SERIES, [Part(span(0, 10), "binance api")], rows)
    first.shelve(SERIES, span(0, 10))
    first.shelve(SERIES, span(0, 10))
    second = MarketStore(tmp_path / "second", shelf)
    assert second.missing(SERIES, span(0, 12)) == (span(10, 2),)
    assert second.rows(SERIES, span(0, 10)).checksum() == rows.checksum()
    assert [part.origin for part in second.parts(SERIES, span(0, 10))] == ["binance api"]
    assert len(list((tmp_path / "second").rglob("*.parquet"))) == 1


def stored_values() -> Iterator[tuple[Timestamp, Price, Price, Price, Price, Amount]]:
    """Numbers of at most 15 digits, which a file gives back exactly; minutes 4 and 5 are missing."""
    for minute in (0, 1, 2, 3, 6, 7, 8, 9):
        low, high = Price(D("28913.12")), Price(D("28961.66"))
        yield Timestamp(START + minute * MINUTE), low, high, low, high, Amount(D("27.457032"))


def test_a_run_and_its_candles_are_stored_together_or_not_at_all(file_url: str) -> None:
    shelf = open_candle_shelf(file_url, busy_timeout_seconds=0.1)
    with pytest.raises(StorageFailed), other_writer(file_url):
        shelf.put(BITCOIN, run(0, 1), [candle(0)])
    assert (shelf.runs(BITCOIN), shelf.read(BITCOIN, *span(0, 1))) == ((), [])
    shelf.close()


@contextmanager
def other_writer(url: str) -> Iterator[None]:
    """Keeps the database to itself."""
    with closing(open_database(url)) as database, database.transaction():
        yield


def test_without_timescale_the_candles_are_a_plain_table(postgres_url: str) -> None:
    shelf = open_candle_shelf(postgres_url)
    assert not shelf.is_hypertable
    shelf.close()


def test_with_timescale_the_candles_become_a_hypertable(postgres_url: str) -> None:
    """With what they hold already; opening again changes nothing."""
    database = open_database(postgres_url)
    with database.transaction() as connection:
        query = "SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'"
        is_there = connection.scalar(text(query))
    database.close()
    if not is_there:
        pytest.skip("this PostgreSQL has no TimescaleDB")
    shelf = open_candle_shelf(postgres_url)
    shelf.put(BITCOIN, run(0, 1), [candle(0)])
    shelf.close()
    database = open_database(postgres_url)
    with database.transaction() as connection:
        connection.execute(text("CREATE EXTENSION timescaledb"))
    database.close()
    for _ in range(2):
        shelf = open_candle_shelf(postgres_url)
        assert shelf.is_hypertable
        assert shelf.read(BITCOIN, *span(0, 1)) == [candle(0)]
        shelf.close()
