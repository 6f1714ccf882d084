"""The trials of a search: which sets were tried over a window, and what became of each. A refused set is a trial too,
and stays with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.optimize.evaluation import FIGURES, Evaluated, merged
from gridtide.optimize.objectives import best_first, pareto_front

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.conditions import Value
    from gridtide.optimize.drawing import Drawing
    from gridtide.optimize.objectives import Objective
    from gridtide.optimize.space import ParameterSet

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DrawnSets(Sequence[dict[str, "Value"]]):
    """The first `told` sets of a drawing, made when they are looked at: a million of them take no room."""

    drawing: Drawing
    told: int

    def __len__(self) -> int:
        return self.told

    def __getitem__(self, row: Any) -> Any:
        return self.drawing[range(self.told)[row]]

    def __iter__(self) -> Iterator[dict[str, Value]]:
        return map(self.drawing.__getitem__, range(self.told))


@dataclass(frozen=True, slots=True)
class Trials:
    """Rows in the order they were tried. `sets` hold values as they were drawn: relative ones still are."""

    sets: Sequence[ParameterSet]
    answers: Evaluated

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def played(self) -> int:
        """How many were not refused."""
        return sum(not reason for reason in self.answers.reasons)

    def scores(self, objectives: Sequence[Objective], capital: float) -> list[Floats]:
        """One array an objective; larger is better, NaN where a set was refused or has no such figure."""
        return [each.scores(self.answers.figures, capital) for each in objectives]

    def ranking(self, objectives: Sequence[Objective], capital: float) -> Integers:
        """Rows, best first by the first objective; refused ones are left out."""
        return best_first(self.scores(objectives, capital))

    def front(self, objectives: Sequence[Objective], capital: float) -> Integers:
        """Rows that no other beats in every objective."""
        return pareto_front(self.scores(objectives, capital))

    def refusals(self) -> dict[str, int]:
        """Reasons and how often each was given, the most frequent first."""
        counts: dict[str, int] = {}
        for reason in self.answers.reasons:
            if reason:
                counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Parameters, figures, `reason` and `by_engine` as arrays, for a file. A parameter whose name is taken by a
        figure keeps it with ``strategy.`` before it."""
        names = list(self.sets[0]) if len(self.sets) else []
        found: dict[str, NDArray[Any]] = {}
        for name in names:
            values = [each[name] for each in self.sets]
            found[f"strategy.{name}" if name in FIGURES else name] = parameter_column(values)
        reasons = np.array(self.answers.reasons, dtype=np.str_)
        return {**found, **self.answers.figures, "reason": reasons, "by_engine": self.answers.by_engine}


def parameter_column(values: Sequence[Value]) -> NDArray[Any]:
    """Whole numbers as int64, other numbers as float64 (whose shortest text is the exact value), the rest as text."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    if kinds == {int}:
        return np.array(values, dtype=np.int64)
    if str in kinds or bool in kinds:
        return np.array([str(value) for value in values], dtype=np.str_)
    return np.array([float(value) for value in values])


def nothing() -> Evaluated:
    """The answer to no set."""
    return Evaluated({name: np.empty(0) for name in FIGURES}, (), np.empty(0, dtype=np.bool_))


def joined(parts: Sequence[Evaluated]) -> Evaluated:
    """Answers one after the other; none are `nothing`."""
    return merged(parts) if parts else nothing()
