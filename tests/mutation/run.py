"""The mutation proof: `python -m tests.mutation.run [--only name …] [--seeds N] [--json]`.

For each mutation: how many random seeds until one notices, what the crash sweeps say, which directed test notices
first. Writes the table into docs/proof.md; exit code 1 where nobody noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.mutation.mutations import MUTATIONS
from tests.mutation.patching import Mutation
from tests.mutation.plugin import VARIABLE
from tests.mutation.search import SPINS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "proof.md"
SEEDS = 2_000
SEARCHING = ("tests/engine/test_random_worlds.py", "tests/engine/test_grid_in_world.py")
"""Random too: what they notice is no directed test's merit."""
SEARCH_SECONDS = 900
TEST_SECONDS = 300
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+)$", re.MULTILINE)
_PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


@dataclass(slots=True)
class Caught:
    """Who noticed one mutation; empty where nobody of the kind did."""

    name: str
    seeds: str
    sweep: str
    test: str

    @property
    def is_caught(self) -> bool:
        return any(found not in ("", "–") for found in (self.seeds, self.sweep, self.test))


def examine(mutation: Mutation, seeds: int) -> Caught:
    """Put the mutation before all three kinds of tests."""
    if not mutation.in_simulation:
        return Caught(mutation.name, "–", "–", _directed(mutation))
    return Caught(mutation.name, _seeds(mutation, seeds), _sweep(mutation), _directed(mutation))


def _seeds(mutation: Mutation, seeds: int) -> str:
    found = _search(mutation, "--seeds", str(seeds))
    if not isinstance(found, list):
        return found
    number, said = found
    return f"{number} (spins)" if said == SPINS else f"{number}"


def _sweep(mutation: Mutation) -> str:
    found = _search(mutation, "--sweeps")
    return str(found).split(":", maxsplit=1)[0]


def _search(mutation: Mutation, *options: str) -> list[object] | str:
    command = [sys.executable, "-m", "tests.mutation.search", mutation.name, *options]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=SEARCH_SECONDS, check=True
        )
    except subprocess.TimeoutExpired:
        return "no end"
    found: list[object] | str | None = json.loads(done.stdout)
    return found or ""


def _directed(mutation: Mutation) -> str:
    """The first test that fails with the mutation and passes without it."""
    left_out: list[str] = []
    while True:
        failed = _first_failure(mutation, left_out)
        if failed in ("", "no end") or _passes(failed):
            return failed.removeprefix("tests/").split("[", maxsplit=1)[0]
        left_out.append(failed)


def _first_failure(mutation: Mutation, left_out: list[str]) -> str:
    suites = [suite for suite in mutation.suites if (ROOT / suite).exists()]
    command = [*_PYTEST, "-p", "tests.mutation.plugin", "-x", *suites]
    command += [f"--ignore={path}" for path in SEARCHING] + [f"--deselect={name}" for name in left_out]
    environment = os.environ | {VARIABLE: mutation.name}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "no end"
    if done.returncode == pytest.ExitCode.OK:
        return ""
    found = _FAILED.search(done.stdout)
    if found is None:
        raise RuntimeError(f"{mutation.name}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return found[1].split(" - ", maxsplit=1)[0]


def _passes(test: str) -> bool:
    """Whether the test is good without any mutation: on a busy machine a failure may be its own."""
    return subprocess.run([*_PYTEST, test], cwd=ROOT, capture_output=True, check=False).returncode == 0


# --- the table -----------------------------------------------------------------------------------------


def write_part(name: str, lines: list[str], page: Path = PAGE) -> None:
    """Replace what stands between the two marks of the part `name`."""
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    text = page.read_text()
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    page.write_text("\n".join([f"{head}{begin}", *lines, f"{end}{tail}"]))


def _lines(results: dict[str, list[str]], seeds: int) -> list[str]:
    lines = [
        f"Up to {seeds:,} random seeds for each.",
        "",
        "| Rule | What is broken | Random seeds until noticed | Sweep | Directed test |",
        "|---|---|---|---|---|",
    ]
    for mutation in MUTATIONS.values():
        cells = results.get(mutation.name, ["", "", ""])
        shown = [cell or "not noticed" for cell in cells]
        lines.append(f"| {mutation.rule} | {mutation.broken} | {' | '.join(shown)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=MUTATIONS, metavar="NAME", default=list(MUTATIONS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--json", action="store_true", help="print the results as JSON, one line each")
    given = parser.parse_args()
    results: dict[str, list[str]] = {}
    unnoticed: list[str] = []
    for name in given.only:
        caught = examine(MUTATIONS[name], given.seeds)
        results[name] = [caught.seeds, caught.sweep, caught.test]
        if not caught.is_caught:
            unnoticed.append(name)
        if given.json:
            text = json.dumps(asdict(caught))
        else:
            text = f"{name:28} seeds: {caught.seeds or '-':7} sweep: {caught.sweep or '-':24} {caught.test or '-'}"
        print(text, flush=True)  # noqa: T201  what the script is for
    if len(results) == len(MUTATIONS):
        write_part("mutations", _lines(results, given.seeds))
    if unnoticed:
        print(f"nobody noticed: {', '.join(unnoticed)}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


if __name__ == "__main__":
    main()
