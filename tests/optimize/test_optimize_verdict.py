"""What a verdict on a study is drawn from: the chosen set's own fees, refused sets, windows without a choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from gridtide.bootstrap.optimize_verdict import costs_of, evidence_of_trials, figures_of_walk, neighbours_of
from gridtide.bootstrap.study_view import shown_figure
from gridtide.optimize.evaluation import Evaluated, Rows, Window
from gridtide.optimize.problem import Problem
from gridtide.optimize.space import ParameterSet
from gridtide.optimize.trials import Trials
from gridtide.optimize.walk_forward import PlayedStep, Step, WalkForward
from tests.optimize.toy import CAPITAL, DAY, Toy, toy_problem


class TakesFees(Toy):
    """Ends with 10 more than it began, less 1000 times the maker's fee and 1000 times the taker's."""

    def evaluate(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        rows = Rows()
        for each in sets:
            fees = Decimal(str(each["fees.maker"])) + Decimal(str(each["fees.taker"]))
            rows.played({"final_equity": CAPITAL + 10 - 1000 * float(fees)}, np.empty(0))
        return rows.evaluated(by_engine=True, daily=daily)


def charged(maker: str, taker: str) -> Problem:
    fees = {"fees.maker": Decimal(maker), "fees.taker": Decimal(taker)}
    return replace(toy_problem(TakesFees()), base={**fees})


def test_costs_begin_with_the_fees_of_the_chosen_set() -> None:
    """It pays 0.004 as maker, which was searched, and the config's 0.001 as taker: 10 is gone at twice these, not at
    five times the config's 0.001 and 0.001."""
    found = costs_of(charged("0.001", "0.001"), {"x": 1, "y": 1, "fees.maker": Decimal("0.004")})
    assert found is not None
    assert found.break_even == pytest.approx(2.0)


def test_without_fees_there_is_no_multiple_of_them() -> None:
    assert costs_of(charged("0", "0"), {"x": 1, "y": 1}) is None


def test_fees_that_never_ate_the_profit_are_beyond_what_was_tried() -> None:
    found = costs_of(charged("0.0001", "0.0001"), {"x": 1, "y": 1})
    assert found is not None
    assert (found.break_even, found.survives) == (None, 3.0)
    assert shown_figure("break_even_fees", found.survives) == "beyond 3 times"
    assert shown_figure("break_even_fees", 2.5) == "2.50 times"


def test_refused_neighbours_are_the_worst_of_neighbours() -> None:
    """x = 12 has the best of a row of sets, and nothing but refused ones beside it on one side: a cliff, that a look
    at played sets alone does not see."""
    sets = [{"x": x, "y": 3} for x in (0, 1, 2, 11, 12, 13, 13, 13, 13)]
    problem = toy_problem(Toy(drift=0.15))
    whole = Trials(sets, problem.play(sets, problem.evaluator.span))
    found = neighbours_of(problem, whole, 4, seed=1)
    assert found is not None
    assert found.neighbour_median == -np.inf
    assert found.score == 0
    assert np.isfinite(found.field_median)


def test_where_most_sets_were_refused_the_others_still_make_a_plateau() -> None:
    """Three of four tries break a rule far away from the chosen one; its neighbours keep nearly all of its lead."""
    sets = [{"x": x, "y": 3} for x in (2, 4, 5, 6, 7, 8, 9, *[13] * 30)]
    problem = toy_problem(Toy())
    found = neighbours_of(problem, Trials(sets, problem.play(sets, problem.evaluator.span)), 4, seed=1)
    assert found is not None
    assert found.score > 0.5


def test_windows_in_which_every_set_was_refused_count_without_a_gain() -> None:
    """One window earned 5 %, after a choice that earned 10 %; in the other nothing could be chosen."""
    step = Step(Window(0, 30 * DAY), Window(30 * DAY, 40 * DAY))
    gained = PlayedStep(
        step, 9, {"x": 1}, {"final_equity": 1.1 * CAPITAL}, {}, "", np.array([CAPITAL, 1.05 * CAPITAL])
    )
    nan = {"final_equity": float("nan")}
    refused = PlayedStep(step, 9, None, nan, nan, "", np.array([CAPITAL, CAPITAL]))
    walk = WalkForward((gained, refused), np.empty(0, np.int64), np.empty(0))
    found = figures_of_walk(toy_problem(Toy()), walk)
    assert (found["windows"], found["profitable_windows"]) == (2, 0.5)
    assert found["walk_forward_efficiency"] == pytest.approx(1.5)
    nothing = figures_of_walk(toy_problem(Toy()), replace(walk, steps=(refused,)))
    assert nothing == {"walk_forward_efficiency": None, "profitable_windows": 0, "windows": 1}


class Leaps(Toy):
    """Each x has a random walk of its own for its daily equity."""

    def evaluate(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        rows = Rows()
        for each in sets:
            leaps = np.random.default_rng(int(str(each["x"]))).normal(0, 0.01, self.days)
            equity = CAPITAL * np.cumprod(np.append(1, 1 + leaps))
            rows.played({"final_equity": float(equity[-1])}, equity)
        return rows.evaluated(by_engine=True, daily=daily)


def test_the_best_of_more_sets_than_are_looked_at_is_still_luck() -> None:
    """The engine played 2,000 sets without skill and 200 are looked at, the chosen one among them."""
    sets = [{"x": x, "y": 0} for x in range(2000)]
    problem = toy_problem(Leaps())
    whole = Trials(sets, problem.play(sets, problem.evaluator.span))
    row = int(whole.ranking(problem.objectives, CAPITAL)[0])
    found = evidence_of_trials(problem, whole, row, 2000, seed=1)
    assert (found.looked_at, found.trials, found.splits) == (200, 2000, 252)
    assert found.luck is not None
    assert found.overfitting is not None
    assert min(found.luck, found.overfitting) > 0.25
