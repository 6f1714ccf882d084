"""python-binance's blocking client: its quickstart, its order calls and its three kinds of keys."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from binance.exceptions import BinanceAPIException

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.clients.keys import ED25519, RSA, KeyPair
from tests.clients.python_binance import private_key, sync_client
from tests.sandbox.rest_client import RestClient, now

# Its constructor asks for the thread's event loop, which from Python 3.12 on warns where there is none.
pytestmark = pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning")

BTC = "BTCUSDT"
SELL_OCO = {
    "symbol": BTC,
    "side": "SELL",
    "quantity": "0.001",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "55000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "45000",
    "belowPrice": "44900",
    "belowTimeInForce": "GTC",
}


@pytest.fixture(scope="module")
def shared(sandbox: RunningSandbox) -> Iterator[Any]:
    found = sync_client(sandbox)
    yield found
    found.close_connection()
    found.loop.close()


@pytest.fixture
def client(shared: Any, rest: RestClient) -> Any:
    """With nothing open and the market at 50,000."""
    return shared


def test_quickstart(client: Any) -> None:
    """Depth, a test order, all prices, candles since a spoken date (section 15)."""
    assert client.get_order_book(symbol=BTC)["bids"]
    test = client.create_test_order(
        symbol=BTC, side=client.SIDE_BUY, type=client.ORDER_TYPE_MARKET, quantity=0.001
    )
    assert test == {}
    assert client.get_all_tickers() == [{"symbol": BTC, "price": "50000.00000000"}]
    candles = client.get_historical_klines(BTC, client.KLINE_INTERVAL_1MINUTE, "1 hour ago UTC")
    assert Decimal(candles[-1][4]) == 50_000
    account = client.get_account(headers={"MyCustomKey": "MyCustomValue"})
    assert account["canTrade"] is True


def test_market_data(client: Any) -> None:
    """Every call of its market data section."""
    assert abs(client.get_server_time()["serverTime"] - now()) < 1000
    assert client.get_exchange_info()["symbols"][0]["symbol"] == BTC
    assert client.get_symbol_info(BTC)["quoteAsset"] == "USDT"
    assert client.get_symbol_info("NOSUCH") is None
    assert client.get_recent_trades(symbol=BTC)[-1]["price"] == "50000.00000000"
    assert client.get_historical_trades(symbol=BTC)[-1]["isBestMatch"] is True
    assert client.get_aggregate_trades(symbol=BTC)[-1]["M"] is True
    assert list(client.aggregate_trade_iter(symbol=BTC, start_str="1 hour ago UTC"))
    assert len(client.get_klines(symbol=BTC, interval="1m")[0]) == 12
    assert len(client.get_ui_klines(symbol=BTC, interval="1m")[0]) == 12
    assert list(client.get_historical_klines_generator(BTC, "1m", "1 hour ago UTC"))
    assert client.get_avg_price(symbol=BTC)["mins"] == 5
    assert client.get_ticker(symbol=BTC)["lastPrice"] == "50000.00000000"
    assert [each["symbol"] for each in client.get_ticker()] == [BTC]
    assert client.get_symbol_ticker(symbol=BTC)["price"] == "50000.00000000"
    assert (
        client.get_orderbook_ticker(symbol=BTC)["bidPrice"] == client.get_orderbook_tickers()[0]["bidPrice"]
    )


def test_window_tickers(client: Any) -> None:
    """The rolling window and the trading day."""
    assert client.get_symbol_ticker_window(symbol=BTC, windowSize="1h")["lastPrice"] == "50000.00000000"
    assert client.v3_get_ticker_trading_day(symbol=BTC)["lastPrice"] == "50000.00000000"


def test_limit_orders(client: Any) -> None:
    """The helpers for limit orders; query and cancel by either id; its DELETE carries a form body."""
    buy = client.order_limit_buy(symbol=BTC, quantity=0.001, price="40000")
    assert buy["status"] == "NEW"
    assert buy["clientOrderId"].startswith("x-HNA2TXFJ")
    sell = client.order_limit_sell(symbol=BTC, quantity=0.001, price="60000", newClientOrderId="mine")
    assert client.get_order(symbol=BTC, orderId=buy["orderId"])["price"] == "40000.00000000"
    assert client.get_order(symbol=BTC, origClientOrderId="mine")["orderId"] == sell["orderId"]
    assert [each["orderId"] for each in client.get_open_orders()] == [buy["orderId"], sell["orderId"]]
    assert client.cancel_order(symbol=BTC, orderId=buy["orderId"])["status"] == "CANCELED"
    assert client.cancel_order(symbol=BTC, origClientOrderId="mine")["origClientOrderId"] == "mine"
    assert client.get_all_orders(symbol=BTC, orderId=buy["orderId"])[0]["status"] == "CANCELED"


def test_market_orders(client: Any) -> None:
    """By amount and by quote amount; trades and balances follow."""
    before = Decimal(client.get_asset_balance("BTC")["free"])
    bought = client.order_market_buy(symbol=BTC, quantity=0.002)
    assert (bought["status"], bought["executedQty"]) == ("FILLED", "0.00200000")
    assert Decimal(client.get_asset_balance("BTC")["free"]) == before + Decimal("0.001998")
    sold = client.order_market_sell(symbol=BTC, quoteOrderQty=50)
    assert sold["origQuoteOrderQty"] == "50.00000000"
    trades = client.get_my_trades(symbol=BTC, fromId=bought["fills"][0]["tradeId"])
    assert {each["orderId"] for each in trades} == {bought["orderId"], sold["orderId"]}


def test_orders_over_the_websocket(sandbox: RunningSandbox, rest: RestClient) -> None:
    """The blocking client has them too. It runs the thread's event loop, so it gets a thread of its own."""

    def run() -> list[str]:
        with closing(asyncio.new_event_loop()) as loop:
            asyncio.set_event_loop(loop)
            client = sync_client(sandbox)
            order = client.ws_create_order(
                symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.001", price="40000"
            )
            found = client.ws_get_order(symbol=BTC, orderId=order["orderId"])
            canceled = client.ws_cancel_order(symbol=BTC, orderId=order["orderId"])
            loop.run_until_complete(client.ws_api.close())
            client.close_connection()
        return [each["status"] for each in (order, found, canceled)]

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(run).result() == ["NEW", "NEW", "CANCELED"]


