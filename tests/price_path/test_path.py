"""The path as an array is, point for point, the path that candles and market trades give one by one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.candle import Candle
from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Timestamp
from gridtide.domain.order import Side
from gridtide.price_path.candle_path import PathRule, path_points
from gridtide.price_path.columns import CandleColumns, TradeColumns
from gridtide.price_path.compiled import compiled
from gridtide.price_path.path import path_of
from gridtide.price_path.point import PathPoint
from tests.price_path.builders import MINUTE, SINGLE_RULES, candle_series, decimals, walk


@given(
    series=candle_series(),
    rule=st.sampled_from(SINGLE_RULES),
    timeframe=st.sampled_from([MINUTE, 1, 999, 3600_000]),
)
def test_the_path_is_that_of_points_of(series: list[Candle], rule: PathRule, timeframe: int) -> None:
    """Price, volume and time of every point by every rule; over gaps and candles off the minute too."""
    path = path_of(CandleColumns.of_candles(series, timeframe), rule)
    wanted = list(path_points(series, timeframe, rule))
    assert list(path.points()) == wanted
    assert path.times(np.arange(len(path))).tolist() == [point.market_time for point in wanted]
    assert len(path) == len(wanted)


@given(series=candle_series(), rule=st.sampled_from(SINGLE_RULES), data=st.data())
def test_first_at_is_that_of_the_plain_loop(
    series: list[Candle], rule: PathRule, data: st.DataObject
) -> None:
    """The first point reached at or after a time, or the end."""
    path = path_of(CandleColumns.of_candles(series, MINUTE), rule)
    times = [point.market_time for point in path.points()]
    near = data.draw(st.sampled_from(times)) + data.draw(
        st.sampled_from([-1, 0, 1, 30_000, -(10**12), 10**12])
    )
    assert path.first_at(near) == next(
        (index for index, time in enumerate(times) if time >= near), len(times)
    )


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 9), decimals(), decimals(), st.sampled_from([1, -1, 0])),
        min_size=1,
        max_size=20,
    ),
    moment=st.integers(-1, 200),
)
def test_trades_are_their_own_path(rows: list[tuple[int, Decimal, Decimal, int]], moment: int) -> None:
    """A point a trade, with its amount and taker; several may share a time."""
    times = np.cumsum([row[0] for row in rows])
    columns = TradeColumns.of_floats(
        times,
        np.array([float(row[1]) for row in rows]),
        np.array([float(row[2]) for row in rows]),
        np.array([row[3] for row in rows], np.int8),
    )
    path = path_of(columns)
    takers = {1: Side.BUY, -1: Side.SELL, 0: None}
    assert list(path.points()) == [
        PathPoint(Timestamp(time), row[1], row[2], takers[row[3]])
        for time, row in zip(times.tolist(), rows, strict=True)
    ]
    assert path.first_at(moment) == sum(time < moment for time in times.tolist())


def test_small_prices_take_half_the_memory() -> None:
    """Four bytes a point where they suffice, eight where they do not; never a wrapped number."""
    for price, dtype in (2**31 - 1, np.int32), (2**31, np.int64):
        time, column = np.array([0]), np.array([price])
        columns = CandleColumns(time, column, column, column, column, column, 0, 0, MINUTE)
        path = path_of(columns)
        assert path.prices.dtype == dtype
        assert path.prices.tolist() == [price] * 4


def test_trades_are_walked_in_their_own_column() -> None:
    """Twenty million trades are not copied."""
    path = walk([3, 4, 5])
    assert path.prices.base is not None
    assert not path.prices.flags.writeable


def test_a_bound_between_two_units_is_rounded_to_the_safe_side() -> None:
    """At or below 1.005 is at or below 1.00 for prices of two decimals; at or above it is at or above 1.01."""
    path = walk([100, 101], places=2)
    assert (path.units_below(Decimal("1.005")), path.units_above(Decimal("1.005"))) == (100, 101)
    assert (path.units_below(Decimal(1)), path.units_above(Decimal(1))) == (100, 100)


def test_pessimistic_is_no_path() -> None:
    with pytest.raises(InvalidValue, match="two runs"):
        path_of(CandleColumns.of_candles([], MINUTE), PathRule.PESSIMISTIC)


def test_no_rows_are_no_path() -> None:
    with pytest.raises(InvalidValue, match="no row"):
        path_of(CandleColumns.of_candles([], MINUTE))


def test_what_run_imports_knows_neither_numba_nor_numpy() -> None:
    """`gridtide run` plays candle paths; half a second of compiler and 90 MB are not for it."""
    code = (
        "import sys, gridtide.price_path.candle_path, gridtide.price_path.point; "
        "sys.exit(bool({'numba', 'numpy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_code_compiles_where_nothing_can_be_kept() -> None:
    """A function for which numba finds no folder to keep machine code in still works: a read-only install."""
    names: dict[str, Callable[[int], int]] = {}
    exec(compile("def double(number):\n    return 2 * number", "<nowhere>", "exec"), names)
    assert compiled(names["double"])(21) == 42
