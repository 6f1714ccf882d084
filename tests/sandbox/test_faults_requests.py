"""Faults of requests, answers and the engine: what a client sees, and what really happened."""

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from http.client import BadStatusLine, IncompleteRead
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.faulty import PLACE, SYMBOL, Case, fresh_case
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import connect, signed


@pytest.fixture
def case(sandbox: RunningSandbox) -> Iterator[Case]:
    with fresh_case(sandbox) as fresh:
        yield fresh


def place(case: Case, **params: object) -> Any:
    return case.rest.order("BUY", "0.001", "40000", **params)


# --- request -----------------------------------------------------------------------------------------


def test_a_lost_request_never_acts_and_the_connection_drops(case: Case) -> None:
    name = case.faults.add("request.lost", endpoint=PLACE, nth=2)
    assert place(case).status == 200
    with pytest.raises(BadStatusLine):
        place(case)
    assert place(case).status == 200
    assert case.statuses() == ["NEW", "NEW"]
    assert [entry.subject for entry in case.faults.log(name) if entry.kind == "fault"][1:] == [
        "POST /api/v3/order"
    ]


def test_a_lost_request_may_stay_silent(case: Case) -> None:
    case.faults.add("request.lost", endpoint=PLACE, how="silence")
    case.rest.timeout = 0.1
    with pytest.raises(TimeoutError):
        place(case)
    assert case.orders() == []


def test_a_delayed_request_acts_late_and_is_refused_past_its_window(case: Case) -> None:
    case.faults.add("request.delayed", endpoint=PLACE, seconds=0.05)
    begun = time.monotonic()
    assert place(case).status == 200
    assert time.monotonic() - begun >= 0.05
    assert place(case, recvWindow="20").code == -1021
    assert len(case.orders()) == 1


def test_a_request_that_waits_inside_is_checked_again_before_the_engine(case: Case) -> None:
    """Section 3.1: on receipt and again before the engine."""
    case.faults.add("request.held", endpoint=PLACE, seconds=0.05)
    assert place(case, recvWindow="20").code == -1021
    assert place(case).status == 200
    assert len(case.orders()) == 1


def test_a_request_that_arrives_twice_acts_twice(case: Case) -> None:
    """With an id of its own the second is a duplicate while the first is open; without one there are two orders."""
    case.faults.add("request.twice", endpoint=PLACE)
    assert place(case, newClientOrderId="once").status == 200
    assert len(case.orders()) == 1
    acted = [entry.detail for entry in case.faults.log() if entry.kind == "acted"][-2:]
    assert [detail.split()[1] for detail in acted] == ["200", "400"]
    assert place(case).status == 200
    assert len(case.orders()) == 3


def test_a_filled_order_that_arrives_twice_fills_twice(case: Case) -> None:
    """F06: a client order id is free again once its order is filled."""
    case.faults.add("request.twice", endpoint=PLACE)
    reply = case.rest.order("BUY", "0.001", "60000", newClientOrderId="filled-twice")
    assert reply.body["status"] == "FILLED"
    assert [(order["client_order_id"], order["status"]) for order in case.orders()] == [
        ("filled-twice", "FILLED"),
        ("filled-twice", "FILLED"),
    ]


@pytest.mark.parametrize("moment, count", [("before", 0), ("after", 1)])
def test_a_connection_is_reset_before_or_after_the_act(case: Case, moment: str, count: int) -> None:
    case.faults.add("request.reset", endpoint=PLACE, moment=moment)
    with pytest.raises(ConnectionResetError):
        place(case)
    assert len(case.orders()) == count


# --- answer ------------------------------------------------------------------------------------------


def test_a_lost_answer_leaves_one_order(case: Case) -> None:
    """F01."""
    case.faults.add("answer.lost", endpoint=PLACE)
    with pytest.raises(BadStatusLine):
        place(case)
    assert case.statuses() == ["NEW"]


