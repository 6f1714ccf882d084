"""Faults of accounts, markets and the exchange as a whole: they happen at the venue, whose books still add up."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.testing.sandbox_exchange import (
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.faulty import PLACE, SYMBOL, Case, fresh_case
from tests.sandbox.rest_client import now
from tests.sandbox.socket_client import connect, signed


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """An account with some BNB and some dust."""
    account = account_settings({"USDT": "100000", "BTC": "1", "BNB": "2", "DOGE": "0.0005"})
    with running_sandbox(sandbox_settings(limits=GENEROUS, accounts=(account,))) as running:
        yield running


@pytest.fixture
def case(sandbox: RunningSandbox) -> Iterator[Case]:
    with fresh_case(sandbox) as fresh:
        yield fresh


def balance(case: Case, asset: str) -> Decimal:
    held = case.sandbox.truth()["balances"].get(asset, {"free": "0", "locked": "0"})
    return Decimal(held["free"]) + Decimal(held["locked"])


def place(case: Case, **params: object) -> Any:
    return case.rest.order("BUY", "0.001", "40000", **params)


def get(case: Case, path: str, **params: object) -> Any:
    return case.rest.get(f"/api/v3/{path}", symbol=SYMBOL, **params)


# --- account -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "which, left",
    [
        ("newest", ["NEW", "NEW", "CANCELED"]),
        ("oldest", ["CANCELED", "NEW", "NEW"]),
        ("all", ["CANCELED"] * 3),
    ],
)
def test_the_user_cancels_by_hand(case: Case, which: str, left: list[str]) -> None:
    """F21."""
    for _ in range(3):
        place(case)
    case.faults.add("account.cancel", which=which)
    assert case.statuses() == left


def test_the_user_trades_by_hand(case: Case) -> None:
    before = balance(case, "BTC")
    case.faults.add("account.trade", side="SELL", amount="0.01")
    assert balance(case, "BTC") == before - Decimal("0.01")
    assert case.statuses() == ["FILLED"]


async def test_a_second_bot_is_heard_of_like_the_first(case: Case) -> None:
    async with connect(case.sandbox.ws_api_url) as api:
        params = signed({}, case.sandbox.api_key, case.sandbox.secret)
        await api.ask("userDataStream.subscribe.signature", params)
        case.faults.add("account.order", side="SELL", client_order_id="foreign", away="0.2")
        event = (await api.event())["event"]
        assert (event["c"], event["x"], event["p"]) == ("foreign", "NEW", "60000.00000000")


def test_something_happens_at_the_moment_of_a_request(case: Case) -> None:
    """Right after the second placement somebody cancels the newest order."""
    case.faults.add("account.cancel", endpoint=PLACE, nth=2)
    for _ in range(3):
        place(case)
    assert case.statuses() == ["NEW", "CANCELED", "NEW"]


def test_something_happens_later_and_again(case: Case) -> None:
    before = balance(case, "USDT")
    case.faults.add("account.deposit", amount=1, from_seconds=0.05, repeat_seconds=0.02, count=3)
    assert balance(case, "USDT") == before
    case.wait_for(lambda: balance(case, "USDT") == before + 3)
    time.sleep(0.05)
    assert balance(case, "USDT") == before + 3


def test_deposit_withdrawal_airdrop(case: Case) -> None:
    before = balance(case, "USDT")
    case.faults.add("account.deposit", asset="USDT", amount="12.5")
    case.faults.add("account.withdrawal", asset="USDT", amount="2.5")
    case.faults.add("account.airdrop", asset="SHIB", amount="7")
    assert balance(case, "USDT") == before + 10
    assert balance(case, "SHIB") == 7
    rows = case.rest.signed("GET", "/api/v3/account").body["balances"]
    assert ("SHIB", "7.00000000") in [(row["asset"], row["free"]) for row in rows]


def test_dust_is_converted_and_bnb_runs_out(case: Case) -> None:
    case.faults.add("account.dust", below="0.001", amount="0.5")
    assert balance(case, "DOGE") == 0
    assert balance(case, "BNB") == Decimal("2.5")
    case.faults.add("account.no_bnb")
    assert balance(case, "BNB") == 0


def test_what_cannot_happen_is_refused(case: Case) -> None:
    with pytest.raises(InvalidInput, match="no account nobody"):
        case.faults.add("account.deposit", account="nobody")
    assert case.sandbox.call(lambda running: running.faults.armed()) == ()


def test_keys_lose_rights_and_get_them_back(case: Case) -> None:
    """F52."""
    name = case.faults.add("account.key_rights")
    assert place(case).code == -2015
    assert case.rest.signed("GET", "/api/v3/account").status == 200
    case.faults.remove(name)
    assert place(case).status == 200
    case.faults.add("account.key_rights", right="reading")
    assert case.rest.signed("GET", "/api/v3/account").code == -2015


async def test_revoked_keys_are_rejected_and_their_events_end(case: Case) -> None:
    async with connect(case.sandbox.ws_api_url) as api:
        params = signed({}, case.sandbox.api_key, case.sandbox.secret)
        await api.ask("userDataStream.subscribe.signature", params)
        case.faults.add("account.key_revoked", until_seconds=0.2)
        assert (await api.event())["event"]["e"] == "eventStreamTerminated"
        assert place(case).code == -2015
    case.wait_for(lambda: place(case).status == 200)


# --- market ------------------------------------------------------------------------------------------


def test_filters_change(case: Case) -> None:
    """F42."""
    name = case.faults.add("market.filters", lot_size="0.1", min_amount="0.1")
    assert place(case).code == -1013
    filters = get(case, "exchangeInfo").body["symbols"][0]["filters"]
    lot = next(each for each in filters if each["filterType"] == "LOT_SIZE")
    assert Decimal(lot["stepSize"]) == Decimal("0.1")
    case.faults.remove(name)
    assert place(case).status == 200


@pytest.mark.parametrize("status", ["HALT", "BREAK", "CANCEL_ONLY"])
def test_a_market_is_closed(case: Case, status: str) -> None:
    """F49: no new orders, cancels work."""
    order_id = place(case).body["orderId"]
    name = case.faults.add("market.status", status=status, market="BTC/USDT")
    assert place(case).body["code"] in (-1013, -2010)
    assert get(case, "exchangeInfo").body["symbols"][0]["status"] == status
    assert case.rest.signed("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order_id).status == 200
    case.faults.remove(name)
    assert place(case).status == 200


def test_an_empty_book(case: Case) -> None:
    """Only the account's own order is left; a market order finds nothing and expires."""
    place(case)
    name = case.faults.add("market.empty_book")
    book = get(case, "depth").body
    assert (book["bids"], book["asks"]) == ([["40000.00000000", "0.00100000"]], [])
    before = balance(case, "BTC")
    market = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "0.001"}
    reply = case.rest.signed("POST", "/api/v3/order", **market)
    assert reply.body.get("status", "EXPIRED") == "EXPIRED"
    assert balance(case, "BTC") == before
    case.faults.remove(name)
    assert len(get(case, "depth").body["asks"]) > 1


