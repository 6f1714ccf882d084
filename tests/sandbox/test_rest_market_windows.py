"""Tickers of any window, candles by other clocks, trades joined: against figures reckoned by hand."""

from collections.abc import Iterator
from typing import Any

import pytest

from gridtide.domain.market import MarketStatus
from gridtide.domain.order import Side
from gridtide.testing.sandbox_exchange import BTC_USDT, RunningSandbox, running_sandbox
from tests.sandbox.rest_client import RestClient

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_609_459_200_000
"""2021-01-01, midnight UTC, a Friday."""
HOURS = 50


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A market that opened every hour at 1,000 + its number and closed it ten higher."""
    with running_sandbox() as running:
        for hour in range(HOURS):
            running.move(str(1000 + hour), market_time=START + hour * HOUR)
            running.move(str(1010 + hour), market_time=START + hour * HOUR + 59 * MINUTE)
        yield running


@pytest.fixture
def rest(sandbox: RunningSandbox) -> RestClient:
    return RestClient(sandbox)


def klines(rest: RestClient, interval: str, zone: str = "0", **more: Any) -> list[list[Any]]:
    body = rest.get("/api/v3/klines", symbol="BTCUSDT", interval=interval, timeZone=zone, **more).body
    assert (
        body == rest.get("/api/v3/uiKlines", symbol="BTCUSDT", interval=interval, timeZone=zone, **more).body
    )
    return list(body)


# --- candles by other clocks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zone, first, opens",
    [
        ("0", START, ["1000", "1024", "1048"]),
        ("8", START - 8 * HOUR, ["1000", "1016", "1040"]),
        ("-1:00", START - 23 * HOUR, ["1000", "1001", "1025", "1049"]),
        ("05:45", START - 5 * HOUR - 45 * MINUTE, None),
    ],
)
def test_days_begin_by_the_clock_asked_for(
    rest: RestClient, zone: str, first: int, opens: list[str] | None
) -> None:
    """Times stay UTC; nothing is lost between two days."""
    days = klines(rest, "1d", zone)
    assert (days[0][0], days[0][6]) == (first, first + DAY - 1)
    assert [day[0] for day in days] == [first + number * DAY for number in range(len(days))]
    if opens is not None:
        assert [day[1] for day in days] == [f"{price}.00000000" for price in opens]
    assert days[-1][4] == "1059.00000000"


def test_a_clock_off_by_minutes_shifts_hours_too(rest: RestClient) -> None:
    """The hour from 00:15 to 01:14 UTC has the close of the first hour and the open of the second."""
    hour = klines(rest, "1h", "05:45")[1]
    assert (hour[0], hour[1], hour[4]) == (START + 15 * MINUTE, "1010.00000000", "1001.00000000")
    assert klines(rest, "15m", "05:45") == klines(rest, "15m")


def test_weeks_and_months_by_another_clock(rest: RestClient) -> None:
    """At +8 the week still begins on Monday, the month on the first, eight hours before UTC's."""
    assert klines(rest, "1w", "8")[0][0] == START - 4 * DAY - 8 * HOUR
    assert klines(rest, "1M", "8")[0][0] == START - 8 * HOUR


def test_start_and_end_are_utc_whatever_the_clock(rest: RestClient) -> None:
    days = klines(rest, "1d", "8", startTime=START)
    assert [day[0] for day in days] == [START + 16 * HOUR, START + 40 * HOUR]


@pytest.mark.parametrize("zone", ["15", "-12:01", "1:60", "x", "8:5"])
def test_a_wrong_clock(rest: RestClient, zone: str) -> None:
    params = {"symbol": "BTCUSDT", "interval": "1d", "timeZone": zone}
    assert rest.get("/api/v3/klines", **params).code == -1130


# --- tickers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size, opened, low",
    [
        ("1m", "1059", "1059"),
        ("59m", "1049", "1049"),
        ("2h", "1057", "1048"),
        ("1d", "1035", "1026"),
        ("2d", "1001", "1001"),
        ("7d", "1000", "1000"),
    ],
)
def test_a_rolling_window(rest: RestClient, size: str, opened: str, low: str) -> None:
    """It begins on a minute (beyond a day on an hour) of market time; its width is told in wall time."""
    ticker = rest.get("/api/v3/ticker", symbol="BTCUSDT", windowSize=size).body
    assert (ticker["lastPrice"], ticker["highPrice"]) == ("1059.00000000", "1059.00000000")
    assert (float(ticker["openPrice"]), float(ticker["lowPrice"])) == (float(opened), float(low))
    assert float(ticker["priceChange"]) == 1059 - float(opened)
    assert ticker["openTime"] % MINUTE == 0
    length = int(size[:-1]) * {"m": MINUTE, "h": HOUR, "d": DAY}[size[-1]]
    assert length <= ticker["closeTime"] - ticker["openTime"] < length + MINUTE
    assert list(rest.get("/api/v3/ticker", symbols='["BTCUSDT"]', windowSize=size).body[0]) == list(ticker)


