"""Market data over REST: shapes, paging, times, and the error for each wrong request."""

import json

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox
from tests.sandbox.rest_client import RestClient, now

MINUTE = 60_000
START = 1_609_459_200_000  # 2021-01-01


@pytest.fixture(scope="module")
def sandbox():  # type: ignore[no-untyped-def]  # replaces the one of conftest
    """Three minutes of 2021: market time is not wall time."""
    with running_sandbox() as running:
        for minute, price in enumerate(["29000", "29100", "28900"]):
            running.move(price, volume="2", market_time=START + minute * MINUTE)
            running.move("29050", volume="1", market_time=START + minute * MINUTE + 30_000)
        yield running


@pytest.fixture
def rest(sandbox: RunningSandbox) -> RestClient:
    return RestClient(sandbox)


def test_ping_and_time(rest: RestClient) -> None:
    """Server time is wall time, whatever the market plays (design.md 6)."""
    assert rest.get("/api/v3/ping").body == {}
    assert abs(rest.get("/api/v3/time").body["serverTime"] - now()) < 1000


def test_exchange_info_lists_the_market_and_its_filters(rest: RestClient) -> None:
    info = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT").body
    market = info["symbols"][0]
    filters = {each["filterType"]: each for each in market["filters"]}
    assert (market["symbol"], market["status"], len(market["orderTypes"])) == ("BTCUSDT", "TRADING", 7)
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert filters["MAX_NUM_ORDERS"]["maxNumOrders"] == 200
    assert rest.get("/api/v3/exchangeInfo", symbols='["BTCUSDT"]').body["symbols"] == info["symbols"]
    assert rest.get("/api/v3/exchangeInfo").body["symbols"] == info["symbols"]


@pytest.mark.parametrize(
    "path, code",
    [
        ("/api/v3/exchangeInfo?symbol=NOSUCH", -1121),
        ("/api/v3/exchangeInfo?symbol=BTCUSDT&symbols=[]", -1105),
        ('/api/v3/exchangeInfo?symbol=BTCUSDT&symbols=["BTCUSDT"]', -1128),
        ('/api/v3/ticker/price?symbols=["BTCUSDT","BTCUSDT"]', -1151),
        ("/api/v3/depth", -1102),
        ("/api/v3/depth?symbol=BTCUSDT&limit=0", -1130),
        ("/api/v3/depth?symbol=BTCUSDT&nonsense=1", -1104),
        ("/api/v3/klines?symbol=BTCUSDT&interval=7m", -1120),
        ("/api/v3/klines?symbol=BTCUSDT", -1102),
        ("/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", -1128),
        ("/api/v3/ticker/24hr?symbol=BTCUSDT&type=SMALL", -1139),
        ("/api/v3/trades?symbol=btcusdt", -1100),
        ("/api/v3/trades?symbol=%ff", -1100),
    ],
)
def test_wrong_requests(rest: RestClient, path: str, code: int) -> None:
    """HTTP 400, the right code, JSON and the weight headers."""
    reply = rest.raw("GET", path.replace('"', "%22"))
    assert (reply.status, reply.code) == (400, code)
    assert "x-mbx-used-weight-1m" in reply.headers


def test_unknown_paths(rest: RestClient) -> None:
    """404 as JSON; as HTML only for whom accepts that."""
    assert rest.get("/api/v3/nosuch").status == 404
    assert rest.raw("POST", "/api/v3/depth").body["code"] == -5000
    page = rest.raw("GET", "/<script>", headers={"Accept": "text/html"})
    assert (page.status, "<script>" in page.body) == (404, False)


def test_depth_is_sorted_and_cut(rest: RestClient) -> None:
    book = rest.get("/api/v3/depth", symbol="BTCUSDT", limit=5).body
    bids, asks = ([float(price) for price, _ in book[side]] for side in ("bids", "asks"))
    assert (bids, asks) == (sorted(bids, reverse=True), sorted(asks))
    assert len(bids) == len(asks) == 5
    assert bids[0] < 29050 < asks[0]
    best = rest.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT").body
    assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]
    assert [best["askPrice"], best["askQty"]] == book["asks"][0]


