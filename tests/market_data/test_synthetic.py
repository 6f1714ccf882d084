"""The synthetic market: decided by its seed, resumable anywhere, lively enough for a grid, and believable."""

import json
import math
from decimal import Decimal
from itertools import islice, pairwise
from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.order import Side
from gridtide.market_data.known_markets import market_of
from gridtide.market_data.source import MarketSource
from gridtide.market_data.synthetic import REGIMES, SyntheticMarket
from gridtide.price_path.point import PathPoint

BITCOIN = market_of(Symbol("BTC/USDT"))
START = Timestamp(1_700_000_000_000)
PRICE = Decimal(60_000)


def market(seed: int = 1) -> SyntheticMarket:
    return SyntheticMarket(BITCOIN, PRICE, seed, START)


def first(seconds: float, seed: int) -> list[PathPoint]:
    points: list[PathPoint] = []
    for point in market(seed):
        if point.market_time > START + seconds * 1000:
            return points
        points.append(point)
    raise AssertionError("a synthetic market never ends")


def grid_fills(prices: list[Decimal], levels: int = 41, reach: float = 0.1) -> int:
    """Fills of a geometric grid around the first price: each fill moves the vacant level by one."""
    start = float(prices[0])
    step = ((1 + reach) / (1 - reach)) ** (1 / (levels - 1))
    grid = [start * (1 - reach) * step**index for index in range(levels)]
    vacant = min(range(levels), key=lambda index: abs(grid[index] - start))
    fills = 0
    for price in map(float, prices):
        while vacant > 0 and price <= grid[vacant - 1]:
            vacant, fills = vacant - 1, fills + 1
        while vacant < levels - 1 and price >= grid[vacant + 1]:
            vacant, fills = vacant + 1, fills + 1
    return fills


def test_the_count_of_fills_is_a_grids() -> None:
    """Up one level, back, and up again are three fills; trembling around a level is none."""
    steps = [100, 100.51, 99.99, 100.51, 100.52, 100.4, 100.51]
    assert grid_fills([Decimal(str(price)) for price in steps]) == 3


@pytest.mark.parametrize("seed", range(40))
def test_five_fills_in_the_first_minute(seed: int) -> None:
    """41 geometric levels over ±10 % fill at least five times within a minute at speed 1."""
    assert grid_fills([point.price for point in first(60, seed)]) >= 5


def test_a_minute_looks_like_a_market() -> None:
    """Several trades a second, prices on the tick and amounts on the lot, both takers, many small trades and few
    large ones, no jump of more than two per cent."""
    points = first(60, seed=3)
    assert 3 < len(points) / 60 < 15
    assert all(not point.price % BITCOIN.rules.tick_size for point in points)
    assert all(point.volume > 0 and not point.volume % BITCOIN.rules.lot_size for point in points)
    assert 0.3 < mean(point.taker is Side.BUY for point in points) < 0.7
    values = [float(point.price * point.volume) for point in points]
    assert mean(values) > 1.3 * median(values)
    steps = [abs(float(b.price / a.price) - 1) for a, b in pairwise(points)]
    assert max(steps) < 0.02


def test_time_never_goes_back() -> None:
    times = [point.market_time for point in islice(market(), 5_000)]
    assert times == sorted(times)
    assert times[0] >= START


def test_takers_move_the_price() -> None:
    """A rising price is bought, a falling one sold."""
    points = list(islice(market(), 2_000))
    for before, after in pairwise(points):
        if after.price != before.price:
            assert (after.taker is Side.BUY) == (after.price > before.price)


def test_every_regime_comes_and_the_price_stays_near_home() -> None:
    """In some hours range, trend and crash all occur; the price keeps within a fifth of where it began."""
    seen = set()
    prices = []
    for seed in range(3):
        source = market(seed)
        for point in islice(source, 40_000):
            seen.add(source.regime)
            prices.append(float(point.price))
    assert seen == set(REGIMES)
    assert 0.8 * float(PRICE) < min(prices) < max(prices) < 1.2 * float(PRICE)
    assert mean(abs(price / float(PRICE) - 1) < 0.1 for price in prices) > 0.9


def test_volatility_comes_in_clusters() -> None:
    """Large seconds follow large ones: absolute returns correlate with those ten seconds later."""
    log_prices: list[float] = []
    for point in islice(market(5), 60_000):
        second = (point.market_time - START) // 1000
        log_prices.extend([math.log(point.price)] * max(0, second - len(log_prices) + 1))
    returns = [abs(b - a) for a, b in pairwise(log_prices)]
    average = mean(returns)
    covariance = mean((a - average) * (b - average) for a, b in zip(returns, returns[10:], strict=False))
    assert covariance / mean((value - average) ** 2 for value in returns) > 0.05


def test_the_seed_decides() -> None:
    assert list(islice(market(7), 500)) == list(islice(market(7), 500))
    assert list(islice(market(7), 50)) != list(islice(market(8), 50))


@given(seed=st.integers(0, 2**63), played=st.integers(0, 400))
def test_goes_on_after_any_point(seed: int, played: int) -> None:
    """The position travels as JSON; both copies then invent the same future."""
    one, two = market(seed), market(seed)
    list(islice(one, played))
    two.seek(json.loads(json.dumps(one.position())))
    assert two.position() == one.position()
    assert list(islice(one, 50)) == list(islice(two, 50))


def test_a_position_of_another_market_is_refused() -> None:
    with pytest.raises(InvalidInput, match="seed 1, not 2"):
        market(2).seek(market(1).position())


def test_too_coarse_a_tick_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a thousand price steps, or above"):
        SyntheticMarket(BITCOIN, Decimal(1), 1, START)


def test_it_is_a_source() -> None:
    assert isinstance(market(), MarketSource)
