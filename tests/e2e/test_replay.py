"""A year file replayed through the real CCXT clients over real sockets: fills, equal books and records."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.bots import Bot, differences

MINUTES = Path(__file__).parents[2].parent / "shared" / "data" / "candles" / "BTCUSDT-1m-2021.parquet"


@pytest.mark.e2e
@pytest.mark.skipif(not MINUTES.exists(), reason="needs ../shared/data")
def test_a_replayed_market_gives_fills_and_equal_records(tmp_path: Path) -> None:
    """`gridtide run --market FILE --speed 3600 --for 20s --json` on the default grid: books balanced, exchange agrees,
    order book and ledger equal to the sandbox's own records to the last unit."""
    bot = Bot(tmp_path / "state", ("--market", str(MINUTES), "--speed", "3600"))
    try:
        summary = bot.finish(bot.start("--for", "20s"), 90)
        assert summary["books_balanced"] is True
        assert summary["exchange_agrees"] is True, summary
        assert summary["fills"] > 20
        assert summary["open_orders"] > 20
        assert differences(bot, bot.truth()) == []
    finally:
        bot.end()
