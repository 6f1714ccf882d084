"""Market files for tests, written by DuckDB or by hand, and where the shared real ones are."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
MINUTE = 60_000
START = 1_609_459_200_000
Row = tuple[object, ...]
CANDLES: list[Row] = [
    (START, "100.1", "102.25", "99.5", "101.0", "12.5"),
    (START + MINUTE, "101.0", "103.0", "100.0", "102.5", "0"),
    (START + 2 * MINUTE, "102.5", "102.5", "90.01", "95.0", "3.00000001"),
]
CANDLE_COLUMNS = "timestamp, open, high, low, close, volume"
TRADES: list[Row] = [
    (START, "100.1", "0.5", "buy"),
    (START, "100.2", "0.25", "sell"),
    (START + 5, "100.0", "1", "BUY"),
]
TRADE_COLUMNS = "timestamp, price, amount, side"


def write_csv(path: Path, rows: Sequence[Row], columns: str = CANDLE_COLUMNS) -> Path:
    lines = [columns.replace(" ", ""), *(",".join(str(value) for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_parquet(path: Path, select: str) -> Path:
    """`select` is SQL."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def real(name: str) -> Path:
    """A shared real file, or skip."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the shared data folder has no {name} on this machine")
    return path
