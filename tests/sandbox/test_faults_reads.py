"""Faults of queries: each endpoint may show a past of its own, while the truth never lags."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.faulty import SYMBOL, Case, fresh_case

LAG = 5.0
"""Far longer than a test takes: what happens in it is never seen."""


@pytest.fixture
def case(sandbox: RunningSandbox) -> Iterator[Case]:
    with fresh_case(sandbox) as fresh:
        yield fresh


def ask(case: Case, path: str, **params: object) -> Any:
    return case.rest.signed("GET", f"/api/v3/{path}", symbol=SYMBOL, **params)


def free(case: Case, asset: str) -> Decimal:
    rows = case.rest.signed("GET", "/api/v3/account").body["balances"]
    return next(Decimal(row["free"]) for row in rows if row["asset"] == asset)


def test_an_error_of_a_query(case: Case) -> None:
    case.faults.add("reads.error", endpoint="openOrders.status", nth=1, code=-1000, status=503, retry_after=3)
    reply = ask(case, "openOrders")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, -1000, "3")
    assert ask(case, "openOrders").status == 200


@pytest.mark.parametrize("code", [-2013, -2026])
def test_an_order_that_is_said_not_to_exist(case: Case, code: int) -> None:
    order = case.rest.order("BUY", "0.001", "40000").body
    case.faults.add("reads.missing", code=code, count=1)
    assert ask(case, "order", orderId=order["orderId"]).code == code
    assert ask(case, "order", orderId=order["orderId"]).status == 200


def test_a_lag_hides_what_was_placed_since(case: Case) -> None:
    """F09: the order is not there, in no list, and then it is."""
    name = case.faults.add("reads.lag", seconds=LAG)
    order_id = case.rest.order("BUY", "0.001", "40000").body["orderId"]
    assert ask(case, "order", orderId=order_id).code == -2013
    assert ask(case, "openOrders").body == []
    assert order_id not in [row["orderId"] for row in ask(case, "allOrders").body]
    assert case.statuses() == ["NEW"]
    case.faults.remove(name)
    assert ask(case, "order", orderId=order_id).status == 200


def test_a_lag_shows_the_former_state_of_what_changed_since(case: Case) -> None:
    """An order open before the lag is still open for queries, its execution unknown, its funds still locked."""
    order_id = case.rest.order("BUY", "0.001", "40000").body["orderId"]
    usdt, trades = free(case, "USDT"), ask(case, "myTrades").body
    case.faults.add("reads.lag", seconds=LAG)
    case.sandbox.move("39000")
    assert case.statuses() == ["FILLED"]
    assert ask(case, "order", orderId=order_id).body["status"] == "NEW"
    assert [row["orderId"] for row in ask(case, "openOrders").body] == [order_id]
    assert ask(case, "myTrades").body == trades
    assert free(case, "USDT") == usdt


def test_each_endpoint_lags_by_itself(case: Case) -> None:
    """The order query knows of the fill, the list of executions and the balances not yet."""
    case.faults.add("reads.lag", endpoint="myTrades", seconds=LAG)
    case.faults.add("reads.lag", endpoint="account", seconds=LAG)
    btc = free(case, "BTC")
    reply = case.rest.order("BUY", "0.001", "60000").body
    assert ask(case, "order", orderId=reply["orderId"]).body["status"] == "FILLED"
    assert reply["orderId"] not in [row["orderId"] for row in ask(case, "myTrades").body]
    assert free(case, "BTC") == btc
    assert Decimal(case.sandbox.truth()["balances"]["BTC"]["free"]) > btc


def test_the_past_moves_on(case: Case) -> None:
    """A short lag shows the present soon."""
    case.faults.add("reads.lag", seconds=0.1)
    order_id = case.rest.order("BUY", "0.001", "40000").body["orderId"]
    assert ask(case, "order", orderId=order_id).code == -2013
    time.sleep(0.12)
    assert ask(case, "order", orderId=order_id).body["status"] == "NEW"
    case.rest.signed("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order_id)
    assert ask(case, "order", orderId=order_id).body["status"] == "NEW"
    time.sleep(0.12)
    assert ask(case, "order", orderId=order_id).body["status"] == "CANCELED"


def test_queries_are_blind_to_new_orders(case: Case) -> None:
    """-2013 right after placement; old orders are seen as they are."""
    old = case.rest.order("BUY", "0.001", "40000").body["orderId"]
    time.sleep(0.06)
    case.faults.add("reads.blind", seconds=0.05)
    new = case.rest.order("BUY", "0.001", "40000").body["orderId"]
    assert ask(case, "order", orderId=new).code == -2013
    assert [row["orderId"] for row in ask(case, "openOrders").body] == [old]
    time.sleep(0.06)
    assert ask(case, "order", orderId=new).status == 200


def test_only_a_share_of_the_new_orders_is_hidden_and_always_the_same(case: Case) -> None:
    ids = [case.rest.order("BUY", "0.001", "40000").body["orderId"] for _ in range(30)]
    case.faults.add("reads.blind", seconds=60, share=0.5)
    first, again = ([row["orderId"] for row in ask(case, "openOrders").body] for _ in range(2))
    assert first == again
    assert 0 < len(first) < len(ids)


def test_half_a_page(case: Case) -> None:
    for _ in range(4):
        case.rest.order("BUY", "0.001", "40000")
    case.faults.add("reads.half_page", endpoint="openOrders")
    assert len(ask(case, "openOrders").body) == 2


def test_rows_out_of_order(case: Case) -> None:
    for _ in range(5):
        case.rest.order("BUY", "0.001", "60000")
    whole = ask(case, "myTrades", limit=5).body
    case.faults.add("reads.shuffled", endpoint="myTrades")
    shuffled = ask(case, "myTrades", limit=5).body
    assert shuffled != whole
    assert sorted(shuffled, key=lambda row: row["id"]) == whole


def test_the_truth_never_lags(case: Case) -> None:
    case.faults.add("reads.lag", seconds=LAG, endpoint="*")
    case.rest.order("BUY", "0.001", "60000")
    truth = case.sandbox.truth()
    assert truth["orders"][-1]["status"] == "FILLED"
    assert truth["fills"][-1]["order_id"] == truth["orders"][-1]["order_id"]
