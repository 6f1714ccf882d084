"""Workers on this machine: the same answer as in one process, also where one of them is killed; and they import neither
ccxt nor SQLAlchemy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridtide.domain.errors import Transient
from gridtide.optimize.drawing import drawing
from gridtide.optimize.drawn_trials import DrawnTrials
from gridtide.optimize.evaluation import Evaluator
from gridtide.optimize.search import search
from gridtide.optimize.workers import Recipe, WorkerEvaluator
from tests.house.files import ROOT
from tests.optimize.toy import Toy, build_fragile, build_toy, toy_problem

FORBIDDEN = ("ccxt", "sqlalchemy", "optuna")
SETS = [{"x": x, "y": y} for x in range(21) for y in range(3)]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find our source and the tests' evaluators."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT)]))


def modules_of_workers(folder: Path) -> set[str]:
    return {name for path in folder.glob("*.modules") for name in path.read_text().split("\n")}


def fragile(folder: Path, **more: Any) -> WorkerEvaluator:
    recipe = Recipe(f"fragile {folder}", build_fragile, {"folder": str(folder)})
    return WorkerEvaluator(recipe, Toy(), jobs=2, **more)


def check_answer(evaluator: WorkerEvaluator) -> None:
    toy = Toy()
    answer = evaluator.evaluate(SETS, toy.span, daily=True)
    alone = toy.evaluate(SETS, toy.span, daily=True)
    assert answer.reasons == alone.reasons
    assert all(
        np.array_equal(answer.figures[name], alone.figures[name], equal_nan=True) for name in alone.figures
    )
    assert answer.daily is not None
    assert alone.daily is not None
    assert np.array_equal(answer.daily, alone.daily, equal_nan=True)


def test_a_worker_killed_on_this_machine_loses_nothing(tmp_path: Path) -> None:
    """The one that meets x = 5 first dies with its process; its batch is played again, in the order of the sets."""
    check_answer(fragile(tmp_path))
    assert (tmp_path / "died").exists()
    assert len(list(tmp_path.glob("*.built"))) >= 2
    assert not modules_of_workers(tmp_path) & set(FORBIDDEN)


def test_workers_that_always_die_are_told_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtide.optimize.workers._DEATHS", 2)
    recipe = Recipe("dying", build_dying)
    with pytest.raises(Transient, match="workers died 2 times"):
        WorkerEvaluator(recipe, Toy(), jobs=2).evaluate(SETS[:8], Toy().span)


def build_dying(values: Mapping[str, Any]) -> Evaluator:
    os._exit(9)


def test_a_search_over_workers_tries_what_one_process_tries() -> None:
    space = {"x": {"from": "0", "to": "9"}, "y": ["3"]}
    found = []
    for evaluator in (Toy(), WorkerEvaluator(Recipe("toy", build_toy, {"days": 90}), Toy(), jobs=2)):
        problem = toy_problem(evaluator, **space)
        trials = search(
            problem, Toy().span, DrawnTrials(drawing(problem.space, "random", 1), None), 8, batch=4
        )
        found.append((list(trials.sets), trials.answers.figures["final_equity"].tolist()))
    assert found[0] == found[1]