def test_klines_are_in_market_time(rest: RestClient) -> None:
    """Open times are those of the played data; from startTime the oldest, without it the newest."""
    rows = rest.get("/api/v3/klines", symbol="BTCUSDT", interval="1m").body
    assert [row[0] for row in rows] == [START, START + MINUTE, START + 2 * MINUTE]
    assert all(len(row) == 12 and row[6] == row[0] + MINUTE - 1 for row in rows)
    assert rows[0][1:6] == [
        "29000.00000000",
        "29050.00000000",
        "29000.00000000",
        "29050.00000000",
        "3.00000000",
    ]
    first = rest.get(
        "/api/v3/klines", symbol="BTCUSDT", interval="1m", startTime=0, endTime=now(), limit=1
    ).body
    newest = rest.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", endTime=START + MINUTE, limit=1).body
    assert (first[0][0], newest[0][0]) == (START, START + MINUTE)
    hour = rest.get("/api/v3/klines", symbol="BTCUSDT", interval="1h").body
    assert hour[0][1:5] == ["29000.00000000", "29100.00000000", "28900.00000000", "29050.00000000"]
    assert hour[0][8] == sum(row[8] for row in rows)


def test_trades_page_by_id(rest: RestClient) -> None:
    """`limit` gives the newest, `fromId` goes forward; an aggregate is a trade here."""
    trades = rest.get("/api/v3/trades", symbol="BTCUSDT").body
    ids = [trade["id"] for trade in trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert [t["id"] for t in rest.get("/api/v3/trades", symbol="BTCUSDT", limit=2).body] == ids[-2:]
    old = rest.get("/api/v3/historicalTrades", symbol="BTCUSDT", fromId=ids[1], limit=2).body
    assert [trade["id"] for trade in old] == ids[1:3]
    aggregates = rest.get("/api/v3/aggTrades", symbol="BTCUSDT", startTime=trades[0]["time"]).body
    assert [(a["a"], a["p"], a["m"]) for a in aggregates] == [
        (t["id"], t["price"], t["isBuyerMaker"]) for t in trades
    ]
    assert rest.get("/api/v3/aggTrades", symbol="BTCUSDT", startTime=1, endTime=2).body == []


def test_tickers(rest: RestClient) -> None:
    """One object for a symbol, a list for several or all."""
    day = rest.get("/api/v3/ticker/24hr", symbol="BTCUSDT").body
    assert (day["openPrice"], day["highPrice"], day["lowPrice"], day["lastPrice"]) == (
        "29000.00000000", "29100.00000000", "28900.00000000", "29050.00000000",
    )  # fmt: skip
    assert (day["volume"], day["priceChange"], day["priceChangePercent"]) == (
        "9.00000000",
        "50.00000000",
        "0.172",
    )
    mini = rest.get("/api/v3/ticker/24hr", symbols='["BTCUSDT"]', type="MINI").body
    assert (
        mini[0].items() <= {**day, "openTime": mini[0]["openTime"], "closeTime": mini[0]["closeTime"]}.items()
    )
    price = rest.get("/api/v3/ticker/price").body
    assert price == [{"symbol": "BTCUSDT", "price": "29050.00000000"}]
    average = rest.get("/api/v3/avgPrice", symbol="BTCUSDT").body
    assert (average["mins"], 28900 < float(average["price"]) < 29100) == (5, True)


@pytest.mark.parametrize(
    "path, weight",
    [
        ("/api/v3/depth?symbol=BTCUSDT", 5),
        ("/api/v3/depth?symbol=BTCUSDT&limit=1000", 50),
        ("/api/v3/depth?symbol=BTCUSDT&limit=5000", 250),
        ("/api/v3/exchangeInfo", 20),
        ("/api/v3/klines?symbol=BTCUSDT&interval=1m", 2),
        ("/api/v3/ticker/24hr", 80),
        ("/api/v3/ticker/price?symbol=BTCUSDT", 2),
    ],
)
def test_weights(sandbox: RunningSandbox, rest: RestClient, path: str, weight: int) -> None:
    """Section 4's weights are charged."""
    sandbox.call(lambda running: running.exchange.limiter._addresses.clear())  # noqa: SLF001  a fresh minute
    assert rest.raw("GET", path).headers["x-mbx-used-weight-1m"] == str(weight)


def test_futures_hosts_are_empty(rest: RestClient) -> None:
    """ccxt's default options ask them too (section 1)."""
    assert rest.get("/fapi/v1/exchangeInfo").body["symbols"] == []
    assert rest.get("/dapi/v1/exchangeInfo").body["symbols"] == []


def test_no_decimal_ever_has_an_exponent(rest: RestClient) -> None:
    """Checklist 2: never ``0E-8`` on the wire."""
    for path in ("exchangeInfo", "ticker/24hr?symbol=BTCUSDT", "depth?symbol=BTCUSDT"):
        assert "E-" not in json.dumps(rest.raw("GET", f"/api/v3/{path}").body)
