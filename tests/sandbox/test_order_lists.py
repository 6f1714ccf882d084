"""Order lists over REST and the WebSocket API: every kind, their answers, cancels, queries and events."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import Reply, RestClient, now
from tests.sandbox.socket_client import SocketClient, connect, signed

SELL_PAIR = {
    "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.001",
    "aboveType": "LIMIT_MAKER", "abovePrice": "51000", "belowType": "STOP_LOSS", "belowStopPrice": "49000",
}  # fmt: skip
BUY_PAIR = {
    "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.001",
    "aboveType": "STOP_LOSS_LIMIT", "aboveStopPrice": "51000", "abovePrice": "51100", "aboveTimeInForce": "GTC",
    "belowType": "TAKE_PROFIT", "belowStopPrice": "49000",
}  # fmt: skip
WORKING = {
    "symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "49500",
    "workingQuantity": "0.001", "workingTimeInForce": "GTC", "pendingSide": "SELL",
}  # fmt: skip
ONE_LEG = {"pendingType": "LIMIT", "pendingPrice": "52000", "pendingTimeInForce": "GTC"}
TWO_LEGS = {
    "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "52000",
    "pendingBelowType": "STOP_LOSS_LIMIT", "pendingBelowStopPrice": "48000", "pendingBelowPrice": "47900",
    "pendingBelowTimeInForce": "GTC",
}  # fmt: skip
AMOUNT = {"pendingQuantity": "0.001"}
LISTS: dict[str, dict[str, str]] = {
    "oco": SELL_PAIR,
    "oto": {**WORKING, **ONE_LEG, **AMOUNT},
    "otoco": {**WORKING, **TWO_LEGS, **AMOUNT},
    "opo": {**WORKING, **ONE_LEG},
    "opoco": {**WORKING, **TWO_LEGS},
}


def place(rest: RestClient, kind: str, **changes: object) -> Reply:
    return rest.signed_in_body("POST", f"/api/v3/orderList/{kind}", **{**LISTS[kind], **changes})


def query(rest: RestClient, list_id: int) -> Any:
    return rest.signed("GET", "/api/v3/orderList", orderListId=list_id).body


def statuses(rest: RestClient, placed: Any) -> list[str]:
    """What the orders of a list are now, in its order."""
    found = []
    for order in placed["orders"]:
        where = {"symbol": order["symbol"], "orderId": order["orderId"]}
        found.append(rest.signed("GET", "/api/v3/order", **where).body["status"])
    return found


LIST_FIELDS = {
    "orderListId", "contingencyType", "listStatusType", "listOrderStatus", "listClientOrderId", "transactionTime",
    "symbol", "orders",
}  # fmt: skip


# --- placing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LISTS)
def test_the_answer_to_a_list(rest: RestClient, kind: str) -> None:
    """The list, the ids of its orders, and a report of each; legs that wait have no working time (6.10)."""
    answer = place(rest, kind, listClientOrderId="mine").body
    assert set(answer) == LIST_FIELDS | {"orderReports"}
    assert (answer["listClientOrderId"], answer["symbol"]) == ("mine", "BTCUSDT")
    assert (answer["listStatusType"], answer["listOrderStatus"]) == ("EXEC_STARTED", "EXECUTING")
    assert answer["contingencyType"] == ("OCO" if kind == "oco" else "OTO")
    assert len(answer["orders"]) == (3 if kind.endswith("co") and kind != "oco" else 2)
    for order, report in zip(answer["orders"], answer["orderReports"], strict=True):
        assert {name: report[name] for name in order} == order
        assert (report["orderListId"], "fills" in report) == (answer["orderListId"], False)
        assert (report["workingTime"] == -1) is (report["status"] == "PENDING_NEW" or "stopPrice" in report)
        # Nobody knows yet how much an OPO's legs will sell.
        assert ("origQty" in report) is not (kind.startswith("opo") and report["status"] == "PENDING_NEW")


@pytest.mark.parametrize("kind, length", [("ACK", 5), ("RESULT", 16), ("FULL", 17)])
def test_reports_come_in_three_lengths(rest: RestClient, kind: str, length: int) -> None:
    reports = place(rest, "oto", newOrderRespType=kind).body["orderReports"]
    assert [len(report) for report in reports] == [length, length]


def test_a_buy_pair(sandbox: RunningSandbox, rest: RestClient) -> None:
    """The stop above, the take-profit below; the one that triggers ends the other."""
    answer = rest.signed("POST", "/api/v3/orderList/oco", **BUY_PAIR).body
    assert {report["type"] for report in answer["orderReports"]} == {"STOP_LOSS_LIMIT", "TAKE_PROFIT"}
    sandbox.move("48900")
    by_type = {report["type"]: report["orderId"] for report in answer["orderReports"]}
    where = {"symbol": "BTCUSDT", "orderId": by_type["STOP_LOSS_LIMIT"]}
    ended = rest.signed("GET", "/api/v3/order", **where).body
    assert (ended["status"], ended["expiryReason"]) == ("EXPIRED", "OCO_TRIGGER")
    assert query(rest, answer["orderListId"])["listOrderStatus"] == "ALL_DONE"


def test_the_older_request_for_a_pair(rest: RestClient) -> None:
    """Which order stands above follows from the side; a limit for the stop needs its time in force."""
    old = {"symbol": "BTCUSDT", "quantity": "0.001", "price": "51000", "stopPrice": "49000", "side": "SELL"}
    answer = rest.signed(
        "POST", "/api/v3/order/oco", **old, limitClientOrderId="l", stopClientOrderId="s"
    ).body
    shown = {report["clientOrderId"]: report for report in answer["orderReports"]}
    assert (shown["l"]["type"], shown["l"]["price"]) == ("LIMIT_MAKER", "51000.00000000")
    assert (shown["s"]["type"], shown["s"]["stopPrice"]) == ("STOP_LOSS", "49000.00000000")
    without = rest.signed("POST", "/api/v3/order/oco", **old, stopLimitPrice="48900")
    assert (without.code, "stopLimitTimeInForce" in without.body["msg"]) == (-1102, True)
    bought = {**old, "side": "BUY", "price": "49000", "stopPrice": "51000"}
    limited = rest.signed(
        "POST", "/api/v3/order/oco", **bought, stopLimitPrice="51100", stopLimitTimeInForce="GTC"
    ).body
    assert {report["type"] for report in limited["orderReports"]} == {"LIMIT_MAKER", "STOP_LOSS_LIMIT"}


@pytest.mark.parametrize("kind", ["oto", "otoco", "opo", "opoco"])
def test_legs_wait_for_the_working_order(sandbox: RunningSandbox, rest: RestClient, kind: str) -> None:
    """PENDING_NEW until it is filled, then in the market; what pays sells what was bought, less the fee."""
    answer = place(rest, kind).body
    assert set(statuses(rest, answer)[1:]) == {"PENDING_NEW"}
    sandbox.move("49400")
    assert set(statuses(rest, answer)[1:]) == {"NEW"}
    order = answer["orders"][1]
    leg = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=order["orderId"]).body
    assert 0 < float(leg["origQty"]) <= 0.001


def test_a_working_order_that_fills_at_once_shows_its_leg_still_pending(rest: RestClient) -> None:
    """The leg's answer is from before it was placed (rest-api.md, OTO); with FULL the working order has its fills."""
    answer = place(
        rest, "oto", workingPrice="50500", pendingType="LIMIT", pendingPrice="52000", newOrderRespType="FULL"
    ).body
    working, pending = answer["orderReports"]
    assert (working["status"], len(working["fills"]) > 0) == ("FILLED", True)
    assert (pending["status"], pending["fills"], pending["workingTime"]) == ("PENDING_NEW", [], -1)
    assert statuses(rest, answer) == ["FILLED", "NEW"]


