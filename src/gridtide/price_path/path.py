"""The whole walk of a market's price as an array, a number each point, over columns that are kept as they are.

Point for point it is what `candle_path.points_of`, or the market trades, give; times and volumes are derived when they
are asked for, so a year of minutes costs 8 MB more than its candles.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Timestamp
from gridtide.domain.money import EXACT, Price
from gridtide.price_path.candle_path import POINTS, VOLUME_PLACES, PathRule, point_times
from gridtide.price_path.columns import TAKERS, CandleColumns, TradeColumns
from gridtide.price_path.compiled import compiled
from gridtide.price_path.point import PathPoint
from gridtide.price_path.units import unit_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from numpy.typing import NDArray

    from gridtide.domain.order import Side

    Integers = NDArray[np.int64]
    Prices = NDArray[Any]
    """Of int32 or int64."""

_INT32 = np.iinfo(np.int32)


class PricePath(ABC):
    """Points 0 to ``len(path) - 1``; `prices` are read-only integers in units of ``10**-places``."""

    __slots__ = ("_price_at", "_unit", "places", "prices")

    def __init__(self, prices: Prices, places: int) -> None:
        if not len(prices):
            raise InvalidValue("there is no price to walk: the data holds no row")
        prices.flags.writeable = False
        self.prices = prices
        self._price_at = prices.item
        """A number of the array as an integer of Python, at half the cost of an index."""
        self.places = places
        self._unit = unit_of(places)

    def __len__(self) -> int:
        return len(self.prices)

    def price(self, index: int) -> Price:
        """The price at a point."""
        return Price(self._price_at(index) * self._unit)

    def point(self, index: int) -> PathPoint:
        """A point as the venue takes it; its price may have more zeros at the end than the data."""
        volume, taker = self._traded(index)
        return PathPoint(self.time(index), self.price(index), volume, taker)

    def points(self, start: int = 0, stop: int | None = None) -> Iterator[PathPoint]:
        """The points from `start` up to, not including, `stop`."""
        return map(self.point, range(start, len(self) if stop is None else stop))

    def units_below(self, price: Decimal) -> int:
        """The largest number of units that is not above `price`: a bound for "at or below"."""
        return int(EXACT.scaleb(price, self.places).to_integral_value(ROUND_FLOOR))

    def units_above(self, price: Decimal) -> int:
        """The smallest number of units that is not below `price`: a bound for "at or above"."""
        return int(EXACT.scaleb(price, self.places).to_integral_value(ROUND_CEILING))

    @abstractmethod
    def time(self, index: int) -> Timestamp:
        """When a point is reached."""

    @abstractmethod
    def times(self, indices: Integers) -> Integers:
        """When points are reached, ms."""

    def first_at(self, time_ms: int) -> int:
        """The first point reached at or after a time; the length of the path if there is none."""
        return int(self.firsts_at(np.array([time_ms], np.int64))[0])

    @abstractmethod
    def firsts_at(self, times_ms: Integers) -> Integers:
        """The first points reached at or after times; the length of the path where there is none."""

    @abstractmethod
    def _traded(self, index: int) -> tuple[Decimal, Side | None]:
        """What traded on the way to a point, and who took."""


def path_of(
    columns: CandleColumns | TradeColumns, rule: PathRule = PathRule.NEARER_EXTREME_FIRST
) -> PricePath:
    """The path over candles by `rule`, or over market trades, to which no rule applies.

    Raises `InvalidValue` for columns without rows, and for `pessimistic`, which is two paths: see `runs_of`.
    """
    if isinstance(columns, CandleColumns):
        return _CandleWalk(columns, rule)
    return _TradeWalk(columns)


class _CandleWalk(PricePath):
    """Four points a candle; between candles the price jumps."""

    __slots__ = ("_columns", "_offsets", "_volume_unit")

    def __init__(self, columns: CandleColumns, rule: PathRule) -> None:
        super().__init__(_walk_candles(columns, rule), columns.price_places)
        self._columns = columns
        self._offsets = point_times(columns.timeframe_ms)
        self._volume_unit = unit_of(VOLUME_PLACES)

    def time(self, index: int) -> Timestamp:
        row, point = divmod(index, POINTS)
        return Timestamp(self._columns.timestamps.item(row) + self._offsets[point])

    def times(self, indices: Integers) -> Integers:
        rows, points = np.divmod(indices, POINTS)
        return self._columns.timestamps[rows] + np.array(self._offsets, np.int64)[points]

    def firsts_at(self, times_ms: Integers) -> Integers:
        opens = self._columns.timestamps
        rows = np.searchsorted(opens, times_ms - self._offsets[-1])
        within = times_ms - opens[np.minimum(rows, len(opens) - 1)]
        points = np.searchsorted(self._offsets, within)
        return np.where(rows < len(opens), rows * POINTS + points, len(self))

    def _traded(self, index: int) -> tuple[Decimal, Side | None]:
        row, point = divmod(index, POINTS)
        volume = self._columns.volume.item(row) * 10 ** (VOLUME_PLACES - self._columns.volume_places)
        quarter = volume // POINTS
        share = volume - (POINTS - 1) * quarter if point == POINTS - 1 else quarter
        return share * self._volume_unit, None


class _TradeWalk(PricePath):
    """A point a market trade; the prices are the column itself."""

    __slots__ = ("_amount_unit", "_columns")

    def __init__(self, columns: TradeColumns) -> None:
        super().__init__(columns.prices, columns.price_places)
        self._columns = columns
        self._amount_unit = unit_of(columns.amount_places)

    def time(self, index: int) -> Timestamp:
        return Timestamp(self._columns.timestamps.item(index))

    def times(self, indices: Integers) -> Integers:
        return self._columns.timestamps[indices]

    def firsts_at(self, times_ms: Integers) -> Integers:
        return np.searchsorted(self._columns.timestamps, times_ms)

    def _traded(self, index: int) -> tuple[Decimal, Side | None]:
        return self._columns.amounts.item(index) * self._amount_unit, TAKERS[self._columns.takers.item(index)]


def _walk_candles(columns: CandleColumns, rule: PathRule) -> Prices:
    highest = int(columns.high.max(initial=0))
    prices = np.empty(len(columns) * POINTS, np.int32 if highest <= _INT32.max else np.int64)
    _lay_out(columns.open, columns.high, columns.low, columns.close, _choice(rule), prices)
    return prices


_NEARER, _BY_CLOSE, _LOW, _HIGH = range(4)


def _choice(rule: PathRule) -> int:
    """The rule as a number, for machine code."""
    match rule:
        case PathRule.NEARER_EXTREME_FIRST:
            return _NEARER
        case PathRule.CLOSE_DIRECTION:
            return _BY_CLOSE
        case PathRule.LOW_FIRST:
            return _LOW
        case PathRule.HIGH_FIRST:
            return _HIGH
        case PathRule.PESSIMISTIC:
            raise InvalidValue("pessimistic means two runs, low_first and high_first: ask `runs_of` for them")
        case _:
            assert_never(rule)


@compiled
def _lay_out(
    opens: Integers, highs: Integers, lows: Integers, closes: Integers, choice: int, prices: Prices
) -> None:
    """`candle_path.candle_path` for every candle."""
    for row in range(opens.size):
        first, high, low, close = opens[row], highs[row], lows[row], closes[row]
        to_low, to_high = first - low, high - first
        closes_up = close >= first
        low_first = choice == _LOW or (choice == _BY_CLOSE and closes_up)
        if choice == _NEARER:
            low_first = to_low < to_high or (to_low == to_high and closes_up)
        place = 4 * row
        prices[place] = first
        prices[place + 1] = low if low_first else high
        prices[place + 2] = high if low_first else low
        prices[place + 3] = close
