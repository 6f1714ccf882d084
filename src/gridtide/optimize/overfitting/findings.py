"""What a single figure says against a choice of parameters: one function a figure, from bad to nothing.

A figure that is missing says nothing here; that it is missing is the verdict's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gridtide.optimize.overfitting.evidence import Evidence
from gridtide.optimize.overfitting.wording import Level, joined, percent, times


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where one level ends and the next begins."""

    overfitting_bad: float = 0.5
    """From this PBO on choosing is no better than drawing a set by lot."""
    overfitting_good: float = 0.1
    deflated_bad: float = 0.5
    """Below it the best is no better than luck makes the best of so many."""
    deflated_good: float = 0.95
    luck_bad: float = 0.5
    luck_good: float = 0.05
    efficiency_bad: float = 0.0
    efficiency_good: float = 0.5
    """Pardo (2008) asks for half of the in-sample rate."""
    profitable_windows: float = 0.5
    plateau: float = 0.5
    break_even_fees: float = 1.5
    leaves_in_30_days: float = 0.8


class Finding(NamedTuple):
    """One figure that speaks against the choice."""

    level: Level
    text: str
    """Part of a sentence: what was found, with its threshold."""


def findings(evidence: Evidence, limits: Thresholds) -> list[Finding]:
    """Everything that speaks against the choice, the worst first."""
    found = [
        finding
        for figure in (_deflated, _overfitting, _luck, _efficiency, _profit, _surroundings)
        for finding in figure(evidence, limits)
    ]
    order = list(Level)
    return sorted(found, key=lambda finding: order.index(finding.level))


def _deflated(evidence: Evidence, limits: Thresholds) -> Iterator[Finding]:
    """The effective figure alone may call a weak edge luck: where cross-validation and the reality check both clear
    the choice, it only keeps it from being shown."""
    shares = [share for share in (evidence.deflated, evidence.deflated_effective) if share is not None]
    tries = times(evidence.trials, "tries")
    if shares and min(shares) < limits.deflated_bad:
        yield Finding(
            Level.NOT_SHOWN if _is_cleared(evidence, limits) else Level.OVERFITTED,
            f"luck alone makes the best of {tries} look as good (the deflated Sharpe ratio is {_both(evidence)}; "
            f"{percent(limits.deflated_bad)} is the least)",
        )
    elif (sure := evidence.deflated) is not None and sure < limits.deflated_good:
        yield Finding(
            Level.NOT_SHOWN,
            f"for the best of {tries} the result is only {percent(sure)} sure not to be luck "
            f"({percent(limits.deflated_good)} is wanted)",
        )


def _both(evidence: Evidence) -> str:
    """The figure that tables show, and the one that is held against pure luck."""
    named = (
        ("with the true number of tries", evidence.deflated),
        ("against pure luck", evidence.deflated_effective),
    )
    return joined([f"{percent(share)} {name}" for name, share in named if share is not None])


def _is_cleared(evidence: Evidence, limits: Thresholds) -> bool:
    """Two tests that look at the sets themselves find nothing wrong, and so does the published deflated Sharpe
    ratio."""
    return (
        evidence.overfitting is not None
        and evidence.overfitting <= limits.overfitting_good
        and evidence.luck is not None
        and evidence.luck <= limits.luck_good
        and (evidence.deflated is None or evidence.deflated >= limits.deflated_bad)
    )


def _overfitting(evidence: Evidence, limits: Thresholds) -> Iterator[Finding]:
    share = evidence.overfitting
    if share is None or share <= limits.overfitting_good:
        return
    text = (
        "the set that was best in one half of the data was not above the middle in the other in "
        f"{percent(share)} of the splits"
    )
    if share >= limits.overfitting_bad:
        yield Finding(Level.OVERFITTED, f"{text} ({percent(limits.overfitting_bad)} is drawing by lot)")
    else:
        yield Finding(Level.NOT_SHOWN, f"{text} (at most {percent(limits.overfitting_good)} is wanted)")


def _luck(evidence: Evidence, limits: Thresholds) -> Iterator[Finding]:
    chance = evidence.luck
    if chance is None or chance <= limits.luck_good:
        return
    text = f"the same sets without any skill do as well in {percent(chance)} of redrawn pasts"
    if chance >= limits.luck_bad:
        yield Finding(Level.OVERFITTED, text)
    else:
        yield Finding(Level.NOT_SHOWN, f"{text} (at most {percent(limits.luck_good)} is wanted)")


def _efficiency(evidence: Evidence, limits: Thresholds) -> Iterator[Finding]:
    kept = evidence.walk_forward_efficiency
    if kept is None or kept >= limits.efficiency_good:
        return
    if kept <= limits.efficiency_bad:
        yield Finding(
            Level.OVERFITTED, "nothing of the profit was left on the data that came after each choice"
        )
    else:
        yield Finding(
            Level.NOT_SHOWN,
            f"only {percent(kept)} of the profit was left on the data that came after each choice "
            f"({percent(limits.efficiency_good)} is wanted)",
        )


def _profit(evidence: Evidence, _: Thresholds) -> Iterator[Finding]:
    if evidence.profit is not None and evidence.profit <= 0:
        yield Finding(Level.NOT_SHOWN, "even the best set earned nothing")


def _surroundings(evidence: Evidence, limits: Thresholds) -> Iterator[Finding]:
    """What does not make it luck, but makes it easy to lose."""
    if (score := evidence.plateau) is not None and score < limits.plateau:
        wanted = percent(limits.plateau)
        yield Finding(
            Level.FRAGILE, f"sets next to it keep only {percent(score)} of its lead ({wanted} is wanted)"
        )
    if (fees := evidence.break_even_fees) is not None and fees < limits.break_even_fees:
        wanted = f"{limits.break_even_fees:.2g}"
        yield Finding(Level.FRAGILE, f"the profit is gone at {fees:.2g} times the fees ({wanted} is wanted)")
    if (share := evidence.profitable_windows) is not None and share < limits.profitable_windows:
        wanted = percent(limits.profitable_windows)
        yield Finding(
            Level.FRAGILE,
            f"only {percent(share)} of the walk-forward windows earned anything ({wanted} is wanted)",
        )
    if (chance := evidence.leaves_in_30_days) is not None and chance > limits.leaves_in_30_days:
        wanted = percent(limits.leaves_in_30_days)
        yield Finding(
            Level.FRAGILE,
            f"price leaves the range within 30 days in {percent(chance)} of cases (at most {wanted} is wanted)",
        )
