"""Candles for the long term."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "candle_series",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("exchange", "symbol", "timeframe")),
        sa.PrimaryKeyConstraint("id", name="pk_candle_series"),
        sa.UniqueConstraint(
            "exchange", "symbol", "timeframe", name="uq_candle_series_exchange_symbol_timeframe"
        ),
    )
    op.create_table(
        "candles",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), autoincrement=False, nullable=False),
        *(_exact(name) for name in ("open", "high", "low", "close", "volume")),
        sa.ForeignKeyConstraint(
            ["series_id"], ["candle_series.id"], name="fk_candles_series_id_candle_series"
        ),
        sa.PrimaryKeyConstraint("series_id", "timestamp", name="pk_candles"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "candle_runs",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"], ["candle_series.id"], name="fk_candle_runs_series_id_candle_series"
        ),
        sa.PrimaryKeyConstraint("series_id", "start", "origin", name="pk_candle_runs"),
        sqlite_with_rowid=False,
    )


def _exact(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False)
