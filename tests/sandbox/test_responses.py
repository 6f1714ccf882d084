"""Fields and types agree with responses recorded from the real exchange, or printed in its documentation.

Where a recording is older than the protocol document, the fields that came since are named here with their section.
"""

import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import connect, signed

RESPONSES = Path(__file__).parents[2].parent / "shared" / "data" / "responses"

pytestmark = pytest.mark.skipif(
    not RESPONSES.exists(), reason="the recorded responses are not on this machine"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """With an order of every kind: open, filled, canceled."""
    with running_sandbox() as running:
        running.move("50000", volume="1")
        yield running


@pytest.fixture(scope="module")
def rest(sandbox: RunningSandbox) -> RestClient:
    return RestClient(sandbox)


def recorded(name: str) -> Any:
    return json.loads((RESPONSES / name).read_text())


def shape(value: Any) -> Any:
    """The value with every leaf replaced by its type; lists by the shape of their first element."""
    match value:
        case dict():
            return {name: shape(each) for name, each in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case _:
            return type(value).__name__


def agree(ours: Any, theirs: Any, *, added: Set[str] = frozenset()) -> None:
    """Equal shapes, but for fields `added` since the recording."""
    left, right = shape(ours), shape(theirs)
    if isinstance(left, dict):
        assert {name: kind for name, kind in left.items() if name not in added} == right
        assert added <= set(left)
    else:
        assert left == right


LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}


@pytest.mark.parametrize(
    "path, name, added",
    [
        ("klines?symbol=BTCUSDT&interval=1m", "rest/klines-BTCUSDT-1m-60.json", set()),
        ("trades?symbol=BTCUSDT", "rest/trades-ETHBTC-200.json", set()),
        ("aggTrades?symbol=BTCUSDT", "rest/aggTrades-BTCUSDT-1000.json", set()),
        ("depth?symbol=BTCUSDT", "rest/depth-BTCUSDT.json", set()),
        ("depth?symbol=BTCUSDT", "nautilus_trader/rest/depth-BTCUSDT-2021-10-22.json", set()),
        ("ticker/24hr?symbols=%5B%22BTCUSDT%22%5D", "rest/ticker-24hr-BTCUSDT-ETHUSDT.json", set()),
        ("ticker/price?symbol=BTCUSDT", "rest/ticker-price-BTCUSDT.json", set()),
        ("ticker/bookTicker?symbol=BTCUSDT", "rest/ticker-bookTicker-BTCUSDT.json", set()),
        ("avgPrice?symbol=BTCUSDT", "nautilus_trader/rest-2026/avg_price_response.json", set()),
        ("time", "nautilus_trader/rest/time.json", set()),
    ],
)
def test_market_data(rest: RestClient, path: str, name: str, added: set[str]) -> None:
    agree(rest.raw("GET", f"/api/v3/{path}").body, recorded(name), added=added)


def test_exchange_info(rest: RestClient) -> None:
    """The listing of a market and each of its filters; fields since 2025-08 from section 5.2."""
    ours, theirs = (
        rest.get("/api/v3/exchangeInfo").body,
        recorded("rest/exchangeInfo-2025-08-07-25symbols.json"),
    )
    assert {name: shape(each) for name, each in ours.items() if name != "symbols"} == {
        name: shape(each) for name, each in theirs.items() if name != "symbols"
    } | {"exchangeFilters": []}
    mine = ours["symbols"][0]
    real = next(market for market in theirs["symbols"] if market["symbol"] == "BTCUSDT")
    agree({**mine, "filters": []}, {**real, "filters": []}, added={"opoAllowed", "pegInstructionsAllowed"})
    filters = {each["filterType"]: shape(each) for each in real["filters"]}
    assert [shape(each) for each in mine["filters"]] == [
        filters[each["filterType"]] for each in mine["filters"]
    ]


def test_account(rest: RestClient) -> None:
    agree(
        rest.signed("GET", "/api/v3/account").body,
        recorded("nautilus_trader/rest-2026/account_response.json"),
    )


def test_orders(rest: RestClient) -> None:
    """Placement, query, lists, cancels, own trades."""
    documented = "nautilus_trader/rest-2026/"
    full = rest.signed(
        "POST", "/api/v3/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.001"
    ).body
    agree(full, recorded(f"{documented}new_order_full_response.json"))
    order_id = rest.signed("POST", "/api/v3/order", **LIMIT, quantity="0.001", price="40000").body["orderId"]
    where = {"symbol": "BTCUSDT", "orderId": order_id}
    query = rest.signed("GET", "/api/v3/order", **where).body
    agree(query, recorded(f"{documented}order_response.json"))
    agree(
        query,
        recorded("rest/order-filled-market-sell.json"),
        added={"origQuoteOrderQty", "workingTime", "selfTradePreventionMode"},
    )
    agree(rest.signed("GET", "/api/v3/openOrders").body, recorded(f"{documented}open_orders_response.json"))
    every = rest.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT").body
    agree(every, recorded(f"{documented}all_orders_response.json"))
    agree(
        rest.signed("DELETE", "/api/v3/order", **where).body,
        recorded(f"{documented}cancel_order_response.json"),
    )
    rest.signed("POST", "/api/v3/order", **LIMIT, quantity="0.001", price="40000")
    canceled = rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").body
    agree(canceled, recorded(f"{documented}cancel_open_orders_response.json"))
    trades = rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT").body
    agree(trades, recorded(f"{documented}account_trades_response.json"))


async def test_user_events(sandbox: RunningSandbox, rest: RestClient) -> None:
    """Wrapped events as documented; the life of a market order as another client recorded it."""
    async with connect(sandbox.ws_api_url) as api:
        await api.ask("userDataStream.subscribe.signature", signed({}, sandbox.api_key, sandbox.secret))
        params = {**LIMIT, "quantity": "0.001", "price": "40000"}
        await api.ask("order.place", signed(params, sandbox.api_key, sandbox.secret))
        new, position = await api.event(), await api.event()
        agree(new, recorded("nautilus_trader/ws-2026/execution_report_wrapped.json"))
        agree(position, recorded("nautilus_trader/ws-2026/account_position_wrapped.json"))
        sandbox.deposit("USDT", "1")
        agree(await api.event(), recorded("nautilus_trader/ws-2026/balance_update_wrapped.json"))
        await api.event()
        market = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.0005"}
        await api.ask("order.place", signed(market, sandbox.api_key, sandbox.secret))
        life = (RESPONSES / "bbgo/ws/user-market-buy-lifecycle.jsonl").read_text().splitlines()
        for line in life:
            ours, theirs = (await api.event())["event"], json.loads(line)
            agree(ours, theirs, added={"W", "V"} & set(ours))
            same = ("e", "x", "X", "w", "M", "m", "g", "f", "r", "C")
            assert [ours.get(name) for name in same] == [theirs.get(name) for name in same]


async def test_market_streams(sandbox: RunningSandbox) -> None:
    """Payloads recorded in 2021 from a combined stream: depth, book ticker, candle, aggregate trade."""
    lines = (RESPONSES / "ws/market-2021-10-12.jsonl").read_text().splitlines()
    messages = [json.loads(line.partition(": ")[2]) for line in lines if '"stream"' in line]
    theirs = {message["stream"].partition("@")[2]: message["data"] for message in messages}
    assert set(theirs) == {"depth@100ms", "bookTicker", "kline_1m", "aggTrade"}
    names = "/".join(f"btcusdt@{name}" for name in theirs)
    async with connect(sandbox.stream_url.removesuffix("/ws") + f"?streams={names}") as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        sandbox.move("50001", volume="1")
        ours: dict[str, Any] = {}
        while len(ours) < len(theirs):
            message = await client.event()
            ours[message["stream"].partition("@")[2]] = message["data"]
    for name, payload in ours.items():
        real = theirs[name]
        if name == "depth@100ms":
            payload, real = ({**each, "b": [], "a": []} for each in (payload, real))  # noqa: PLW2901  levels may be empty on either side
        agree(payload, real)