@pytest.mark.parametrize(
    "kind, changes, code, text",
    [
        ("oco", {"aboveType": "MARKET"}, -1158, "Order type not supported in OCO."),
        ("oco", {"aboveType": "TAKE_PROFIT", "aboveStopPrice": "51000"}, -1106, "abovePrice"),
        ("oco", {"aboveType": "STOP_LOSS"}, -1197, "A stop loss order in a sell OCO must be below."),
        ("oco", {"belowStopPrice": "52000"}, -2010, "The relationship of the prices"),
        ("oco", {"abovePrice": "49500"}, -2010, "The relationship of the prices"),
        ("oco", {"belowTimeInForce": "GTC"}, -1106, "belowTimeInForce"),
        ("oco", {"belowStopPrice": ""}, -1105, "belowStopPrice"),
        ("oco", {"quantity": ""}, -1102, "quantity"),
        ("oco", {"aboveType": ""}, -1102, "aboveType"),
        ("oco", {"abovePegPriceType": "PRIMARY_PEG"}, -1020, "abovePegPriceType"),
        ("oco", {"belowStrategyType": "9"}, -1134, "strategyType"),
        ("oco", {"price": "1"}, -1104, "Not all sent parameters were read"),
        ("oco", {"quantity": "0.0000101"}, -1013, "Filter failure: LOT_SIZE"),
        ("oco", {"quantity": "100"}, -2010, "insufficient balance"),
        ("oco", {"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ("oto", {"workingType": "MARKET"}, -1159, "not supported for the working order"),
        ("oto", {"workingPrice": ""}, -1102, "workingPrice"),
        ("oto", {"pendingSide": "LONG"}, -1117, "Invalid side."),
        ("oto", {"pendingQuantity": ""}, -1102, "pendingQuantity"),
        ("otoco", {"pendingBelowType": ""}, -1102, "pendingBelowType"),
        ("opo", {"pendingQuantity": "0.001"}, -1104, "Not all sent parameters were read"),
        ("opo", {"workingSide": "SELL"}, -1222, "Working order in an OPO list must be a bid."),
        ("opo", {"pendingSide": "BUY"}, -1223, "Pending orders in an OPO list must be asks."),
        ("oto", {"listClientOrderId": "a:b"}, -1100, "listClientOrderId"),
    ],
)
def test_refused_lists(rest: RestClient, kind: str, changes: dict[str, str], code: int, text: str) -> None:
    """The exchange's code, the parameter under the name it has in a list, and nothing is placed."""
    reply = place(rest, kind, **changes)
    assert (reply.status, reply.code) == (400, code), reply.body
    assert text in reply.body["msg"]
    assert rest.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT").body == []


def test_names_of_open_lists_are_unique(rest: RestClient) -> None:
    place(rest, "oco", listClientOrderId="same")
    again = place(rest, "oco", listClientOrderId="same")
    assert (again.code, again.body["msg"]) == (-2010, "Duplicate order sent.")


# --- cancelling --------------------------------------------------------------------------------------


def check_canceled(answer: Any, placed: Any) -> None:
    """One object for the list, with a cancel's report of each order."""
    assert (answer["orderListId"], answer["listOrderStatus"]) == (placed["orderListId"], "ALL_DONE")
    assert set(answer) == LIST_FIELDS | {"orderReports"}
    for order, report in zip(placed["orders"], answer["orderReports"], strict=True):
        assert (report["orderId"], report["status"]) == (order["orderId"], "CANCELED")
        assert report["origClientOrderId"] == order["clientOrderId"] != report["clientOrderId"]


@pytest.mark.parametrize("kind", LISTS)
def test_cancelling_a_list(rest: RestClient, kind: str) -> None:
    """By its id or by its name; then it is unknown to a cancel (-2011)."""
    placed = place(rest, kind).body
    by = (
        {"orderListId": placed["orderListId"]}
        if kind == "oco"
        else {"listClientOrderId": placed["listClientOrderId"]}
    )
    where = {"symbol": "BTCUSDT", **by}
    check_canceled(rest.signed("DELETE", "/api/v3/orderList", **where, newClientOrderId="c").body, placed)
    again = rest.signed("DELETE", "/api/v3/orderList", **where)
    assert (again.code, again.body["msg"]) == (-2011, "Unknown order sent.")
    assert rest.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT").body == []


def test_cancelling_one_leg_cancels_the_list(rest: RestClient) -> None:
    """And is answered with the list (6.5), also inside a cancel-replace."""
    placed = place(rest, "oco").body
    where = {"symbol": "BTCUSDT", "orderId": placed["orders"][0]["orderId"]}
    check_canceled(rest.signed("DELETE", "/api/v3/order", **where).body, placed)
    other = place(rest, "oco").body
    replaced = rest.signed(
        "POST", "/api/v3/order/cancelReplace", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
        quantity="0.001", price="40000", cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=other["orders"][1]["orderId"],
    ).body  # fmt: skip
    check_canceled(replaced["cancelResponse"], other)


def test_cancelling_all_names_a_list_once(rest: RestClient) -> None:
    single = rest.order("BUY", "0.001", "40000").body
    placed = place(rest, "oco").body
    answer = rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").body
    assert [each.get("orderId") for each in answer] == [single["orderId"], None]
    check_canceled(answer[1], placed)


# --- queries and counts ------------------------------------------------------------------------------


def test_queries_of_lists(rest: RestClient) -> None:
    """One by id or name, the open ones, all from an id, by time, by page."""
    before = now()
    ids = [place(rest, "oco", listClientOrderId=name).body["orderListId"] for name in ("q1", "q2", "q3")]
    one = query(rest, ids[0])
    assert set(one) == LIST_FIELDS
    assert rest.signed("GET", "/api/v3/orderList", origClientOrderId="q1").body == one
    rest.signed("DELETE", "/api/v3/orderList", symbol="BTCUSDT", orderListId=ids[1])
    opened = rest.signed("GET", "/api/v3/openOrderList").body
    assert [each["orderListId"] for each in opened] == [ids[0], ids[2]]

    def get(**more: int) -> Reply:
        return rest.signed("GET", "/api/v3/allOrderList", **more)

    assert [each["orderListId"] for each in get(fromId=ids[1]).body] == ids[1:]
    assert [each["orderListId"] for each in get(limit=1).body] == ids[2:]
    assert {each["orderListId"] for each in get(startTime=before).body} == set(ids)
    assert get(startTime=1, endTime=2).body == []
    assert get(fromId=1, startTime=1).code == -1128
    assert get(startTime=1, endTime=86_400_002).code == -1127


def test_a_list_must_be_named(rest: RestClient) -> None:
    assert rest.signed("GET", "/api/v3/orderList").code == -1102
    assert rest.signed("DELETE", "/api/v3/orderList", symbol="BTCUSDT").code == -1102
    assert rest.signed("GET", "/api/v3/orderList", orderListId=10**9).code == -2013


@pytest.fixture
def limited() -> Iterator[RunningSandbox]:
    limits = replace(GENEROUS, orders_per_day=4)
    with running_sandbox(sandbox_settings(limits=limits)) as running:
        running.move("50000", volume="1")
        yield running


def test_every_order_of_a_list_counts(limited: RunningSandbox) -> None:
    """Three for an OTOCO; a pair no longer fits into four, a single order does."""
    rest = RestClient(limited)
    placed = place(rest, "otoco")
    assert placed.headers["x-mbx-order-count-1d"] == "3"
    assert (place(rest, "oco").status, place(rest, "oco").code) == (429, -1015)
    assert rest.order("BUY", "0.001", "40000").status == 200


# --- the WebSocket API and events --------------------------------------------------------------------


@pytest.fixture
async def api(sandbox: RunningSandbox, rest: RestClient) -> AsyncIterator[SocketClient]:
    async with connect(sandbox.ws_api_url) as client:
        await client.ask("userDataStream.subscribe.signature", signed({}, sandbox.api_key, sandbox.secret))
        yield client


async def events_until_position(api: SocketClient) -> list[Any]:
    """Events up to and with the next outboundAccountPosition."""
    found: list[Any] = []
    while not found or found[-1]["e"] != "outboundAccountPosition":
        found.append((await api.event())["event"])
    return found


def told(event: Any) -> tuple[str, ...]:
    """An event in short."""
    if event["e"] == "executionReport":
        return event["x"], event["X"], event["o"]
    return (event["e"], event["l"], event["L"]) if event["e"] == "listStatus" else (event["e"],)


@pytest.mark.parametrize("kind", LISTS)
async def test_every_kind_over_the_websocket(sandbox: RunningSandbox, api: SocketClient, kind: str) -> None:
    """Place, query, list, cancel by the documented method names."""

    async def ask(method: str, **params: Any) -> Any:
        answer = await api.ask(method, signed(params, sandbox.api_key, sandbox.secret))
        assert answer["status"] == 200, answer
        return answer["result"]

    placed = await ask(f"orderList.place.{kind}", **LISTS[kind])
    one = await ask("orderList.status", orderListId=placed["orderListId"])
    assert set(one) == LIST_FIELDS
    assert await ask("openOrderLists.status") == [one]
    assert one in await ask("allOrderLists")
    check_canceled(await ask("orderList.cancel", symbol="BTCUSDT", orderListId=placed["orderListId"]), placed)


async def test_events_of_a_pair(sandbox: RunningSandbox, api: SocketClient, rest: RestClient) -> None:
    """listStatus names the list and its orders; a trigger expires the other leg; the end is told."""
    placed = (await asyncio.to_thread(place, rest, "oco")).body
    started = await events_until_position(api)
    (status,) = (event for event in started if event["e"] == "listStatus")
    assert (status["g"], status["C"], status["c"]) == (
        placed["orderListId"],
        placed["listClientOrderId"],
        "OCO",
    )
    assert [(each["i"], each["c"]) for each in status["O"]] == [
        (order["orderId"], order["clientOrderId"]) for order in placed["orders"]
    ]
    assert sorted(told(event) for event in started if event["e"] == "executionReport") == [
        ("NEW", "NEW", "LIMIT_MAKER"),
        ("NEW", "NEW", "STOP_LOSS"),
    ]
    assert {event["g"] for event in started if event["e"] == "executionReport"} == {placed["orderListId"]}
    await asyncio.to_thread(sandbox.move, "51100")
    ended = [told(event) for event in await events_until_position(api)]
    assert ("EXPIRED", "EXPIRED", "STOP_LOSS") in ended
    assert ("TRADE", "FILLED", "LIMIT_MAKER") in ended
    assert ended[-2] == ("listStatus", "ALL_DONE", "ALL_DONE")


async def test_an_amended_order_of_a_list_is_told_with_its_list(
    sandbox: RunningSandbox, api: SocketClient, rest: RestClient
) -> None:
    """The answer has ``listStatus``; the stream a listStatus UPDATED, because the order's id changed."""
    placed = (await asyncio.to_thread(place, rest, "oto", workingQuantity="0.002")).body
    await events_until_position(api)
    params = {"symbol": "BTCUSDT", "orderId": placed["orders"][0]["orderId"], "newQty": "0.001"}
    answer = await api.ask("order.amend.keepPriority", signed(params, sandbox.api_key, sandbox.secret))
    status = answer["result"]["listStatus"]
    assert (status["orderListId"], "listStatusType" in status) == (placed["orderListId"], False)
    ours = [told(event) for event in await events_until_position(api)]
    assert ("REPLACED", "NEW", "LIMIT") in ours
    assert ("listStatus", "UPDATED", "EXECUTING") in ours
