"""CCXT's blocking and async REST clients use the sandbox with their documented calls only."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import ccxt
import pytest

from gridtide.sandbox.settings import ApiKey
from gridtide.testing.sandbox_exchange import (
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from tests.clients.keys import ED25519, RSA, KeyPair
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


@pytest.mark.parametrize(
    "order_type, prices, stop",
    [
        ("limit", {"stopLossPrice": 45000}, "45000"),
        ("limit", {"takeProfitPrice": 55000}, "55000"),
        ("market", {"stopLossPrice": 45000}, "45000"),
        ("market", {"takeProfitPrice": 55000}, "55000"),
        ("limit", {"triggerPrice": 45000}, "45000"),
    ],
    ids=["STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT", "STOP_LOSS", "TAKE_PROFIT", "trigger"],
)
def test_stop_orders(
    sandbox: RunningSandbox, client: Any, order_type: str, prices: dict[str, int], stop: str
) -> None:
    """The four kinds as ccxt writes them (section 6.1); each trades when its price is met."""
    limit = 44000 if order_type == "limit" else None
    order = client.create_order(BTC, order_type, "sell", 0.001, limit, prices)
    waiting = client.fetch_order(order["id"], BTC)
    assert (waiting["status"], waiting["triggerPrice"]) == ("open", float(stop))
    sandbox.move(stop)
    assert client.fetch_order(order["id"], BTC)["status"] == "closed"


def test_a_trailing_stop(sandbox: RunningSandbox, client: Any) -> None:
    """``trailingPercent`` becomes a trailing delta: it sells one percent below the top."""
    params = {"trailingPercent": 1, "stopLossOrTakeProfit": "stopLoss"}
    order = client.create_order(BTC, "limit", "sell", 0.001, 48000, params)
    assert client.fetch_order(order["id"], BTC)["info"]["trailingDelta"] in {100, "100"}
    sandbox.move("52000")
    sandbox.move("51500")
    assert client.fetch_order(order["id"], BTC)["status"] == "open"
    sandbox.move("51479")
    assert client.fetch_order(order["id"], BTC)["status"] == "closed"


def test_edit_an_order(client: Any) -> None:
    """cancelReplace underneath: the old order is gone, the new one has the new price."""
    old = client.create_order(BTC, "limit", "buy", 0.001, 40000)
    new = client.edit_order(old["id"], BTC, "limit", "buy", 0.002, 41000)
    assert (new["status"], new["price"], new["amount"]) == ("open", 41000, 0.002)
    assert [each["id"] for each in client.fetch_open_orders(BTC)] == [new["id"]]
    assert client.fetch_order(old["id"], BTC)["status"] == "canceled"


def test_an_oco(sandbox: RunningSandbox, client: Any) -> None:
    """By the raw call, the only way ccxt has: when one leg trades the other expires."""
    placed = client.private_post_orderlist_oco(
        {
            "symbol": "BTCUSDT",
            "side": "SELL",
            "quantity": "0.001",
            "aboveType": "LIMIT_MAKER",
            "abovePrice": "55000",
            "belowType": "STOP_LOSS_LIMIT",
            "belowStopPrice": "45000",
            "belowPrice": "44900",
            "belowTimeInForce": "GTC",
        }
    )
    assert {order["type"] for order in client.fetch_open_orders(BTC)} == {"limit"}
    assert client.private_get_orderlist({"orderListId": placed["orderListId"]})["contingencyType"] == "OCO"
    sandbox.move("55000")
    states = {client.fetch_order(each["orderId"], BTC)["status"] for each in placed["orders"]}
    assert states == {"closed", "expired"}


def test_a_test_order(client: Any) -> None:
    """``test`` sends it nowhere."""
    client.create_order(BTC, "limit", "buy", 0.001, 40000, {"test": True})
    assert client.fetch_open_orders(BTC) == []


def test_candles_since(client: Any) -> None:
    """Oldest first from a time on; a limit cuts the page."""
    newest = client.fetch_ohlcv(BTC, "1m")[-1]
    assert client.fetch_ohlcv(BTC, "1m", since=newest[0]) == [newest]
    assert len(client.fetch_ohlcv(BTC, "1m", since=0, limit=1)) == 1
    assert client.fetch_ohlcv(BTC, "1m", since=newest[0] + 60_000) == []


def test_fees_and_currencies(sandbox: RunningSandbox, client: Any) -> None:
    """The wallet's pages."""
    assert client.fetch_trading_fees()[BTC]["taker"] == 0.001
    currencies = sync_client(sandbox, fetchCurrencies=True).fetch_currencies()
    assert {"BTC", "USDT"} <= currencies.keys()
    assert client.fetch_status()["status"] == "ok"


def test_tickers(client: Any) -> None:
    """All markets, and by name."""
    assert client.fetch_tickers()[BTC]["close"] == 50000
    assert client.fetch_tickers([BTC])[BTC]["symbol"] == BTC


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


@pytest.mark.parametrize("pair", [RSA, ED25519], ids=["RSA", "Ed25519"])
def test_key_pairs(pair: KeyPair) -> None:
    """ccxt takes a private key for a secret and signs by its kind (section 3.1)."""
    account = replace(account_settings(), keys=(ApiKey(pair.key, public_key=pair.public),))
    with running_sandbox(sandbox_settings(accounts=(account,))) as sandbox:
        sandbox.move("50000", volume="1")
        client = sync_client(sandbox)
        client.secret = pair.private
        order = client.create_order(BTC, "limit", "buy", 0.001, 40000)
        assert client.cancel_order(order["id"], BTC)["status"] == "canceled"


async def test_the_async_client(aio: Any) -> None:
    """The same calls through aiohttp."""
    assert BTC in await aio.load_markets()
    order = await aio.create_order(BTC, "limit", "buy", 0.001, 40000)
    assert [each["id"] for each in await aio.fetch_open_orders(BTC)] == [order["id"]]
    assert (await aio.fetch_ticker(BTC))["last"] == 50000
    changed = await aio.edit_order(order["id"], BTC, "limit", "buy", 0.001, 41000)
    assert (await aio.cancel_order(changed["id"], BTC))["status"] == "canceled"
    stop = await aio.create_order(BTC, "limit", "sell", 0.001, 44000, {"stopLossPrice": 45000})
    assert [each["id"] for each in await aio.cancel_all_orders(BTC)] == [stop["id"]]
    assert (await aio.fetch_balance())["USDT"]["total"] > 0
    assert isinstance(await aio.fetch_my_trades(BTC), list)
