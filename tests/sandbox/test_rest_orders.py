"""Orders and the account over REST: life cycles, queries, refusals."""

from decimal import Decimal

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.rest_client import Reply, RestClient, now


def test_a_limit_order_from_placement_to_cancel(rest: RestClient) -> None:
    """FULL answer, query, open orders, cancel (two ids), query again."""
    placed = rest.order("BUY", "0.001", "40000", newClientOrderId="abc1").body
    assert (placed["status"], placed["clientOrderId"], placed["fills"]) == ("NEW", "abc1", [])
    query = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"]).body
    assert (query["status"], query["isWorking"], query["stopPrice"]) == ("NEW", True, "0.00000000")
    assert rest.signed("GET", "/api/v3/openOrders").body == [query]
    canceled = rest.signed(
        "DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="abc1", newClientOrderId="c2"
    ).body
    assert (canceled["status"], canceled["origClientOrderId"], canceled["clientOrderId"]) == (
        "CANCELED", "abc1", "c2",
    )  # fmt: skip
    again = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="abc1").body
    assert (again["status"], again["clientOrderId"]) == ("CANCELED", "abc1")
    gone = rest.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="abc1")
    assert (gone.code, gone.body["msg"]) == (-2011, "Unknown order sent.")


def test_a_market_order_pays_in_what_it_receives(rest: RestClient) -> None:
    """The buy's fee is taken from the base; the fill stands in the answer and in myTrades alike."""
    placed = rest.signed_in_body(
        "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.002"
    ).body
    fill = placed["fills"][0]
    assert (placed["status"], fill["commission"], fill["commissionAsset"]) == ("FILLED", "0.00000200", "BTC")
    trades = rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=placed["orderId"]).body
    assert [(t["id"], t["price"], t["qty"], t["commission"]) for t in trades] == [
        (fill["tradeId"], fill["price"], fill["qty"], fill["commission"])
    ]
    assert trades[0]["quoteQty"] == placed["cummulativeQuoteQty"]


def test_a_market_order_by_quote_amount(rest: RestClient) -> None:
    placed = rest.signed(
        "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quoteOrderQty="100"
    ).body
    assert (placed["status"], placed["origQuoteOrderQty"]) == ("FILLED", "100.00000000")
    assert 99 < float(placed["cummulativeQuoteQty"]) <= 100


def test_resting_orders_fill_when_the_market_comes(sandbox: RunningSandbox, rest: RestClient) -> None:
    placed = rest.order("SELL", "0.001", "50500").body
    sandbox.move("50600")
    query = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"]).body
    trade = rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=placed["orderId"]).body[0]
    assert (query["status"], query["cummulativeQuoteQty"]) == ("FILLED", "50.50000000")
    assert (trade["isMaker"], trade["isBuyer"], trade["commissionAsset"]) == (True, False, "USDT")
    assert trade["commission"] == "0.05050000"


