"""Orders that wait for a price, trail it, or meet one of their own account: what answers show of them, and when."""

from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.rest_client import Reply, RestClient


def place(rest: RestClient, side: str, kind: str, **params: object) -> Reply:
    given = {"symbol": "BTCUSDT", "side": side, "type": kind, "quantity": "0.001", **params}
    return rest.signed("POST", "/api/v3/order", **given)


def query(rest: RestClient, order_id: int) -> Any:
    return rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=order_id).body


LIMITED = {"timeInForce": "GTC", "newOrderRespType": "RESULT"}


@pytest.mark.parametrize(
    "side, kind, stop, trigger",
    [
        ("SELL", "STOP_LOSS_LIMIT", "49000", "48900"),
        ("SELL", "TAKE_PROFIT_LIMIT", "51000", "51100"),
        ("BUY", "STOP_LOSS_LIMIT", "51000", "51100"),
        ("BUY", "TAKE_PROFIT_LIMIT", "49000", "48900"),
    ],
)
def test_a_stop_limit_waits_and_then_works(
    sandbox: RunningSandbox, rest: RestClient, side: str, kind: str, stop: str, trigger: str
) -> None:
    """Above or below by type and side (6.3); until then workingTime is -1 and isWorking false."""
    price = "60000" if side == "SELL" else "40000"
    placed = place(rest, side, kind, price=price, stopPrice=stop, **LIMITED).body
    assert (placed["status"], placed["stopPrice"], placed["workingTime"]) == ("NEW", f"{stop}.00000000", -1)
    waiting = query(rest, placed["orderId"])
    assert (waiting["isWorking"], waiting["workingTime"], waiting["type"]) == (False, -1, kind)
    sandbox.move(trigger)
    working = query(rest, placed["orderId"])
    assert (working["status"], working["isWorking"], working["type"]) == ("NEW", True, kind)
    assert working["workingTime"] > 0
    canceled = rest.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"]).body
    assert (canceled["status"], canceled["stopPrice"]) == ("CANCELED", f"{stop}.00000000")


@pytest.mark.parametrize(
    "side, kind, stop",
    [
        ("SELL", "STOP_LOSS", "51000"),
        ("SELL", "TAKE_PROFIT", "49000"),
        ("BUY", "STOP_LOSS", "49000"),
        ("BUY", "TAKE_PROFIT", "51000"),
    ],
)
def test_a_stop_that_would_fire_at_once_is_refused(rest: RestClient, side: str, kind: str, stop: str) -> None:
    reply = place(rest, side, kind, stopPrice=stop)
    assert (reply.status, reply.code, reply.body["msg"]) == (400, -2010, "Order would trigger immediately.")


def test_a_stop_without_a_price_executes_at_the_market(sandbox: RunningSandbox, rest: RestClient) -> None:
    """It answers with ACK by default, keeps its type, and its fills stand in myTrades."""
    placed = place(rest, "SELL", "STOP_LOSS", stopPrice="49000").body
    assert set(placed) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    sandbox.move("48900")
    filled = query(rest, placed["orderId"])
    assert (filled["status"], filled["type"], filled["price"]) == ("FILLED", "STOP_LOSS", "0.00000000")
    trades = rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=placed["orderId"]).body
    assert [(trade["qty"], trade["orderListId"], trade["isMaker"]) for trade in trades] == [
        ("0.00100000", -1, False)
    ]


def test_a_trailing_stop_shows_when_it_began_to_trail(sandbox: RunningSandbox, rest: RestClient) -> None:
    """trailingTime is -1 until the price reached stopPrice; without a stopPrice it trails at once."""
    waiting = place(
        rest, "SELL", "TAKE_PROFIT", stopPrice="51000", trailingDelta=100, newOrderRespType="RESULT"
    ).body
    assert (waiting["trailingDelta"], waiting["trailingTime"]) == (100, -1)
    trailing = place(rest, "SELL", "STOP_LOSS", trailingDelta=200, newOrderRespType="RESULT").body
    assert (trailing["trailingDelta"], trailing["trailingTime"] > 0) == (200, True)
    sandbox.move("51100")
    assert query(rest, waiting["orderId"])["trailingTime"] > 0


