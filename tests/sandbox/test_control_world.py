"""What the control API does to accounts, keys, markets and the clock of a sandbox, seen through the exchange's API."""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.sandbox.settings import MarketSettings
from gridtide.testing import RunningSandbox, running_sandbox, sandbox_settings
from gridtide.testing.settings import BTC_USDT
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient
from tests.sandbox.sources import START, ListSource, points
from tests.sandbox.test_control import TOKEN, Control

PRICES = ["50000", "50010", "49990", "50005", "50020", "50030"]


def start(**changes: Any) -> Any:
    market = MarketSettings(BTC_USDT, ListSource(points(PRICES, 1000)))
    return running_sandbox(
        sandbox_settings(
            **{"markets": (market,), "control_token": TOKEN, "limits": GENEROUS, "hold": True, **changes}
        )
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with start() as running:
        yield running


@pytest.fixture
def control(sandbox: RunningSandbox) -> Control:
    return Control(sandbox)


class Holder(RestClient):
    """Somebody with a key of their own."""

    def __init__(self, sandbox: RunningSandbox, key: str, secret: str) -> None:
        super().__init__(sandbox)
        self._key, self._secret = key, secret
        self.sandbox = _Target(sandbox.url, key, secret)


class _Target:
    def __init__(self, url: str, api_key: str, secret: str) -> None:
        self.url, self.api_key, self.secret = url, api_key, secret


def test_it_lists_what_it_can_do(control: Control) -> None:
    operations = (
        control.ask("GET", "").status,
        control.raw("GET", "/control", headers={"Authorization": f"Bearer {TOKEN}"}),
    )
    assert operations[0] == 404
    assert "POST /control/step" in operations[1].body["operations"]


def test_points_are_played_one_by_one_while_held() -> None:
    """`step` moves a held market by exactly so many points, and says how many were left to play."""
    with start() as sandbox:
        control = Control(sandbox)
        assert control.ask("GET", "status").body["markets"]["BTC/USDT"]["points"] == 1
        stepped = control.ask("POST", "step", {"points": 2}).body
        assert (stepped["played"], stepped["held"]) == (2, True)
        assert stepped["markets"]["BTC/USDT"]["price"] == "49990.00000000"
        assert control.ask("POST", "step").body["played"] == 1
        assert control.ask("POST", "step", {"points": 100}).body["played"] == 2
        assert control.ask("POST", "step", {"points": 1}).body["played"] == 0
        for wrong in ({"points": 0}, {"points": -1}, {"points": 1.5}, {"points": 10**9}, {"point": 1}):
            assert control.ask("POST", "step", wrong).status == 400


def test_the_speed_changes_while_it_runs(control: Control) -> None:
    assert control.ask("POST", "speed", {"speed": "60"}).body["speed"] == 60.0
    for wrong in ("0", "-1", "nan", "1e400", 3.5, None):
        assert control.ask("POST", "speed", {"speed": wrong}).status == 400, wrong
    assert control.ask("GET", "status").body["speed"] == 60.0


def test_a_new_account_with_a_key_trades_and_pays_its_own_fees(
    sandbox: RunningSandbox, control: Control
) -> None:
    opened = control.ask(
        "POST",
        "accounts",
        {"account": "second", "balances": {"USDT": "1000"}, "maker": "0", "taker": "0.002"},
    )
    assert opened.body["balances"]["USDT"]["free"] == "1000"
    made = control.ask("POST", "keys", {"account": "second"}).body
    holder = Holder(sandbox, made["key"], made["secret"])
    taken = holder.signed(
        "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01"
    )
    assert taken.status == 200
    fee = sum(Decimal(fill["commission"]) for fill in taken.body["fills"])
    assert fee == Decimal("0.00002")
    assert control.ask("POST", "fees", {"account": "second", "asset": "USDT"}).body["fees"]["asset"] == "USDT"
    assert control.ask("POST", "fees", {"account": "second", "asset": ""}).body["fees"]["asset"] is None
    assert control.ask("POST", "accounts", {"account": "second"}).status == 400
    for wrong in (
        {"account": "a b"},
        {"account": ""},
        {"account": "third", "balances": {"USDT": "-1"}},
        {"account": "third", "balances": {"usdt": "1"}},
        {"account": "third", "maker": "2"},
        {"account": "third", "discount": "7"},
    ):
        assert control.ask("POST", "accounts", wrong).status == 400, wrong
    assert {each["account"] for each in control.ask("GET", "accounts").body["accounts"]} >= {"main", "second"}


def test_the_rights_of_a_key_change_at_once(sandbox: RunningSandbox, control: Control) -> None:
    """Reading only, from another address only, revoked: -2015 each time."""
    made = control.ask("POST", "keys", {"account": "main", "key": "mine", "secret": "s3", "trading": False})
    assert made.body == {"account": "main", "key": "mine", "secret": "s3"}
    holder = Holder(sandbox, "mine", "s3")
    assert holder.order("BUY", "0.001", "40000").code == -2015
    assert control.ask("POST", "permissions", {"key": "mine", "trading": True}).body["trading"] is True
    assert holder.order("BUY", "0.001", "40000").status == 200
    control.ask("POST", "permissions", {"key": "mine", "addresses": ["10.0.0.1"]})
    assert holder.signed("GET", "/api/v3/account").code == -2015
    control.ask("POST", "permissions", {"key": "mine", "addresses": ["127.0.0.1"], "withdrawals": True})
    shown = holder.signed("GET", "/sapi/v1/account/apiRestrictions").body
    assert shown["enableWithdrawals"] is True
    assert "s3" not in str(control.ask("GET", "keys").body), "a secret is shown once"
    assert control.ask("DELETE", "keys", {"key": "mine"}).status == 200
    assert holder.signed("GET", "/api/v3/account").code == -2015
    assert control.ask("DELETE", "keys", {"key": "mine"}).status == 400
    for wrong in (
        {"account": "nobody"},
        {"account": "main", "key": "a b"},
        {"account": "main", "public_key": "x"},
    ):
        assert control.ask("POST", "keys", wrong).status == 400, wrong


def test_a_halted_market_takes_no_orders(sandbox: RunningSandbox, control: Control) -> None:
    rest = RestClient(sandbox)
    assert (
        control.ask("POST", "market-status", {"market": "BTC/USDT", "status": "HALT"}).body["status"]
        == "HALT"
    )
    assert rest.order("BUY", "0.001", "40000").code == -2010
    assert rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT").body["symbols"][0]["status"] == "HALT"
    control.ask("POST", "market-status", {"market": "BTCUSDT", "status": "TRADING"})
    assert rest.order("BUY", "0.001", "40000").status == 200
    for wrong in (
        {"market": "BTC/USDT", "status": "OFF"},
        {"market": "X/Y", "status": "HALT"},
        {"status": "HALT"},
    ):
        assert control.ask("POST", "market-status", wrong).status == 400


def test_rules_change_for_new_orders(sandbox: RunningSandbox, control: Control) -> None:
    """And a rule that makes no sense changes nothing."""
    rest = RestClient(sandbox)
    before = control.ask("GET", "markets").body["markets"][0]["rules"]
    changed = control.ask("POST", "rules", {"market": "BTC/USDT", "rules": {"min_notional": "100"}}).body
    assert changed["rules"] == {**before, "min_notional": "100"}
    assert rest.order("BUY", "0.001", "50000").body["msg"] == "Filter failure: NOTIONAL"
    control.ask("POST", "rules", {"market": "BTC/USDT", "rules": {"min_notional": "5"}})
    filters = {"order_types": ["LIMIT"], "trailing": {"min_above": 20}}
    answer = control.ask("POST", "rules", {"market": "BTC/USDT", "filters": filters}).body["filters"]
    assert (answer["order_types"], answer["trailing"]["min_above"]) == (["LIMIT"], 20)
    control.ask(
        "POST",
        "rules",
        {"market": "BTC/USDT", "filters": {"order_types": ["LIMIT", "LIMIT_MAKER", "MARKET"]}},
    )
    nonsense: tuple[dict[str, Any], ...] = (
        {"rules": {"tick_size": "0"}},
        {"rules": {"tick_size": "-1"}},
        {"rules": {"nosuch": "1"}},
        {"rules": {"max_open_orders": "x"}},
        {"rules": []},
        {"filters": {"notional_filter": "X"}},
        {"filters": {"order_types": [1]}},
        {"filters": {"iceberg_allowed": "yes"}},
        {"filters": {"base_commission_precision": 99}},
    )
    for wrong in nonsense:
        assert control.ask("POST", "rules", {"market": "BTC/USDT", **wrong}).status == 400, wrong
    assert control.ask("GET", "markets").body["markets"][0]["rules"] == before


def test_the_price_moves_by_hand(sandbox: RunningSandbox, control: Control) -> None:
    """Over every price between: an order on the way fills."""
    rest = RestClient(sandbox)
    order = rest.order("BUY", "0.001", "49500").body["orderId"]
    control.ask("POST", "price", {"market": "BTC/USDT", "price": "49400", "volume": "1"})
    assert rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=order).body["status"] == "FILLED"
    assert control.ask("POST", "price", {"market": "BTC/USDT", "price": "50000"}).body["last"] == "50000"
    for wrong in ("0", "-5", "NaN", 1.5, "x", "1e15", "0.000000001"):
        assert control.ask("POST", "price", {"market": "BTC/USDT", "price": wrong}).status == 400
    between = control.ask("POST", "price", {"market": "BTC/USDT", "price": "50000.005"})
    assert between.status == 400
    assert between.body["error"] == (
        "price 50000.005 is not a multiple of 0.01, the step of BTC/USDT; nothing moved: give 50000 or 50000.01"
    )


