"""The verdict on a choice of parameters: one plain sentence, a level, and the figures that decided.

Bad news needs one figure, good news all of them: without the figures a good verdict rests on, none is given. A
verdict is kept with its config for ever, so it holds its evidence, its thresholds and the version of these rules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from gridtide.optimize.overfitting.evidence import Evidence
from gridtide.optimize.overfitting.findings import Finding, Thresholds, findings
from gridtide.optimize.overfitting.wording import NAMES, Level, sentence_for

RULES = 2
"""Version of the rules and thresholds; raised with every change of what they decide."""

REQUIRED = ("trials", "overfitting", "deflated", "luck", "walk_forward_efficiency")
"""Without each of these no set is said to hold."""
WISHED = ("plateau", "break_even_fees", "profitable_windows", "leaves_in_30_days")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement, and all it rests on."""

    level: Level
    sentence: str
    """For a trader: what it means and why, in one sentence."""
    reasons: tuple[str, ...]
    """Everything that speaks against the choice, the worst first."""
    missing: tuple[str, ...]
    """Figures that were not computed, in words."""
    evidence: Evidence
    thresholds: Thresholds
    rules: int = RULES

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes back."""
        return {
            "level": self.level.value,
            "sentence": self.sentence,
            "reasons": list(self.reasons),
            "missing": list(self.missing),
            "evidence": self.evidence.to_json(),
            "thresholds": asdict(self.thresholds),
            "rules": self.rules,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """A kept verdict, as it was given then: nothing is judged anew. ValueError for one of newer rules, and for
        what is no verdict."""
        try:
            rules = int(stored["rules"])
            if rules > RULES:
                raise ValueError(
                    f"This verdict was given by rules {rules}, and this gridtide knows rules up to {RULES}; "
                    "it was left as it is: read it with the newer version."
                )
            return cls(
                level=Level(stored["level"]),
                sentence=str(stored["sentence"]),
                reasons=tuple(stored["reasons"]),
                missing=tuple(stored["missing"]),
                evidence=Evidence.from_json(stored["evidence"]),
                thresholds=Thresholds(**stored["thresholds"]),
                rules=rules,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"This is no verdict: {error}.") from error


def judge(evidence: Evidence, thresholds: Thresholds | None = None) -> Verdict:
    """The verdict on `evidence`.

    Overfitted, or not shown, where one figure says so, whatever is missing; else not judged while a required figure
    is missing; else fragile where the surroundings (neighbours, costs, windows, range) are weak; else it holds.
    ValueError for a figure that is not a number.
    """
    limits = thresholds or Thresholds()
    figures = evidence.to_json()
    wrong = [name for name, value in figures.items() if value is not None and math.isnan(value)]
    if wrong:
        raise ValueError(f"Evidence must be numbers or missing, which {', '.join(wrong)} is not.")
    found = findings(evidence, limits)
    lacking = [NAMES[name] for name in REQUIRED if figures[name] is None]
    level = _level(found, is_complete=not lacking)
    decisive = [finding.text for finding in found if finding.level is level]
    return Verdict(
        level=level,
        sentence=sentence_for(level, decisive, lacking, evidence),
        reasons=tuple(finding.text for finding in found),
        missing=tuple(NAMES[name] for name in (*REQUIRED, *WISHED) if figures[name] is None),
        evidence=evidence,
        thresholds=limits,
    )


def _level(found: Sequence[Finding], *, is_complete: bool) -> Level:
    levels = {finding.level for finding in found}
    for level in (Level.OVERFITTED, Level.NOT_SHOWN):
        if level in levels:
            return level
    if not is_complete:
        return Level.NOT_JUDGED
    return Level.FRAGILE if Level.FRAGILE in levels else Level.HOLDS