@pytest.mark.parametrize(
    "changes, code, text",
    [
        ({"price": "40000.005"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "0.000381"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.00012"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "0"}, -1013, "Invalid quantity."),
        ({"quantity": "0.0000000001"}, -1111, "too much precision"),
        ({"quantity": "1e-05"}, -1100, "legal range"),
        ({"quantity": ""}, -1105, "was empty"),
        ({"price": ""}, -1105, "was empty"),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        ({"type": "LIMIT_MAKER"}, -1106, "timeInForce"),
        ({"type": "FANCY"}, -1116, "Invalid orderType."),
        ({"side": "LONG"}, -1117, "Invalid side."),
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ({"quantity": "100"}, -2010, "insufficient balance"),
        ({"newClientOrderId": "p:q"}, -1100, "newClientOrderId"),
        ({"type": "STOP_LOSS_LIMIT"}, -1102, "Param 'stopPrice' or 'trailingDelta'"),
        ({"type": "STOP_LOSS_LIMIT", "stopPrice": "40000.005"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"stopPrice": "1"}, -1106, "stopPrice"),
        ({"icebergQty": "0.0005"}, -1013, "Iceberg orders are not supported by this sandbox."),
        ({"pegPriceType": "PRIMARY_PEG"}, -1020, "pegged orders"),
        ({"selfTradePreventionMode": "WEIRD"}, -1013, "self-trade prevention"),
        ({"strategyType": "1"}, -1134, "strategyType"),
        ({"newOrderRespType": "LOUD"}, -1130, "newOrderRespType"),
        ({"nonsense": "1"}, -1104, "Not all sent parameters were read"),
    ],
)
def test_refused_orders(rest: RestClient, changes: dict[str, str], code: int, text: str) -> None:
    """Every refusal has the exchange's code and text, and nothing is placed; order/test refuses the same."""
    order = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001",
        "price": "40000", **changes,
    }  # fmt: skip
    reply = rest.signed("POST", "/api/v3/order", **order)
    assert (reply.status, reply.code) == (400, code), reply.body
    assert text in reply.body["msg"]
    assert rest.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT").body == []
    if code != -2010:
        assert rest.signed("POST", "/api/v3/order/test", **order).body == reply.body


def test_mandatory_parameters(rest: RestClient) -> None:
    reply = rest.signed("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="LIMIT", price="1")
    assert reply.code == -1102
    assert rest.signed("GET", "/api/v3/order", symbol="BTCUSDT").code == -1102
    assert rest.signed("DELETE", "/api/v3/order", symbol="BTCUSDT").code == -1102


def test_order_test_places_nothing(rest: RestClient) -> None:
    """``{}``, or the commission rates if asked for."""
    order = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001",
        "price": "40000",
    }  # fmt: skip
    assert rest.signed("POST", "/api/v3/order/test", **order).body == {}
    rates = rest.signed("POST", "/api/v3/order/test", **order, computeCommissionRates="true").body
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert rest.signed("GET", "/api/v3/openOrders").body == []


def test_answers_come_in_three_lengths(rest: RestClient) -> None:
    """ACK names the order, RESULT adds its state, FULL its fills; LIMIT_MAKER defaults to ACK."""
    ack = rest.order("BUY", "0.001", "40000", newOrderRespType="ACK").body
    result = rest.order("BUY", "0.001", "40000", newOrderRespType="RESULT").body
    assert set(ack) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    assert set(ack) < set(result)
    assert "fills" not in result
    maker = rest.signed(
        "POST",
        "/api/v3/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT_MAKER",
        quantity="0.001",
        price="40000",
    ).body
    assert set(maker) == set(ack)


def test_duplicate_ids_and_post_only(rest: RestClient) -> None:
    """-2010 with the text that tells them apart."""
    rest.order("BUY", "0.001", "40000", newClientOrderId="same")
    duplicate = rest.order("BUY", "0.001", "40000", newClientOrderId="same")
    assert (duplicate.code, duplicate.body["msg"]) == (-2010, "Duplicate order sent.")
    taking = rest.signed(
        "POST",
        "/api/v3/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT_MAKER",
        quantity="0.001",
        price="60000",
    )
    assert (taking.code, taking.body["msg"]) == (-2010, "Order would immediately match and take.")


def test_cancel_restrictions(rest: RestClient) -> None:
    order_id = rest.order("BUY", "0.001", "40000").body["orderId"]
    where = {"symbol": "BTCUSDT", "orderId": order_id}
    refused = rest.signed("DELETE", "/api/v3/order", **where, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert (refused.code, "restrictions" in refused.body["msg"]) == (-2011, True)
    assert rest.signed("DELETE", "/api/v3/order", **where, cancelRestrictions="NEVER").code == -1145
    assert rest.signed("DELETE", "/api/v3/order", **where, cancelRestrictions="ONLY_NEW").status == 200


def test_cancel_all(rest: RestClient) -> None:
    """All open orders of the symbol, each answered like a cancel; nothing open is -2011."""
    placed = [rest.order("BUY", "0.001", price).body["orderId"] for price in ("40000", "41000")]
    reply = rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").body
    assert [(each["orderId"], each["status"]) for each in reply] == [(each, "CANCELED") for each in placed]
    assert rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").code == -2011


def test_queries_of_orders(rest: RestClient) -> None:
    """-2013 for unknown; allOrders from an id, by time, by page; over 24 hours is -1127."""
    assert rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=10**9).code == -2013
    before = now()
    ids = [rest.order("BUY", "0.001", "40000").body["orderId"] for _ in range(3)]

    def get(**more: int) -> Reply:
        return rest.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT", **more)

    assert [order["orderId"] for order in get(orderId=ids[1]).body] == ids[1:]
    assert [order["orderId"] for order in get(limit=1).body] == ids[2:]
    assert [order["orderId"] for order in get(startTime=before, limit=2).body] == ids[:2]
    assert get(endTime=before - 1, startTime=before - 2).body == []
    assert get(startTime=1, endTime=86_400_002).code == -1127


def test_my_trades_by_id_and_time(sandbox: RunningSandbox, rest: RestClient) -> None:
    """``fromId`` is inclusive and ascending; it does not go with times (-1128)."""
    before = now()
    for _ in range(3):
        rest.signed("POST", "/api/v3/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.001")

    def get(**more: int) -> Reply:
        return rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", **more)

    recent = [trade["id"] for trade in get(startTime=before).body]
    assert len(recent) == 3
    assert [trade["id"] for trade in get(fromId=recent[1]).body] == recent[1:]
    assert [trade["id"] for trade in get(fromId=recent[0], limit=2).body] == recent[:2]
    assert [trade["id"] for trade in get(limit=1).body] == recent[2:]
    assert get(fromId=1, startTime=1).code == -1128
    assert get(startTime=1, endTime=86_400_002).code == -1127


def test_account_locks_and_releases(rest: RestClient) -> None:
    """A resting buy locks its value at its price; a cancel gives it back."""

    def usdt() -> tuple[Decimal, Decimal]:
        rows = rest.signed("GET", "/api/v3/account").body["balances"]
        row = next(each for each in rows if each["asset"] == "USDT")
        return Decimal(row["free"]), Decimal(row["locked"])

    free, locked = usdt()
    rest.order("BUY", "0.001", "40000")
    assert usdt() == (free - 40, locked + 40)
    rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert usdt() == (free, locked)


def test_account_figures(rest: RestClient) -> None:
    account = rest.signed("GET", "/api/v3/account", omitZeroBalances="true").body
    assert (account["makerCommission"], account["canTrade"], account["accountType"]) == (10, True, "SPOT")
    commission = rest.signed("GET", "/api/v3/account/commission", symbol="BTCUSDT").body
    assert commission["standardCommission"]["maker"] == "0.00100000"
    assert commission["discount"]["enabledForAccount"] is False


def test_wallet(rest: RestClient) -> None:
    """What a bot asks before it trades (section 5.3)."""
    restrictions = rest.signed("GET", "/sapi/v1/account/apiRestrictions").body
    assert (restrictions["enableWithdrawals"], restrictions["enableSpotAndMarginTrading"]) == (False, True)
    fees = rest.signed("GET", "/sapi/v1/asset/tradeFee", symbol="BTCUSDT").body
    assert fees == [{"symbol": "BTCUSDT", "makerCommission": "0.001", "takerCommission": "0.001"}]
    coins = rest.signed("GET", "/sapi/v1/capital/config/getall").body
    assert [coin["coin"] for coin in coins] == ["BTC", "USDT"]
    assert rest.get("/sapi/v1/system/status").body == {"status": 0, "msg": "normal"}
