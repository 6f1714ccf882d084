"""More than 500 random sets on random and real paths: the kernel makes the fills the engine makes, and the same money.

Fills are equal one by one (point, level, side, price, amount), money to 1e-9 of itself, drawdown, Sharpe, time in range
and every day's equity too. A world that differs is printed with its seed, cut down to the shortest data that differ.
``make sweep-equality SETS=20000`` plays others.
"""

from __future__ import annotations

import pytest

from tests.optimize.equality import Tally, drawn_world, report, unequal

WORLDS = 30
"""Of 20 sets each."""
BLOCKS = 5
"""So that several workers share them."""


@pytest.mark.parametrize("block", range(BLOCKS))
def test_kernel_and_engine_agree_on_every_fill(block: int) -> None:
    tally = Tally()
    for seed in range(block, WORLDS, BLOCKS):
        world = drawn_world(seed)
        for row, found in unequal(world, tally):
            pytest.fail(report(world, row, found))
    assert tally.sets - tally.by_engine >= 90
    assert tally.traded >= 35, f"worlds in which nothing happens prove nothing: {tally}"
    assert tally.fills >= 1_000