def test_the_account(client: Any) -> None:
    """Fees, limits, permissions, coins and the wallet's state."""
    assert client.get_trade_fee(symbol=BTC)[0]["takerCommission"] == "0.001"
    assert client.v3_get_account_commission(symbol=BTC)["standardCommission"]["maker"] == "0.00100000"
    assert client.get_account_api_permissions()["enableWithdrawals"] is False
    assert {each["coin"] for each in client.get_all_coins_info()} >= {"BTC", "USDT"}
    assert client.get_system_status()["status"] == 0
    assert client.get_current_order_count()[0]["interval"] == "SECOND"


@pytest.mark.parametrize("order_type", ["STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT", "STOP_LOSS", "TAKE_PROFIT"])
def test_stop_orders(client: Any, sandbox: RunningSandbox, order_type: str) -> None:
    """A stop order waits, then trades when its price is met."""
    stop = "45000" if order_type.startswith("STOP") else "55000"
    limit = {"price": "44000", "timeInForce": "GTC"} if order_type.endswith("LIMIT") else {}
    order = client.create_order(
        symbol=BTC, side="SELL", type=order_type, quantity="0.001", stopPrice=stop, **limit
    )
    waiting = client.get_order(symbol=BTC, orderId=order["orderId"])
    assert (waiting["status"], waiting["isWorking"], waiting["stopPrice"]) == (
        "NEW",
        False,
        f"{stop}.00000000",
    )
    sandbox.move(stop)
    assert client.get_order(symbol=BTC, orderId=order["orderId"])["status"] == "FILLED"


