"""The exchange without sockets: the same answers and events as over the network, from a clock that stands still."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.faults.plan import FaultPlan
from gridtide.sandbox.faults.scenario import fault
from gridtide.sandbox.settings import MarketSettings
from gridtide.testing import OfflineExchange, account_settings, running_sandbox, sandbox_settings
from gridtide.testing.settings import BTC_USDT
from tests.sandbox.rest_client import RestClient
from tests.sandbox.sources import ListSource, points

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}


def test_an_order_from_request_to_events() -> None:
    """Placed over REST, filled by a move, told in user events and on the market's streams."""
    exchange = OfflineExchange()
    exchange.subscribe("btcusdt@trade", "btcusdt@kline_1m", "btcusdt@depth@100ms")
    placed = exchange.request("POST", "/api/v3/order", {**ORDER, "price": "49000"})
    assert (placed.status, placed.body["status"], placed.code) == (200, "NEW", None)
    exchange.move("48000", volume="1")
    reports = exchange.user_events("executionReport")
    assert [report["X"] for report in reports] == ["NEW", "FILLED"]
    exchange.advance(2)
    streams = {event.stream for event in exchange.events}
    assert streams == {"user", "btcusdt@trade", "btcusdt@kline_1m", "btcusdt@depth@100ms"}
    (trade,) = exchange.request("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT"}).body
    assert trade["orderId"] == placed.body["orderId"]
    assert len(exchange.truth()["fills"]) == 1


def test_equal_runs_are_equal() -> None:
    def run() -> Any:
        exchange = OfflineExchange()
        exchange.subscribe("btcusdt@bookTicker", "btcusdt@aggTrade")
        for price in ("49500", "50500", "49000"):
            exchange.request("POST", "/api/v3/order", {**ORDER, "price": price})
            exchange.move(price, volume="2")
            exchange.advance(0.5)
        return exchange.events, exchange.truth()

    assert run() == run()


def test_it_answers_as_the_server_does() -> None:
    """The same requests over HTTP and without: equal answers."""
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/api/v3/exchangeInfo", {"symbol": "BTCUSDT"}),
        ("GET", "/api/v3/depth", {"symbol": "BTCUSDT", "limit": 5}),
        ("GET", "/api/v3/depth", {"symbol": "NOSUCH"}),
        ("GET", "/api/v3/depth", {"limit": 5}),
        ("GET", "/api/v3/nosuch", {}),
    ]
    offline = OfflineExchange()
    with running_sandbox() as running:
        running.move("50000", volume="1")
        rest = RestClient(running)
        for method, path, params in asked:
            online, local = rest.get(path, **params), offline.request(method, path, params)
            for body in (online.body, local.body):
                body.pop("serverTime", None)
            assert (online.status, online.body) == (local.status, local.body), path
        signed = rest.signed("GET", "/api/v3/account", omitZeroBalances="true").body
        local_account = offline.request("GET", "/api/v3/account", {"omitZeroBalances": "true"}).body
        assert signed["balances"] == local_account["balances"]


def test_signatures_are_checked() -> None:
    exchange = OfflineExchange()
    assert exchange.request("GET", "/api/v3/account", signed=False).code == -2014
    assert exchange.request("GET", "/api/v3/account", api_key="unknown").code == -2015
    assert exchange.request("GET", "/api/v3/account", {"timestamp": 1}).code == -1021
    assert exchange.request("GET", "/api/v3/time").body == {"serverTime": exchange.clock.now()}


def test_the_websocket_api_answers_too() -> None:
    exchange = OfflineExchange()
    placed = exchange.call("order.place", {**ORDER, "price": "49000"})
    assert placed.body["status"] == "NEW"
    assert exchange.call("openOrders.status").body[0]["orderId"] == placed.body["orderId"]
    with pytest.raises(InvalidInput, match=r"no method order\.nothing"):
        exchange.call("order.nothing")


async def test_it_works_inside_an_event_loop() -> None:
    exchange = OfflineExchange()
    assert exchange.request("GET", "/api/v3/ping").status == 200
    assert (await exchange.answer("GET", "/api/v3/ping")).status == 200


def test_a_market_with_a_source_is_played_point_by_point() -> None:
    source = ListSource(points(["50000", "49000", "51000"]))
    exchange = OfflineExchange(sandbox_settings(markets=(MarketSettings(BTC_USDT, source),)))
    assert exchange.step() == 1
    assert (
        exchange.request("GET", "/api/v3/ticker/price", {"symbol": "BTCUSDT"}).body["price"]
        == "49000.00000000"
    )
    assert exchange.step(5) == 1


def test_several_accounts_hear_their_own_events() -> None:
    accounts = (account_settings(), account_settings({"USDT": "5000"}, account_id="second", key="k2"))
    exchange = OfflineExchange(sandbox_settings(accounts=accounts))
    exchange.move("50000")
    exchange.request("POST", "/api/v3/order", {**ORDER, "price": "49000"}, api_key="k2")
    assert exchange.user_events(account_id="main") == []
    assert exchange.user_events("executionReport", "second")[0]["X"] == "NEW"
    exchange.deposit("USDT", "5", "second")
    assert exchange.user_events("balanceUpdate", "second")[0]["d"] == "5.00000000"


def test_limits_begin_anew_as_time_passes() -> None:
    exchange = OfflineExchange()
    answers = [exchange.request("GET", "/api/v3/exchangeInfo").status for _ in range(301)]
    assert answers[-1] == 429
    exchange.advance(60)
    assert exchange.request("GET", "/api/v3/exchangeInfo").status == 200


def test_faults_strike_here_too() -> None:
    """By name, as in a scenario file; a delayed answer comes late."""
    plan = FaultPlan(1, (fault("answer.delayed", seconds=0.05, endpoint="GET /api/v3/time"),))
    exchange = OfflineExchange(sandbox_settings(faults=plan))
    begun = time.monotonic()
    assert exchange.request("GET", "/api/v3/time").status == 200
    assert time.monotonic() - begun >= 0.05

    async def in_a_loop() -> None:
        assert (await exchange.answer("GET", "/api/v3/time")).status == 200
        with pytest.raises(InvalidInput, match="await exchange"):
            exchange.request("GET", "/api/v3/time")

    asyncio.run(in_a_loop())


def test_a_slip_of_the_test_is_one_sentence() -> None:
    """A number that is not exact or beyond all measure, a market that is not there, a clock that goes back."""
    exchange = OfflineExchange()
    slips: list[tuple[Callable[[], None], str]] = [
        (lambda: exchange.move("48000", symbol="ETHUSDT"), "this exchange has BTC/USDT; nothing moved"),
        (lambda: exchange.move("much"), "'much' is not a number"),
        (lambda: exchange.move("1e99"), "a market cannot move to"),
        (lambda: exchange.deposit("USDT", "1e99"), "15 digits before the point"),
        (lambda: exchange.advance(-1), "cannot go back"),
    ]
    before = exchange.truth(), exchange.clock.now()
    for slip, sentence in slips:
        with pytest.raises(InvalidInput, match=sentence):
            slip()
    assert (exchange.truth(), exchange.clock.now()) == before
    exchange.move("48000", symbol="BTCUSDT")
    price = exchange.request("GET", "/api/v3/ticker/price", {"symbol": "BTCUSDT"})
    assert price.body["price"] == "48000.00000000"
