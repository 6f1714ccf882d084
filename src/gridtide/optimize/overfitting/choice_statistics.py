"""What "best" means to cross-validation: the objective a search chose by, measured on returns instead of fills.

Only objectives that a set's returns give by themselves are here; any other is judged by the Sharpe ratio.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.overfitting.cscv import Statistic

    Floats = NDArray[np.float64]

_LEAST_FALL = 1e-4
"""A fall below this counts as this, as in the objective."""


def total_return(returns: Floats) -> Floats:
    """One fraction a set, of `returns` of shape (periods, sets)."""
    gains: Floats = np.prod(1 + returns, axis=0) - 1
    return gains


def gain_over_fall(returns: Floats) -> Floats:
    """Total return over the deepest fall from a peak; a loss is multiplied by it, so that a deeper fall never makes it
    better."""
    curve = np.cumprod(1 + returns, axis=0)
    gains = curve[-1] - 1
    peaks = np.maximum(np.maximum.accumulate(curve, axis=0), 1)
    falls = np.maximum((1 - curve / peaks).max(axis=0), _LEAST_FALL)
    ratios: Floats = np.where(gains > 0, gains / falls, gains * falls)
    return ratios


CHOICE_STATISTICS: Mapping[str, Statistic] = {"final_equity": total_return, "gain_over_fall": gain_over_fall}
"""By the objective's name."""
