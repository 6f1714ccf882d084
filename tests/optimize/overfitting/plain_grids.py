"""Grids played by the plainest code that can be: all sets side by side in NumPy, hour by hour, closes only.

For planting luck and edges; nothing of the program is used, so the statistics are judged on data it did not make.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HOURS_A_DAY = 24


class Sets(NamedTuple):
    """Geometric grids, one value a set."""

    lower: Floats
    upper: Floats
    intervals: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lower)


def random_sets(count: int, start: float, generator: np.random.Generator) -> Sets:
    """Ranges around `start`, the lower bound 3 to 40 % below, the upper 3 to 60 % above, of 4 to 60 intervals."""
    return Sets(
        lower=start * generator.uniform(0.60, 0.97, count),
        upper=start * generator.uniform(1.03, 1.60, count),
        intervals=generator.integers(4, 61, count),
    )


def random_walk(days: int, generator: np.random.Generator, daily: float = 0.03) -> Floats:
    """Hourly prices from 100 without drift or memory: nothing can be known about what comes."""
    steps = generator.normal(0, daily / np.sqrt(HOURS_A_DAY), days * HOURS_A_DAY)
    return 100 * np.exp(np.cumsum(steps - daily**2 / HOURS_A_DAY / 2))


def mean_reverting(
    days: int, generator: np.random.Generator, daily: float = 0.03, half_life: float = 3.0
) -> Floats:
    """Hourly prices that are drawn back to 100 with a half-life in days: a grid earns on each return."""
    pull = 0.5 ** (1 / (half_life * HOURS_A_DAY))
    steps = generator.normal(0, daily / np.sqrt(HOURS_A_DAY), days * HOURS_A_DAY)
    logarithms = np.empty_like(steps)
    level = 0.0
    for hour, step in enumerate(steps):
        level = logarithms[hour] = pull * level + step
    return 100 * np.exp(logarithms)


def daily_returns(prices: Floats, sets: Sets, fee: float = 0.001) -> Floats:
    """Returns a day of each set, of shape (days, sets), after fees on every fill.

    Between two levels one interval's base is bought at the lower and sold at the upper. The lowest interval that
    holds base is all there is to know about a grid: those above hold too, those below hold quote.
    """
    ratio = (sets.upper / sets.lower) ** (1 / sets.intervals)
    floor, scale = sets.lower, 1 / np.log(ratio)
    held = np.clip(np.rint(np.log(prices[0] / floor) * scale), 0, sets.intervals)
    base = sets.intervals - held
    cash = floor * (ratio**held - 1) / (ratio - 1)  # what the buys below will cost
    equity = [cash + base * prices[0]]
    for hour, price in enumerate(prices[1:], start=1):
        place = np.log(price / floor) * scale
        now = np.clip(np.minimum(np.maximum(held, np.floor(place)), np.ceil(place)), 0, sets.intervals)
        moved = np.flatnonzero(now != held)
        if len(moved):
            step, bottom = ratio[moved], floor[moved]
            below = bottom * (step ** now[moved] - step ** held[moved]) / (step - 1)
            value = np.where(below > 0, below * step, below)  # sold one level higher than bought
            cash[moved] += value - fee * np.abs(value)
            base[moved] -= now[moved] - held[moved]
            held[moved] = now[moved]
        if hour % HOURS_A_DAY == 0:
            equity.append(cash + base * price)
    curve = np.array(equity)
    returns: Floats = curve[1:] / curve[:-1] - 1
    return returns