def test_a_silent_answer_leaves_one_order(case: Case) -> None:
    case.faults.add("answer.lost", endpoint=PLACE, how="silence")
    case.rest.timeout = 0.1
    with pytest.raises(TimeoutError):
        place(case)
    assert case.statuses() == ["NEW"]


def test_a_delayed_answer_is_of_an_order_that_stands_already(case: Case) -> None:
    case.faults.add("answer.delayed", endpoint=PLACE, seconds=0.05)
    begun = time.monotonic()
    reply = place(case)
    assert time.monotonic() - begun >= 0.05
    assert reply.body["transactTime"] == case.orders()[0]["created_at"]


@pytest.mark.parametrize("byte", [0, 1, 17])
def test_a_cut_answer_ends_at_its_byte(case: Case, byte: int) -> None:
    """F04: the length is announced, fewer bytes come."""
    case.faults.add("answer.cut", endpoint=PLACE, byte=byte)
    with pytest.raises(IncompleteRead) as caught:
        place(case)
    assert len(caught.value.partial) == byte
    assert case.statuses() == ["NEW"]


def test_an_empty_answer(case: Case) -> None:
    case.faults.add("answer.empty", endpoint=PLACE)
    with pytest.raises(ValueError, match="Expecting value"):
        place(case)
    assert case.statuses() == ["NEW"]


@pytest.mark.parametrize("status", [200, 502, 504])
def test_the_page_of_a_gateway(case: Case, status: int) -> None:
    """F03."""
    case.faults.add("answer.html", endpoint=PLACE, status=status)
    reply = place(case)
    assert reply.status == status
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.body.startswith("<html>")
    assert case.statuses() == ["NEW"]


def test_a_list_for_an_answer(case: Case) -> None:
    case.faults.add("answer.list", endpoint=PLACE)
    assert place(case).body == []
    assert case.statuses() == ["NEW"]


def test_invalid_json(case: Case) -> None:
    case.faults.add("answer.invalid_json", endpoint=PLACE)
    with pytest.raises(ValueError, match="Expecting value"):
        place(case)
    assert case.statuses() == ["NEW"]


def test_a_wrong_client_id(case: Case) -> None:
    case.faults.add("answer.wrong_client_id", client_order_id="not-mine")
    reply = place(case, newClientOrderId="mine")
    assert reply.body["clientOrderId"] == "not-mine"
    assert case.orders()[0]["client_order_id"] == "mine"


@pytest.mark.parametrize("executed", [True, False])
def test_any_status_with_any_code(case: Case, *, executed: bool) -> None:
    case.faults.add("answer.status", endpoint=PLACE, status=429, code=-1003, retry_after=7, executed=executed)
    reply = place(case)
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (429, -1003, "7")
    assert len(case.orders()) == int(executed)


def test_a_status_without_retry_after(case: Case) -> None:
    case.faults.add("answer.status", endpoint=PLACE, status=418, code=-1003)
    reply = place(case)
    assert reply.status == 418
    assert "retry-after" not in reply.headers


# --- engine ------------------------------------------------------------------------------------------


def test_a_slow_engine_answers_when_it_is_done(case: Case) -> None:
    case.faults.add("engine.queue", seconds=0.05, timeout_seconds=1)
    assert place(case).status == 200
    assert len(case.orders()) == 1


def test_a_very_slow_engine_answers_unknown_and_takes_the_order_later(case: Case) -> None:
    """F02: -1007 after ten seconds (here fewer), and the order still enters."""
    case.faults.add("engine.queue", endpoint=PLACE, seconds=0.2, timeout_seconds=0.02)
    reply = place(case)
    assert (reply.status, reply.code) == (504, -1007)
    assert case.orders() == []
    case.wait_for(lambda: case.statuses() == ["NEW"])


def test_a_timeout_and_then_acceptance(case: Case) -> None:
    case.faults.add("engine.timeout", endpoint=PLACE, seconds=0.1)
    assert place(case).code == -1007
    assert case.orders() == []
    case.wait_for(lambda: case.statuses() == ["NEW"])


