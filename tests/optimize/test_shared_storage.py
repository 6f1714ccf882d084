"""Several drivers on one PostgreSQL storage: two programs at once share the trials of one study, and each knows all."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path

import pytest

from gridtide.optimize.sampled_trials import SampledTrials
from gridtide.optimize.storages import trial_store
from tests.house.files import ROOT
from tests.optimize.toy import Toy, toy_problem
from tests.storage.stores import postgres_server

DRIVER = """
    import sys
    from contextlib import ExitStack
    from gridtide.optimize.search import search
    from tests.optimize.test_shared_storage import source_of
    from tests.optimize.toy import Toy, toy_problem
    toy = Toy()
    with ExitStack() as stack:
        search(toy_problem(toy), toy.span, source_of(sys.argv[1], stack), 40, batch=5)
    print(sum(toy.calls))
"""


def source_of(address: str, stack: ExitStack) -> SampledTrials:
    store = stack.enter_context(trial_store(address))
    assert store.is_shared
    problem = toy_problem(Toy())
    return SampledTrials(
        problem.space,
        "tpe",
        1,
        problem.objectives,
        problem.capital,
        name="shared",
        batch=5,
        storage=store.storage,
        is_shared=True,
    )


@pytest.mark.slow
def test_two_drivers_share_one_study(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    with postgres_server() as address, ExitStack() as stack:
        command = [sys.executable, "-c", textwrap.dedent(DRIVER), address]
        drivers = [
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": path},
            )
            for _ in range(2)
        ]
        played = [int(driver.communicate(timeout=120)[0]) for driver in drivers]
        assert [driver.returncode for driver in drivers] == [0, 0]
        source = source_of(address, stack)
        assert source.told == sum(played)
        assert 40 <= source.told <= 40 + 5  # both may have a batch under way when there are enough
        assert min(played) > 0
        assert len(source.trials()) == source.told
