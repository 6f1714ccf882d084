"""Walk-forward efficiency: how much of what the chosen sets earned in-sample they went on to earn afterwards.

Only sums over all windows are compared, never single windows' ratios, which a window near zero would rule.

Source: R. Pardo, "The Evaluation and Optimization of Trading Strategies", 2nd edition, Wiley 2008, chapter 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

_DAYS_A_YEAR = 365


class WindowReturns(NamedTuple):
    """One step of a walk-forward: what its winner earned, as fractions of the capital it started with, not yearly."""

    in_sample: float
    in_sample_days: float
    out_of_sample: float
    out_of_sample_days: float


@dataclass(frozen=True, slots=True)
class WalkForwardFigures:
    """All windows together."""

    windows: int
    efficiency: float | None
    """Yearly return out-of-sample over that in-sample: 1 keeps all, 0 nothing, below 0 loses; None if nothing was
    earned in-sample, from which no share can be kept."""
    in_sample_yearly: float
    """Returns added up, per 365 days: windows start afresh with their capital, so nothing is compounded."""
    out_of_sample_yearly: float
    profitable: float
    """Share of windows that earned something out-of-sample."""
    worst: float
    """The worst window's return out-of-sample."""
    longest_losing: int
    """Most windows in a row that earned nothing out-of-sample."""
    largest_share: float | None
    """Of all that profitable windows earned out-of-sample, what the best one did; None if none was profitable."""


def walk_forward_figures(windows: Iterable[WindowReturns]) -> WalkForwardFigures:
    """Efficiency and consistency over `windows`, in the order of time. ValueError without windows and for a window
    without days."""
    steps = list(windows)
    if not steps:
        raise ValueError("A walk-forward has at least one window.")
    if any(not (step.in_sample_days > 0 and step.out_of_sample_days > 0) for step in steps):
        raise ValueError("Every window needs days in-sample and days out-of-sample.")
    before = _yearly([step.in_sample for step in steps], [step.in_sample_days for step in steps])
    after = _yearly([step.out_of_sample for step in steps], [step.out_of_sample_days for step in steps])
    earned = [step.out_of_sample for step in steps]
    gains = [value for value in earned if value > 0]
    losing = [len(list(run)) for is_losing, run in groupby(earned, lambda value: value <= 0) if is_losing]
    return WalkForwardFigures(
        windows=len(steps),
        efficiency=after / before if before > 0 else None,
        in_sample_yearly=before,
        out_of_sample_yearly=after,
        profitable=len(gains) / len(steps),
        worst=min(earned),
        longest_losing=max(losing, default=0),
        largest_share=max(gains) / sum(gains) if gains else None,
    )


def _yearly(returns: Sequence[float], days: Sequence[float]) -> float:
    return sum(returns) / sum(days) * _DAYS_A_YEAR
