"""Similar sets count as few trials, and luck is as likely as it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gridtide.optimize.overfitting.daily_returns import daily_returns
from gridtide.optimize.overfitting.effective_trials import trials_by_clusters, trials_by_correlation
from gridtide.optimize.overfitting.reality_check import reality_check

Floats = NDArray[np.float64]


def noise(periods: int, sets: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(0, 0.01, (periods, sets))


def test_trials_by_correlation_of_the_paper() -> None:
    """Bailey and López de Prado (2014), appendix: from N for independent trials down to 1 for equal ones, in a
    straight line of the average correlation, here of three sets against NumPy's."""
    returns = noise(200, 3) + noise(200, 1, 2)
    mean = (np.sum(np.corrcoef(returns.T)) - 3) / 6
    assert trials_by_correlation(returns) == pytest.approx(mean + (1 - mean) * 3)
    assert trials_by_correlation(np.repeat(noise(50, 1), 40, axis=1)) == pytest.approx(1)
    assert trials_by_correlation(noise(2000, 40)) == pytest.approx(40, rel=0.02)


def test_trials_by_correlation_takes_any_number_of_sets() -> None:
    """Columns are taken a thousand at a time; the sum is that of all."""
    returns = noise(20, 2500) + noise(20, 1, 3)
    matrix = np.corrcoef(returns.T)
    mean = (matrix.sum() - 2500) / (2500 * 2499)
    assert trials_by_correlation(returns) == pytest.approx(mean + (1 - mean) * 2500)


def test_sets_that_never_moved_correlate_with_none() -> None:
    returns = np.column_stack((noise(50, 1), np.zeros(50), np.zeros(50)))
    assert trials_by_correlation(returns) == 3
    assert trials_by_clusters(returns) == 2


def test_clusters_are_counted() -> None:
    """Four founders with ten followers each, that correlate 0.96 with their founder."""
    founders = np.repeat(noise(400, 4), 10, axis=1)
    returns = founders + 0.3 * noise(400, 40, 2)
    assert trials_by_clusters(returns) == 4
    assert trials_by_clusters(returns, correlation=0.9999) == 40
    with pytest.raises(ValueError, match="alike"):
        trials_by_clusters(returns, correlation=0)


def test_luck_is_as_likely_as_it_says() -> None:
    """Over 200 searches of five alike sets without skill, the chance of luck is below one in ten about one time in
    ten, and below one half about half the time: within three standard errors, block bootstrap and all."""
    found = []
    for seed in range(200):
        returns = noise(120, 5, seed) + noise(120, 1, seed + 1000)
        found.append(reality_check(returns, np.random.default_rng(seed), 199, 1.0).luck)
    assert np.mean(np.array(found) <= 0.1) == pytest.approx(0.1, abs=3 * (0.09 / 200) ** 0.5)
    assert np.mean(np.array(found) <= 0.5) == pytest.approx(0.5, abs=3 * (0.25 / 200) ** 0.5)


def test_one_skilled_set_is_no_luck() -> None:
    """A yearly Sharpe ratio of 4.8 among 1,100 sets; the best of the others is what luck typically makes."""
    returns = noise(365, 1100)
    returns[:, 1050] += 0.0025 - returns[:, 1050].mean()
    found = reality_check(returns, np.random.default_rng(1), 300)
    best_of_others = np.delete(returns, 1050, axis=1)
    assert found.luck == pytest.approx(1 / 301)
    assert found.best == pytest.approx((returns.mean(0) / returns.std(0, ddof=1)).max())
    assert found.typical_luck == pytest.approx(
        (best_of_others.mean(0) / best_of_others.std(0, ddof=1)).max(), rel=0.2
    )
    assert (found.trials, found.draws) == (1100, 300)


def test_a_search_that_never_traded_is_luck() -> None:
    assert reality_check(np.zeros((30, 4)), np.random.default_rng(1), 20).luck == 1


def test_a_seed_gives_the_same_luck() -> None:
    first, second = (reality_check(noise(50, 9), np.random.default_rng(3), 50) for _ in range(2))
    assert first == second
    with pytest.raises(ValueError, match="one draw"):
        reality_check(noise(50, 9), np.random.default_rng(3), 0)


def test_daily_returns_of_sets_with_a_result() -> None:
    """The first day is held against the equity at the start; a set without a result has no column; what is lost is
    lost once."""
    equity = np.array([[110, 99, 99], [np.nan] * 3, [50, 0, 0]])
    returns, rows = daily_returns(equity, np.array([100, 100, 100]))
    assert rows.tolist() == [0, 2]
    assert returns.T.tolist() == [pytest.approx([0.1, -0.1, 0]), pytest.approx([-0.5, -1, 0])]
    with pytest.raises(ValueError, match="does not go"):
        daily_returns(equity, np.array([100, 100]))
