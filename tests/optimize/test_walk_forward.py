"""Walk-forward: where windows lie, that no choice sees what judges it, and how what came after is chained."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import InvalidInput
from gridtide.optimize.drawing import drawing
from gridtide.optimize.drawn_trials import DrawnTrials
from gridtide.optimize.evaluation import Window
from gridtide.optimize.search import search
from gridtide.optimize.trials import Trials
from gridtide.optimize.walk_forward import DAY_MS, Step, WindowWish, cut, walk_forward
from tests.optimize.toy import CAPITAL, Toy, toy_problem


def days(step: Step) -> tuple[int, int, int, int]:
    start, stop = step.inside
    first, last = step.outside
    return start // DAY_MS, stop // DAY_MS, first // DAY_MS, last // DAY_MS


def test_rolling_windows_move_along_and_anchored_ones_grow() -> None:
    span = Window(5, 100 * DAY_MS + 7)
    wish = WindowWish(in_sample_days=30, out_of_sample_days=20, embargo_days=2)
    assert [days(step) for step in cut(span, wish)] == [
        (8, 38, 40, 60),
        (28, 58, 60, 80),
        (48, 78, 80, 100),
    ]
    assert [days(step) for step in cut(span, replace(wish, is_anchored=True))] == [
        (1, 38, 40, 60),
        (1, 58, 60, 80),
        (1, 78, 80, 100),
    ]


@given(
    first=st.integers(0, 5 * DAY_MS),
    length=st.integers(0, 400),
    windows=st.integers(1, 12),
    embargo=st.integers(0, 5),
    anchored=st.booleans(),
)
def test_no_window_is_judged_by_what_it_saw(
    first: int, length: int, windows: int, embargo: int, anchored: bool
) -> None:
    """Inside ends before the embargo, outside windows follow on without a hole and end with the data; data that are too
    short are refused."""
    span = Window(first, first + length * DAY_MS)
    wish = WindowWish(windows=windows, embargo_days=embargo, is_anchored=anchored)
    if span.stop // DAY_MS - -(-first // DAY_MS) < windows + 3 + embargo:
        with pytest.raises(InvalidInput, match=f"at least {windows + 3 + embargo} days"):
            cut(span, wish)
        return
    steps = cut(span, wish)
    assert len(steps) == windows
    for step in steps:
        assert span.start <= step.inside.start
        assert step.inside.stop - step.inside.start >= 2 * DAY_MS
        assert step.inside.stop + embargo * DAY_MS == step.outside.start
    outside = [step.outside for step in steps]
    assert all(one.stop == other.start for one, other in pairwise(outside))
    assert outside[-1].stop == span.stop // DAY_MS * DAY_MS


def test_each_window_plays_what_was_best_before_it() -> None:
    """What is best drifts by 0.1 a day: the best x in-sample is that of its middle, and no later one's."""
    toy = Toy(days=100, drift=0.1)
    problem = toy_problem(toy, y=["3"])
    seen: list[tuple[str, Window]] = []

    def inside(name: str, window: Window) -> Trials:
        seen.append((name, window))
        return search(problem, window, DrawnTrials(drawing(problem.space, "exhaustive", 1), None), 100)

    steps = cut(toy.span, WindowWish(windows=4, in_sample_days=40, out_of_sample_days=10, embargo_days=0))
    found = walk_forward(problem, steps, inside)
    assert [name for name, _ in seen][:2] == ["w01", "w02"]
    middles = [(window.start + window.stop) / 2 / DAY_MS for _, window in seen]
    chosen = [int(str(step.chosen["x"])) for step in found.steps if step.chosen is not None]
    assert chosen == [12 if x == 13 else round(x) for x in (7 + 0.1 * middle for middle in middles)]
    assert found.trials == 21 * len(steps)


def test_chained_equity_carries_on_from_window_to_window() -> None:
    """Each window earns its own share, on what the one before left; one point a day and the beginning."""
    toy = Toy(days=80)
    problem = toy_problem(toy, x=["7"], y=["3"])
    steps = cut(toy.span, WindowWish(windows=4, in_sample_days=20, out_of_sample_days=15, embargo_days=0))
    found = walk_forward(
        problem,
        steps,
        lambda name, window: search(
            problem, window, DrawnTrials(drawing(problem.space, "random", 1), None), 1
        ),
    )
    growth = 1 + 200 * 15 / 80 / CAPITAL
    assert found.equity[-1] == pytest.approx(CAPITAL * growth**4)
    assert len(found.equity) == len(found.times) == 4 * 15 + 1
    assert np.all(np.diff(found.times) == DAY_MS)
    assert found.times[0] == steps[0].outside.start


def test_where_every_set_is_refused_the_money_stays() -> None:
    toy = Toy(days=60)
    problem = toy_problem(toy, x=["13"], y=["3"])
    steps = cut(toy.span, WindowWish(windows=2))
    found = walk_forward(
        problem,
        steps,
        lambda name, window: search(
            problem, window, DrawnTrials(drawing(problem.space, "random", 1), None), 1
        ),
    )
    assert [step.chosen for step in found.steps] == [None, None]
    assert set(found.equity.tolist()) == {CAPITAL}


def test_relative_values_are_taken_from_each_windows_own_first_price() -> None:
    """The toy's price is 100 plus the day: x of -95 % is 5 at day 0 and 10 at day 100."""
    problem = toy_problem(Toy(), x=["-95%"])
    assert problem.resolved({"x": "-95%"}, Window(0, DAY_MS))["x"] == 5
    assert problem.resolved({"x": "-95%"}, Window(100 * DAY_MS, 101 * DAY_MS))["x"] == 10
