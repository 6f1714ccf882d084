"""CCXT's blocking and async REST clients use the sandbox with their documented calls only."""

from collections.abc import AsyncIterator
from typing import Any

import ccxt
import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.ccxt_clients import async_client, sync_client
from tests.sandbox.rest_client import RestClient, now

BTC = "BTC/USDT"


@pytest.fixture(scope="module")
def shared(sandbox: RunningSandbox) -> Any:
    client = sync_client(sandbox)
    client.load_markets()
    return client


@pytest.fixture
def client(shared: Any, rest: RestClient) -> Any:
    """With markets loaded, the market at 50,000 and no open orders."""
    return shared


@pytest.fixture
async def aio(sandbox: RunningSandbox, rest: RestClient) -> AsyncIterator[Any]:
    client = async_client(sandbox)
    yield client
    await client.close()


def test_markets(client: Any) -> None:
    """Precision, limits and state are those of the market's rules."""
    market = client.market(BTC)
    assert (market["id"], market["active"], market["spot"]) == ("BTCUSDT", True, True)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert (market["limits"]["cost"]["min"], market["limits"]["amount"]["max"]) == (5.0, 9000.0)


def test_default_options_with_keys(sandbox: RunningSandbox) -> None:
    """Without any option ccxt asks the wallet, margin and futures hosts as well (section 2.1)."""
    client = sync_client(sandbox, fetchMarkets={"types": ["spot", "linear", "inverse"]}, fetchCurrencies=True)
    assert list(client.load_markets()) == [BTC]
    assert "BTC" in client.currencies


def test_clock(sandbox: RunningSandbox, client: Any) -> None:
    """Server time is wall time; the measured difference is used when asked for."""
    assert abs(client.fetch_time() - now()) < 1000
    adjusting = sync_client(sandbox, adjustForTimeDifference=True)
    adjusting.load_markets()
    assert adjusting.fetch_balance()["BTC"]["total"] > 0


def test_market_data(client: Any) -> None:
    """Ticker, book, trades, candles, bids and asks, last prices."""
    assert client.fetch_ticker(BTC)["last"] == 50000
    book = client.fetch_order_book(BTC, 5)
    assert book["bids"][0][0] < 50000 < book["asks"][0][0]
    assert client.fetch_bids_asks([BTC])[BTC]["bid"] == book["bids"][0][0]
    assert client.fetch_trades(BTC, limit=5)[-1]["symbol"] == BTC
    assert client.fetch_trades(BTC, since=now() - 60_000)
    assert client.fetch_ohlcv(BTC, "1m", limit=3)[-1][4] == 50000
    assert client.fetch_last_prices()[BTC]["price"] == 50000
    assert client.fetch_status()["status"] == "ok"
    assert client.fetch_trading_fee(BTC)["maker"] == 0.001


def test_a_limit_order(client: Any) -> None:
    """Create, fetch, list, cancel; an order of its own client id."""
    order = client.create_order(BTC, "limit", "buy", 0.001, 40000, {"newClientOrderId": "abc"})
    assert (order["status"], order["clientOrderId"], order["filled"]) == ("open", "abc", 0)
    assert client.fetch_order(order["id"], BTC)["price"] == 40000
    assert client.fetch_order(None, BTC, {"clientOrderId": "abc"})["id"] == order["id"]
    assert [each["id"] for each in client.fetch_open_orders(BTC)] == [order["id"]]
    assert client.cancel_order(order["id"], BTC)["status"] == "canceled"
    assert client.fetch_open_orders(BTC) == []
    assert client.fetch_orders(BTC)[-1]["status"] == "canceled"
    assert order["id"] in [each["id"] for each in client.fetch_canceled_orders(BTC)]


def test_a_market_order(client: Any) -> None:
    """Filled at once, with its fee; its trades and the balance agree."""
    before = client.fetch_balance()["BTC"]["free"]
    order = client.create_order(BTC, "market", "buy", 0.002)
    assert (order["status"], order["filled"], order["fee"]["currency"]) == ("closed", 0.002, "BTC")
    trades = client.fetch_order_trades(order["id"], BTC)
    assert [trade["amount"] for trade in trades] == [0.002]
    assert client.fetch_my_trades(BTC, limit=1)[0]["id"] == trades[0]["id"]
    assert client.fetch_balance()["BTC"]["free"] == pytest.approx(before + 0.002 * 0.999)


def test_post_only(client: Any) -> None:
    order = client.create_order(BTC, "limit", "sell", 0.001, 60000, {"postOnly": True})
    assert client.fetch_order(order["id"], BTC)["postOnly"] is True
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order(BTC, "limit", "sell", 0.001, 40000, {"postOnly": True})


def test_cancel_all(client: Any) -> None:
    for price in (40000, 41000):
        client.create_order(BTC, "limit", "buy", 0.001, price)
    assert {order["status"] for order in client.cancel_all_orders(BTC)} == {"canceled"}


def refused(call: Any, *args: Any) -> str:
    """The class of the exception ccxt makes of a refusal."""
    try:
        call(*args)
    except ccxt.BaseError as error:
        return type(error).__name__
    return "nothing"


def test_refusals_arrive_as_the_right_exceptions(sandbox: RunningSandbox, client: Any) -> None:
    """By section 12: code and text reach ccxt so that it raises what it raises on the real exchange."""
    create = client.create_order
    assert refused(create, BTC, "limit", "buy", 0.0001, 40000) == "BadRequest"
    assert refused(create, BTC, "limit", "buy", 100, 40000) == "InsufficientFunds"
    assert refused(client.cancel_order, "987654321", BTC) == "OrderNotFound"
    assert refused(client.fetch_order, "987654321", BTC) == "OrderNotFound"
    assert refused(client.public_get_depth, {"symbol": "NOSUCH"}) == "BadSymbol"
    duplicate = {"newClientOrderId": "twice"}
    create(BTC, "limit", "buy", 0.001, 40000, duplicate)
    assert refused(create, BTC, "limit", "buy", 0.001, 40000, duplicate) == "InvalidOrder"
    wrong = sync_client(sandbox)
    wrong.secret = "wrong"
    assert refused(wrong.fetch_balance) == "AuthenticationError"
    wrong.apiKey = "unknown"
    assert refused(wrong.fetch_balance) == "AuthenticationError"


def test_raw_calls(client: Any) -> None:
    """What adapters ask besides the unified calls."""
    assert client.private_get_ratelimit_order()[0]["rateLimitType"] == "ORDERS"
    assert client.private_get_account_commission({"symbol": "BTCUSDT"})["symbol"] == "BTCUSDT"
    assert client.sapi_get_account_apirestrictions()["enableWithdrawals"] is False
    assert "x-mbx-used-weight-1m" in {name.lower() for name in client.last_response_headers}


async def test_the_async_client(aio: Any) -> None:
    """The same calls through aiohttp."""
    assert BTC in await aio.load_markets()
    order = await aio.create_order(BTC, "limit", "buy", 0.001, 40000)
    assert [each["id"] for each in await aio.fetch_open_orders(BTC)] == [order["id"]]
    assert (await aio.fetch_ticker(BTC))["last"] == 50000
    assert (await aio.cancel_order(order["id"], BTC))["status"] == "canceled"
    assert (await aio.fetch_balance())["USDT"]["total"] > 0
    assert isinstance(await aio.fetch_my_trades(BTC), list)
