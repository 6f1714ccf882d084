"""Playing markets: on time, held and resumed, several at once, never at the cost of those who trade."""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import aiohttp
import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.market_data.source import MarketSource
from gridtide.price_path.point import PathPoint
from gridtide.sandbox.server import Sandbox
from gridtide.sandbox.settings import MarketSettings, SandboxSettings
from gridtide.testing.sandbox_exchange import BTC_USDT, RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient
from tests.sandbox.sources import START, ListSource, points

ETH_USDT = replace(BTC_USDT, symbol=Symbol("ETH/USDT"), base=Asset("ETH"))


def playing(path: list[PathPoint], **changes: object) -> SandboxSettings:
    return sandbox_settings(markets=(MarketSettings(BTC_USDT, ListSource(path)),), **changes)


def price(sandbox: RunningSandbox, symbol: str = "BTC/USDT") -> Decimal | None:
    return sandbox.call(lambda running: running.exchange.venue.last_price(Symbol(symbol)))


def is_finished(sandbox: RunningSandbox) -> bool:
    return sandbox.call(lambda running: running.player.is_finished and running.player.is_held)


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def test_lists_are_sources() -> None:
    assert isinstance(ListSource([]), MarketSource)


def test_points_come_at_their_wall_moments_and_the_end_holds() -> None:
    """Speed 20: five points a second apart take a fifth of a second; then the market is held and says so."""
    with running_sandbox(playing(points(["1", "2", "3", "4", "5"]), speed=20)) as sandbox:
        begun = time.monotonic()
        assert price(sandbox) == 1
        wait_until(lambda: is_finished(sandbox))
        assert 0.15 < time.monotonic() - begun < 1.0
        status = sandbox.call(lambda running: running.describe())
        assert (status["finished"], status["held"]) == (True, True)
        assert status["markets"] == {
            "BTC/USDT": {"market_time": START + 4000, "price": "5.00000000", "points": 5}
        }
        sandbox.resume()
        assert is_finished(sandbox), "there is nothing to resume"


def test_started_held_a_market_has_its_first_price() -> None:
    """Nothing else moves until it is resumed; while held, time does not run."""
    with running_sandbox(playing(points(["1", "2", "3"], 100), hold=True)) as sandbox:
        time.sleep(0.15)
        assert price(sandbox) == 1
        sandbox.resume()
        wait_until(lambda: price(sandbox) == 2)
        sandbox.hold()
        time.sleep(0.15)
        assert price(sandbox) == 2
        sandbox.resume()
        wait_until(lambda: is_finished(sandbox))
        assert price(sandbox) == 3


def test_several_markets_run_side_by_side() -> None:
    """Each on its own market time, from a common start."""
    first = ListSource(points(["1", "2", "3"], 100))
    second = ListSource(points(["10", "20"], 150, start=START + 10**9), ETH_USDT)
    markets = (MarketSettings(BTC_USDT, first), MarketSettings(ETH_USDT, second))
    with running_sandbox(sandbox_settings(markets=markets, speed=4)) as sandbox:
        assert price(sandbox) == 1
        assert price(sandbox, "ETH/USDT") == 10
        wait_until(lambda: is_finished(sandbox))
        assert price(sandbox) == 3
        assert price(sandbox, "ETH/USDT") == 20
        rest = RestClient(sandbox)
        assert [each["symbol"] for each in rest.get("/api/v3/ticker/price").body] == ["BTCUSDT", "ETHUSDT"]


def test_points_before_the_start_are_skipped() -> None:
    source = MarketSettings(BTC_USDT, ListSource(points(["1", "2", "3"])), start=Timestamp(START + 1500))
    with running_sandbox(sandbox_settings(markets=(source,), hold=True)) as sandbox:
        assert price(sandbox) == 3


async def test_requests_are_answered_at_once_while_the_market_races() -> None:
    """At a speed no machine can follow, everybody else still gets his turn between a few moves.

    Client and sandbox share one event loop here: with two threads Python itself would starve the client.
    """
    path = points([str(50_000 + 100 * (number % 7)) for number in range(200_000)])
    sandbox = Sandbox(playing(path, speed=1e9, limits=GENEROUS))
    await sandbox.start()
    try:
        waits = []
        async with aiohttp.ClientSession() as session:
            for _ in range(20):
                begun = time.perf_counter()
                async with session.get(f"{sandbox.url}/api/v3/depth?symbol=BTCUSDT") as response:
                    assert response.status == 200
                waits.append(time.perf_counter() - begun)
        assert not sandbox.player.is_finished, "the market must still be racing for this to prove anything"
        assert sorted(waits)[10] < 0.05
    finally:
        await sandbox.stop()


def test_a_source_that_fails_ends_the_sandbox() -> None:
    """A sandbox that lost its market does not look alive."""

    class Broken(ListSource):
        def __next__(self) -> PathPoint:
            if self._index == 2:
                raise InvalidInput("row 3 is broken")
            return super().__next__()

    market = MarketSettings(BTC_USDT, Broken(points(["1", "2", "3"], 1)))
    sandbox = RunningSandbox(sandbox_settings(markets=(market,)))
    sandbox.start()
    wait_until(lambda: sandbox.call(lambda running: running.ended.is_set()))
    with pytest.raises(InvalidInput, match="row 3"):
        sandbox.stop()


def test_speed_must_be_above_zero() -> None:
    with pytest.raises(InvalidInput, match="speed"), running_sandbox(sandbox_settings(speed=0)):
        pass
