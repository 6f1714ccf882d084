"""Cancel-replace and amend: what succeeds, what half succeeds, and what counts (protocol section 6.6)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import Reply, RestClient

NEW = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "41000",
}  # fmt: skip
TAKING = {"type": "LIMIT_MAKER", "price": "60000"}
"""What turns `NEW` into an order that passes the filters and is refused when it is placed."""


def swap(rest: RestClient, mode: str, cancel: object, **changes: object) -> Reply:
    params = {**NEW, "cancelReplaceMode": mode, "cancelOrderId": cancel, **changes}
    if changes.get("type") == "LIMIT_MAKER":
        del params["timeInForce"]
    return rest.signed_in_body("POST", "/api/v3/order/cancelReplace", **params)


def open_ids(rest: RestClient) -> list[int]:
    return [order["orderId"] for order in rest.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT").body]


def test_both_steps_succeed(rest: RestClient) -> None:
    """200 with both answers, each in the shape it has alone."""
    first = rest.order("BUY", "0.001", "40000", newClientOrderId="first").body
    reply = swap(
        rest, "STOP_ON_FAILURE", first["orderId"], cancelNewClientOrderId="c", newClientOrderId="second"
    )
    assert (reply.status, reply.body["cancelResult"], reply.body["newOrderResult"]) == (
        200,
        "SUCCESS",
        "SUCCESS",
    )
    canceled, placed = reply.body["cancelResponse"], reply.body["newOrderResponse"]
    assert (canceled["origClientOrderId"], canceled["clientOrderId"], canceled["status"]) == (
        "first",
        "c",
        "CANCELED",
    )
    assert (placed["clientOrderId"], placed["status"], placed["fills"]) == ("second", "NEW", [])
    assert open_ids(rest) == [placed["orderId"]]


@pytest.mark.parametrize(
    "mode, cancel, changes, status, code, results",
    [
        ("STOP_ON_FAILURE", "none", {}, 400, -2022, ("FAILURE", "NOT_ATTEMPTED")),
        ("STOP_ON_FAILURE", "open", TAKING, 409, -2021, ("SUCCESS", "FAILURE")),
        ("ALLOW_FAILURE", "none", {}, 409, -2021, ("FAILURE", "SUCCESS")),
        ("ALLOW_FAILURE", "none", TAKING, 400, -2022, ("FAILURE", "FAILURE")),
        ("ALLOW_FAILURE", "open", TAKING, 409, -2021, ("SUCCESS", "FAILURE")),
    ],
)
def test_a_step_fails(
    rest: RestClient,
    mode: str,
    cancel: str,
    changes: dict[str, str],
    status: int,
    code: int,
    results: tuple[str, str],
) -> None:
    """Status, code and the outcome of each step; a failed one holds its own code and text."""
    order_id = rest.order("BUY", "0.001", "40000").body["orderId"] if cancel == "open" else 10**9
    reply = swap(rest, mode, order_id, **changes)
    data = reply.body["data"]
    assert (reply.status, reply.code) == (status, code)
    assert (data["cancelResult"], data["newOrderResult"]) == results
    if results[0] == "FAILURE":
        assert data["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
    if results[1] == "FAILURE":
        assert data["newOrderResponse"]["msg"] == "Order would immediately match and take."
    assert (data["newOrderResponse"] is None) is (results[1] == "NOT_ATTEMPTED")
    assert len(open_ids(rest)) == (results[1] == "SUCCESS")


def test_filters_come_before_both_steps(rest: RestClient) -> None:
    """A new order that breaks a filter leaves the old one alone, and the code is the filter's."""
    order_id = rest.order("BUY", "0.001", "40000").body["orderId"]
    assert swap(rest, "ALLOW_FAILURE", order_id, price="40000.005").code == -1013
    assert open_ids(rest) == [order_id]


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"cancelReplaceMode": "MAYBE"}, -1130),
        ({"cancelReplaceMode": ""}, -1102),
        ({"cancelOrderId": "x"}, -1100),
        ({"orderRateLimitExceededMode": "X"}, -1130),
        ({"cancelRestrictions": "X"}, -1145),
        ({"symbol": "NOSUCH"}, -1121),
        ({"nonsense": "1"}, -1104),
    ],
)
def test_wrong_parameters(rest: RestClient, changes: dict[str, str], code: int) -> None:
    params = {**NEW, "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": 1, **changes}
    assert rest.signed("POST", "/api/v3/order/cancelReplace", **params).code == code


def test_an_order_to_cancel_must_be_named(rest: RestClient) -> None:
    reply = rest.signed("POST", "/api/v3/order/cancelReplace", **NEW, cancelReplaceMode="STOP_ON_FAILURE")
    assert reply.code == -1102
    assert "cancelOrderId" in reply.body["msg"]


