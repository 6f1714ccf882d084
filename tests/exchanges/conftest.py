"""The scripted exchange and an adapter connected to it. Reads are repeated at once, so failures cost no time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import stamina

from gridtide.exchanges.binance import BinanceExchange
from tests.exchanges.fake_binance import FakeBinance, fake_binance


@pytest.fixture(autouse=True)
def _repeat_reads_at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
async def fake() -> AsyncIterator[FakeBinance]:
    async with fake_binance() as server:
        yield server


@pytest.fixture
async def exchange(fake: FakeBinance) -> AsyncIterator[BinanceExchange]:
    adapter = BinanceExchange(fake.connection())
    await adapter.connect()
    fake.seen.clear()
    try:
        yield adapter
    finally:
        await adapter.close()
