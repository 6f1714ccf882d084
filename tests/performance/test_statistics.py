"""The statistics give the numbers that others have published for them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gridtide.performance.days import DAY_MS
from gridtide.performance.statistics import annual_return, calmar, returns_of, sharpe, sortino, volatility

YEAR_MS = 365 * DAY_MS

MIXED = np.array([1, 10, -4, 2, 3, 2, 1, -10]) / 100
"""Returns of the test suite of quantopian's empyrical, empyrical/tests/test_stats.py, with the results it asserts; it
takes 252 trading days, or 52 weeks, for a year. Its daily series starts with a NaN that counts as a day."""
WEEKLY = np.array([0, *MIXED])


def test_sharpe_of_a_published_example() -> None:
    """empyrical, test_sharpe_ratio: mixed_returns at a riskless rate of 0, and negative_returns."""
    negative = np.array([0, -6, -7, -1, -9, -2, -6, -8, -5]) / 100
    assert sharpe(MIXED, 252) == pytest.approx(1.7238613961706866, abs=1e-12)
    assert sharpe(negative, 252) == pytest.approx(-24.406808633910085, abs=1e-12)


def test_volatility_of_a_published_example() -> None:
    """empyrical, test_annual_volatility: mixed_returns and weekly_returns."""
    assert volatility(MIXED, 252) == pytest.approx(0.9136465399704637, abs=1e-12)
    assert volatility(WEEKLY, 52) == pytest.approx(0.38851569394870583, abs=1e-12)


def test_sortino_of_published_examples() -> None:
    """Rollinger and Hoffman, "Sortino: A 'Sharper' Ratio", Red Rock Capital: yearly returns of 17, 15, 23, -5, 12, 9,
    13 and -4 % at a target of 0 have a ratio of 4.417; empyrical, test_sortino: mixed_returns."""
    paper = np.array([17, 15, 23, -5, 12, 9, 13, -4]) / 100
    assert sortino(paper, 1) == pytest.approx(4.417, abs=0.0005)
    assert sortino(MIXED, 252) == pytest.approx(2.605531251673693, abs=1e-12)


def test_calmar_of_published_examples() -> None:
    """empyrical, test_annual_ret and test_calmar: nine days of mixed_returns, nine weeks of weekly_returns; maximum
    drawdown 0.1 (test_max_drawdown)."""
    growth = float(np.prod(1 + MIXED))
    daily = annual_return(growth, 9 / 252 * YEAR_MS)
    weekly = annual_return(growth, 9 / 52 * YEAR_MS)
    assert daily == pytest.approx(1.9135925373194231, abs=1e-12)
    assert calmar(daily, 0.1) == pytest.approx(19.135925373194233, abs=1e-11)
    assert calmar(weekly, 0.1) == pytest.approx(2.4690830513998208, abs=1e-12)


def test_returns_are_relative_changes() -> None:
    assert returns_of(np.array([100.0, 110.0, 99.0])).tolist() == pytest.approx([0.1, -0.1])
    assert returns_of(np.array([0.0, 5.0, 5.0])).tolist() == [0, 0]


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, 0.01, 0.01], [0.0, 0.0]])
def test_what_is_not_defined_is_none(returns: list[float]) -> None:
    """Without variation there is no ratio; a made-up infinity would win every sweep."""
    values = np.array(returns)
    assert sharpe(values) is None
    assert sortino(values) is None


def test_float_noise_is_no_risk() -> None:
    """Cash alone has no Sharpe ratio, however its floats tremble."""
    assert sharpe(np.array([0.1, 0.1 + 1e-17, 0.1 - 1e-17, 0.3 - 0.2])) is None


def test_a_year_is_not_told_from_minutes() -> None:
    """Under a day nothing follows for a year; nor from a growth that a year's power carries beyond all numbers."""
    assert annual_return(1.01, DAY_MS - 1) is None
    assert annual_return(100.0, DAY_MS) is None
    assert annual_return(1.1, YEAR_MS) == pytest.approx(0.1)
    assert annual_return(0.0, YEAR_MS) == -1
    assert calmar(None, 0.1) is None
    assert calmar(0.1, 0.0) is None


def test_periods_are_days_of_a_market_that_never_closes() -> None:
    assert sharpe(MIXED) == pytest.approx(1.7238613961706866 * math.sqrt(365 / 252))
