"""Where the past of markets is kept and fetched from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gridtide.config.values import Section


class DataSettings(Section):
    """Read by the commands that work with candles and market trades of the past."""

    folder: Path = Path("market-data")
    """The data folder: Parquet files, one for each market, timeframe and month."""

    memory_mb: Annotated[int, Field(ge=0, le=65536)] = 256
    """How much of it is kept in memory while a command runs. 256 holds about ten years of minutes."""

    database: str | None = Field(default=None, repr=False)
    """A database that keeps candles for the long term as well, as an SQLAlchemy address (SQLite or PostgreSQL; a
    hypertable where TimescaleDB is installed). Left out: the files alone."""

    archive: str = "https://data.binance.vision"
    """Where the exchange's public bulk archive is."""

    gaps: Literal["keep", "repair", "refuse"] = "keep"
    """Gaps in the candles: named and kept, repaired from the archive and from market trades where those have them,
    or refused."""
