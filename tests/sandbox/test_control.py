"""The control API: only for holders of the token, and telling the truth to the last unit."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.settings import MarketSettings
from gridtide.testing.sandbox_exchange import BTC_USDT, RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.rest_client import Reply, RestClient
from tests.sandbox.sources import START, ListSource, points

TOKEN = "a-token-for-this-test"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A slow market under control."""
    market = MarketSettings(BTC_USDT, ListSource(points(["50000", "50001"], 10**9)))
    with running_sandbox(sandbox_settings(markets=(market,), control_token=TOKEN)) as running:
        yield running


class Control(RestClient):
    """Asks the control port."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        port = sandbox.call(lambda running: running.control_port)
        self._host = f"{urlsplit(sandbox.url).hostname}:{port}"

    def ask(self, method: str, operation: str, body: Any = None, token: str = TOKEN) -> Reply:
        content = b"" if body is None else json.dumps(body).encode()
        return self.raw(method, f"/control/{operation}", content, {"Authorization": f"Bearer {token}"})


@pytest.fixture
def control(sandbox: RunningSandbox) -> Control:
    return Control(sandbox)


@pytest.mark.parametrize("operation", ["status", "truth?account=main", "nosuch"])
def test_nothing_without_the_token(control: Control, operation: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "é"}):
        assert control.raw("GET", f"/control/{operation}", headers=headers).status == 401


def test_it_is_not_on_the_port_of_the_exchange(sandbox: RunningSandbox) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert RestClient(sandbox).raw("GET", "/control/status", headers=headers).status == 404


def test_it_is_off_unless_asked_for() -> None:
    with running_sandbox(sandbox_settings(control_port=None)) as sandbox:
        assert sandbox.call(lambda running: running.control_port) is None


def test_it_needs_a_token() -> None:
    with pytest.raises(InvalidInput, match="token"), running_sandbox(sandbox_settings(control_token="")):
        pass


def test_status_hold_and_resume(sandbox: RunningSandbox, control: Control) -> None:
    status = control.ask("GET", "status").body
    assert status["instance_id"] == sandbox.call(lambda running: running.instance_id)
    assert status["markets"]["BTC/USDT"] == {"market_time": START, "price": "50000.00000000", "points": 1}
    assert (status["held"], status["finished"], status["speed"]) == (False, False, 1.0)
    assert control.ask("POST", "hold").body["held"] is True
    assert control.ask("POST", "resume").body["held"] is False
    assert control.ask("GET", "hold").status == 404


def test_the_truth_agrees_with_the_api(sandbox: RunningSandbox, control: Control) -> None:
    """All orders, fills and balances, exact, by account; an unknown account is refused."""
    rest = RestClient(sandbox)
    rest.order("BUY", "0.001", "40000", newClientOrderId="mine")
    rest.signed("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.002")
    truth = control.ask("GET", "truth?account=main").body
    orders = rest.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT").body
    trades = rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT").body
    assert [(o["order_id"], o["status"]) for o in truth["orders"]] == [
        (o["orderId"], o["status"]) for o in orders
    ]
    assert [(f["trade_id"], Decimal(f["fee"])) for f in truth["fills"]] == [
        (t["id"], Decimal(t["commission"])) for t in trades
    ]
    rows = rest.signed("GET", "/api/v3/account").body["balances"]
    assert {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in rows} == {
        asset: (Decimal(held["free"]), Decimal(held["locked"])) for asset, held in truth["balances"].items()
    }
    assert control.ask("GET", "truth?account=nobody").status == 400


def test_deposits(control: Control) -> None:
    before = Decimal(control.ask("GET", "truth?account=main").body["balances"]["USDT"]["free"])
    reply = control.ask("POST", "deposit", {"account": "main", "asset": "USDT", "amount": "1.5"})
    assert Decimal(reply.body["balance"]["free"]) == before + Decimal("1.5")
    wrong: tuple[Any, ...] = (
        {"account": "main", "asset": "USDT"},
        {"account": "main", "asset": "USDT", "amount": 1.5},
        {"account": "main", "asset": "USDT", "amount": "-999999"},
        {"account": "nobody", "asset": "USDT", "amount": "1"},
        [],
    )
    for body in wrong:
        assert control.ask("POST", "deposit", body).status == 400
    assert control.raw("POST", "/control/deposit", "{", {"Authorization": f"Bearer {TOKEN}"}).status == 400


def test_shutdown_asks_for_the_end(sandbox: RunningSandbox, control: Control) -> None:
    assert control.ask("POST", "shutdown").status == 200
    assert sandbox.call(lambda running: running.ended.is_set())
