"""Probabilistic Sharpe ratio and minimum track record length: how far a Sharpe ratio can be believed.

Every Sharpe ratio here is one *a period* (not annualised), and every kurtosis that of a normal distribution is 3.

Source: D. H. Bailey and M. López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15(2), 2012.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.optimize.overfitting.columns import refuse_unfinished

if TYPE_CHECKING:
    from numpy.typing import NDArray

NORMAL = NormalDist()
_FLAT = 1e-14


@dataclass(frozen=True, slots=True)
class SharpeMoments:
    """A Sharpe ratio with what its reliability depends on."""

    sharpe: float
    """A period: mean over standard deviation of excess returns."""
    periods: int
    """Returns it was measured on."""
    skewness: float = 0.0
    kurtosis: float = 3.0
    """The fourth standardised moment; 3 for normal returns (not the excess over 3)."""

    def __post_init__(self) -> None:
        if self.periods < 2:
            raise ValueError(f"A Sharpe ratio needs at least two periods, not {self.periods}.")
        if self.kurtosis < 1 + self.skewness**2 - 1e-9:
            raise ValueError(
                f"No returns have a skewness of {self.skewness} with a kurtosis of {self.kurtosis}: "
                "the kurtosis is at least 1 + skewness² (3 is normal)."
            )


def sharpe_moments(returns: NDArray[Any]) -> SharpeMoments | None:
    """Moments of `returns`, shape (periods,), fractions in excess of the riskless rate; None for fewer than two of
    them and for returns that are all equal, which have no Sharpe ratio.

    The standard deviation of the ratio is the sample's (n − 1), as elsewhere in gridtide; skewness and kurtosis are
    the population's. ValueError for values that are not finite.
    """
    values = np.asarray(returns, np.float64).ravel()
    refuse_unfinished(values)
    if len(values) < 2 or np.ptp(values) <= _FLAT * max(1.0, float(np.abs(values).max())):
        return None
    centred = values - values.mean()
    variance = float(np.square(centred).mean())
    return SharpeMoments(
        sharpe=float(values.mean() / values.std(ddof=1)),
        periods=len(values),
        skewness=float((centred**3).mean()) / variance**1.5,
        kurtosis=float((centred**4).mean()) / variance**2,
    )


def sharpe_deviation(moments: SharpeMoments) -> float:
    """Standard error of the Sharpe ratio's estimate, a period: √((1 − γ₃·SR + (γ₄ − 1)/4·SR²) / (n − 1)).

    Source: the paper above, after E. Mertens (2002).
    """
    return math.sqrt(_spread(moments) / (moments.periods - 1))


def probabilistic_sharpe(moments: SharpeMoments, benchmark: float = 0.0) -> float:
    """The probability that the true Sharpe ratio is above `benchmark` (a period): Φ((SR − SR*) / standard error).

    Source: the paper above.
    """
    distance, deviation = moments.sharpe - benchmark, sharpe_deviation(moments)
    if deviation == 0:
        return 0.5 if distance == 0 else float(distance > 0)
    return NORMAL.cdf(distance / deviation)


def minimum_track_record(moments: SharpeMoments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Periods a record with these moments must have before its Sharpe ratio is above `benchmark` at `confidence`;
    infinite if the ratio is not above it. The record's own length plays no part.

    Source: the paper above. ValueError for a confidence that is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence lies between 0 and 1, not at {confidence}.")
    if moments.sharpe <= benchmark:
        return math.inf
    return 1 + _spread(moments) * (NORMAL.inv_cdf(confidence) / (moments.sharpe - benchmark)) ** 2


def _spread(moments: SharpeMoments) -> float:
    sharpe = moments.sharpe
    return max(0.0, 1 - moments.skewness * sharpe + (moments.kurtosis - 1) / 4 * sharpe**2)
