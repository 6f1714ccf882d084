"""Candles made of finer data: whole ones only, in order, and of what came before their close."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from gridtide.domain.candle import Candle, period_start
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Timestamp
from gridtide.price_path.closed_candles import ClosedCandles
from gridtide.price_path.columns import CandleColumns, TradeColumns

MINUTE = 60_000
START = 1_609_459_200_000


def minutes(*numbers: int) -> CandleColumns:
    """A candle in each of these minutes; the price is 100 and the number, a unit up and down, the volume 1."""
    price = 100.0 + np.array(numbers)
    times = START + MINUTE * np.array(numbers, np.int64)
    ones = np.ones(len(numbers))
    return CandleColumns.of_floats(times, (price, price + 1, price - 1, price + 0.5), ones, MINUTE)


def trades(*rows: tuple[int, float, float]) -> TradeColumns:
    """Seconds from the start, price, amount."""
    seconds, prices, amounts = zip(*rows, strict=True)
    times = START + 1000 * np.array(seconds, np.int64)
    takers = np.ones(len(rows), np.int8)
    return TradeColumns.of_floats(times, np.array(prices), np.array(amounts), takers)


def shown(candles: ClosedCandles) -> list[tuple[int, int, str, str, str, str, str]]:
    """Open and close in seconds from the start, then the values."""
    rows = []
    for number in range(len(candles)):
        candle: Candle = candles.candle(number)
        values = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        first, high, low, last, volume = (format(value.normalize(), "f") for value in values)
        times = (candle.timestamp - START) // 1000, (candles.close_time(number) - START) // 1000
        rows.append((*times, first, high, low, last, volume))
    return rows


def test_a_candle_is_what_its_rows_are_together() -> None:
    assert shown(ClosedCandles(minutes(*range(6)), "3m")) == [
        (0, 180, "100", "103", "99", "102.5", "3"),
        (180, 360, "103", "106", "102", "105.5", "3"),
    ]


def test_one_that_the_data_begin_within_is_left_out() -> None:
    """Nobody knows how it began."""
    assert [row[0] for row in shown(ClosedCandles(minutes(1, 2, 3, 4, 5), "3m"))] == [180]


def test_candles_that_are_missing_are_not_made_up() -> None:
    """One with a part of its rows is told with what there is."""
    assert [(row[0], row[6]) for row in shown(ClosedCandles(minutes(0, 1, 8, 9), "3m"))] == [
        (0, "2"),
        (360, "1"),
        (540, "1"),
    ]


def test_between_market_trades_the_price_stands() -> None:
    """A minute in which nobody traded is a candle at the last price without volume, as exchanges show it."""
    made = ClosedCandles(trades((5, 100, 1), (70, 101, 2), (80, 99, 3), (200, 102.5, 4)), "1m")
    assert shown(made) == [
        (60, 120, "101", "101", "99", "99", "5"),
        (120, 180, "99", "99", "99", "99", "0"),
        (180, 240, "102.5", "102.5", "102.5", "102.5", "4"),
    ]


@pytest.mark.parametrize("timeframe", ["30s", "90s"])
def test_data_that_are_too_coarse_are_refused(timeframe: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be made"):
        ClosedCandles(minutes(0, 1), timeframe)


def test_weeks_begin_on_mondays() -> None:
    """2021-01-01 was a Friday."""
    assert period_start("1w", Timestamp(START)) == START - 4 * 86_400_000
    assert period_start("1d", Timestamp(START + 5)) == START
    assert Decimal(period_start("4h", Timestamp(START + 5 * 3_600_000))) == START + 4 * 3_600_000
