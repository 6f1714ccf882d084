"""A real Dask cluster of processes: one of its workers is killed and nothing is lost, the data are sent once, and a
whole search gives the answer of one machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gridtide.bootstrap.optimize import run_optimization
from gridtide.domain.errors import Transient
from gridtide.optimize.cluster import cluster_at, folder_here, mark
from gridtide.optimize.workers import Recipe, WorkerEvaluator
from tests.house.files import ROOT
from tests.optimize.test_optimize_bootstrap import prepared, settings, twelve_days
from tests.optimize.test_workers import FORBIDDEN, check_answer
from tests.optimize.toy import Toy, build_from_files, imported


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
        yield json.loads(address_file.read_text())["address"], started


@pytest.mark.slow
def test_a_cluster_gives_the_answer_of_one_machine_though_a_worker_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three workers, one shot while it plays; each got the data once, into a folder of its own; the others get what the
    dead one had. Then they play a whole search, of sets with latency, which are the engine's, and have imported neither
    ccxt nor SQLAlchemy."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
    sent, seen = tmp_path / "sent", tmp_path / "seen"
    for folder in (sent, seen):
        folder.mkdir()
    (sent / "days.txt").write_text("90")
    (seen / "died").touch()  # what dies here is shot from outside
    found, data = settings(latency_ms=50), twelve_days()
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
        there = run_optimization(
            prepared(found, data, cluster=address), tmp_path / "there", config=None
        ).plain
        modules = cluster.client.run(imported)
    places = [Path(path.read_text()) for path in seen.glob("*.place")]
    assert len(places) == 3
    assert all(str(tmp_path / "worker-") in str(place) for place in places)
    assert len(modules) == 2
    assert not any(set(FORBIDDEN) & set(names) for names in modules.values())
    here = run_optimization(prepared(found, data, jobs=1), tmp_path / "here", config=None).plain
    for each in (here, there):
        del each["seconds"]
    assert there == here
    assert there["chosen"]


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
