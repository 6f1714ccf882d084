"""How soon random seeds and crash sweeps notice a mutation: `python -m tests.mutation.search NAME --seeds N`.

Prints one JSON value: [seeds run, what the last one said], or what a sweep said, or null. A process of its own,
because a broken bot may never come to an end.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, get_args

import pytest

from gridtide.simulation.campaign import run_chunk
from gridtide.simulation.sweep import Wound, sweep
from tests.mutation.mutations import MUTATIONS

SEED_SECONDS = 15
"""A seed takes a tenth of a second. One that takes this long spins: time stands still while the bot goes on."""
SWEEP_SECONDS = 90
SPINS = "it spins: virtual time stands still"

Answer = list[object] | str | None


def first_seed(seeds: int) -> Answer:
    """How many seeds it took until one broke something, and what it said."""
    for number in range(1, seeds + 1):
        _answer_after(SEED_SECONDS, lambda number=number: [number, SPINS])  # type: ignore[misc]  # bound at once
        (result,) = run_chunk([number - 1])
        if result.violations:
            return [number, result.violations[0]]
    return None


def first_wound() -> Answer:
    """What the sweeps over every operation said first."""
    for wound in get_args(Wound):
        _answer_after(SWEEP_SECONDS, lambda wound=wound: f"{wound}: {SPINS}")  # type: ignore[misc]  # bound at once
        try:
            found = sweep(wound).violations
        except Exception as error:  # a broken bot may break the sweep: that is noticing, too
            return f"{wound}: {type(error).__name__}: {error}"
        if found:
            return found[0]
    return None


def _answer_after(seconds: int, answer: Callable[[], Answer]) -> None:
    """Answer and end if nothing else does in time: a loop that spins cannot be left in any other way."""

    def give_up(_number: int, _frame: Any) -> None:
        _print(answer())
        os._exit(0)

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)


def _print(answer: Answer) -> None:
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=MUTATIONS)
    parser.add_argument("--seeds", type=int, default=2_000)
    parser.add_argument("--sweeps", action="store_true", help="sweeps instead of seeds")
    given = parser.parse_args()
    with pytest.MonkeyPatch.context() as patch:
        MUTATIONS[given.name].apply(patch)
        found = first_wound() if given.sweeps else first_seed(given.seeds)
    signal.alarm(0)
    _print(found)


if __name__ == "__main__":
    main()
