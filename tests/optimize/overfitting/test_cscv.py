"""The probability of overfitting is what published examples print, and what the plain way of computing it gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridtide.optimize.overfitting.cscv import cscv, usual_blocks
from tests.optimize.overfitting.r_random import rnorm

Floats = NDArray[np.float64]

RISKLESS = 0.03 / 252


def plain_sharpe(returns: Floats) -> Floats:
    deviation = returns.std(axis=0, ddof=1)
    is_flat = deviation <= 1e-13
    return np.where(is_flat, 0, returns.mean(axis=0) / np.where(is_flat, 1, deviation))


@pytest.fixture(scope="module")
def vignette() -> Floats:
    """The trials of the vignette of the R package pbo (as rendered in its repository mrbcuda/pbo), in excess of its
    riskless rate: set.seed(765), 100 trials of 2,400 normal returns, each made to have the same mean and deviation
    over the whole."""
    drawn = rnorm(765, 240_000).reshape(100, 2400).T
    scaled = drawn / drawn.std(axis=0, ddof=1) / math.sqrt(252)
    returns: Floats = scaled - scaled.mean(axis=0) - RISKLESS
    return returns


def test_r_draws_these_numbers() -> None:
    """The first three normal numbers of R after set.seed(42), as printed in countless places."""
    assert rnorm(42, 3).tolist() == pytest.approx([1.37095845, -0.56469817, 0.36312841], abs=1e-8)


@pytest.mark.parametrize(
    "blocks, slope, fit", [pytest.param(8, -0.003046, 0.97), pytest.param(4, -0.005909, 0.88)]
)
def test_published_example_of_the_r_package(vignette: Floats, blocks: int, slope: float, fit: float) -> None:
    """Vignette of the R package pbo: p_bo 1, p_loss 1, "slope" −0.003046 and ar^2 0.97 with 8 blocks; 1, 1,
    −0.005909 and 0.88 with 4.

    What that version prints as slope is the intercept of the line of in-sample on out-of-sample performance (the
    first of R's coefficients), and ar^2 is that line's adjusted coefficient of determination; both are held to all
    printed digits.
    """
    found = cscv(vignette, blocks)
    reversed_slope, intercept = np.polyfit(found.out_of_sample, found.in_sample, 1)
    explained = np.corrcoef(found.in_sample, found.out_of_sample)[0, 1] ** 2
    adjusted = 1 - (1 - explained) * (found.splits - 1) / (found.splits - 2)
    assert (found.overfitting, found.loss) == (1, 1)
    assert intercept == pytest.approx(slope, abs=5e-7)
    assert adjusted == pytest.approx(fit, abs=5e-3)
    assert reversed_slope < 0
    assert found.slope == pytest.approx(np.polyfit(found.in_sample, found.out_of_sample, 1)[0])


def test_trials_that_are_equal_overall_are_overfitted_by_any_choice() -> None:
    """Bailey, Borwein, López de Prado and Zhu (2017): where all trials perform alike over the whole,
    what is best in one half must be worst in the other, so the probability is 1 and the degradation complete."""
    drawn = np.random.default_rng(5).normal(0, 0.01, (160, 50))
    found = cscv(drawn - drawn.mean(axis=0), 8, lambda returns: returns.mean(axis=0))
    assert found.overfitting == 1
    assert found.slope == pytest.approx(-1)
    assert found.intercept == pytest.approx(0, abs=1e-12)


def test_example_by_hand() -> None:
    """Two sets, four periods, four blocks, by mean return. A returns 3, 1, 0, 0 and B 0, 0, 1, 1 per cent: A wins
    wherever it has its first period in-sample, or its second with a B period at most level; six splits, by hand."""
    returns = np.array([[0.03, 0], [0.01, 0], [0, 0.01], [0, 0.01]])
    found = cscv(returns, 4, lambda part: part.sum(axis=0))
    # in-sample periods: 12, 13, 14, 23, 24, 34; a tie in-sample goes to the first set
    assert found.winners.tolist() == [0, 0, 0, 0, 0, 1]
    assert found.in_sample.tolist() == pytest.approx([0.04, 0.03, 0.03, 0.01, 0.01, 0.02])
    assert found.out_of_sample.tolist() == pytest.approx([0, 0.01, 0.01, 0.03, 0.03, 0])
    # ranks out-of-sample of two: worse, level, level, better, better, worse; ω = rank / 3
    third, half = math.log(1 / 2), 0
    assert found.logits.tolist() == pytest.approx([third, half, half, -third, -third, third], abs=1e-12)
    assert found.overfitting == pytest.approx(4 / 6)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sets=st.sampled_from([2, 3, 40, 150]),
    blocks=st.sampled_from([2, 4, 6]),
    rows=st.integers(2, 7),
)
def test_sums_give_what_rows_give(seed: int, sets: int, blocks: int, rows: int) -> None:
    """The compiled sums of blocks and the plain Sharpe ratio of the very rows choose and rank alike, with sets that
    never move and sets that are each other's twin."""
    generator = np.random.default_rng(seed)
    returns = generator.normal(0.0005, 0.01, (blocks * rows + int(generator.integers(blocks)), sets))
    returns[:, sets // 2] = 0
    returns[:, -1] = returns[:, 0]
    fast, plain = cscv(returns, blocks), cscv(returns, blocks, plain_sharpe)
    assert fast.winners.tolist() == plain.winners.tolist()
    assert fast.logits.tolist() == plain.logits.tolist()
    assert np.allclose(fast.in_sample, plain.in_sample, rtol=1e-9, atol=1e-12)
    assert np.allclose(fast.out_of_sample, plain.out_of_sample, rtol=1e-9, atol=1e-12)


def test_large_means_do_not_drown_the_deviations() -> None:
    """Sums of squares lose every digit of a small deviation beside a large mean unless the mean is taken off
    first."""
    returns = 1000 + np.random.default_rng(3).normal(0, 1e-6, (40, 6))
    fast, plain = (
        cscv(returns, 4),
        cscv(returns, 4, lambda part: part.mean(axis=0) / part.std(axis=0, ddof=1)),
    )
    assert np.allclose(fast.in_sample, plain.in_sample, rtol=1e-4)


def test_one_skilled_set_is_found_again() -> None:
    drawn = np.random.default_rng(7).normal(0, 0.01, (320, 60))
    drawn[:, 17] += 0.005
    found = cscv(drawn, 8)
    assert found.overfitting == 0
    assert set(found.winners.tolist()) == {17}
    assert found.loss == 0


def test_the_oldest_periods_are_left_out() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, (43, 4))
    found = cscv(returns, 4)
    assert found.periods == 40
    assert found.logits.tolist() == cscv(returns[3:], 4).logits.tolist()


@pytest.mark.parametrize("periods, blocks", [(20, 4), (79, 14), (80, 16), (5000, 16)])
def test_usual_blocks(periods: int, blocks: int) -> None:
    assert usual_blocks(periods) == blocks


@pytest.mark.parametrize(
    "returns, blocks, words",
    [
        (np.zeros(10), 2, "matrix"),
        (np.zeros((10, 1)), 2, "two sets"),
        (np.full((10, 2), np.nan), 2, "finite"),
        (np.zeros((10, 2)), 3, "even"),
        (np.zeros((10, 2)), 22, "from 2 to 20"),
        (np.zeros((3, 2)), 2, "too few"),
        (np.zeros((19, 2)), None, "at least 20"),
    ],
)
def test_what_cannot_be_split_is_refused(returns: Floats, blocks: int | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cscv(returns, blocks)


def test_a_statistic_must_give_one_figure_a_set() -> None:
    with pytest.raises(ValueError, match="one figure a set"):
        cscv(np.zeros((8, 3)), 2, lambda part: part[0, :2])
