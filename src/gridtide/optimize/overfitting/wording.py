"""A verdict's words: what each level means to somebody about to put money in.

A share is never rounded to a certainty: what is above none is at least "under 1 %".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from gridtide.optimize.overfitting.evidence import Evidence


class Level(StrEnum):
    """From bad to good; the last gives no judgement."""

    OVERFITTED = "overfitted"
    NOT_SHOWN = "not shown"
    FRAGILE = "fragile"
    HOLDS = "holds"
    NOT_JUDGED = "not judged"


_MOST_REASONS = 2
"""In a sentence; all of them stand in the verdict's list."""
NAMES = {
    "trials": "the number of sets tried",
    "overfitting": "the probability of overfitting (cross-validation of all sets)",
    "deflated": "the deflated Sharpe ratio",
    "luck": "the reality check against luck",
    "walk_forward_efficiency": "the walk-forward efficiency",
    "plateau": "the plateau score of the neighbours",
    "break_even_fees": "the sensitivity to costs",
    "profitable_windows": "the share of profitable walk-forward windows",
    "leaves_in_30_days": "the chance that price leaves the range",
}


def sentence_for(level: Level, decisive: Sequence[str], lacking: Sequence[str], evidence: Evidence) -> str:
    """The sentence for `level`, given what decided it and which required figures are lacking."""
    reason = joined(decisive[:_MOST_REASONS])
    match level:
        case Level.OVERFITTED:
            return f"Overfitted: {reason}, {_advice(evidence)}."
        case Level.NOT_SHOWN:
            return f"Not shown: {reason}, so take the profit for luck until new data confirm it."
        case Level.FRAGILE:
            return f"Fragile: the result is more than luck, but {reason}, so small changes may end it."
        case Level.HOLDS:
            return _holds(evidence)
        case Level.NOT_JUDGED:
            return f"Not judged: {joined(lacking)} {'is' if len(lacking) == 1 else 'are'} missing."
        case _:
            assert_never(level)


def _advice(evidence: Evidence) -> str:
    if evidence.profit is not None and evidence.profit <= 0:
        return "and even so it earned nothing"
    return "so do not expect the shown profit again"


def _holds(evidence: Evidence) -> str:
    """The set itself was chosen on all data: what was kept, other choices made in the same way have kept."""
    kept, luck = percent(evidence.walk_forward_efficiency), percent(evidence.luck)
    return (
        f"Holds: choosing like this kept {kept} of the profit on the data that came after each choice, and luck "
        f"explains the best of {times(evidence.trials, 'tries')}, itself chosen on all data, with a chance of {luck} "
        "only; the market may still change."
    )


def joined(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def percent(share: float | None) -> str:
    """Whole percents; certainty only where there is certainty."""
    if share is None:
        return "an unknown share"
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{share * 100:.0f} %".replace("-", "−")


def times(count: int | None, what: str) -> str:
    """A count with thousands, or "all" where it is unknown."""
    return f"all {what}" if count is None else f"{count:,} {what}"
