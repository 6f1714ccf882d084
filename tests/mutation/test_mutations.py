"""The mutations themselves: each rule has one, each still takes hold of the present code, and none is ever left on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gridtide.simulation.campaign import run_chunk
from tests.mutation.mutations import MUTATIONS, RULES
from tests.mutation.plugin import VARIABLE

ROOT = Path(__file__).parents[2]


def test_every_rule_can_be_switched_off() -> None:
    assert {mutation.rule for mutation in MUTATIONS.values()} == set(RULES)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_still_takes_hold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names it replaces exist in the present code; else it would break nothing and prove nothing."""
    MUTATIONS[name].apply(monkeypatch)


@pytest.mark.parametrize("name", ["handed_on_first", "not_counted"])
def test_a_seed_notices_a_mutation_and_nothing_without_it(name: str) -> None:
    """The instrument shows something: the same seed is bad with the mutation and good without."""
    with pytest.MonkeyPatch.context() as patch:
        MUTATIONS[name].apply(patch)
        assert run_chunk([0])[0].violations
    assert run_chunk([0])[0].violations == []


def test_no_mutation_is_on_in_an_ordinary_run(pytestconfig: pytest.Config) -> None:
    """The product knows of none, and only a plugin named on the command line applies one."""
    assert not pytestconfig.pluginmanager.has_plugin("tests.mutation.plugin")
    knowing = [path.name for path in (ROOT / "src").rglob("*.py") if VARIABLE in path.read_text()]
    assert knowing == []
    settings = (ROOT / "pyproject.toml").read_text() + (ROOT / "tests" / "conftest.py").read_text()
    assert "mutation" not in settings


def test_the_plugin_refuses_to_run_without_a_mutation() -> None:
    """A run that was to be mutated and is not would look like a proof of the tests' weakness."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutation.plugin", "--co", "-q", "tests/domain"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"{VARIABLE} names no mutation" in done.stderr
