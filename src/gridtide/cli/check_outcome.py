"""One thing that a preflight looked at, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a check says. A warning does not stop a run, a failure does."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    outcome: Outcome
    text: str


def check_lines(checks: Iterable[Check]) -> Iterator[str]:
    """One line a check, the outcome first."""
    for check in checks:
        yield f"{check.outcome.value:<8} {check.name:<11} {check.text}"
