"""Candles in a database, digit by digit; a hypertable by months where TimescaleDB is installed, else a plain table.

What is put is one transaction: a run and its candles are both there, or neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, text

from gridtide.domain.candle import Candle
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.ports.candle_shelf import CandleRun
from gridtide.storage.candle_tables import CANDLE_RUNS, CANDLE_SERIES, CANDLES
from gridtide.storage.database import open_database
from gridtide.storage.schema import take_turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from gridtide.ports.candle_shelf import CandleSet
    from gridtide.storage.database import Database

_CHUNK_MS = 30 * 86_400_000
_IS_INSTALLED = "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"
_IS_HYPERTABLE = "SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_name = 'candles'"
_MAKE_HYPERTABLE = (
    "SELECT create_hypertable('candles', 'timestamp', chunk_time_interval => CAST(:chunk AS BIGINT), "
    "migrate_data => true, if_not_exists => true)"
)


def open_candle_shelf(url: str, *, busy_timeout_seconds: float = 5.0) -> SqlCandleShelf:
    """The shelf in the database at `url`, whose schema is brought up to date; raises as `open_database` does."""
    database = open_database(url, busy_timeout_seconds=busy_timeout_seconds)
    try:
        with database.transaction() as connection:
            is_hypertable = _use_timescale(connection)
    except BaseException:
        database.close()
        raise
    return SqlCandleShelf(database, is_hypertable=is_hypertable)


def _use_timescale(connection: Connection) -> bool:
    """Whether the candles are a hypertable; made one if the extension is there, with what they hold."""
    if connection.dialect.name != "postgresql" or not connection.scalar(text(_IS_INSTALLED)):
        return False
    take_turns(connection)
    if not connection.scalar(text(_IS_HYPERTABLE)):
        connection.execute(text(_MAKE_HYPERTABLE), {"chunk": _CHUNK_MS})
    return True


class SqlCandleShelf:
    """A `CandleShelf` in SQLite or PostgreSQL."""

    def __init__(self, database: Database, *, is_hypertable: bool) -> None:
        self._database = database
        self.is_hypertable = is_hypertable

    def runs(self, candles: CandleSet) -> tuple[CandleRun, ...]:
        """What has been put there, in order of time."""
        query = (
            select(CANDLE_RUNS.c.start, CANDLE_RUNS.c.end, CANDLE_RUNS.c.origin)
            .join(CANDLE_SERIES, CANDLE_SERIES.c.id == CANDLE_RUNS.c.series_id)
            .where(*_is(candles))
            .order_by(CANDLE_RUNS.c.start)
        )
        with self._database.transaction() as connection:
            return tuple(CandleRun(start, end, origin) for start, end, origin in connection.execute(query))

    def read(self, candles: CandleSet, start: int, end: int) -> Sequence[Candle]:
        """The candles that open in that time, in order."""
        query = (
            select(*(CANDLES.c[name] for name in ("timestamp", "open", "high", "low", "close", "volume")))
            .join(CANDLE_SERIES, CANDLE_SERIES.c.id == CANDLES.c.series_id)
            .where(*_is(candles), CANDLES.c.timestamp >= start, CANDLES.c.timestamp < end)
            .order_by(CANDLES.c.timestamp)
        )
        with self._database.transaction() as connection:
            return [
                Candle(Timestamp(at), Price(first), Price(high), Price(low), Price(close), Amount(volume))
                for at, first, high, low, close, volume in connection.execute(query)
            ]

    def put(self, candles: CandleSet, run: CandleRun, rows: Iterable[Candle]) -> None:
        """Keep the candles of a run; they take the place of those that open in its time."""
        values = [
            {
                "timestamp": row.timestamp,
                "open": row.open,
                "high": row.high,
                "low": row.low,
                "close": row.close,
                "volume": row.volume,
            }
            for row in rows
        ]
        with self._database.transaction() as connection:
            take_turns(connection)
            series_id = _series_id(connection, candles)
            of_series = CANDLES.c.series_id == series_id
            connection.execute(
                delete(CANDLES).where(
                    of_series, CANDLES.c.timestamp >= run.start, CANDLES.c.timestamp < run.end
                )
            )
            if values:
                connection.execute(insert(CANDLES), [{"series_id": series_id, **value} for value in values])
            _note_run(connection, series_id, run)

    def close(self) -> None:
        self._database.close()


def _is(candles: CandleSet) -> tuple[ColumnElement[bool], ...]:
    return (
        CANDLE_SERIES.c.exchange == candles.exchange,
        CANDLE_SERIES.c.symbol == candles.symbol,
        CANDLE_SERIES.c.timeframe == candles.timeframe,
    )


def _series_id(connection: Connection, candles: CandleSet) -> int:
    found = connection.scalar(select(CANDLE_SERIES.c.id).where(*_is(candles)))
    if found is not None:
        return int(found)
    series_id = int(connection.scalar(select(func.coalesce(func.max(CANDLE_SERIES.c.id), 0))) or 0) + 1
    connection.execute(
        insert(CANDLE_SERIES).values(
            id=series_id, exchange=candles.exchange, symbol=candles.symbol, timeframe=candles.timeframe
        )
    )
    return series_id


def _note_run(connection: Connection, series_id: int, run: CandleRun) -> None:
    """Add a run, joined with those of its origin that it touches."""
    touching = (
        CANDLE_RUNS.c.series_id == series_id,
        CANDLE_RUNS.c.origin == run.origin,
        CANDLE_RUNS.c.start <= run.end,
        CANDLE_RUNS.c.end >= run.start,
    )
    bounds = [run.start, run.end]
    for start, end in connection.execute(select(CANDLE_RUNS.c.start, CANDLE_RUNS.c.end).where(*touching)):
        bounds += [start, end]
    connection.execute(delete(CANDLE_RUNS).where(*touching))
    connection.execute(
        insert(CANDLE_RUNS).values(series_id=series_id, start=min(bounds), end=max(bounds), origin=run.origin)
    )