def test_a_number_beyond_all_measure_ends_nothing(control: Control) -> None:
    """It is refused by its name, and the markets play on: the arithmetic behind them has an end."""
    huge: list[tuple[str, dict[str, Any]]] = [
        ("price", {"market": "BTC/USDT", "price": "1e99"}),
        ("price", {"market": "BTC/USDT", "price": "50000", "volume": "1e40"}),
        ("deposit", {"account": "main", "asset": "USDT", "amount": "1e60"}),
        ("orders", {"market": "BTC/USDT", "side": "BUY", "amount": "1e60", "price": "1"}),
        ("rules", {"market": "BTC/USDT", "rules": {"tick_size": "1e-40"}}),
    ]
    for operation, body in huge:
        found = control.ask("POST", operation, body)
        assert (found.status, "more digits than an exchange keeps" in found.body["error"]) == (400, True)
    assert control.ask("POST", "step", {"points": 1}).status == 200


def test_others_take_and_make(sandbox: RunningSandbox, control: Control) -> None:
    """Another participant's order rests in the book, fills ours, and needs no money of its own."""
    rest = RestClient(sandbox)
    ours = rest.order("BUY", "0.002", "49999.99").body["orderId"]
    met = control.ask(
        "POST", "orders", {"market": "BTC/USDT", "side": "SELL", "amount": "5", "price": "49999.99"}
    )
    assert met.status == 200
    assert rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=ours).body["status"] == "FILLED"
    resting = control.ask(
        "POST", "orders", {"market": "BTC/USDT", "side": "BUY", "amount": "2", "price": "49000"}
    )
    bids = dict(rest.get("/api/v3/depth", symbol="BTCUSDT", limit=1000).body["bids"])
    assert Decimal(bids["49000.00000000"]) >= 2
    order_id = resting.body["order_id"]
    assert control.ask("DELETE", "orders", {"market": "BTC/USDT", "order_id": order_id}).body == {
        "cancelled": 1
    }
    assert control.ask("POST", "orders", {"market": "BTC/USDT", "side": "BUY", "amount": "0.5"}).status == 200
    for wrong in (
        {"side": "BUY", "amount": "0.0000001", "price": "49000"},
        {"side": "UP", "amount": "1"},
        {"side": "BUY", "amount": "-1", "price": "49000"},
        {"side": "BUY", "amount": "1", "price": "49000", "time_in_force": "X"},
    ):
        assert control.ask("POST", "orders", {"market": "BTC/USDT", **wrong}).status == 400, wrong
    sandbox.call(lambda running: running.exchange.venue.check())


