"""The field's statistics over equity taken at equal distances; None where one is not defined.

All of them are ratios of past floats, for comparing runs: no money is computed here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gridtide.performance.days import DAY_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAYS_A_YEAR = 365
"""Crypto markets never close."""
_YEAR_MS = DAYS_A_YEAR * DAY_MS


def returns_of(equity: Floats) -> Floats:
    """Each value's relative change from the one before; 0 after a value that is not above zero."""
    before, after = equity[:-1], equity[1:]
    return np.divide(after - before, before, out=np.zeros_like(before), where=before > 0)


def volatility(returns: Floats, periods_a_year: float = DAYS_A_YEAR) -> float | None:
    """Sample standard deviation of `returns` × √periods; None for fewer than two."""
    if len(returns) < 2:
        return None
    return float(returns.std(ddof=1)) * math.sqrt(periods_a_year)


def sharpe(returns: Floats, periods_a_year: float = DAYS_A_YEAR) -> float | None:
    """Mean of `returns` over their sample standard deviation × √periods, at a riskless rate of zero.

    None for fewer than two returns and for returns that are all equal. Source: W. F. Sharpe, "The Sharpe Ratio",
    Journal of Portfolio Management 21(1), 1994.
    """
    if len(returns) < 2 or _is_flat(returns):
        return None
    return float(returns.mean() / returns.std(ddof=1)) * math.sqrt(periods_a_year)


def sortino(returns: Floats, periods_a_year: float = DAYS_A_YEAR) -> float | None:
    """Mean of `returns` over their downside deviation × √periods: the root of the mean square of the losses, with a
    zero for each gain. Target zero.

    None without returns and where nothing was lost. Source: T. N. Rollinger and S. T. Hoffman, "Sortino: A 'Sharper'
    Ratio", Red Rock Capital, 2013.
    """
    downside = math.sqrt(float(np.square(np.minimum(returns, 0)).mean())) if len(returns) else 0.0
    return float(returns.mean()) / downside * math.sqrt(periods_a_year) if downside else None


def annual_return(growth: float, duration_ms: float) -> float | None:
    """Compound yearly rate of a run that multiplied its equity by `growth`; None for less than a day, from which
    nothing follows for a year."""
    if duration_ms < DAY_MS or growth < 0:
        return None
    logarithm = math.log(growth) * _YEAR_MS / duration_ms if growth else -math.inf
    return math.expm1(logarithm) if logarithm < math.log(np.finfo(float).max) else None


def calmar(yearly: float | None, max_drawdown: float) -> float | None:
    """Compound yearly return over the maximum drawdown (a positive fraction); None without either.

    Source: T. W. Young, "Calmar ratio: A smoother tool", Futures 20(1), 1991, there over 36 months; here over the run.
    """
    return yearly / max_drawdown if yearly is not None and max_drawdown else None


def _is_flat(returns: Floats) -> bool:
    """Equal but for the noise of floats, whose standard deviation would be taken for a risk."""
    return bool(np.ptp(returns) <= 1e-14 * max(1.0, float(np.abs(returns).max())))
