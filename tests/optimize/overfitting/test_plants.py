"""Two plants: 5,000 grids on a price without memory are called overfitted, on a price that comes back they are
not."""

from __future__ import annotations

import numpy as np
import pytest

from gridtide.optimize.overfitting.evidence import evidence_of_returns
from gridtide.optimize.overfitting.verdict import Verdict, judge
from gridtide.optimize.overfitting.wording import Level
from tests.optimize.overfitting.plain_grids import (
    Floats,
    daily_returns,
    mean_reverting,
    random_sets,
    random_walk,
)

TRIALS = 5000
DAYS = 365


def verdict_on(prices: Floats, generator: np.random.Generator) -> Verdict:
    returns = daily_returns(prices, random_sets(TRIALS, prices[0], generator))
    return judge(evidence_of_returns(returns, generator, blocks=12, draws=200))


@pytest.mark.parametrize("seed", [0, 100])
def test_a_planted_overfit_is_called_overfitted(seed: int) -> None:
    """A random walk of a year has nothing to be found, but the best of 5,000 grids made money on it."""
    generator = np.random.default_rng(seed)
    found = verdict_on(random_walk(DAYS + 1, generator), generator)
    assert found.level is Level.OVERFITTED
    assert "5,000 tries" in found.sentence
    assert found.evidence.profit is not None
    assert found.evidence.profit > 0


@pytest.mark.parametrize("seed", [0, 100])
def test_a_planted_edge_is_not_called_overfitted(seed: int) -> None:
    """A price that comes half-way back within a day pays every grid around its middle; nothing speaks against it,
    and for a good verdict only the walk-forward is missing."""
    generator = np.random.default_rng(seed)
    found = verdict_on(mean_reverting(DAYS + 1, generator, half_life=1), generator)
    assert found.level is Level.NOT_JUDGED
    assert found.reasons == ()
    assert found.sentence == "Not judged: the walk-forward efficiency is missing."