def test_the_trading_day(rest: RestClient) -> None:
    """From midnight of market time, by the clock asked for."""
    ticker = rest.get("/api/v3/ticker/tradingDay", symbol="BTCUSDT").body
    assert (ticker["openTime"], ticker["closeTime"]) == (START + 2 * DAY, START + 3 * DAY - 1)
    assert (ticker["openPrice"], ticker["lastPrice"]) == ("1048.00000000", "1059.00000000")
    shifted = rest.get("/api/v3/ticker/tradingDay", symbol="BTCUSDT", timeZone="8").body
    assert (shifted["openTime"], shifted["openPrice"]) == (START + 40 * HOUR, "1040.00000000")


@pytest.mark.parametrize("path", ["/api/v3/ticker", "/api/v3/ticker/tradingDay", "/api/v3/ticker/24hr"])
def test_short_tickers(rest: RestClient, path: str) -> None:
    full = rest.get(path, symbol="BTCUSDT").body
    mini = rest.get(path, symbol="BTCUSDT", type="MINI").body
    assert set(full) - set(mini) >= {"priceChange", "priceChangePercent", "weightedAvgPrice"}
    assert len(mini) == 12


@pytest.mark.parametrize(
    "path, params, code",
    [
        ("/api/v3/ticker", {}, -1102),
        ("/api/v3/ticker/tradingDay", {}, -1102),
        ("/api/v3/ticker", {"symbol": "BTCUSDT", "windowSize": "60m"}, -1130),
        ("/api/v3/ticker", {"symbol": "BTCUSDT", "windowSize": "1d2h"}, -1130),
        ("/api/v3/ticker", {"symbol": "BTCUSDT", "type": "TINY"}, -1139),
        ("/api/v3/ticker", {"symbol": "NOSUCH"}, -1121),
        ("/api/v3/ticker", {"symbols": str([f"S{n}" for n in range(101)]).replace("'", '"')}, -1101),
        ("/api/v3/ticker/price", {"symbol": "BTCUSDT", "symbolStatus": "OPEN"}, -1122),
    ],
)
def test_refused_tickers(rest: RestClient, path: str, params: dict[str, str], code: int) -> None:
    assert rest.get(path, **params).code == code


def test_a_status_can_be_asked_for(sandbox: RunningSandbox, rest: RestClient) -> None:
    """One market with another status is refused (-1220); of several it is left out."""
    sandbox.call(lambda running: running.exchange.venue.set_status(BTC_USDT.symbol, MarketStatus.HALT))
    try:
        for path in (
            "ticker/24hr",
            "ticker/price",
            "ticker/bookTicker",
            "ticker",
            "ticker/tradingDay",
            "depth",
        ):
            reply = rest.get(f"/api/v3/{path}", symbol="BTCUSDT", symbolStatus="TRADING")
            assert (reply.status, reply.code) == (400, -1220), path
            assert rest.get(f"/api/v3/{path}", symbol="BTCUSDT", symbolStatus="HALT").status == 200
        assert rest.get("/api/v3/ticker/price", symbolStatus="TRADING").body == []
        assert rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT").body["symbols"][0]["status"] == "HALT"
    finally:
        sandbox.call(lambda running: running.exchange.venue.set_status(BTC_USDT.symbol, MarketStatus.TRADING))


# --- trades ------------------------------------------------------------------------------------------


def test_trades_of_one_taker_at_one_price_are_joined() -> None:
    """Two makers at one price, one taker: two trades, one aggregate with the first one's id."""
    with running_sandbox() as sandbox:
        sandbox.move("50000")
        rest = RestClient(sandbox)
        sell = {"side": "SELL", "quantity": "0.001", "price": "50000", "selfTradePreventionMode": "NONE"}
        for _ in range(2):
            rest.order(**sell)
        rest.order("BUY", "0.002", "50000", selfTradePreventionMode="NONE")
        trades = rest.get("/api/v3/trades", symbol="BTCUSDT").body
        assert [trade["qty"] for trade in trades] == ["0.00100000", "0.00100000"]
        (joined,) = rest.get("/api/v3/aggTrades", symbol="BTCUSDT").body
        assert (joined["a"], joined["f"], joined["l"]) == (trades[0]["id"], trades[0]["id"], trades[1]["id"])
        assert (joined["q"], joined["m"]) == ("0.00200000", False)
        assert rest.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=joined["a"] + 1).body == []
        assert rest.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=1, startTime=1).code == -1128


def test_trades_of_strangers_stay_apart() -> None:
    """Nobody knows whether two strangers' trades have one taker."""
    with running_sandbox() as sandbox:
        sandbox.move("50000", volume="1", taker=Side.BUY)
        rest = RestClient(sandbox)
        trades = rest.get("/api/v3/trades", symbol="BTCUSDT").body
        assert [each["a"] for each in rest.get("/api/v3/aggTrades", symbol="BTCUSDT").body] == [
            trade["id"] for trade in trades
        ]
