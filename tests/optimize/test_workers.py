"""Workers: the same answer as in one process, on loky and on a real Dask cluster, also where one of them is killed; and
they import neither ccxt nor SQLAlchemy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridtide.domain.errors import Transient
from gridtide.optimize.cluster import cluster_at, folder_here, mark
from gridtide.optimize.drawing import drawing
from gridtide.optimize.drawn_trials import DrawnTrials
from gridtide.optimize.evaluation import Evaluator
from gridtide.optimize.search import search
from gridtide.optimize.workers import Recipe, WorkerEvaluator
from tests.house.files import ROOT
from tests.optimize.toy import Toy, build_fragile, build_from_files, build_toy, toy_problem

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


# --- a real cluster ----------------------------------------------------------------------------------


@contextmanager
def local_cluster(workers: int, folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers as an operator starts them: processes of their own. Gives the address and the workers."""
    pytest.importorskip("distributed", reason="the extra gridtide[distributed] is not installed")
    address_file = folder / "scheduler.json"
    with ExitStack() as stack:

        def start(*arguments: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", *arguments]
            log = stack.enter_context((folder / f"{len(list(folder.iterdir()))}.log").open("wb"))
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        start(
            *("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(address_file)),
        )
        # --no-nanny: the process that is killed is the worker itself, and nobody starts another one.
        started = [
            start(
                *("distributed.cli.dask_worker", "--scheduler-file", str(address_file), "--nthreads", "1"),
                *("--no-nanny", "--no-dashboard", "--local-directory", str(folder / f"worker-{number}")),
            )
            for number in range(workers)
        ]
        until = time.monotonic() + 60
        while not address_file.exists() or not address_file.read_text().strip():
            assert time.monotonic() < until, "the scheduler did not start"
            time.sleep(0.05)
        import json

        yield json.loads(address_file.read_text())["address"], started


@pytest.mark.slow
def test_a_worker_killed_on_a_real_cluster_loses_nothing(tmp_path: Path) -> None:
    """Three workers, one shot while it plays; each got the data once, into a folder of its own; the others get what
    the dead one had. None imported ccxt or SQLAlchemy."""
    sent, seen = tmp_path / "sent", tmp_path / "seen"
    for folder in (sent, seen):
        folder.mkdir()
    (sent / "days.txt").write_text("90")
    (seen / "died").touch()  # what dies here is shot from outside
    with local_cluster(3, tmp_path) as (address, workers), cluster_at(address) as cluster:
        cluster.client.wait_for_workers(3, timeout=60)
        cluster.send("k1", sent)
        values = {"sent": "/nowhere", "key": "k1", "folder": str(seen)}
        evaluator = WorkerEvaluator(Recipe("files", build_from_files, values), Toy(), 1, cluster)
        shot = threading.Thread(target=_shoot, args=(workers[0], seen))
        shot.start()
        check_answer(evaluator)
        shot.join()
        assert workers[0].wait(10) == -signal.SIGKILL
        assert cluster.workers() == 2
        check_answer(evaluator)
    places = [Path(path.read_text()) for path in seen.glob("*.place")]
    assert len(places) == 3
    assert all(str(tmp_path / "worker-") in str(place) for place in places)
    assert not modules_of_workers(seen) & set(FORBIDDEN)


def _shoot(worker: subprocess.Popen[bytes], seen: Path) -> None:
    """Once it has begun to play."""
    while not (seen / f"{worker.pid}.modules").exists():
        time.sleep(0.005)
    worker.kill()


def test_a_scheduler_that_does_not_answer_is_told_with_what_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra gridtide[distributed] is not installed")
    monkeypatch.setattr("gridtide.optimize.cluster._WAIT_SECONDS", 0.2)
    with ExitStack() as stack, pytest.raises(Transient, match="dask worker tcp:"):
        stack.enter_context(cluster_at("tcp://127.0.0.1:9"))


def test_a_folder_that_is_in_sight_is_used_as_it_is(tmp_path: Path) -> None:
    mark(tmp_path, "k2")
    assert folder_here(str(tmp_path), "k2") == tmp_path
