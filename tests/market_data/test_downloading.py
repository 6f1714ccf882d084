"""Downloads through CCXT over real sockets from our own sandbox: complete, exact, resumed, and asked for only once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import stamina

from gridtide.domain.errors import DataUnusable, InvalidInput, Transient
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.order import Side
from gridtide.exchanges.ccxt_candles import CcxtCandleSource
from gridtide.exchanges.connection import ExchangeConnection
from gridtide.market_data.api_supplier import ApiSupplier
from gridtide.market_data.from_trades import TradesSupplier
from gridtide.market_data.gaps import GapPolicy
from gridtide.market_data.series import TRADES, Series, Span
from gridtide.market_data.store import candles_of
from gridtide.sandbox.server import Sandbox
from gridtide.testing import by_hand
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox
from tests.market_data.counting_proxy import CountingProxy, counting_proxy
from tests.market_data.stored import JANUARY, MINUTE, SYMBOL, download, opened, span_of

PAGE = 20
PLAYED = 64
"""Minutes the market has lived; the last of them is still open."""
DOWN = range(30, 35)
"""Minutes in which nobody traded, so there are no candles."""
CANDLES = Series("binance-sandbox", SYMBOL, "1m")
MARKET_TRADES = Series("binance-sandbox", SYMBOL, TRADES)
LIFE = span_of(0, PLAYED)


def price(minute: int, second: int) -> Decimal:
    return Decimal(50_000) + minute * 10 + second


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A market with a past of three trades a minute."""

    def play(server: Sandbox) -> None:
        for minute in set(range(PLAYED)) - set(DOWN):
            for second in (1, 30, 59):
                at = Timestamp(JANUARY + minute * MINUTE + second * 1000)
                volume = Decimal("0.1") + second * Decimal("0.001")
                by_hand.move(
                    server.exchange,
                    SYMBOL,
                    price(minute, second),
                    volume,
                    at,
                    Side.BUY if second > 1 else Side.SELL,
                )

    with running_sandbox() as running:
        running.call(play)
        yield running


@pytest.fixture(scope="module", autouse=True)
def played_at(sandbox: RunningSandbox) -> float:
    """When the last of that happened, at the latest."""
    return time.time()


@pytest.fixture(autouse=True)
def _repeat_at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
async def proxy(sandbox: RunningSandbox) -> AsyncIterator[CountingProxy]:
    async with counting_proxy(sandbox.url) as running:
        yield running


@pytest.fixture
async def api(proxy: CountingProxy) -> AsyncIterator[ApiSupplier]:
    supplier = new_api(proxy)
    yield supplier
    await supplier.close()


def new_api(proxy: CountingProxy) -> ApiSupplier:
    return ApiSupplier(CcxtCandleSource(ExchangeConnection(rest_url=proxy.url), page=PAGE))


async def test_every_closed_candle_arrives_exactly_and_the_open_one_never(
    api: ApiSupplier, tmp_path: Path
) -> None:
    report = await download(tmp_path, LIFE, api, series=CANDLES)
    candles = list(candles_of(opened(tmp_path).rows(CANDLES, LIFE)))
    assert [(each.timestamp - JANUARY) // MINUTE for each in candles] == [
        minute for minute in range(PLAYED - 1) if minute not in DOWN
    ]
    assert candles[7].close == price(7, 59)
    assert candles[7].volume == Decimal("0.39")
    assert report.not_given == (span_of(PLAYED - 1, 1),)


async def test_gaps_are_named_and_not_filled(api: ApiSupplier, tmp_path: Path) -> None:
    report = await download(tmp_path, LIFE, api, series=CANDLES)
    assert [(gap.span, gap.candles) for gap in report.gaps] == [(span_of(30, 5), 5)]
    with pytest.raises(
        DataUnusable, match=r"1 gap, 5 candles: 2021-01-01 00:30 to 2021-01-01 00:35 \(5\); nothing"
    ):
        await download(tmp_path, LIFE, api, series=CANDLES, gaps=GapPolicy.REFUSE)


async def test_a_second_run_makes_no_request_at_all(proxy: CountingProxy, tmp_path: Path) -> None:
    """Not even for the markets or the time: the exchange is not connected to."""
    span = span_of(0, PLAYED - 1)
    first, second = new_api(proxy), new_api(proxy)
    once = await download(tmp_path, span, first, series=CANDLES)
    asked = proxy.seen.total()
    again = await download(tmp_path, span, second, series=CANDLES)
    await first.close()
    assert proxy.seen["klines"] > 3
    assert proxy.seen.total() == asked
    assert (again.rows, again.new_rows, again.checksum) == (once.rows, 0, once.checksum)