@pytest.mark.parametrize("code, executed", [(-1006, True), (-1006, False), (-1008, True), (-1007, False)])
def test_an_unknown_outcome(case: Case, code: int, *, executed: bool) -> None:
    case.faults.add("engine.unknown", endpoint=PLACE, code=code, executed=executed)
    reply = place(case)
    assert reply.code == code
    assert reply.status >= 500
    assert len(case.orders()) == int(executed)


def test_an_order_fills_before_its_answer_leaves(case: Case) -> None:
    case.faults.add("engine.fill")
    assert place(case).body["status"] == "NEW"
    assert case.statuses() == ["FILLED"]


def test_a_partial_fill_in_the_race_of_a_cancel(case: Case) -> None:
    """F17: the answer to the cancel has the execution that came before it."""
    case.faults.add("engine.cancel_race", share=0.4)
    order_id = case.rest.order("BUY", "0.005", "40000").body["orderId"]
    reply = case.rest.signed("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order_id)
    assert (reply.body["status"], reply.body["executedQty"]) == ("CANCELED", "0.00200000")
    assert Decimal(case.orders()[0]["executed_amount"]) == Decimal("0.002")


def test_an_order_fills_in_the_race_of_its_cancel(case: Case) -> None:
    """F16: -2011 because it just filled."""
    case.faults.add("engine.cancel_race", share=1)
    place(case, newClientOrderId="raced")
    reply = case.rest.signed("DELETE", "/api/v3/order", symbol=SYMBOL, origClientOrderId="raced")
    assert reply.code == -2011
    assert case.statuses() == ["FILLED"]


# --- the WebSocket API -------------------------------------------------------------------------------


def _order(sandbox: RunningSandbox) -> dict[str, Any]:
    order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    return signed({**order, "quantity": "0.001", "price": "40000"}, sandbox.api_key, sandbox.secret)


async def test_the_same_faults_act_on_the_websocket_api(case: Case) -> None:
    """Silence, a mangled answer and an unknown outcome; later requests are not held up by one that waits."""
    sandbox = case.sandbox
    case.faults.add("answer.lost", endpoint="order.place", how="silence", nth=1)
    case.faults.add("answer.invalid_json", endpoint="order.place", nth=2)
    case.faults.add("engine.unknown", endpoint="order.place", nth=3)
    async with connect(sandbox.ws_api_url) as api:
        await api.send_text(_request("silent", _order(sandbox)))
        assert (await api.ask("ping", request_id="after"))["id"] == "after"
        await api.send_text(_request("mangled", _order(sandbox)))
        message = await api.socket.receive(5)
        assert message.data == '{"symbol": "BTCUSDT", "orderId": }'
        answer = await api.ask("order.place", _order(sandbox))
        assert answer["error"]["code"] == -1006
    assert case.statuses() == ["NEW", "NEW", "NEW"]


async def test_a_lost_answer_drops_the_websocket(case: Case) -> None:
    case.faults.add("answer.lost", endpoint="order.place")
    async with connect(case.sandbox.ws_api_url) as api:
        await api.send_text(_request("dropped", _order(case.sandbox)))
        assert await api.closed() == 1006
    assert case.statuses() == ["NEW"]


def _request(request_id: str, params: dict[str, Any]) -> str:
    return json.dumps({"id": request_id, "method": "order.place", "params": params})


def test_no_fault_leaves_no_hook(case: Case) -> None:
    """The hot path costs one look at an attribute."""
    name = case.faults.add("answer.lost", endpoint=PLACE)
    case.faults.remove(name)
    seam = case.sandbox.call(lambda running: running.exchange.seam)
    hooks = ("around_request", "on_event", "on_published", "at_the_door", "on_subscribing", "liveness")
    assert [getattr(seam, hook) for hook in hooks] == [None] * len(hooks)
    assert RestClient(case.sandbox).order("BUY", "0.001", "40000").status == 200