def test_cancel_and_replace(client: Any) -> None:
    old = client.order_limit_buy(symbol=BTC, quantity=0.001, price="40000")
    answer = client.cancel_replace_order(
        symbol=BTC,
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=old["orderId"],
        quantity="0.001",
        price="41000",
    )
    assert (answer["cancelResult"], answer["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert answer["cancelResponse"]["orderId"] == old["orderId"]
    assert [each["price"] for each in client.get_open_orders(symbol=BTC)] == ["41000.00000000"]


def test_order_lists(client: Any) -> None:
    """An OCO is two open orders and one list; it is canceled whole."""
    placed = client.create_oco_order(**SELL_OCO)
    assert (placed["contingencyType"], placed["listOrderStatus"]) == ("OCO", "EXECUTING")
    assert len(client.get_open_orders(symbol=BTC)) == 2
    found = client.v3_get_order_list(orderListId=placed["orderListId"])
    assert found["listClientOrderId"] == placed["listClientOrderId"]
    assert [each["orderListId"] for each in client.get_open_oco_orders()] == [placed["orderListId"]]
    gone = client.v3_delete_order_list(symbol=BTC, orderListId=placed["orderListId"])
    assert (gone["listStatusType"], gone["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert client.get_open_orders(symbol=BTC) == []


def test_orders_that_trigger_others(client: Any) -> None:
    """The pending legs of an OTO and an OTOCO wait as PENDING_NEW."""
    working = {
        "symbol": BTC,
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": "40000",
        "workingQuantity": "0.001",
        "workingTimeInForce": "GTC",
        "pendingSide": "SELL",
        "pendingQuantity": "0.001",
    }
    pending = {"pendingType": "LIMIT", "pendingPrice": "60000", "pendingTimeInForce": "GTC"}
    oto = client.v3_post_order_list_oto(**working, **pending)
    assert [each["status"] for each in oto["orderReports"]].count("PENDING_NEW") == 1
    pair = {
        "pendingAboveType": "LIMIT_MAKER",
        "pendingAbovePrice": "60000",
        "pendingBelowType": "STOP_LOSS",
        "pendingBelowStopPrice": "39000",
    }
    otoco = client.v3_post_order_list_otoco(**working, **pair)
    assert [each["status"] for each in otoco["orderReports"]].count("PENDING_NEW") == 2
    assert otoco["contingencyType"] == "OTO"


def test_rare_queries(client: Any) -> None:
    assert client.get_prevented_matches(symbol=BTC, orderId=1) == []
    assert client.get_allocations(symbol=BTC) == []


def refusal(call: Any, **params: Any) -> tuple[int, int]:
    """HTTP status and code of the exception."""
    with pytest.raises(BinanceAPIException) as caught:
        call(**params)
    return caught.value.status_code, caught.value.code


def test_refusals(client: Any) -> None:
    """Status, code and text arrive as its one exception."""
    assert refusal(client.order_limit_buy, symbol=BTC, quantity="0.00001", price="40000") == (400, -1013)
    assert refusal(client.order_limit_buy, symbol=BTC, quantity=0.00001, price="40000") == (
        400,
        -1100,
    )  # 1e-05
    assert refusal(client.order_limit_buy, symbol=BTC, quantity=100, price="40000") == (400, -2010)
    assert refusal(client.order_limit_buy, symbol="NOSUCH", quantity=1, price="1") == (400, -1121)
    assert refusal(client.cancel_order, symbol=BTC, orderId=987_654_321) == (400, -2011)
    assert refusal(client.get_order, symbol=BTC, orderId=987_654_321) == (400, -2013)
    colon = "p:q"  # it signs what it does not send (section 3.1)
    assert refusal(
        client.order_limit_buy, symbol=BTC, quantity=0.001, price="40000", newClientOrderId=colon
    ) == (400, -1022)


@pytest.mark.parametrize("pair", [RSA, ED25519], ids=["RSA", "Ed25519"])
def test_key_pairs(sandbox: RunningSandbox, rest: RestClient, tmp_path: Path, pair: KeyPair) -> None:
    """Queries and orders signed with a private key."""
    found = sync_client(sandbox, api_key=pair.key, private_key=private_key(tmp_path, pair.private))
    try:
        assert found.get_account()["accountType"] == "SPOT"
        order = found.order_limit_buy(symbol=BTC, quantity=0.001, price="40000")
        assert found.cancel_order(symbol=BTC, orderId=order["orderId"])["status"] == "CANCELED"
    finally:
        found.close_connection()


def test_a_wrong_key(sandbox: RunningSandbox) -> None:
    for options, expected in (
        ({"api_key": sandbox.api_key, "api_secret": "wrong"}, (400, -1022)),
        ({"api_key": "unknown", "api_secret": "wrong"}, (401, -2015)),
    ):
        found = sync_client(sandbox, **options)
        assert refusal(found.get_account) == expected
        found.close_connection()
