"""Fifty seeds of the whole bot on real SQLite files: same rules, and the journal rebuilds the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridtide.simulation.virtual_time import run_virtually
from gridtide.simulation.world import SeedResult, World
from tests.simulation.sqlite_database import SqliteFile

SEEDS = 50
A_TEST = 5


@pytest.mark.parametrize("first", range(0, SEEDS, A_TEST))
def test_no_seed_breaks_a_rule_on_a_file(first: int, tmp_path: Path) -> None:
    """F07, F32, F34, F56, F58 with the real journal, and I14 after each run."""
    broken = {}
    for seed in range(first, first + A_TEST):
        file = SqliteFile(tmp_path / f"{seed}.db")
        try:
            result = run_virtually(_run(seed, file))
        finally:
            file.close()
        if bad := [*result.violations, *file.replay_differences()]:
            broken[seed] = bad
    assert not broken


async def _run(seed: int, file: SqliteFile) -> SeedResult:
    return await World(seed, file).run()
