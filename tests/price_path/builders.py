"""Random candles, walks and the plain loops that the fast answers are held against."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridtide.domain.candle import Candle
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.price_path.candle_path import PathRule
from gridtide.price_path.columns import TradeColumns
from gridtide.price_path.path import PricePath, path_of

MINUTE = 60_000
SINGLE_RULES = [rule for rule in PathRule if rule is not PathRule.PESSIMISTIC]


def decimals(most: int = 10**6) -> st.SearchStrategy[Decimal]:
    """Above zero, with up to 8 places and as many as were drawn."""
    return st.integers(0, 8).flatmap(
        lambda places: st.integers(1, most * 10**places).map(lambda count: Decimal(count).scaleb(-places))
    )


@st.composite
def candle_series(draw: st.DrawFn, timeframe_ms: int = MINUTE) -> list[Candle]:
    """Candles in order of time, some of them missing and some off the minute."""
    series = []
    opened = draw(st.integers(0, 10**13))
    unit = Decimal(1).scaleb(-draw(st.integers(0, 8)))
    for _ in range(draw(st.integers(1, 6))):
        counts = draw(st.lists(st.integers(1, 10**13), min_size=4, max_size=4))
        prices = sorted(count * unit for count in counts)
        first, close = prices[1:3] if counts[0] < counts[1] else prices[2:0:-1]
        volume = draw(st.integers(0, 10**15)) * unit
        series.append(
            Candle(
                Timestamp(opened),
                Price(first),
                Price(prices[3]),
                Price(prices[0]),
                Price(close),
                Amount(volume),
            )
        )
        opened += draw(st.sampled_from([timeframe_ms, 7 * timeframe_ms]) | st.integers(1, 5 * timeframe_ms))
    return series


def walk(prices: Sequence[int] | NDArray[np.int64], places: int = 0, step_ms: int = 1000) -> PricePath:
    """A walk over market trades at these prices, one every `step_ms`."""
    count = len(prices)
    return path_of(
        TradeColumns(
            np.arange(count, dtype=np.int64) * step_ms,
            np.array(prices, dtype=np.int64),
            np.ones(count, np.int64),
            np.ones(count, np.int8),
            np.arange(count, dtype=np.int64),
            places,
            0,
        )
    )


@st.composite
def wanderings(draw: st.DrawFn, most: int = 1200) -> list[int]:
    """Prices that wander in small and large steps; long enough, at times, for several floors of blocks."""
    count = draw(st.sampled_from([1, 2, 63, 64, 65, 1023, 1024, 1025, most]) | st.integers(1, most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    reach = draw(st.sampled_from([1, 3, 50]))
    steps = generator.integers(-reach, reach + 1, count) * generator.choice([0, 1, 1, 20], count)
    wandering: list[int] = (np.abs(np.cumsum(steps) + draw(st.integers(1, 2000))) + 1).tolist()
    return wandering
