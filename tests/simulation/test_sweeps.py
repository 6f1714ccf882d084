"""Crash and I/O-fault sweeps over start, place, fill, cancel and reconcile: every operation hurt once."""

from __future__ import annotations

import pytest

from gridtide.simulation.sweep import Wound, sweep

FEWEST = {"kill": 60, "refused": 12, "unknown": 12}


@pytest.mark.parametrize("wound", ["kill", "refused", "unknown"])
def test_every_operation_may_be_the_last(wound: Wound) -> None:
    """F07, F08, F57, F58: killed before or after the n-th I/O operation, or its commit refused, or written but
    reported as failed, for n = 1, 2, … until a clean pass: one order a slot, every fill booked once."""
    result = sweep(wound)
    assert result.runs >= FEWEST[wound], "the story has become too short to prove anything"
    assert not result.violations
