"""Columns of integers hold exactly the decimals that the exchange had published."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gridtide.domain.candle import Candle, MarketTrade
from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.market_data.files import to_decimal
from gridtide.price_path.columns import BOUGHT, SOLD, TAKERS, CandleColumns, TradeColumns
from gridtide.price_path.units import units_of_decimals, units_of_floats
from tests.price_path.builders import MINUTE, candle_series, decimals

FLOATS = st.lists(decimals(10**7).map(float), min_size=1, max_size=30)
NOISE = st.lists(st.floats(0, 1e10, allow_subnormal=False), min_size=1, max_size=30)
"""Floats that no exchange published: sums, averages, anything."""


def column(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, np.float64)


@given(values=FLOATS | NOISE)
@example([0.30000000000000004, 0.1])
@example([0.000000005, 1.0])
@example([67108864.00000001, 90071992.54740993])
@example([4503599627370497.5])
@example([99999999999.5, 0.25])
@example([123456789012345.67])
@example([3.0, 1e-9])
def test_floats_become_the_decimals_of_the_decimal_way(values: list[float]) -> None:
    """Each is the shortest text of the float, rounded half up to 8 places; the unit is the coarsest that holds all."""
    units = units_of_floats([column(values)])
    (counts,) = units.columns
    wanted = [to_decimal(value) for value in values]
    assert [Decimal(count).scaleb(-units.places) for count in counts.tolist()] == wanted
    assert units.places == 0 or any(count % 10 for count in counts.tolist())


@given(values=st.lists(decimals(), min_size=1, max_size=20))
def test_decimals_and_their_floats_give_the_same_columns(values: list[Decimal]) -> None:
    """It does not matter whether a source stores text, decimals or floats."""
    exact, floating = (
        units_of_decimals([values]),
        units_of_floats([column([float(value) for value in values])]),
    )
    assert (exact.places, exact.columns[0].tolist()) == (floating.places, floating.columns[0].tolist())


def test_columns_share_one_unit() -> None:
    """Prices of a candle are compared with each other, so they are counted in the same unit."""
    units = units_of_floats([column([1.5, 2.0]), column([0.00000001, 3.0])])
    assert units.places == 8
    assert [counts.tolist() for counts in units.columns] == [[150000000, 200000000], [1, 300000000]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    """A hole in the data must not become a price."""
    with pytest.raises(InvalidValue, match="no finite number"):
        units_of_floats([column([1.0, value])])


def test_what_is_too_large_is_refused() -> None:
    """64 bits hold 18 digits; beyond, an error says so instead of a wrong number."""
    with pytest.raises(InvalidValue, match="too large"):
        units_of_floats([column([1e12, 0.00000001])])


@given(series=candle_series())
def test_candles_come_back_as_they_were(series: list[Candle]) -> None:
    """Through the columns and back: the same candles, gaps and all."""
    assert list(CandleColumns.of_candles(series, MINUTE).candles()) == series


@given(series=candle_series())
def test_floats_of_candles_come_back_too(series: list[Candle]) -> None:
    """Read from a file of floats, candles are those that were written."""
    columns = CandleColumns.of_floats(
        np.array([each.timestamp for each in series], np.int64),
        (
            column([float(each.open) for each in series]),
            column([float(each.high) for each in series]),
            column([float(each.low) for each in series]),
            column([float(each.close) for each in series]),
        ),
        column([float(each.volume) for each in series]),
        MINUTE,
    )
    for row, wanted in zip(columns.candles(), series, strict=True):
        assert (row.open, row.high, row.low, row.close) == (
            wanted.open,
            wanted.high,
            wanted.low,
            wanted.close,
        )
        assert row.volume == to_decimal(float(wanted.volume))


def test_trades_keep_taker_and_id() -> None:
    """Who took and under which id is part of the data."""
    rows = [
        MarketTrade(
            Symbol("BTC/USDT"), Timestamp(5), Price(Decimal("1.5")), Amount(Decimal("0.25")), side, number
        )
        for number, side in enumerate([Side.SELL, Side.BUY])
    ]
    columns = TradeColumns.of_trades(rows)
    assert columns.takers.tolist() == [SOLD, BOUGHT]
    assert [TAKERS[code] for code in columns.takers.tolist()] == [Side.SELL, Side.BUY]
    assert columns.ids.tolist() == [0, 1]
    assert (columns.prices.tolist(), columns.price_places) == ([15, 15], 1)
    assert (columns.amounts.tolist(), columns.amount_places) == ([25, 25], 2)


def test_columns_cannot_be_changed() -> None:
    """Several runs share one set of columns; none may write into it."""
    trades = TradeColumns.of_floats(np.array([1]), column([2.0]), column([3.0]), np.array([1], np.int8))
    with pytest.raises(ValueError, match="read-only"):
        trades.prices[0] = 1


def test_columns_of_another_kind_are_refused() -> None:
    """A float or a column of another length would be read as something else later."""
    good = np.ones(2, np.int64)
    with pytest.raises(InvalidValue, match="ids is float64"):
        TradeColumns(good, good, good, good.astype(np.int8), good.astype(np.float64), 0, 0)
    with pytest.raises(InvalidValue, match="prices is int64 of shape"):
        TradeColumns(good, good[:1], good, good.astype(np.int8), good, 0, 0)