def test_withdrawing(control: Control) -> None:
    before = Decimal(control.ask("GET", "truth?account=main").body["balances"]["USDT"]["free"])
    taken = control.ask("POST", "withdraw", {"account": "main", "asset": "USDT", "amount": "10"})
    assert Decimal(taken.body["balance"]["free"]) == before - 10
    for amount in ("-1", "0", "99999999"):
        assert (
            control.ask("POST", "withdraw", {"account": "main", "asset": "USDT", "amount": amount}).status
            == 400
        )


def test_accounts_keys_and_fees_made_by_hand_outlive_a_restart(tmp_path: Path) -> None:
    """And `save` writes them down at once."""
    path = tmp_path / "state.json"
    with start(state_file=path, save_interval_seconds=999.0) as sandbox:
        control = Control(sandbox)
        control.ask("POST", "accounts", {"account": "second", "balances": {"USDT": "7"}})
        made = control.ask("POST", "keys", {"account": "second", "addresses": ["127.0.0.1"]}).body
        assert not path.exists()
        assert control.ask("POST", "save").status == 200
        assert made["key"] in json.dumps(json.loads(path.read_bytes())["keys"])
        assert os.stat(path).st_mode & 0o077 == 0
    with start(state_file=path) as sandbox:
        holder = Holder(sandbox, made["key"], made["secret"])
        rows = holder.signed("GET", "/api/v3/account").body["balances"]
        assert {"asset": "USDT", "free": "7.00000000", "locked": "0.00000000"} in rows


