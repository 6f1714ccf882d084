"""Rows of one series as NumPy columns in time order: what the layers keep and hand to each other.

Numbers are doubles, as in the files: a decimal of at most 15 digits comes back from one exactly (`to_decimal`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.domain.errors import DataUnusable
from gridtide.domain.order import Side
from gridtide.market_data.file_table import FileKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.domain.candle import Candle, MarketTrade
    from gridtide.market_data.series import Span

TYPES: dict[FileKind, dict[str, Any]] = {
    FileKind.CANDLES: {
        "timestamp": np.int64,
        "open": np.float64,
        "high": np.float64,
        "low": np.float64,
        "close": np.float64,
        "volume": np.float64,
    },
    FileKind.TRADES: {
        "timestamp": np.int64,
        "price": np.float64,
        "amount": np.float64,
        "taker": np.int8,
        "id": np.int64,
    },
}
"""`taker` is 1 for a buyer who took, -1 for a seller; `id` is 0 where a trade has none."""


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of equal length, read-only. Candles have distinct times, market trades are in the order of time."""

    kind: FileKind
    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.timestamps)

    @property
    def timestamps(self) -> NDArray[np.int64]:
        return self.columns["timestamp"]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(column.nbytes for column in self.columns.values())

    def within(self, span: Span) -> Block:
        """The rows of that time; a view, nothing is copied."""
        first, last = np.searchsorted(self.timestamps, (span.start, span.end))
        if first == 0 and last == len(self):
            return self
        return Block(self.kind, {name: column[first:last] for name, column in self.columns.items()})

    def checksum(self) -> str:
        """SHA-256 over the columns as they are stored, to find a damaged file."""
        digest = hashlib.sha256()
        for column in self.columns.values():
            digest.update(np.ascontiguousarray(column).data)
        return digest.hexdigest()


def make_block(kind: FileKind, columns: Mapping[str, Any]) -> Block:
    """A block of anything array-like; sorted by time, and without rows that came twice (see `joined`)."""
    arrays = {name: np.asarray(columns[name], dtype=type_) for name, type_ in TYPES[kind].items()}
    return _tidied(kind, arrays)


def empty_block(kind: FileKind) -> Block:
    return make_block(kind, dict.fromkeys(TYPES[kind], ()))


def joined(kind: FileKind, blocks: Iterable[Block]) -> Block:
    """All rows in one block. Of two candles with one open time the later block's counts, and of two market trades
    with one id; trades without an id are all kept, in their order."""
    parts = [block for block in blocks if len(block)]
    if not parts:
        return empty_block(kind)
    if len(parts) == 1:
        return parts[0]
    arrays = {name: np.concatenate([part.columns[name] for part in parts]) for name in TYPES[kind]}
    return _tidied(kind, arrays)


def _tidied(kind: FileKind, arrays: dict[str, NDArray[Any]]) -> Block:
    times = arrays["timestamp"]
    if kind is FileKind.CANDLES:
        if not np.all(times[1:] > times[:-1]):
            arrays = _chosen(arrays, _last_of_each(times))
    else:
        keys = (arrays["id"], times)
        arrays = _chosen(arrays, np.lexsort(keys)) if _is_unsorted(*keys) else arrays
        arrays = _without_twins(arrays)
    for array in arrays.values():
        array.flags.writeable = False
    return Block(kind, arrays)


def _is_unsorted(ids: NDArray[np.int64], times: NDArray[np.int64]) -> bool:
    later = times[1:] > times[:-1]
    return not bool(np.all(later | ((times[1:] == times[:-1]) & (ids[1:] >= ids[:-1]))))


def _without_twins(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Trades with the id and time of the one behind them left out, so that the one that came last stays."""
    ids, times = arrays["id"], arrays["timestamp"]
    is_twin = (ids[:-1] != 0) & (ids[:-1] == ids[1:]) & (times[:-1] == times[1:])
    return _chosen(arrays, np.append(~is_twin, True)) if is_twin.any() else arrays


def _last_of_each(times: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where the last row of each time stands, in the order of time."""
    order = np.argsort(times, kind="stable")
    is_last = np.append(times[order][1:] != times[order][:-1], True)
    return np.asarray(order[is_last])


def _chosen(arrays: dict[str, NDArray[Any]], rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {name: array[rows] for name, array in arrays.items()}


def block_of_candles(candles: Sequence[Candle]) -> Block:
    """Candles as a block, in any order. Raises `DataUnusable` for a price that a double does not give back."""
    for candle in candles:
        _require_exact(candle.open, candle.high, candle.low, candle.close)
    rows = np.array(
        [(candle.open, candle.high, candle.low, candle.close, candle.volume) for candle in candles],
        dtype=np.float64,
    ).reshape(-1, 5)
    times = [candle.timestamp for candle in candles]
    names = ("open", "high", "low", "close", "volume")
    return make_block(
        FileKind.CANDLES,
        {"timestamp": times} | {name: rows[:, number].copy() for number, name in enumerate(names)},
    )


def block_of_trades(trades: Sequence[MarketTrade]) -> Block:
    """Market trades as a block, in any order. Raises `DataUnusable` for a price that a double does not give back."""
    for trade in trades:
        _require_exact(trade.price)
    return make_block(
        FileKind.TRADES,
        {
            "timestamp": [trade.timestamp for trade in trades],
            "price": [float(trade.price) for trade in trades],
            "amount": [float(trade.amount) for trade in trades],
            "taker": [1 if trade.side is Side.BUY else -1 for trade in trades],
            "id": [trade.trade_id for trade in trades],
        },
    )


def _require_exact(*prices: Decimal) -> None:
    for price in prices:
        if Decimal(repr(float(price))) != price:
            raise DataUnusable(
                f"a price of {price} has more digits than a market file keeps exactly: nothing of it was stored"
            )
