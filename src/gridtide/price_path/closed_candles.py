"""Candles of a timeframe out of finer candles or market trades, each with the moment at which it is complete.

A candle holds rows from before that moment only: told then and not earlier, it says nothing of what is to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridtide.domain.candle import Candle, period_start, timeframe_seconds
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.price_path.columns import CandleColumns
from gridtide.price_path.units import unit_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.price_path.columns import TradeColumns

    Integers = NDArray[np.int64]


class ClosedCandles:
    """Candles 0 to ``len - 1`` in their order; one that the data begin in the midst of is left out.

    Of candles that are missing in the data nothing is made up. Between market trades a candle without any stands at
    the last price with no volume, as exchanges have it. Raises `InvalidInput` for a timeframe that the data are too
    coarse for.
    """

    def __init__(self, columns: CandleColumns | TradeColumns, timeframe: str) -> None:
        self.timeframe = timeframe
        self._length = timeframe_seconds(timeframe) * 1000
        self._columns = columns
        times = columns.timestamps
        if isinstance(columns, CandleColumns) and self._length % columns.timeframe_ms:
            raise InvalidInput(
                f"candles of {timeframe} cannot be made of data with one row each {columns.timeframe_ms // 1000} s: "
                "give finer data, or market trades"
            )
        first = period_start(timeframe, Timestamp(int(times[0])))
        numbers = (times - first) // self._length
        self._starts: Integers = np.flatnonzero(np.diff(numbers, prepend=-1))
        """The first row of each candle that has any."""
        self._opens: Integers = first + numbers[self._starts] * self._length
        if isinstance(columns, CandleColumns):
            self._told = self._opens[int(times[0]) != first :]
        else:
            self._told = np.arange(first + self._length, self._opens[-1] + 1, self._length)

    def __len__(self) -> int:
        return len(self._told)

    def close_time(self, number: int) -> Timestamp:
        """When a candle is complete: the first moment that does not belong to it."""
        return Timestamp(int(self._told[number]) + self._length)

    def candle(self, number: int) -> Candle:
        """A candle in exact decimals."""
        opened = Timestamp(int(self._told[number]))
        place = int(np.searchsorted(self._opens, opened, side="right")) - 1
        start = int(self._starts[place])
        stop = int(self._starts[place + 1]) if place + 1 < len(self._starts) else len(self._columns)
        if self._opens[place] != opened:
            return self._without_trades(opened, stop - 1)
        return self._of_rows(opened, slice(start, stop))

    def _of_rows(self, opened: Timestamp, rows: slice) -> Candle:
        columns = self._columns
        if isinstance(columns, CandleColumns):
            first, last = columns.open[rows], columns.close[rows]
            high, low = columns.high[rows], columns.low[rows]
            volume, places = columns.volume[rows], columns.volume_places
        else:
            first = last = high = low = columns.prices[rows]
            volume, places = columns.amounts[rows], columns.amount_places
        unit = unit_of(columns.price_places)
        return Candle(
            opened,
            Price(int(first[0]) * unit),
            Price(int(high.max()) * unit),
            Price(int(low.min()) * unit),
            Price(int(last[-1]) * unit),
            Amount(int(volume.sum()) * unit_of(places)),
        )

    def _without_trades(self, opened: Timestamp, row: int) -> Candle:
        """All its prices are that of `row`."""
        standing = self._of_rows(opened, slice(row, row + 1))
        price = standing.close
        return Candle(opened, price, price, price, price, Amount(standing.volume * 0))
