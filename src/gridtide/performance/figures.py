"""All figures of one run at once: what a result shows and what runs are compared by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.performance.drawdown import max_drawdown
from gridtide.performance.statistics import annual_return, calmar, returns_of, sharpe, sortino, volatility

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.money import Money
    from gridtide.performance.drawdown import Drawdown
    from gridtide.performance.equity import Equity


@dataclass(frozen=True, slots=True)
class Figures:
    """Money and drawdown are exact; ratios are floats over daily UTC equity (√365, riskless rate zero), None where they
    are not defined."""

    opening: Money
    closing: Money
    drawdown: Drawdown
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    mean_exposure: float
    """Share of equity held in base, averaged over time."""


def figures_of(equity: Equity) -> Figures:
    """Raises `InvalidValue` for a run that began without money."""
    opening, closing, drawdown = equity.opening, equity.closing(), max_drawdown(equity)
    path = equity.scan.path
    yearly = annual_return(
        float(closing) / float(opening), path.time(equity.stop - 1) - path.time(equity.start)
    )
    returns = returns_of(equity.daily())
    return Figures(
        opening,
        closing,
        drawdown,
        yearly,
        volatility(returns),
        sharpe(returns),
        sortino(returns),
        calmar(yearly, float(drawdown.fraction)),
        equity.mean_exposure(),
    )


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