def test_a_gap_through_the_grid(case: Case) -> None:
    for price in ("48000", "47000", "46000"):
        case.rest.order("BUY", "0.001", price)
    case.faults.add("market.gap", share="-0.07")
    assert case.statuses() == ["FILLED", "FILLED", "NEW"]
    assert Decimal(get(case, "ticker/price").body["price"]) == 46500


@pytest.mark.parametrize("how", ["zero", "missing"])
async def test_tickers_without_prices(case: Case, how: str) -> None:
    case.faults.add("market.no_prices", how=how)
    expected = "0.00000000" if how == "zero" else None
    assert get(case, "ticker/price").body.get("price") == expected
    assert get(case, "ticker/24hr").body.get("lastPrice") == expected
    root = case.sandbox.stream_url.removesuffix("/stream/ws")
    async with connect(f"{root}/ws/btcusdt@miniTicker") as market:
        assert (await market.read()).get("c") == expected


# --- exchange ----------------------------------------------------------------------------------------


async def test_maintenance_refuses_everything_and_acts_on_nothing(case: Case) -> None:
    """F50, with handshakes too; it ends by itself."""
    case.faults.add("exchange.maintenance", until_seconds=0.3)
    reply = place(case)
    assert reply.status == 503
    assert reply.body.startswith("<html>")
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        async with connect(case.sandbox.ws_api_url):
            pass
    assert case.orders() == []
    case.wait_for(lambda: place(case).status == 200)