def test_nothing_to_save_is_said(control: Control) -> None:
    assert "keeps no state" in control.ask("POST", "save").body["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [
        "account",
        "asset",
        "amount",
        "market",
        "status",
        "rules",
        "filters",
        "price",
        "volume",
        "side",
        "order_id",
        "key",
        "secret",
        "speed",
        "points",
        "on",
    ]
)
OPERATIONS = [
    "POST speed",
    "POST step",
    "POST recording",
    "POST price",
    "POST deposit",
    "POST withdraw",
    "POST accounts",
    "POST fees",
    "POST keys",
    "DELETE keys",
    "POST permissions",
    "POST market-status",
    "POST rules",
    "POST orders",
    "DELETE orders",
]


def test_a_recording_tells_after_which_step_an_order_was_accepted() -> None:
    """Steps go on counting from those before it; what was refused is not told, and without a recording nothing is."""
    with start() as running:
        control, client = Control(running), RestClient(running)
        assert control.ask("GET", "recording").body == {"events": []}
        control.ask("POST", "recording", {"on": True})
        control.ask("POST", "step", {"points": 1})
        assert client.order("BUY", "0.01", "10").status == 400
        client.order("BUY", "0.01", "40000", newClientOrderId="mine")
        control.ask("POST", "step", {"points": 1})
        client.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
        events = control.ask("GET", "recording").body["events"]
        assert [(event["event"], event.get("number", event.get("after"))) for event in events] == [
            ("moved", 1),
            ("placed", 1),
            ("moved", 2),
            ("cancelled", 2),
        ]
        assert events[0]["what"] == ["point", START + 1000, "50010", "1", None]
        assert {event["client_order_id"] for event in events[1::2]} == {"mine"}
        control.ask("POST", "recording", {"on": False})
        assert control.ask("GET", "recording").body == {"events": []}


def test_nonsense_is_refused_with_a_sentence(sandbox: RunningSandbox, control: Control) -> None:
    """Whatever is sent, the answer is JSON, never a mistake inside, and the books stay right."""

    @given(st.sampled_from(OPERATIONS), st.dictionaries(FIELDS, JSON | st.just("BTC/USDT") | st.just("main")))
    def ask(operation: str, body: dict[str, Any]) -> None:
        method, name = operation.split()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        content = json.dumps(body).encode(errors="surrogatepass")
        reply = control.raw(method, f"/control/{name}", content, headers)
        assert reply.status in (200, 400), (operation, body, reply.body)
        assert reply.status == 200 or isinstance(reply.body["error"], str)

    ask()
    sandbox.call(lambda running: running.exchange.venue.check())