def test_strategy_numbers_are_kept(rest: RestClient) -> None:
    """Shown in every answer if sent, else nowhere."""
    numbers = {"strategyId": 7, "strategyType": 1_000_001}
    placed = rest.order("BUY", "0.001", "40000", **numbers).body
    other = rest.order("BUY", "0.001", "40000").body
    shown = query(rest, placed["orderId"])
    for answer in (placed, shown):
        assert {name: answer[name] for name in numbers} == numbers
    assert not numbers.keys() & query(rest, other["orderId"]).keys()


@pytest.mark.parametrize(
    "kind", ["STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER"]
)
def test_every_type_can_be_tested(rest: RestClient, kind: str) -> None:
    """order/test gives the commission rates for each and places nothing."""
    params: dict[str, object] = {"symbol": "BTCUSDT", "side": "SELL", "type": kind, "quantity": "0.001"}
    if kind != "LIMIT_MAKER":
        params["stopPrice"] = "49000" if kind.startswith("STOP") else "51000"
    if kind.endswith("_LIMIT"):
        params["timeInForce"] = "GTC"
    if "LIMIT" in kind:
        params["price"] = "52000"
    assert rest.signed("POST", "/api/v3/order/test", **params).body == {}
    rates = rest.signed("POST", "/api/v3/order/test", **params, computeCommissionRates="true").body
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert rest.signed("GET", "/api/v3/openOrders").body == []


# --- self-trade prevention ---------------------------------------------------------------------------


def cross(rest: RestClient, mode: str) -> tuple[Any, Any]:
    """The best sell, of 0.002, and a buy of 0.001 that would meet it: both as answered."""
    maker = rest.order("SELL", "0.002", "50000").body
    taker = rest.order("BUY", "0.001", "50000", timeInForce="IOC", selfTradePreventionMode=mode).body
    return maker, taker


@pytest.mark.parametrize(
    "mode, taken, left",
    [
        ("EXPIRE_TAKER", {"takerPreventedQuantity": "0.00100000"}, "NEW"),
        ("EXPIRE_MAKER", {"makerPreventedQuantity": "0.00200000"}, "EXPIRED_IN_MATCH"),
        (
            "EXPIRE_BOTH",
            {"takerPreventedQuantity": "0.00100000", "makerPreventedQuantity": "0.00200000"},
            "EXPIRED_IN_MATCH",
        ),
        (
            "DECREMENT",
            {"takerPreventedQuantity": "0.00100000", "makerPreventedQuantity": "0.00100000"},
            "NEW",
        ),
    ],
)
def test_a_prevented_match_is_told(rest: RestClient, mode: str, taken: dict[str, str], left: str) -> None:
    """In the taker's FULL answer, on the order it took from, and in myPreventedMatches (6.8)."""
    maker, taker = cross(rest, mode)
    match = taker["preventedMatches"][0]
    assert {name: match[name] for name in match if name.endswith("Quantity")} == taken
    assert (match["makerOrderId"], match["makerSymbol"], match["price"]) == (
        maker["orderId"], "BTCUSDT", "50000.00000000",
    )  # fmt: skip
    shown = query(rest, maker["orderId"])
    assert shown["status"] == left
    assert shown.get("preventedQuantity") == taken.get("makerPreventedQuantity")
    if "takerPreventedQuantity" in taken:
        assert (taker["status"], taker["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "0.00100000")
    by_order = rest.signed(
        "GET", "/api/v3/myPreventedMatches", symbol="BTCUSDT", orderId=taker["orderId"]
    ).body
    where = {"symbol": "BTCUSDT", "preventedMatchId": match["preventedMatchId"]}
    assert rest.signed("GET", "/api/v3/myPreventedMatches", **where).body == by_order
    assert (by_order[0]["takerOrderId"], by_order[0]["selfTradePreventionMode"]) == (taker["orderId"], mode)
    assert {name: by_order[0][name] for name in by_order[0] if name.endswith("Quantity")} == taken


def test_prevented_matches_need_an_id(rest: RestClient) -> None:
    """One of two ids (-1102), not both (-1128); nothing found is an empty list."""

    def get(**more: int) -> Reply:
        return rest.signed("GET", "/api/v3/myPreventedMatches", symbol="BTCUSDT", **more)

    assert get().code == -1102
    assert get(orderId=1, preventedMatchId=1).code == -1128
    assert get(orderId=10**9).body == []
    assert rest.signed("GET", "/api/v3/myAllocations", symbol="BTCUSDT").body == []