@pytest.mark.parametrize("knob, status", [("exchange.maintenance", 503), ("exchange.ban", 418)])
def test_nothing_is_looked_at_while_the_door_is_closed(case: Case, knob: str, status: int) -> None:
    """An unknown path, an unreadable body and a bad header are not answered on their own merits."""
    case.faults.add(knob)
    assert case.rest.raw("GET", "/api/v3/nowhere").status == status
    assert case.rest.raw("POST", "/api/v3/order", b"\xff").status == status
    assert case.rest.raw("GET", "/api/v3/time", headers={"X-MBX-TIME-UNIT": "x"}).status == status
    case.faults.clear()
    assert case.rest.raw("GET", "/api/v3/nowhere").status == 404


def test_maintenance_may_speak_json(case: Case) -> None:
    case.faults.add("exchange.maintenance", how="json", status=503, code=-1016)
    assert (place(case).status, place(case).code) == (503, -1016)


def test_a_ban(case: Case) -> None:
    """F51."""
    case.faults.add("exchange.ban", until_seconds=30)
    reply = case.rest.get("/api/v3/time")
    assert (reply.status, reply.code) == (418, -1003)
    assert 0 < int(reply.headers["retry-after"]) <= 30


def test_everything_expires(case: Case) -> None:
    """F23: EXPIRED without an execution, funds free again."""
    free = case.sandbox.truth()["balances"]["USDT"]["free"]
    place(case)
    case.rest.order("SELL", "0.001", "60000")
    case.faults.add("exchange.expire")
    assert case.statuses() == ["EXPIRED", "EXPIRED"]
    assert Decimal(case.sandbox.truth()["balances"]["USDT"]["free"]) == Decimal(free)


@pytest.mark.parametrize("offset, code", [(-3.0, -1021), (70.0, -1021), (0.5, None)])
def test_the_servers_clock_is_wrong(case: Case, offset: float, code: int | None) -> None:
    """F53: behind, the client seems ahead; far ahead, the client seems late; a little is allowed."""
    name = case.faults.add("exchange.drift", offset_seconds=offset)
    shown = case.rest.get("/api/v3/time").body["serverTime"]
    assert abs(shown - now() - offset * 1000) < 400
    assert place(case).code == code
    case.faults.remove(name)
    assert abs(case.rest.get("/api/v3/time").body["serverTime"] - now()) < 400


def test_a_clock_that_gains(case: Case) -> None:
    case.faults.add("exchange.drift", offset_seconds=0, rate=20)
    time.sleep(0.1)
    assert case.rest.get("/api/v3/time").body["serverTime"] - now() > 1500


async def test_a_reset_of_all_data() -> None:
    """F47: orders and executions are gone, balances as at the start, prices and keys as they were."""
    with running_sandbox(sandbox_settings(limits=GENEROUS)) as sandbox:
        sandbox.move("50000", volume="1")
        with fresh_case(sandbox) as case:
            place(case)
            case.rest.order("BUY", "0.001", "60000")
            async with connect(sandbox.ws_api_url) as api:
                case.faults.add("exchange.reset")
                assert await api.closed() == 1001
            truth = sandbox.truth()
            assert (truth["orders"], truth["fills"]) == ([], [])
            assert Decimal(truth["balances"]["USDT"]["free"]) == 100_000
            assert abs(Decimal(get(case, "ticker/price").body["price"]) - 50_000) < 1
            assert place(case).status == 200


def test_two_faults_do_not_change_the_same_thing(case: Case) -> None:
    """They could not be taken back in any order."""
    name = case.faults.add("market.status", status="HALT")
    with pytest.raises(InvalidInput, match="remove it first"):
        case.faults.add("market.status", status="BREAK")
    case.faults.remove(name)
    assert get(case, "exchangeInfo").body["symbols"][0]["status"] == "TRADING"
