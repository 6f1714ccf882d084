"""The card's chances are those of known processes, its round trips those of a plain walk, its losses those of the
books."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from gridtide.optimize.overfitting.grid_at_price import equity_at, first_holding, invested
from gridtide.optimize.overfitting.range_survival import RangeSurvival, range_survival
from gridtide.optimize.overfitting.stationary_bootstrap import resampled_places

Floats = NDArray[np.float64]

BYBIT = np.array([45_000.0, 49_000, 53_000, 57_000, 61_000, 65_000])
"""The grid of AT-7, with 57,000 vacant at 56,000."""


def walk(hours: int, seed: int = 1, hourly: float = 0.006) -> Floats:
    steps = np.random.default_rng(seed).normal(0, hourly, hours)
    prices: Floats = 100 * np.exp(np.cumsum(steps))
    return prices


def test_leaving_below_first_has_the_chance_of_a_fair_game() -> None:
    """A walk without drift and memory from the point one third up (in logarithms) leaves below first with chance
    2/3, and in 40 days it has left: the gambler's ruin, within four standard errors and the overshoot of a
    step."""
    levels = np.array([100 * math.exp(-0.1), 100.0, 100 * math.exp(0.2)])
    found = range_survival(
        walk(4000, hourly=0.012),
        levels,
        np.random.default_rng(2),
        start=100,
        days=(40,),
        paths=1500,
        block_length=1,
    )
    (far,) = found.horizons
    assert far.leaves == pytest.approx(1, abs=0.005)
    assert far.leaves_below == pytest.approx(2 / 3, abs=4 * math.sqrt(2 / 9 / 1500) + 0.025)
    assert far.leaves_below + far.leaves_above == pytest.approx(far.leaves)


def test_touching_a_price_has_the_chance_of_reflection() -> None:
    """P(a walk's lowest point is below −x after n steps) is 2·P(it ends there), seen a step's overshoot further out
    (0.5826 standard deviations of a step: Broadie, Glasserman and Kou, Mathematical Finance 7(4), 1997)."""
    prices = walk(6000, hourly=0.005)
    deviation = float(np.diff(np.log(prices)).std())
    found = range_survival(
        prices, BYBIT / 560, np.random.default_rng(3), start=100, changes=(-0.1,), paths=4000, block_length=1
    )
    for horizon, chance in zip((7, 30, 90), found.prices[0].chances, strict=True):
        distance = (-math.log(0.9) + 0.5826 * deviation) / (deviation * math.sqrt(horizon * 24))
        assert chance == pytest.approx(math.erfc(distance / math.sqrt(2)), abs=0.03)


def plain_round_trips(logarithms: Floats, levels: Floats, holding: int) -> int:
    """Interval by interval: bought at its lower level, sold at its upper one; sales of what was held at first do not
    count."""
    holds = [interval >= holding for interval in range(len(levels) - 1)]
    bought = [False] * len(holds)
    trips = 0
    previous = 0.0
    for price in logarithms:
        order = range(len(holds)) if price > previous else reversed(range(len(holds)))
        for interval in order:
            if not holds[interval] and price <= levels[interval] < previous:
                holds[interval] = bought[interval] = True
            elif holds[interval] and previous < levels[interval + 1] <= price:
                trips += bought[interval]
                holds[interval] = bought[interval] = False
        previous = price
    return trips


def test_round_trips_are_those_of_a_plain_walk() -> None:
    """On the same redrawn closes the card's compiled walk counts what a plain one over all intervals does."""
    prices = walk(400, hourly=0.02)
    levels = np.geomspace(70, 140, 15)
    found = range_survival(
        prices, levels, np.random.default_rng(6), start=100, days=(3, 10), paths=150, block_length=5
    )
    changes = np.diff(np.log(prices))
    places = resampled_places(399, 240, 150, 5, np.random.default_rng(6))
    paths = np.cumsum((changes - changes.mean())[places], axis=1)
    holding = first_holding(levels, 100)
    for horizon, steps in zip(found.horizons, (72, 240), strict=True):
        plain = [plain_round_trips(path[:steps], np.log(levels / 100), holding) for path in paths]
        assert horizon.round_trips == pytest.approx(np.mean(plain))
        assert horizon.round_trips_low <= np.median(plain) <= horizon.round_trips_high
        outside = (paths[:, steps - 1] < math.log(0.7)) | (paths[:, steps - 1] > math.log(1.4))
        assert horizon.ends_outside == pytest.approx(outside.mean())
        left = (paths[:, :steps].min(axis=1) < math.log(0.7)) | (paths[:, :steps].max(axis=1) > math.log(1.4))
        assert horizon.leaves == pytest.approx(left.mean())
    assert found.horizons[1].round_trips > 3


def test_extremes_inside_candles_are_seen() -> None:
    """Closes that never move, with wicks of 3 % below and 4 % above: a range of 2 % is left at once, below first
    because that is nearer, and each candle makes two round trips, but for the base of the start."""
    closes = np.full(50, 100.0)
    levels = np.array([98.0, 100, 102])
    still = range_survival(closes, levels, np.random.default_rng(0), days=(2,), paths=5)
    wicks = range_survival(
        closes, levels, np.random.default_rng(0), lows=closes * 0.97, highs=closes * 1.04, days=(2,), paths=5
    )
    assert (still.horizons[0].leaves, still.horizons[0].round_trips) == (0, 0)
    assert wicks.horizons[0].leaves_below == 1
    assert wicks.horizons[0].round_trips == pytest.approx(2 * 48 - 1)


def test_last_years_trend_is_no_promise() -> None:
    """Prices that doubled leave a range to neither side more often than to the other, unless their trend is kept."""
    prices = walk(3000, seed=3, hourly=0.004) * np.exp(np.linspace(0, 3, 3000))
    levels = 100 * np.exp(np.array([-0.15, 0, 0.15]))

    def card(*, keeps_drift: bool) -> RangeSurvival:
        return range_survival(
            prices,
            levels,
            np.random.default_rng(1),
            start=100,
            days=(30,),
            paths=800,
            keeps_drift=keeps_drift,
        )

    fair, trending = card(keeps_drift=False).horizons[0], card(keeps_drift=True).horizons[0]
    assert fair.leaves_below == pytest.approx(fair.leaves_above, abs=0.1)
    assert trending.leaves_above > 0.9 * trending.leaves


def test_losses_are_those_of_the_books() -> None:
    """AT-7's grid from 56,000 with one coin an interval: buys at 53,000, 49,000 and 45,000 and two coins at 56,000
    are 259,000 invested. At 39,200 all five coins are held: 196,000, a loss of 63,000. At 50,400 three are held and
    94,000 quote left; at 61,600 one was sold at 61,000."""
    ones = np.ones(5)
    assert first_holding(BYBIT, 56_000) == 3
    assert invested(BYBIT, ones, 56_000) == 259_000
    assert equity_at(BYBIT, ones, 56_000, 39_200) == (196_000, 5)
    assert equity_at(BYBIT, ones, 56_000, 50_400) == (94_000 + 3 * 50_400, 3)
    assert equity_at(BYBIT, ones, 56_000, 61_600) == (147_000 + 61_000 + 61_600, 1)
    card = range_survival(
        walk(100), BYBIT, np.random.default_rng(0), start=56_000, changes=(0.1, -0.3), days=(1,), paths=3
    )
    assert [row.change for row in card.prices] == [-0.3, 0.1]
    assert card.prices[0].result == pytest.approx(-63_000 / 259_000)
    assert card.prices[0].base_share == pytest.approx(1)
    assert card.prices[1].result == pytest.approx((269_600 - 259_000) / 259_000)


def test_the_vacant_level_is_the_nearest_and_a_tie_goes_up() -> None:
    assert first_holding(np.array([10.0, 20, 30]), 14.9) == 0
    assert first_holding(np.array([10.0, 20, 30]), 15) == 1


def test_quantities_weigh_the_intervals() -> None:
    """Twice the base in the lowest interval: 45,000 more invested."""
    assert invested(BYBIT, np.array([2.0, 1, 1, 1, 1]), 56_000) == 259_000 + 45_000


def test_horizons_may_be_shorter_than_a_candle() -> None:
    """Two horizons within the first hour are both that hour, and the later one goes on from there."""
    found = range_survival(
        walk(300, hourly=0.02), BYBIT, np.random.default_rng(4), start=56_000, days=(0.01, 0.02, 5), paths=50
    )
    first, second, last = found.horizons
    assert first._replace(days=0) == second._replace(days=0)
    assert last.leaves > 0.3
    assert found.prices[3].chances[2] > found.prices[3].chances[1]


def test_a_seed_gives_the_same_card() -> None:
    first, second = (
        range_survival(walk(200), BYBIT, np.random.default_rng(4), start=56_000, paths=250) for _ in range(2)
    )
    assert first == second
    assert first.history_days == pytest.approx(199 / 24)


@pytest.mark.parametrize(
    "closes, levels, words",
    [
        (np.ones(10), BYBIT, "eleven"),
        (np.zeros(20), BYBIT, "above zero"),
        (np.ones(20), BYBIT[::-1], "above the one before"),
        (np.ones(20), BYBIT[:1], "two levels"),
    ],
)
def test_what_is_no_history_or_grid_is_refused(closes: Floats, levels: Floats, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        range_survival(closes, levels, np.random.default_rng(0))


def test_candles_must_match() -> None:
    with pytest.raises(ValueError, match="same candles"):
        range_survival(np.ones(20), BYBIT, np.random.default_rng(0), lows=np.ones(19))
    with pytest.raises(ValueError, match="below −100"):
        range_survival(np.ones(20), BYBIT, np.random.default_rng(0), changes=(-1.0,))
    with pytest.raises(ValueError, match="one quantity"):
        range_survival(np.ones(20), BYBIT, np.random.default_rng(0), quantities=np.ones(6))
