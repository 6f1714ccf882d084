"""One search over one window: ask for sets, play them, tell what became of them, until there are enough.

Everything told is kept at once: a search that ends early, however it ends, goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gridtide.optimize.evaluation import Evaluated, Window, spread
from gridtide.optimize.sampled_trials import SampledTrials
from gridtide.optimize.trials import Trials

if TYPE_CHECKING:
    from gridtide.optimize.problem import Problem
    from gridtide.optimize.space import ParameterSet

_BATCH_SECONDS = 0.5
"""Batches of a search without memory grow until they take about this long: so often is something kept and shown."""
_MOST = 100_000
_PARTS = (0.125, 0.35)
"""Shares of a window after which a set may be given up."""


class Source(Protocol):
    """Where sets come from and answers go."""

    @property
    def told(self) -> int: ...

    def ask(self, count: int) -> list[ParameterSet]: ...

    def tell(self, sets: Sequence[ParameterSet], answer: Evaluated) -> None: ...

    def trials(self) -> Trials: ...


@dataclass(frozen=True, slots=True)
class Told:
    """How far a search has come."""

    told: int
    best: float | None
    """Of the first objective, as its figure says it; None while no set has one."""


Listener = Callable[[Told], None]


class _Best:
    """The best of the first objective so far."""

    def __init__(self, problem: Problem, trials: Trials) -> None:
        self._objective, self._capital = problem.objectives[0], problem.capital
        self.score = -np.inf
        self.look(trials.answers)

    def look(self, answer: Evaluated) -> None:
        scores = self._objective.scores(answer.figures, self._capital)
        known = scores[~np.isnan(scores)]
        if len(known):
            self.score = max(self.score, float(known.max()))

    @property
    def value(self) -> float | None:
        if self.score == -np.inf:
            return None
        return self.score if self._objective.is_larger_better else -self.score


def search(
    problem: Problem,
    window: Window,
    source: Source,
    trials: int,
    *,
    batch: int | None = None,
    prunes: bool = False,
    listener: Listener = lambda told: None,
) -> Trials:
    """Try sets over `window` until `trials` are told, counting those of earlier runs, or the space ends.

    `batch`: how many are played at once; None: as many as take a moment. `prunes` gives up sets whose first part
    promises little (for sets that take long; `source` must be `SampledTrials`).
    """
    best = _Best(problem, source.trials())
    size = batch or problem.evaluator.appetite
    while (left := trials - source.told) > 0:
        sets = source.ask(min(size, left))
        if not sets:
            break
        began = time.perf_counter()
        answer = _play_pruned(problem, window, source, sets) if prunes else problem.play(sets, window)
        source.tell(sets, answer)
        if batch is None and time.perf_counter() - began < _BATCH_SECONDS:
            size = min(2 * size, _MOST)
        best.look(answer)
        listener(Told(source.told, best.value))
    return source.trials()


def _play_pruned(problem: Problem, window: Window, source: Source, sets: Sequence[ParameterSet]) -> Evaluated:
    """Play the first parts of the window, then the whole for those sets that are still worth it."""
    assert isinstance(source, SampledTrials)
    objective = problem.objectives[0]
    given_up: dict[int, str] = {}
    for step, share in enumerate(_PARTS):
        part = Window(window.start, window.start + int((window.stop - window.start) * share))
        alive = [row for row in range(len(sets)) if row not in given_up]
        answer = problem.play([sets[row] for row in alive], part)
        scores = objective.scores(answer.figures, problem.capital)
        for row, score in zip(alive, scores, strict=True):
            if not np.isnan(score) and source.report(row, step, float(score)):
                given_up[row] = f"given up after {share:.0%} of the window"
    alive = [row for row in range(len(sets)) if row not in given_up]
    whole = problem.play([sets[row] for row in alive], window)
    reasons = [given_up.get(row, "") for row in range(len(sets))]
    return spread(whole, alive, reasons)
