"""Two plants: 5,000 grids on a price without memory are called overfitted; on a price that comes back the best one
holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from gridtide.optimize.overfitting.evidence import evidence_of_returns
from gridtide.optimize.overfitting.plateau import plateau
from gridtide.optimize.overfitting.verdict import Verdict, judge
from gridtide.optimize.overfitting.walk_forward_figures import WindowReturns, walk_forward_figures
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
INSIDE, OUTSIDE = 180, 60
"""Days of a walk-forward window: to choose on, and to prove itself on."""


def sharpes(returns: Floats) -> Floats:
    ratios: Floats = returns.mean(axis=0) / np.maximum(returns.std(axis=0), 1e-9)
    return ratios


def windows(returns: Floats) -> Iterator[WindowReturns]:
    for first in range(0, len(returns) - INSIDE - OUTSIDE + 1, OUTSIDE):
        inside, outside = returns[first : first + INSIDE], returns[first + INSIDE :][:OUTSIDE]
        best = int(sharpes(inside).argmax())
        gains = (float(np.prod(1 + part[:, best]) - 1) for part in (inside, outside))
        yield WindowReturns(next(gains), INSIDE, next(gains), OUTSIDE)


def verdict_on(prices: Floats, generator: np.random.Generator) -> Verdict:
    sets = random_sets(TRIALS, prices[0], generator)
    returns = daily_returns(prices, sets)
    walked = walk_forward_figures(windows(returns))
    hill = plateau(sets._asdict(), sharpes(returns))
    evidence = evidence_of_returns(returns, generator, blocks=12, draws=200)
    return judge(
        replace(
            evidence,
            walk_forward_efficiency=walked.efficiency,
            profitable_windows=walked.profitable,
            windows=walked.windows,
            plateau=None if hill is None else hill.score,
        )
    )


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
def test_a_planted_edge_holds(seed: int) -> None:
    """A price that comes half-way back within a day pays the grids around its middle, also those chosen before it
    did."""
    generator = np.random.default_rng(seed)
    found = verdict_on(mean_reverting(DAYS + 1, generator, half_life=1), generator)
    assert found.level is Level.HOLDS
    assert found.reasons == ()
