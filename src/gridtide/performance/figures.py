"""All figures of one run at once: what a result shows and what runs are compared by."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from gridtide.performance.drawdown import max_drawdown
from gridtide.performance.statistics import annual_return, calmar, returns_of, sharpe, sortino, volatility

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gridtide.performance.equity import Equity

    Floats = NDArray[np.float64]

LEAST_RETURNS = 7
"""Daily returns below which nothing follows for a year: the ratios of a good afternoon are absurd."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Money and drawdown are exact; ratios are floats over daily UTC equity (√365, riskless rate zero), None where they
    are not defined, as with fewer than `LEAST_RETURNS` daily returns."""

    initial_equity: Decimal
    final_equity: Decimal
    max_drawdown: Decimal
    """A positive fraction of the peak."""
    drawdown_peak: int
    drawdown_trough: int
    """When the deepest fall began and ended, ms UTC."""
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    mean_exposure: float
    """Share of equity held in base, averaged over time."""


class Fall(NamedTuple):
    """The deepest fall: its fraction of the peak, and the times of peak and trough, ms."""

    fraction: Decimal
    peak: int
    trough: int


def figures_of(equity: Equity) -> Figures:
    """Raises `InvalidValue` for a run that began without money."""
    path, drawdown = equity.scan.path, max_drawdown(equity)
    return figures_from(
        (equity.opening, equity.closing()),
        Fall(drawdown.fraction, path.time(drawdown.peak_index), path.time(drawdown.trough_index)),
        returns_of(equity.daily()),
        path.time(equity.stop - 1) - path.time(equity.start),
        equity.mean_exposure(),
    )


def figures_from(
    ends: tuple[Decimal, Decimal], fall: Fall, returns: Floats, duration_ms: int, mean_exposure: float
) -> Figures:
    """From equity at both `ends`, the deepest fall, and daily returns."""
    is_long = len(returns) >= LEAST_RETURNS
    yearly = annual_return(float(ends[1]) / float(ends[0]), duration_ms) if is_long else None
    return Figures(
        ends[0],
        ends[1],
        fall.fraction,
        fall.peak,
        fall.trough,
        yearly,
        volatility(returns) if is_long else None,
        yearly_sharpe(returns),
        sortino(returns) if is_long else None,
        calmar(yearly, float(fall.fraction)),
        mean_exposure,
    )


def yearly_sharpe(returns: Floats) -> float | None:
    """The Sharpe ratio of daily returns; None for too few of them."""
    return sharpe(returns) if len(returns) >= LEAST_RETURNS else None


def time_in_range(equity: Equity, low: Decimal, high: Decimal) -> float:
    """The share of a run's time in which the price stood from `low` to `high`, both included.

    A price stands until the next point is reached, over gaps too.
    """
    path = equity.scan.path
    stays = equity.scan.stays(path.units_above(low), path.units_below(high), equity.start, equity.stop)
    last = equity.stop - 1
    times = path.times(stays.clip(max=last))
    duration = path.time(last) - path.time(equity.start)
    return float((times[:, 1] - times[:, 0]).sum() / duration) if duration else float(len(stays) > 0)
