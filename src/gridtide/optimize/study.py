"""A whole study: search each walk-forward window, play what was chosen on what came after, then search all data for the
set to trade. The winner of the whole is never told without what choosing like this was worth."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.domain.errors import InvalidInput
from gridtide.optimize.drawing import drawing
from gridtide.optimize.drawn_trials import DrawnTrials
from gridtide.optimize.evaluation import FIGURES
from gridtide.optimize.search import search
from gridtide.optimize.walk_forward import PlayedStep, WalkForward, WindowWish, cut, walk_forward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.evaluation import Window
    from gridtide.optimize.problem import Problem
    from gridtide.optimize.search import Source, Told
    from gridtide.optimize.space import ParameterSet
    from gridtide.optimize.storages import TrialStore
    from gridtide.optimize.study_folder import StudyFolder
    from gridtide.optimize.trials import Trials
    from gridtide.optimize.walk_forward import Step

WHOLE = "whole"
"""The name of the search over all data."""
DRAWN = ("random", "exhaustive")
METHODS = (*DRAWN, "tpe", "nsga2")
_LARGEST_BATCH = 100


@dataclass(frozen=True, slots=True)
class StudyWish:
    """How to search."""

    method: str = "random"
    trials: int = 1000
    """Of each window, and of the whole."""
    seed: int = 1
    windows: WindowWish = field(default_factory=WindowWish)
    prunes: bool = False

    @property
    def batch(self) -> int:
        """How many a learning search asks for at once; part of what makes it repeatable."""
        return max(10, min(_LARGEST_BATCH, self.trials // 10))


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a study is: which window, and its search."""

    window: str
    number: int
    """Of the window, from 1."""
    windows: int
    """How many there are, the whole included."""
    told: Told
    trials: int


@dataclass(frozen=True, slots=True)
class Searched:
    """All trials of a study, and the walk-forward over its windows."""

    walk: WalkForward | None
    """None where it was not asked for."""
    by_window: dict[str, Trials]
    whole: Trials | None
    """None where only the walk-forward was asked for."""

    @property
    def tried(self) -> int:
        """Sets that were played, in whichever window."""
        return sum(trials.played for trials in self.by_window.values())


def check_wish(problem: Problem, wish: StudyWish) -> int:
    """How many trials a window gets. Raises `InvalidInput` for what does not go together, before anything is played."""
    if wish.method not in METHODS:
        raise InvalidInput(f"there is no method {wish.method}: choose one of {', '.join(METHODS)}")
    if wish.method == "tpe" and len(problem.objectives) > 1:
        raise InvalidInput("tpe takes one objective: name one, or choose --method nsga2")
    if wish.prunes and wish.method != "tpe":
        raise InvalidInput("--prune works with --method tpe, which learns from what it gave up")
    if wish.method in DRAWN:
        drawing(problem.space, wish.method, wish.seed)
    size = problem.space.size
    return wish.trials if size is None or wish.method not in DRAWN else min(wish.trials, size)


def run_study(
    problem: Problem,
    wish: StudyWish,
    folder: StudyFolder,
    store: TrialStore | None,
    *,
    has_whole: bool = True,
    listener: Callable[[Advance], None] = lambda advance: None,
) -> Searched:
    """Search all windows, and then all data if `has_whole`. What was tried before, here or by another driver of the
    same `store`, is not tried again. `store` is needed by learning searches only."""
    trials = check_wish(problem, wish)
    steps = cut(problem.evaluator.span, wish.windows)
    names = [f"w{number:02d}" for number in range(1, len(steps) + 1)] + [WHOLE] * has_whole
    by_window: dict[str, Trials] = {}

    def searched(name: str, window: Window) -> Trials:
        here = problem.within(window)
        source = _source(here, wish, folder, store, name)

        def tell(told: Told) -> None:
            listener(Advance(name, names.index(name) + 1, len(names), told, trials))

        batch = None if wish.method in DRAWN else wish.batch
        by_window[name] = search(here, window, source, trials, batch=batch, prunes=wish.prunes, listener=tell)
        return by_window[name]

    walk = walk_forward(problem, steps, searched)
    whole = searched(WHOLE, problem.evaluator.span) if has_whole else None
    return Searched(walk, by_window, whole)


def _source(
    problem: Problem, wish: StudyWish, folder: StudyFolder, store: TrialStore | None, name: str
) -> Source:
    """Drawn searches try the same sets in each window; learning ones have a seed each."""
    if wish.method in DRAWN:
        return DrawnTrials(drawing(problem.space, wish.method, wish.seed), folder.parts(name))
    from gridtide.optimize.sampled_trials import SampledTrials

    assert store is not None
    seed = int.from_bytes(hashlib.blake2b(f"{wish.seed} {name}".encode(), digest_size=4).digest())
    return SampledTrials(
        problem.space,
        wish.method,
        seed,
        problem.objectives,
        problem.capital,
        name=f"{folder.question.key} {name}",
        batch=wish.batch,
        storage=store.storage,
        is_shared=store.is_shared,
        flush=store.flush,
    )


# --- as plain values ---------------------------------------------------------------------------------


def plain_set(parameters: ParameterSet) -> dict[str, Any]:
    """JSON-compatible: decimals as text, as money always is."""
    return {
        name: value if isinstance(value, bool | int | str) else str(value)
        for name, value in parameters.items()
    }


def plain_figures(figures: dict[str, float]) -> dict[str, float | None]:
    """None where a figure is not defined."""
    return {name: None if np.isnan(value) else value for name, value in figures.items()}


def figures_at(trials: Trials, row: int) -> dict[str, float]:
    """The figures of one trial."""
    return {name: float(trials.answers.figures[name][row]) for name in FIGURES}


def plain_front(problem: Problem, trials: Trials, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    """The front: sets as drawn, and their figures in-sample."""
    return [
        {"set": plain_set(trials.sets[row]), "in_sample": plain_figures(figures_at(trials, row))}
        for row in rows.tolist()
    ]


def plain_walk(problem: Problem, walk: WalkForward) -> dict[str, Any]:
    """The walk-forward: one entry a window, and what the chain of them came to."""
    return {
        "windows": [_plain_step(problem, each) for each in walk.steps],
        "first_equity": float(walk.equity[0]),
        "last_equity": float(walk.equity[-1]),
        "trials": walk.trials,
    }


def _plain_step(problem: Problem, each: PlayedStep) -> dict[str, Any]:
    chosen = each.chosen
    return {
        **_plain_times(each.step),
        "trials": each.trials,
        "chosen": None if chosen is None else plain_set(chosen),
        "played": None if chosen is None else plain_set(problem.resolved(chosen, each.step.outside)),
        "in_sample_capital": problem.within(each.step.inside).capital,
        "in_sample": plain_figures(each.inside),
        "out_of_sample_capital": problem.within(each.step.outside).capital,
        "out_of_sample": plain_figures(each.outside),
        "reason": each.reason,
    }


def _plain_times(step: Step) -> dict[str, list[int]]:
    """ms UTC, the ends not included."""
    return {"in_sample_time": list(step.inside), "out_of_sample_time": list(step.outside)}
