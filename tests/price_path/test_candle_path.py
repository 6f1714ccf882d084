"""A candle's path: the order of its extremes by rule, times and volumes of its points."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.candle import Candle
from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.price_path.candle_path import PathRule, candle_path, path_points, points_of, runs_of

MINUTE = 60_000
SINGLE_RULES = [rule for rule in PathRule if rule is not PathRule.PESSIMISTIC]


def candle(first: str, high: str, low: str, close: str, volume: str = "1", at: int = 0) -> Candle:
    def price(text: str) -> Price:
        return Price(Decimal(text))

    return Candle(Timestamp(at), price(first), price(high), price(low), price(close), Amount(Decimal(volume)))


@st.composite
def candles(draw: st.DrawFn) -> Candle:
    prices = sorted(draw(st.lists(st.integers(1, 10**12), min_size=4, max_size=4)))
    inner = draw(st.permutations(prices[1:3]))
    first, high, low, close = (
        str(Decimal(number) / 10**8) for number in (inner[0], prices[3], prices[0], inner[1])
    )
    return candle(first, high, low, close, str(draw(st.decimals(0, 10**6, places=8))))


def order(path: tuple[Price, ...]) -> str:
    return " ".join(str(price) for price in path)


@pytest.mark.parametrize(
    "shape, expected",
    [
        (candle("10", "14", "9", "12"), "10 9 14 12"),
        (candle("10", "11", "6", "8"), "10 11 6 8"),
        (candle("10", "11", "6", "10.5"), "10 11 6 10.5"),
        (candle("10", "12", "8", "11"), "10 8 12 11"),
        (candle("10", "12", "8", "10"), "10 8 12 10"),
        (candle("10", "12", "8", "9"), "10 12 8 9"),
        (candle("10", "10", "10", "10"), "10 10 10 10"),
    ],
)
def test_nearer_extreme_first(shape: Candle, expected: str) -> None:
    """The nearer extreme comes first; at equal distance the low if close >= open, else the high."""
    assert order(candle_path(shape)) == expected


@pytest.mark.parametrize(
    "shape, expected",
    [
        (candle("10", "11", "6", "10.5"), "10 6 11 10.5"),
        (candle("10", "11", "6", "10"), "10 6 11 10"),
        (candle("10", "14", "9", "9.5"), "10 14 9 9.5"),
    ],
)
def test_close_direction(shape: Candle, expected: str) -> None:
    """Open, low, high, close if close >= open, else open, high, low, close."""
    assert order(candle_path(shape, PathRule.CLOSE_DIRECTION)) == expected


def test_pessimistic_is_two_runs() -> None:
    """It is no path of its own: both orders are run whole and the worse is reported."""
    shape = candle("10", "14", "9", "12")
    with pytest.raises(InvalidValue, match="two runs"):
        candle_path(shape, PathRule.PESSIMISTIC)
    paths = [order(candle_path(shape, rule)) for rule in runs_of(PathRule.PESSIMISTIC)]
    assert paths == ["10 9 14 12", "10 14 9 12"]
    assert runs_of(PathRule.CLOSE_DIRECTION) == (PathRule.CLOSE_DIRECTION,)


@given(shape=candles(), rule=st.sampled_from(SINGLE_RULES))
def test_a_path_visits_exactly_the_candles_prices(shape: Candle, rule: PathRule) -> None:
    """It starts at the open, ends at the close, and its extremes are the candle's."""
    path = candle_path(shape, rule)
    assert (path[0], path[-1]) == (shape.open, shape.close)
    assert (max(path), min(path)) == (shape.high, shape.low)
    assert sorted(path) == sorted((shape.open, shape.high, shape.low, shape.close))


@given(shape=candles(), rule=st.sampled_from(SINGLE_RULES))
def test_volume_is_shared_without_loss(shape: Candle, rule: PathRule) -> None:
    """The points' volumes sum to the candle's, each has at most 8 decimals and none is negative."""
    volumes = [point.volume for point in points_of(shape, MINUTE, rule)]
    assert sum(volumes) == shape.volume
    assert all(volume >= 0 and volume == round(volume, 8) for volume in volumes)
    assert max(volumes) - min(volumes) < Decimal("0.00000004")


def test_points_spread_over_the_candles_time() -> None:
    """At 0, 1/3, 2/3 and the last millisecond: a close still belongs to its own minute."""
    points = points_of(candle("10", "14", "9", "12", "8", at=MINUTE), MINUTE)
    assert [point.market_time for point in points] == [60_000, 80_000, 100_000, 119_999]
    assert [point.volume for point in points] == [Decimal(2)] * 4


def test_a_path_over_candles_jumps_from_close_to_open() -> None:
    """The segment from one close to the next open is part of the path; time never goes back, also over a gap."""
    series = [candle("10", "14", "9", "12"), candle("13", "13", "11", "11", at=5 * MINUTE)]
    points = list(path_points(series, MINUTE))
    assert [str(point.price) for point in points] == ["10", "9", "14", "12", "13", "13", "11", "11"]
    times = [point.market_time for point in points]
    assert times == sorted(times)
