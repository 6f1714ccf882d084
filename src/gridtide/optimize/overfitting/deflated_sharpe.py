"""Deflated Sharpe ratio: the best of many trials held against what luck alone would have made the best.

The number of trials is the true one: every set that was tried, also those that failed, were pruned or belong to an
earlier search over the same data. An effective number is a second figure, never a replacement.

Sources: D. H. Bailey and M. López de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5),
2014; D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu, "Pseudo-Mathematics and Financial Charlatanism",
Notices of the AMS 61(5), 2014.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gridtide.optimize.overfitting.probabilistic_sharpe import (
    NORMAL,
    SharpeMoments,
    probabilistic_sharpe,
)

EULER_MASCHERONI = 0.5772156649015329


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """The verdict of luck on the best of `trials`."""

    probability: float
    """That the true Sharpe ratio of the chosen set is above `threshold`: the DSR."""
    threshold: float
    """The Sharpe ratio, a period, that the best of so many trials without any skill is expected to show."""
    trials: float
    """As counted; a whole number unless it is an effective one."""


def expected_maximum(trials: float) -> float:
    """What the largest of `trials` independent standard normal draws is expected to be; 0 for a single one.

    (1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e)), γ the Euler-Mascheroni constant. Source: "Pseudo-Mathematics and
    Financial Charlatanism". ValueError below one trial.
    """
    if not trials >= 1 or math.isinf(trials):
        raise ValueError(f"At least one trial was made, not {trials}.")
    if trials == 1:
        return 0.0
    value = (1 - EULER_MASCHERONI) * _upper_quantile(1 / trials) + EULER_MASCHERONI * _upper_quantile(
        1 / (trials * math.e)
    )
    return max(0.0, value)  # an effective number just above one would give the minimum, not the maximum


def deflated_sharpe(chosen: SharpeMoments, trials: float, variance: float) -> DeflatedSharpe:
    """The deflated Sharpe ratio of the `chosen` set.

    `trials`: all sets tried. `variance`: of the trials' Sharpe ratios *a period* (annualised ones divided by the
    periods a year). Source: "The Deflated Sharpe Ratio". ValueError below one
    trial and for a negative variance.
    """
    if not variance >= 0:
        raise ValueError(f"A variance is not negative, unlike {variance}.")
    threshold = math.sqrt(variance) * expected_maximum(trials)
    return DeflatedSharpe(probabilistic_sharpe(chosen, threshold), threshold, trials)


def minimum_backtest_years(trials: float, yearly_sharpe: float = 1.0) -> float:
    """Years of data below which the best of `trials` sets without skill is expected to show `yearly_sharpe`.

    Source: "Pseudo-Mathematics and Financial Charlatanism". ValueError for a ratio that is not above zero.
    """
    if not yearly_sharpe > 0:
        raise ValueError(f"A Sharpe ratio to be expected must be above zero, not {yearly_sharpe}.")
    return (expected_maximum(trials) / yearly_sharpe) ** 2


def _upper_quantile(tail: float) -> float:
    """−Φ⁻¹(tail) instead of Φ⁻¹(1 − tail): no digits are lost for many trials."""
    return -NORMAL.inv_cdf(tail)
