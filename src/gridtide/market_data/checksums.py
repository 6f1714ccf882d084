"""The checksum of market data: of its numbers, whatever file or frame they came in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from gridtide.price_path.columns import CandleColumns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.price_path.columns import TradeColumns

_ENDIAN = "<i8"


def data_checksum(columns: CandleColumns | TradeColumns) -> str:
    """SHA-256, hexadecimal, over kind, number of rows and places, then each column as little-endian int64.

    Columns count in the fewest decimal places that hold their values, so equal numbers give an equal checksum
    from CSV, Parquet, an archive, an exchange, or a frame; 100.10 is 100.1. Ids of market trades do not count.
    """
    if isinstance(columns, CandleColumns):
        head = f"candles {len(columns)} {columns.timeframe_ms} {columns.price_places} {columns.volume_places}"
        rows = [columns.timestamps, columns.open, columns.high, columns.low, columns.close, columns.volume]
    else:
        head = f"trades {len(columns)} {columns.price_places} {columns.amount_places}"
        rows = [columns.timestamps, columns.prices, columns.amounts, columns.takers.astype(np.int64)]
    digest = hashlib.sha256(head.encode())
    for column in rows:
        digest.update(_bytes(column))
    return digest.hexdigest()


def _bytes(column: NDArray[np.int64]) -> memoryview:
    return np.ascontiguousarray(column.astype(_ENDIAN, copy=False)).data