async def test_only_what_is_missing_is_asked_for(
    proxy: CountingProxy, api: ApiSupplier, tmp_path: Path
) -> None:
    await download(tmp_path, span_of(0, 20), api, series=CANDLES)
    await download(tmp_path, span_of(40, 20), api, series=CANDLES)
    proxy.seen.clear()
    report = await download(tmp_path, span_of(0, 60), api, series=CANDLES)
    assert report.new_rows == 20 - len(DOWN)
    assert proxy.seen["klines"] <= 3  # what is closed, and the missing twenty


async def test_what_came_before_a_failure_is_kept_and_gone_on_from(
    proxy: CountingProxy, api: ApiSupplier, tmp_path: Path
) -> None:
    span = span_of(0, PLAYED - 1)
    pages = 0

    class DiesLater(ApiSupplier):
        """The exchange goes away after two pages."""

        async def deliver(self, series, span):  # type: ignore[no-untyped-def]  # as its parent
            nonlocal pages
            async for delivery in super().deliver(series, span):
                pages += 1
                if pages == 2:
                    proxy.failures["klines"] = 1000
                yield delivery

    dying = DiesLater(CcxtCandleSource(ExchangeConnection(rest_url=proxy.url), page=PAGE))
    with pytest.raises(Transient):
        await download(tmp_path, span, dying, series=CANDLES)
    await dying.close()
    proxy.failures.clear()
    kept = len(opened(tmp_path).rows(CANDLES, span))
    assert 2 * PAGE <= kept < PLAYED - 1 - len(DOWN)
    report = await download(tmp_path, span, api, series=CANDLES)
    assert (report.rows, report.new_rows) == (PLAYED - 1 - len(DOWN), PLAYED - 1 - len(DOWN) - kept)


async def test_an_exchange_that_stumbles_is_asked_again(
    proxy: CountingProxy, api: ApiSupplier, tmp_path: Path
) -> None:
    proxy.failures["klines"] = 5
    report = await download(tmp_path, span_of(0, PLAYED - 1), api, series=CANDLES)
    assert report.rows == PLAYED - 1 - len(DOWN)


async def test_market_trades_arrive_each_once_over_pages(
    api: ApiSupplier, played_at: float, tmp_path: Path
) -> None:
    """177 trades in a few milliseconds, far more than a page holds, paged by their ids; the sandbox stamps them with
    its own clock."""
    await asyncio.sleep(max(0.0, played_at + 1.2 - time.time()))  # until they count as complete
    now = round(time.time() * 1000)
    span = Span(now - 600_000, now)
    report = await download(tmp_path, span, api, series=MARKET_TRADES, now=now)
    rows = opened(tmp_path).rows(MARKET_TRADES, span)
    expected = [
        (float(price(minute, second)), 1 if second > 1 else -1)
        for minute in range(PLAYED)
        if minute not in DOWN
        for second in (1, 30, 59)
    ]
    found = zip(*(rows.columns[name].tolist() for name in ("price", "taker")), strict=True)
    assert list(found) == expected
    complete = Span(span.start, report.not_given[0].start if report.not_given else span.end)
    again = await download(tmp_path, complete, series=MARKET_TRADES, now=now)
    assert (again.checksum, again.not_given) == (report.checksum, ())


async def test_a_gap_that_nobody_can_repair_is_asked_for_once(
    proxy: CountingProxy, api: ApiSupplier, tmp_path: Path
) -> None:
    span = span_of(0, 60)
    for _ in range(2):
        proxy.seen.clear()
        report = await download(
            tmp_path, span, api, repairers=[TradesSupplier(api)], gaps=GapPolicy.REPAIR, series=CANDLES
        )
        assert [gap.candles for gap in report.gaps] == [5]
    assert proxy.seen.total() == 0


async def test_a_market_and_a_timeframe_that_do_not_exist_are_refused_by_name(
    api: ApiSupplier, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=r"no market 'BTC/USDC'.* Did you mean BTC/USDT"):
        await download(tmp_path, LIFE, api, series=replace(CANDLES, symbol=Symbol("BTC/USDC")))
    with pytest.raises(InvalidInput, match="no candles of 7m"):
        await download(tmp_path, LIFE, api, series=replace(CANDLES, timeframe="7m"))


async def test_the_sandbox_is_reached_on_this_machine_only(tmp_path: Path) -> None:
    source = ApiSupplier(CcxtCandleSource(ExchangeConnection(rest_url="http://192.0.2.1:9000")))
    with pytest.raises(InvalidInput, match="reaches this machine only"):
        await download(tmp_path, Span(JANUARY, JANUARY + MINUTE), source, series=CANDLES)