def test_cancel_restrictions_hold_here_too(rest: RestClient) -> None:
    order_id = rest.order("BUY", "0.001", "40000").body["orderId"]
    reply = swap(rest, "STOP_ON_FAILURE", order_id, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert reply.body["data"]["cancelResponse"]["msg"] == "Order was not canceled due to cancel restrictions."
    assert open_ids(rest) == [order_id]


# --- the order count ---------------------------------------------------------------------------------


@pytest.fixture
def limited() -> Iterator[RunningSandbox]:
    """A sandbox that lets an account place three orders a day."""
    limits = replace(GENEROUS, orders_per_day=3)
    with running_sandbox(sandbox_settings(limits=limits)) as running:
        running.move("50000", volume="1")
        yield running


def count(rest: RestClient) -> int:
    rows = rest.signed("GET", "/api/v3/rateLimit/order").body
    return int(next(row["count"] for row in rows if row["interval"] == "DAY"))


def test_a_new_order_that_was_not_attempted_counts(limited: RunningSandbox) -> None:
    rest = RestClient(limited)
    swap(rest, "STOP_ON_FAILURE", 10**9)
    assert count(rest) == 1
    swap(rest, "ALLOW_FAILURE", 10**9)
    assert count(rest) == 2


def test_a_full_order_count(limited: RunningSandbox) -> None:
    """-1015 and nothing happens, or with CANCEL_ONLY the cancel alone (429)."""
    rest = RestClient(limited)
    ids: list[Any] = [rest.order("BUY", "0.001", "40000").body["orderId"] for _ in range(3)]
    assert (swap(rest, "STOP_ON_FAILURE", ids[0]).status, swap(rest, "STOP_ON_FAILURE", ids[0]).code) == (
        429,
        -1015,
    )
    assert open_ids(rest) == ids
    reply = swap(rest, "STOP_ON_FAILURE", ids[0], orderRateLimitExceededMode="CANCEL_ONLY")
    assert (reply.status, reply.code) == (429, -2021)
    assert reply.body["data"]["newOrderResponse"]["code"] == -1015
    assert open_ids(rest) == ids[1:]
    allowed = swap(rest, "ALLOW_FAILURE", ids[1], orderRateLimitExceededMode="CANCEL_ONLY")
    assert (allowed.status, allowed.code) == (409, -2021)


# --- amending ----------------------------------------------------------------------------------------


def amend(rest: RestClient, **params: object) -> Reply:
    return rest.signed_in_body("PUT", "/api/v3/order/amend/keepPriority", symbol="BTCUSDT", **params)


def test_an_order_is_made_smaller(rest: RestClient) -> None:
    """The answer, the order afterwards, the record of it; the order count stays."""
    order_id = rest.order("BUY", "0.003", "40000", newClientOrderId="a").body["orderId"]
    before = count(rest)
    answer = amend(rest, orderId=order_id, newQty="0.002", newClientOrderId="b").body
    shown = answer["amendedOrder"]
    assert (shown["origClientOrderId"], shown["clientOrderId"], shown["qty"]) == ("a", "b", "0.00200000")
    assert (shown["preventedQty"], shown["quoteOrderQty"], shown["cumulativeQuoteQty"]) == ("0.00000000",) * 3
    second = amend(rest, origClientOrderId="b", newQty="0.001").body
    order = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=order_id).body
    assert (order["origQty"], order["clientOrderId"]) == (
        "0.00100000",
        second["amendedOrder"]["clientOrderId"],
    )
    records = rest.signed("GET", "/api/v3/order/amendments", symbol="BTCUSDT", orderId=order_id).body
    assert [(each["origQty"], each["newQty"], each["executionId"]) for each in records] == [
        ("0.00300000", "0.00200000", answer["executionId"]),
        ("0.00200000", "0.00100000", second["executionId"]),
    ]
    assert (records[0]["origClientOrderId"], records[0]["newClientOrderId"]) == ("a", "b")
    where = {"symbol": "BTCUSDT", "orderId": order_id, "fromExecutionId": second["executionId"]}
    assert rest.signed("GET", "/api/v3/order/amendments", **where).body == records[1:]
    assert count(rest) == before


@pytest.mark.parametrize(
    "params, code, text",
    [
        ({"newQty": "0.004"}, -2038, "Order amend (quantity increase) is not supported."),
        ({"newQty": "0.003"}, -2038, "The requested action would change no state; rejecting"),
        ({"newQty": "0.0015001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"newQty": "0"}, -1013, "Invalid quantity."),
        ({"newQty": "x"}, -1100, "legal range"),
        ({}, -1102, "newQty"),
    ],
)
def test_refused_amendments(rest: RestClient, params: dict[str, str], code: int, text: str) -> None:
    order_id = rest.order("BUY", "0.003", "40000").body["orderId"]
    reply = amend(rest, orderId=order_id, **params)
    assert (reply.status, reply.code) == (400, code), reply.body
    assert text in reply.body["msg"]


def test_amendments_need_an_order(rest: RestClient) -> None:
    assert amend(rest, newQty="0.001").code == -1102
    assert amend(rest, orderId=10**9, newQty="0.001").code in {-2011, -2013, -2038}
