"""What a mutation is, and how it takes hold: from the test's side, by replacing names of the product that must exist.

No switch for any of this stands in the product: nothing of it can be left on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

ENGINE = ("tests/mutation/test_directed.py", "tests/engine", "tests/runners", "tests/failures")
STORAGE = (
    "tests/storage/test_journal_contract.py",
    "tests/storage",
    "tests/engine",
    "tests/mutation/test_directed.py",
)
WIRE = ("tests/exchanges", "tests/failures")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to break one rule."""

    name: str
    rule: str
    broken: str
    """What is broken, in one sentence."""
    apply: Callable[[pytest.MonkeyPatch], None]
    suites: tuple[str, ...] = ENGINE
    """Where the directed tests of the rule are."""
    in_simulation: bool = True
    """False where the simulation has no such part: it speaks no HTTP and uses no database."""


def replace(patch: pytest.MonkeyPatch, owner: Any, name: str, new: Any) -> None:
    """Put `new` in the place of `owner`'s own `name`; raises `KeyError` where there is no such name any more."""
    _ = vars(owner)[name]
    patch.setattr(owner, name, new)


def wrap(patch: pytest.MonkeyPatch, owner: Any, name: str, around: Callable[[Any], Any]) -> None:
    """Put ``around(original)`` in the place of `owner`'s own `name`."""
    replace(patch, owner, name, around(vars(owner)[name]))
