"""Walk-forward: choose on a stretch of the past, play what was chosen on the stretch after it, move on, and chain what
came after. No choice ever sees the data that it is judged by.

Source: R. Pardo, "The Evaluation and Optimization of Trading Strategies", 2nd edition, Wiley 2008, chapter 11; the
embargo between the two: M. López de Prado, "Advances in Financial Machine Learning", Wiley 2018, chapter 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridtide.domain.errors import InvalidInput
from gridtide.optimize.evaluation import FIGURES, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.problem import Problem
    from gridtide.optimize.space import ParameterSet
    from gridtide.optimize.trials import Trials

    Floats = NDArray[np.float64]

DAY_MS = 86_400_000
_INSIDE = 3
"""In-sample time as a multiple of out-of-sample time, where nobody says otherwise."""
_LEAST_INSIDE = 2 * DAY_MS
_LEAST_OUTSIDE = DAY_MS


@dataclass(frozen=True, slots=True)
class WindowWish:
    """How the time is to be cut; days, and None for what follows from the rest."""

    windows: int = 6
    in_sample_days: int | None = None
    out_of_sample_days: int | None = None
    embargo_days: int = 1
    """Days between the two that neither sees."""
    is_anchored: bool = False
    """Every in-sample window begins where the data begin; else it has one length and moves along."""


class Step(NamedTuple):
    """One window: choose `inside`, play `outside`."""

    inside: Window
    outside: Window


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """What was chosen in a window, and what came of it."""

    step: Step
    trials: int
    """How many sets were tried inside."""
    chosen: ParameterSet | None
    """As it was drawn; None where every set was refused, and the money stayed where it was."""
    inside: dict[str, float]
    """The chosen set's figures there: `FIGURES`."""
    outside: dict[str, float]
    reason: str
    """Why the chosen set could not be played outside; empty where it was."""
    equity: Floats
    """Outside: at the beginning, right before each UTC midnight, and at the end."""


@dataclass(frozen=True, slots=True)
class WalkForward:
    """All windows in order, and the equity of one account that went through them."""

    steps: tuple[PlayedStep, ...]
    times: NDArray[np.int64]
    """Of `equity`, ms UTC."""
    equity: Floats
    """Each window begins with what the one before it left."""

    @property
    def trials(self) -> int:
        return sum(step.trials for step in self.steps)


SearchInside = Callable[[str, Window], "Trials"]
"""Searches a window under a name (``w01``, …) and gives its trials."""


def cut(span: Window, wish: WindowWish) -> tuple[Step, ...]:
    """The windows over `span`, from UTC midnight to UTC midnight, the last one ending with the data.

    Raises `InvalidInput` for data that are too short.
    """
    start, stop = -(-span.start // DAY_MS), span.stop // DAY_MS
    days = stop - start
    outside, inside = _lengths(days, wish)
    if outside * DAY_MS < _LEAST_OUTSIDE or inside * DAY_MS < _LEAST_INSIDE:
        raise _too_short(days, wish)
    room = days - inside - wish.embargo_days
    is_given = wish.in_sample_days is not None or wish.out_of_sample_days is not None
    count = room // outside if is_given else min(wish.windows, room // outside)
    if count < 1 or (not is_given and count < wish.windows):
        raise _too_short(days, wish)
    found = []
    for number in range(count):
        first = stop - (count - number) * outside
        end = first - wish.embargo_days
        begin = start if wish.is_anchored else end - inside
        found.append(Step(_window(begin, end), _window(first, first + outside)))
    return tuple(found)


def _lengths(days: int, wish: WindowWish) -> tuple[int, int]:
    """Days outside and inside."""
    outside, inside = wish.out_of_sample_days, wish.in_sample_days
    if outside is None and inside is None:
        outside = (days - wish.embargo_days) // (wish.windows + _INSIDE)
    elif outside is None and inside is not None:
        outside = max(1, inside // _INSIDE)
    assert outside is not None
    return outside, _INSIDE * outside if inside is None else inside


def _too_short(days: int, wish: WindowWish) -> InvalidInput:
    if wish.in_sample_days is None and wish.out_of_sample_days is None:
        need = wish.windows + _INSIDE + wish.embargo_days
        return InvalidInput(
            f"{max(days, 0)} whole days of data are too short for {wish.windows} windows: that takes at least {need} "
            "days; get more data, or ask for fewer windows with --windows"
        )
    return InvalidInput(
        f"{max(days, 0)} whole days of data are too short for these windows: in-sample days (at least 2), embargo and "
        "out-of-sample days (at least 1) together must fit in"
    )


def _window(start_day: int, stop_day: int) -> Window:
    return Window(start_day * DAY_MS, stop_day * DAY_MS)


def walk_forward(problem: Problem, steps: tuple[Step, ...], search_inside: SearchInside) -> WalkForward:
    """Go through the windows. The best set of a window is the one with the best first objective there."""
    played = []
    for number, step in enumerate(steps, start=1):
        trials = search_inside(f"w{number:02d}", step.inside)
        played.append(_play(problem, step, trials))
    return _chained(problem, tuple(played))


def _play(problem: Problem, step: Step, trials: Trials) -> PlayedStep:
    order = trials.ranking(problem.objectives, problem.within(step.inside).capital)
    nothing = dict.fromkeys(FIGURES, float("nan"))
    if not len(order):
        return PlayedStep(step, len(trials), None, nothing, nothing, "", _flat(problem, step))
    row = int(order[0])
    chosen = trials.sets[row]
    inside = {name: float(trials.answers.figures[name][row]) for name in FIGURES}
    answer = problem.play([chosen], step.outside, daily=True)
    outside = {name: float(answer.figures[name][0]) for name in FIGURES}
    assert answer.daily is not None
    equity = _flat(problem, step) if answer.reasons[0] else answer.daily[0]
    return PlayedStep(step, len(trials), chosen, inside, outside, answer.reasons[0], equity)


def _flat(problem: Problem, step: Step) -> Floats:
    """Nothing was traded."""
    days = (step.outside.stop - step.outside.start) // DAY_MS
    return np.full(days + 1, problem.capital)


def _chained(problem: Problem, steps: tuple[PlayedStep, ...]) -> WalkForward:
    times, equity = [np.array([steps[0].step.outside.start])], [np.array([problem.capital])]
    for each in steps:
        window = each.step.outside
        ends = np.arange(window.start + DAY_MS, window.stop + 1, DAY_MS)
        times.append(ends)
        equity.append(equity[-1][-1] * each.equity[1:][: len(ends)] / each.equity[0])
    return WalkForward(steps, np.concatenate(times), np.concatenate(equity))
