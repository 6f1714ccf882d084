"""Fifty rounds of real trouble on one bot: nothing is lost, nothing doubled, both sides' records equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.rounds import Rounds, small_disk

ROUNDS = 50


@pytest.mark.e2e
def test_fifty_rounds_leave_equal_records(tmp_path: Path) -> None:
    """F07, F08, F32, F34, F46, F55 to F58 with real processes, sockets, files, signals and a full disk: in the end
    orders, fills, fees and balances equal the exchange's own records to the last unit. `make rounds` does 1,000."""
    with small_disk(tmp_path / "disk") as disk:
        rounds = Rounds(tmp_path, disk, seed=20261122, longest_stop_seconds=0.8)
        try:
            tally = rounds.run(ROUNDS, ROUNDS)
        finally:
            rounds.end()
    assert tally.rounds == ROUNDS
    assert tally.fills > ROUNDS
    assert not tally.violations
