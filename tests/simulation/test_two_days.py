"""Two virtual days on a real file: nothing grows but the books (F60). `make thirty-days` does the month."""

from __future__ import annotations

from pathlib import Path

from benchmarks.thirty_days import run_days
from gridtide.storage.retention import Retention

HOUR_MS = 3_600_000


def test_two_days_leave_nothing_behind(tmp_path: Path) -> None:
    """F60: hundreds of fills, faults and restarts: memory of the bot, handles, log file and journal stay within bounds,
    and what is left of the journal still gives the same tables (I14)."""
    retention = Retention(keep_ms=6 * HOUR_MS, checkpoint_ms=HOUR_MS)
    world, report = run_days(tmp_path, 2, retention)
    first, second = world.samples
    assert report["violations"] == []
    assert second.fills > 200
    assert second.handles == first.handles
    assert second.bot_bytes < 5_000_000
    assert second.wal < 8_000_000
    assert second.journal_rows < 0.5 * 13 * second.fills  # 13 entries a fill, of which six hours are kept
    assert report["rows"]["fills"] == report["fills"]
