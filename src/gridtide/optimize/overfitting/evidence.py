"""The figures a verdict is drawn from, gathered in one value; each may be missing.

Missing is not zero: a figure that was not computed is None, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gridtide.optimize.overfitting.columns import returns_matrix
from gridtide.optimize.overfitting.cscv import LEAST_PERIODS, Statistic, cscv, usual_blocks
from gridtide.optimize.overfitting.deflated_sharpe import deflated_sharpe
from gridtide.optimize.overfitting.effective_trials import trials_by_correlation
from gridtide.optimize.overfitting.probabilistic_sharpe import sharpe_moments
from gridtide.optimize.overfitting.reality_check import reality_check

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MOST_BLOCKS_MEASURED = 10
"""252 splits: another statistic than the Sharpe ratio is measured on each half anew, which takes its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known about the chosen set and about how it was chosen."""

    trials: int | None = None
    """All sets that were ever tried for this choice."""
    periods: int | None = None
    """Returns (days) the figures rest on."""
    looked_at: int | None = None
    """Sets whose returns were looked at; fewer than were played where these are a lot of them."""
    profit: float | None = None
    """The chosen set's total return on all data, a fraction."""
    overfitting: float | None = None
    """Probability of backtest overfitting (CSCV)."""
    splits: int | None = None
    """Splits it was counted on."""
    out_of_sample_loss: float | None = None
    """Share of splits whose winner lost in the other half."""
    deflated: float | None = None
    """Deflated Sharpe ratio as published: true number of trials, variance across them."""
    deflated_effective: float | None = None
    """The same held against pure luck: effective number of trials, each with at least the spread that chance
    gives."""
    effective_trials: float | None = None
    luck: float | None = None
    """Reality check: chance that luck alone makes a best as good."""
    walk_forward_efficiency: float | None = None
    profitable_windows: float | None = None
    """Share of walk-forward windows with a gain."""
    windows: int | None = None
    plateau: float | None = None
    """Plateau score."""
    break_even_fees: float | None = None
    """Fee multiple at which the profit is gone, or the highest tried if it was not."""
    leaves_in_30_days: float | None = None
    """Chance that price leaves the range within 30 days."""

    def to_json(self) -> dict[str, float | int | None]:
        """Plain numbers, None where missing."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `to_json` gave. ValueError for a figure this version does not know."""
        unknown = sorted(set(stored) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"Evidence has no figure {', '.join(unknown)}; it was kept by a newer version.")
        return cls(**stored)


def evidence_of_returns(
    returns: NDArray[Any],
    generator: np.random.Generator,
    *,
    trials: int | None = None,
    chosen: int | None = None,
    blocks: int | None = None,
    draws: int = 1000,
    statistic: Statistic | None = None,
    drawn_from: int | None = None,
) -> Evidence:
    """All that the returns of a search's sets can tell: overfitting, deflated Sharpe ratios, reality check.

    `returns`: of shape (days, sets), fractions a day in the order of time, finite, refused sets left out. `trials`:
    all sets ever tried, those left out and those of earlier searches too; the columns if not given. `chosen`: its
    column, the highest Sharpe ratio if not given. `statistic`: what the choice was made by (`CHOICE_STATISTICS`), which
    cross-validation chooses by too; the Sharpe ratio if not given. `drawn_from`: how many sets with returns there are,
    where the columns are a lot of them with the chosen one put in: cross-validation then leaves that one out, for it is
    the best of more sets than are here, and the chance of luck is stated for all of them, at most what it is for the
    lot times as many lots as there are. `generator` is drawn from by the reality check only.
    Of fewer than two sets or 20 days nothing can be told, and the figures are missing. ValueError for values that are
    not finite, blocks that `cscv` refuses, and fewer trials than columns.
    """
    matrix = returns_matrix(returns, least_sets=0)
    count = matrix.shape[1] if trials is None else trials
    if count < matrix.shape[1]:
        raise ValueError(f"{count} trials cannot have given {matrix.shape[1]} columns of returns.")
    if matrix.shape[1] < 2 or len(matrix) < LEAST_PERIODS:
        return Evidence(trials=count, periods=len(matrix))
    sharpes = _sharpes(matrix)
    place = int(sharpes.argmax()) if chosen is None else chosen
    best = matrix[:, place]
    if blocks is None and statistic is not None:
        blocks = min(_MOST_BLOCKS_MEASURED, usual_blocks(len(matrix)))
    lot = matrix.shape[1] - 1
    lots = 1.0 if drawn_from is None or drawn_from <= lot + 1 or lot < 2 else drawn_from / lot
    split = cscv(np.delete(matrix, place, axis=1) if lots > 1 else matrix, blocks, statistic)
    effective = trials_by_correlation(matrix) * count / matrix.shape[1]
    deflated, against_luck = _deflated(best, sharpes, count, effective)
    return Evidence(
        trials=count,
        periods=len(matrix),
        looked_at=matrix.shape[1],
        profit=float(np.prod(1 + best) - 1),
        overfitting=split.overfitting,
        splits=split.splits,
        out_of_sample_loss=split.loss,
        deflated=deflated,
        deflated_effective=against_luck,
        effective_trials=effective,
        luck=min(1.0, lots * reality_check(matrix, generator, draws, chosen=place).luck),
    )


def _deflated(best: Floats, sharpes: Floats, trials: int, effective: float) -> tuple[float, float]:
    """0 for a set that never moved: it has shown nothing."""
    moments = sharpe_moments(best)
    if moments is None:
        return 0.0, 0.0
    variance = float(sharpes.var(ddof=1))
    by_chance = 1 / (moments.periods - 1)  # of the Sharpe ratio of returns without skill
    return (
        deflated_sharpe(moments, trials, variance).probability,
        deflated_sharpe(moments, effective, max(variance, by_chance)).probability,
    )


def _sharpes(matrix: Floats) -> Floats:
    """A period; 0 for a set that never moved."""
    means, deviations = matrix.mean(axis=0), matrix.std(axis=0, ddof=1)
    noise = 1e-14 * np.abs(matrix).max(axis=0)
    sharpes: Floats = np.divide(means, deviations, out=np.zeros_like(means), where=deviations > noise)
    return sharpes
