"""Searches find what is there to be found, keep everything they were told, and go on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.optimize.drawing import drawing
from gridtide.optimize.drawn_trials import DrawnTrials
from gridtide.optimize.objectives import OBJECTIVES, best_first, objectives_named, pareto_front
from gridtide.optimize.problem import Problem
from gridtide.optimize.sampled_trials import SampledTrials
from gridtide.optimize.search import Told, search
from gridtide.optimize.storages import trial_store
from gridtide.optimize.trials import Trials
from tests.house.files import ROOT
from tests.optimize.toy import CAPITAL, Toy, toy_problem


class Stopped(Exception):
    """Stands for Ctrl-C."""


def stop_at(count: int) -> Callable[[Told], None]:
    def look(told: Told) -> None:
        if told.told >= count:
            raise Stopped

    return look


def sampled(
    problem: Problem, method: str, place: Path | None, stack: ExitStack, **more: Any
) -> SampledTrials:
    store = stack.enter_context(trial_store(str(place))) if place else None
    return SampledTrials(
        problem.space,
        method,
        more.pop("seed", 1),
        problem.objectives,
        problem.capital,
        name="whole",
        batch=10,
        storage=store.storage if store else None,
        flush=store.flush if store else lambda: None,
    )


def same(one: Trials, other: Trials) -> bool:
    return list(one.sets) == list(other.sets) and all(
        np.array_equal(values, other.answers.figures[name], equal_nan=True)
        for name, values in one.answers.figures.items()
    )


def test_an_exhaustive_search_tries_every_set_once_and_finds_the_best() -> None:
    problem = toy_problem(Toy())
    trials = search(problem, Toy().span, DrawnTrials(drawing(problem.space, "exhaustive", 1), None), 10**6)
    assert len(trials) == len({str(each) for each in trials.sets}) == 441
    assert trials.sets[trials.ranking(problem.objectives, CAPITAL)[0]] == {"x": 7, "y": 3}
    assert trials.refusals() == {"x is unlucky": 21}
    assert trials.played == 420


def test_batches_grow_while_they_take_a_moment() -> None:
    toy = Toy()
    problem = toy_problem(toy)
    search(problem, toy.span, DrawnTrials(drawing(problem.space, "random", 1), None), 300)
    assert toy.calls[:4] == [1, 2, 4, 8]
    assert sum(toy.calls) == 300


def test_a_random_search_goes_on_where_it_ended_with_the_sets_it_would_have_tried(tmp_path: Path) -> None:
    problem = toy_problem(Toy())

    def source(folder: Path) -> DrawnTrials:
        return DrawnTrials(drawing(problem.space, "random", 4), folder)

    with pytest.raises(Stopped):
        search(problem, Toy().span, source(tmp_path / "a"), 200, listener=stop_at(60))
    assert 60 <= source(tmp_path / "a").told < 200
    assert same(
        search(problem, Toy().span, source(tmp_path / "a"), 200),
        search(problem, Toy().span, source(tmp_path / "b"), 200),
    )


@pytest.mark.parametrize("method", ["tpe", "nsga2"])
def test_a_learning_search_that_was_interrupted_tries_what_an_uninterrupted_one_tries(
    method: str, tmp_path: Path
) -> None:
    """Its generator is seeded anew for each batch, and a batch that was lost is asked for again."""
    problem = toy_problem(Toy(), "final_equity", "max_drawdown", seedless=["1"])
    with ExitStack() as stack:
        whole = search(problem, Toy().span, sampled(problem, method, None, stack), 60, batch=10)
    for _ in range(2):
        with ExitStack() as stack:
            source = sampled(problem, method, tmp_path / "journal", stack)
            stop = stop_at(source.told + 10)
            with pytest.raises(Stopped):
                search(problem, Toy().span, source, 60, batch=10, listener=stop)
    with ExitStack() as stack:  # killed after it asked, before it told: ten trials are lost
        source = sampled(problem, method, tmp_path / "journal", stack)
        assert source.told == 20
        source.ask(10)
        if (
            method == "tpe"
        ):  # a kill while the batch is written; NSGA-II's own cache of parents then has another order
            source._flush()  # noqa: SLF001
    with ExitStack() as stack:
        again = search(
            problem, Toy().span, sampled(problem, method, tmp_path / "journal", stack), 60, batch=10
        )
    assert same(again, whole)


def test_tpe_comes_closer_than_chance_and_another_seed_tries_other_sets() -> None:
    space = {name: {"from": "-50.0", "to": "50.0"} for name in ("x", "y")}
    problem = toy_problem(Toy(), **space)
    with ExitStack() as stack:
        found = [
            search(problem, Toy().span, sampled(problem, "tpe", None, stack, seed=seed), 120, batch=10)
            for seed in (1, 2)
        ]
    assert not same(*found)
    chance = search(problem, Toy().span, DrawnTrials(drawing(problem.space, "random", 1), None), 120)
    best = [np.nanmax(trials.answers.figures["final_equity"]) for trials in (*found, chance)]
    assert min(best[:2]) > best[2]
    assert max(best[:2]) > CAPITAL + 199


def test_nsga2_spreads_over_the_front() -> None:
    """Equity is best at x = 7, drawdown at x = 0: the front is every x between, at y = 3."""
    problem = toy_problem(Toy(), "final_equity", "max_drawdown")
    with ExitStack() as stack:
        trials = search(problem, Toy().span, sampled(problem, "nsga2", None, stack), 250, batch=10)
    front = [trials.sets[row] for row in trials.front(problem.objectives, CAPITAL)]
    assert len({each["x"] for each in front}) >= 6
    assert all(int(str(each["x"])) <= 7 for each in front)


def test_sets_that_promise_little_are_given_up_early() -> None:
    toy = Toy()
    problem = toy_problem(toy)
    with ExitStack() as stack:
        trials = search(problem, toy.span, sampled(problem, "tpe", None, stack), 60, batch=10, prunes=True)
    given_up = [reason for reason in trials.answers.reasons if "given up" in reason]
    assert len(given_up) >= 5
    assert trials.played < 60
    assert trials.sets[trials.ranking(problem.objectives, CAPITAL)[0]]["x"] in range(4, 11)


def test_a_driver_killed_at_any_moment_loses_nothing_it_was_told(tmp_path: Path) -> None:
    """A real process, a real kill -9; and a half-written line at the end of its journal, as a full disk leaves it."""
    journal = tmp_path / "journal"
    program = textwrap.dedent(f"""
        from contextlib import ExitStack
        from pathlib import Path
        from gridtide.optimize.search import search
        from tests.optimize.test_search import sampled
        from tests.optimize.toy import Toy, toy_problem
        toy = Toy(seconds=0.01)
        problem = toy_problem(toy)
        with ExitStack() as stack:
            source = sampled(problem, "tpe", Path({str(journal)!r}), stack)
            search(problem, toy.span, source, 80, batch=10, listener=lambda told: print(told.told, flush=True))
    """)
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
    ) as driver:
        assert driver.stdout is not None
        while int(driver.stdout.readline()) < 30:
            pass
        time.sleep(0.05)
        driver.send_signal(signal.SIGKILL)
        rest = [int(line) for line in driver.stdout]
    told = max([30, *rest])
    assert told < 80
    with journal.open("ab") as file:
        file.write(b'{"op_code":6,"wor')
    problem = toy_problem(Toy())
    with ExitStack() as stack:
        source = sampled(problem, "tpe", journal, stack)
        assert source.told in (told, told + 10)
        again = search(problem, Toy().span, source, 80, batch=10)
        whole = search(problem, Toy().span, sampled(problem, "tpe", None, stack), 80, batch=10)
    assert same(again, whole)


def test_two_drivers_do_not_write_one_journal(tmp_path: Path) -> None:
    place = str(tmp_path / "journal")
    with (
        trial_store(place),
        ExitStack() as stack,
        pytest.raises(InvalidInput, match="in use by another search"),
    ):
        stack.enter_context(trial_store(place))


def test_a_database_that_is_none_is_refused_without_its_password() -> None:
    for address in ("mysql://me:secret@host/x", "postgresql://me:secret@127.0.0.1:1/x"):
        with ExitStack() as stack, pytest.raises(InvalidInput, match="--storage") as told:
            stack.enter_context(trial_store(address))
        assert "secret" not in str(told.value)


def test_objectives_are_named_or_the_nearest_is_offered() -> None:
    assert [each.name for each in objectives_named(["sharpe", "max_drawdown"])] == ["sharpe", "max_drawdown"]
    with pytest.raises(InvalidInput, match="no objective sharp; did you mean sharpe"):
        objectives_named(["sharp"])
    with pytest.raises(InvalidInput, match="named twice"):
        objectives_named(["sharpe", "sharpe"])
    assert not OBJECTIVES["max_drawdown"].is_larger_better


def test_of_losers_the_smaller_loss_with_the_smaller_fall_is_better() -> None:
    """Best first: gains for little fall, gains for much, nothing, losses: small and calm, small and wild, large."""
    figures = {
        "final_equity": np.array([CAPITAL * share for share in (1.1, 1.1, 1.0, 0.97, 0.97, 0.9)] + [np.nan]),
        "max_drawdown": np.array([0.05, 0.2, 0.1, 0.04, 0.3, 0.6, np.nan]),
    }
    scores = OBJECTIVES["gain_over_fall"].scores(figures, CAPITAL)
    assert best_first([scores]).tolist() == [0, 1, 2, 3, 4, 5]
    assert scores[:2] == pytest.approx([2, 0.5])


def test_a_front_holds_what_nothing_beats_and_leaves_out_what_has_no_figure() -> None:
    gain = np.array([3.0, 2.0, 2.0, np.nan, 1.0, 2.0])
    calm = np.array([1.0, 2.0, 1.5, 9.0, 3.0, 2.0])
    assert pareto_front([gain, calm]).tolist() == [0, 1, 4]
    assert best_first([gain, calm]).tolist() == [0, 1, 5, 2, 4]
    assert pareto_front([gain[3:4], calm[3:4]]).tolist() == []
