"""Candles and market trades as columns of integers, a row each: nothing is rounded and nothing can be changed.

Prices and amounts are counted in units of ``10**-places``; times are ms since 1970-01-01 UTC. Whether the rows make
sense (sorted, low below high) is for those to check who read them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

from gridtide.domain.candle import Candle
from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.price_path.units import unit_of, units_of_decimals, units_of_floats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from gridtide.domain.candle import MarketTrade
    from gridtide.price_path.units import Units

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    SmallIntegers = NDArray[np.int8]

BOUGHT, SOLD, UNTOLD = 1, -1, 0
"""Who took, in `TradeColumns.takers`."""
TAKERS = {BOUGHT: Side.BUY, SOLD: Side.SELL, UNTOLD: None}
_CODES = {side: code for code, side in TAKERS.items()}


@dataclass(frozen=True, slots=True, eq=False)
class CandleColumns:
    """Candles of one timeframe: seven arrays of int64 and equal length, `timestamps` being open times."""

    timestamps: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers
    price_places: int
    volume_places: int
    timeframe_ms: int

    def __post_init__(self) -> None:
        _freeze(self)

    @classmethod
    def of_floats(
        cls,
        timestamps: Integers,
        prices: tuple[Floats, Floats, Floats, Floats],
        volume: Floats,
        timeframe_ms: int,
    ) -> Self:
        """From floats, each standing for its shortest decimal; `prices`: open, high, low, close.

        Raises `InvalidValue` for what is no finite number or too large.
        """
        return cls._of_units(timestamps, units_of_floats(prices), units_of_floats([volume]), timeframe_ms)

    @classmethod
    def of_candles(cls, candles: Sequence[Candle], timeframe_ms: int) -> Self:
        """From candles; raises `InvalidValue` for numbers that are too large."""
        rows = [(each.open, each.high, each.low, each.close) for each in candles]
        price = units_of_decimals(list(zip(*rows, strict=True)) or [(), (), (), ()])
        amount = units_of_decimals([[each.volume for each in candles]])
        timestamps = np.array([each.timestamp for each in candles], dtype=np.int64)
        return cls._of_units(timestamps, price, amount, timeframe_ms)

    @classmethod
    def _of_units(cls, timestamps: Integers, price: Units, amount: Units, timeframe_ms: int) -> Self:
        first, high, low, close = price.columns
        (volume,) = amount.columns
        return cls(timestamps, first, high, low, close, volume, price.places, amount.places, timeframe_ms)

    def __len__(self) -> int:
        return len(self.timestamps)

    def candle(self, row: int) -> Candle:
        """The candle of a row, in exact decimals."""
        price, amount = unit_of(self.price_places), unit_of(self.volume_places)
        columns = (self.open, self.high, self.low, self.close)
        first, high, low, close = (Price(int(column[row]) * price) for column in columns)
        volume = Amount(int(self.volume[row]) * amount)
        return Candle(Timestamp(int(self.timestamps[row])), first, high, low, close, volume)

    def candles(self) -> Iterator[Candle]:
        """All of them, one by one."""
        return map(self.candle, range(len(self)))


@dataclass(frozen=True, slots=True, eq=False)
class TradeColumns:
    """Market trades: arrays of equal length, all int64 but `takers` (int8: `BOUGHT`, `SOLD`, `UNTOLD`)."""

    timestamps: Integers
    prices: Integers
    amounts: Integers
    takers: SmallIntegers
    ids: Integers
    price_places: int
    amount_places: int

    def __post_init__(self) -> None:
        _freeze(self)

    @classmethod
    def of_floats(
        cls,
        timestamps: Integers,
        prices: Floats,
        amounts: Floats,
        takers: SmallIntegers,
        ids: Integers | None = None,
    ) -> Self:
        """From floats, each standing for its shortest decimal; without `ids` every id is 0.

        Raises `InvalidValue` for what is no finite number or too large.
        """
        known = np.zeros(len(timestamps), np.int64) if ids is None else ids
        return cls._of_units(timestamps, units_of_floats([prices]), units_of_floats([amounts]), takers, known)

    @classmethod
    def of_trades(cls, trades: Iterable[MarketTrade]) -> Self:
        """From market trades; raises `InvalidValue` for numbers that are too large."""
        rows = list(trades)
        price = units_of_decimals([[each.price for each in rows]])
        amount = units_of_decimals([[each.amount for each in rows]])
        timestamps = np.array([each.timestamp for each in rows], dtype=np.int64)
        takers = np.array([_CODES[each.side] for each in rows], dtype=np.int8)
        ids = np.array([each.trade_id for each in rows], dtype=np.int64)
        return cls._of_units(timestamps, price, amount, takers, ids)

    @classmethod
    def _of_units(
        cls, timestamps: Integers, price: Units, amount: Units, takers: SmallIntegers, ids: Integers
    ) -> Self:
        (prices,), (amounts,) = price.columns, amount.columns
        return cls(timestamps, prices, amounts, takers, ids, price.places, amount.places)

    def __len__(self) -> int:
        return len(self.timestamps)


def _freeze(columns: CandleColumns | TradeColumns) -> None:
    """Every array in one piece, of its type and read-only; who handed it in keeps their own view of it."""
    length = len(columns.timestamps)
    for field in fields(columns):
        column = getattr(columns, field.name)
        if not isinstance(column, np.ndarray):
            continue
        wanted = np.dtype(np.int8 if field.name == "takers" else np.int64)
        if column.shape != (length,) or column.dtype != wanted:
            raise InvalidValue(
                f"column {field.name} is {column.dtype} of shape {column.shape}: {length} values of {wanted} are needed"
            )
        frozen = np.ascontiguousarray(column).view()
        frozen.flags.writeable = False
        object.__setattr__(columns, field.name, frozen)
