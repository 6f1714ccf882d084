"""Probabilistic and deflated Sharpe ratios give the numbers their papers print."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from gridtide.optimize.overfitting.deflated_sharpe import (
    deflated_sharpe,
    expected_maximum,
    minimum_backtest_years,
)
from gridtide.optimize.overfitting.probabilistic_sharpe import (
    SharpeMoments,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_deviation,
    sharpe_moments,
)


@pytest.mark.parametrize(
    "trials, skewness, kurtosis, threshold, probability",
    [(100, -3, 10, 0.1132, 0.9004), (46, -3, 10, None, 0.9505), (88, 0, 3, None, 0.9505)],
)
def test_deflated_sharpe_of_the_paper(
    trials: int, skewness: float, kurtosis: float, threshold: float | None, probability: float
) -> None:
    """Bailey and López de Prado (2014), "A numerical example": a yearly Sharpe ratio of 2.5 over five years of 250
    days, a variance of 1/2 across the trials; 0.9004 after 100 trials, 0.9505 after 46, and as much after 88 had
    returns been normal."""
    chosen = SharpeMoments(2.5 / math.sqrt(250), 1250, skewness, kurtosis)
    found = deflated_sharpe(chosen, trials, 0.5 / 250)
    assert found.probability == pytest.approx(probability, abs=5e-5)
    if threshold is not None:
        assert found.threshold == pytest.approx(threshold, abs=5e-5)


def test_deflated_sharpe_derived_by_hand() -> None:
    """The same example from the formulas alone: SR 0.158114, maximum of 100 draws 2.530603, times √0.002 is
    0.113172; the standard error is √((1 + 3·0.158114 + 9/4·0.025) / 1249)."""
    assert expected_maximum(100) == pytest.approx(2.5306028932, abs=1e-9)  # also in the tests of esvhd/pypbo
    sharpe = 2.5 / math.sqrt(250)
    error = math.sqrt((1 + 3 * sharpe + 9 / 4 * sharpe**2) / 1249)
    by_hand = NormalDist().cdf((sharpe - math.sqrt(0.002) * 2.5306028932) / error)
    found = deflated_sharpe(SharpeMoments(sharpe, 1250, -3, 10), 100, 0.002)
    assert found.probability == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize(
    "periods, skewness, kurtosis, probability",
    [(24, 0, 3, 0.982), (24, -2.448, 10.164, 0.913), (36, -2.448, 10.164, 0.9535)],
)
def test_probabilistic_sharpe_of_the_paper(
    periods: int, skewness: float, kurtosis: float, probability: float
) -> None:
    """Bailey and López de Prado (2012): a monthly ratio of 0.458 over two years; 0.982 for normal
    returns, 0.913 with the skewness and kurtosis of that fund, and 0.953 after a third year (0.9535, cut off in
    print)."""
    found = probabilistic_sharpe(SharpeMoments(0.458, periods, skewness, kurtosis))
    assert found == pytest.approx(probability, abs=5e-4)


@pytest.mark.parametrize(
    "periods_a_year, skewness, kurtosis, years",
    [(252, 0, 3, 2.73), (52, 0, 3, 2.83), (12, 0, 3, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_minimum_track_record_of_the_paper(
    periods_a_year: int, skewness: float, kurtosis: float, years: float
) -> None:
    """Bailey and López de Prado (2012): years until a yearly ratio of 2 is above 1 at 95 %, daily, weekly
    and monthly normal returns, and monthly ones like those of hedge funds."""
    root = math.sqrt(periods_a_year)
    found = minimum_track_record(SharpeMoments(2 / root, 2, skewness, kurtosis), 1 / root)
    assert found / periods_a_year == pytest.approx(years, abs=5e-3)


@pytest.mark.parametrize(
    "sharpe, skewness, kurtosis, error, years",
    [(0.7079, -0.2250, 2.9570, 0.1028, 0.7152), (0.8183, -1.4455, 7.0497, 0.1550, 1.1593)],
)
def test_hedge_fund_styles_of_the_paper(
    sharpe: float, skewness: float, kurtosis: float, error: float, years: float
) -> None:
    """Two rows of the table of hedge fund styles in Bailey and López de Prado (2012), 134 months, as asserted by the
    tests of rubenbriones/Probabilistic-Sharpe-Ratio: standard error, and years until the ratio is above 0 at 95
    %."""
    moments = SharpeMoments(sharpe, 134, skewness, kurtosis)
    assert sharpe_deviation(moments) == pytest.approx(error, abs=5e-5)
    assert minimum_track_record(moments) / 12 == pytest.approx(years, abs=5e-5)


def test_expected_maximum_of_the_paper() -> None:
    """Bailey, Borwein, López de Prado and Zhu (2014): the best of 10 sets without skill has an expected ratio of
    1.57; with five years of data no more than 45 sets may be tried, or one with a ratio of 1 is expected."""
    assert expected_maximum(10) == pytest.approx(1.57, abs=0.005)
    assert minimum_backtest_years(45) < 5 < minimum_backtest_years(46)


@pytest.mark.parametrize("trials", [10, 100, 1000])
def test_expected_maximum_is_that_of_random_draws(trials: int) -> None:
    """Held against the mean of 4,000 maxima of as many normal draws; the formula is an approximation for many
    trials."""
    maxima = np.random.default_rng(trials).standard_normal((4000, trials), np.float32).max(axis=1)
    assert expected_maximum(trials) == pytest.approx(float(maxima.mean()), abs=0.05)


def test_one_trial_is_no_selection() -> None:
    chosen = SharpeMoments(0.1, 300)
    assert expected_maximum(1) == 0
    assert expected_maximum(1.1) == 0
    assert deflated_sharpe(chosen, 1, 0.5).probability == probabilistic_sharpe(chosen)


def test_more_trials_deflate_more() -> None:
    chosen = SharpeMoments(0.1, 300)
    found = [deflated_sharpe(chosen, trials, 1 / 300).probability for trials in (1, 2, 10, 100, 10**6)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_moments_of_returns() -> None:
    """2, 0, 0, 0 per cent: mean 0.5, sample deviation 1; third and fourth moments by hand."""
    found = sharpe_moments(np.array([0.02, 0, 0, 0]))
    assert found is not None
    assert found.periods == 4
    assert found.sharpe == pytest.approx(0.5)
    assert found.skewness == pytest.approx((1.5**3 - 3 * 0.5**3) / 4 / 0.75**1.5)
    assert found.kurtosis == pytest.approx((1.5**4 + 3 * 0.5**4) / 4 / 0.75**2)


def test_the_record_that_is_just_long_enough_is_sure_enough() -> None:
    """A record of the minimum length has a probabilistic Sharpe ratio of exactly the confidence asked for."""
    moments = SharpeMoments(0.1, 2, -1, 6)
    needed = minimum_track_record(moments, 0.02, 0.9)
    error = sharpe_deviation(moments) / math.sqrt(needed - 1)  # for two periods the root in it is 1
    assert NormalDist().cdf((0.1 - 0.02) / error) == pytest.approx(0.9)


@pytest.mark.parametrize("returns", [[], [0.1], [0.01, 0.01, 0.01], [0, 0]])
def test_returns_without_a_ratio_have_none(returns: list[float]) -> None:
    assert sharpe_moments(np.array(returns)) is None


def test_a_ratio_below_the_benchmark_is_never_proved() -> None:
    assert minimum_track_record(SharpeMoments(0.1, 100), 0.1) == math.inf


def test_what_makes_no_sense_is_refused() -> None:
    chosen = SharpeMoments(0.1, 100)
    with pytest.raises(ValueError, match="kurtosis"):
        SharpeMoments(0.1, 100, -3, 5)
    with pytest.raises(ValueError, match="two periods"):
        SharpeMoments(0.1, 1)
    with pytest.raises(ValueError, match="one trial"):
        deflated_sharpe(chosen, 0, 0.1)
    with pytest.raises(ValueError, match="variance"):
        deflated_sharpe(chosen, 5, math.nan)
    with pytest.raises(ValueError, match="confidence"):
        minimum_track_record(chosen, 0, 1)
    with pytest.raises(ValueError, match="above zero"):
        minimum_backtest_years(10, 0)
    with pytest.raises(ValueError, match="finite"):
        sharpe_moments(np.array([0.1, math.nan]))
