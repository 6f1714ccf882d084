"""The tables of candles for the long term. No bot owns them, and the journal knows nothing of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from gridtide.storage.tables import METADATA, ExactDecimal

CANDLE_SERIES = Table(
    "candle_series",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("exchange", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    UniqueConstraint("exchange", "symbol", "timeframe"),
)

CANDLES = Table(
    "candles",
    METADATA,
    Column("series_id", Integer, ForeignKey("candle_series.id"), primary_key=True),
    Column("timestamp", BigInteger, primary_key=True, autoincrement=False),
    *(Column(name, ExactDecimal, nullable=False) for name in ("open", "high", "low", "close", "volume")),
    sqlite_with_rowid=False,
)
"""By open time, ms. A hypertable where TimescaleDB is installed (see `candle_shelf`), else a table like the others."""

CANDLE_RUNS = Table(
    "candle_runs",
    METADATA,
    Column("series_id", Integer, ForeignKey("candle_series.id"), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("origin", Text, primary_key=True),
    Column("end", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Times whose candles are all there, and who gave them."""
