"""kill -9 at random moments, twenty times in one run: nothing is lost, nothing doubled, both sides' records equal."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.e2e.bots import Bot, differences

KILLS = 20


@pytest.mark.e2e
def test_twenty_kills_leave_equal_records(tmp_path: Path) -> None:
    """F07, F08, F32, F34 with real processes, real sockets, a real file and real SIGKILLs: the same grid goes on each
    time, and in the end orders, fills, fees and balances equal the exchange's own records to the last unit."""
    rng = random.Random(20261122)
    bot = Bot(tmp_path / "state", ("--speed", "40", "--seed", "7"))
    try:
        for _ in range(KILLS):
            process = bot.start()
            time.sleep(0.8 + 2.2 * rng.random())
            assert process.poll() is None, process.communicate()
            bot.kill(process)
        summary = bot.finish(bot.start("--for", "45s"), 120)
        assert summary["books_balanced"] is True
        assert summary["exchange_agrees"] is True, summary
        assert summary["fills"] > KILLS
        assert differences(bot, bot.truth()) == []
    finally:
        bot.end()
