"""What the user stream tells of orders that wait, are amended, replaced or meet their own kind (section 9.3)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import SocketClient, connect, signed

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.002",
    "price": "40000",
}
STOP = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.001"}

CONDITIONAL = {"d", "D", "j", "J", "v", "A", "B", "u", "U", "Cs", "pl", "pL", "pY", "eR", "W"}


class Account(SocketClient):
    """A connection that hears the events of the sandbox's account."""

    sandbox: RunningSandbox

    async def act(self, method: str, **params: Any) -> Any:
        """Send a signed request; gives result or error."""
        answer = await self.ask(method, signed(params, self.sandbox.api_key, self.sandbox.secret))
        return answer.get("result", answer.get("error"))

    async def next_event(self) -> Any:
        return (await self.event())["event"]

    async def orders(self, count: int) -> list[Any]:
        """The next so many executionReports; positions between them are passed over."""
        found: list[Any] = []
        while len(found) < count:
            event = await self.next_event()
            if event["e"] == "executionReport":
                found.append(event)
        return found

    async def move(self, price: str) -> None:
        await asyncio.to_thread(self.sandbox.move, price)


@pytest.fixture
async def account(sandbox: RunningSandbox, rest: RestClient) -> AsyncIterator[Account]:
    async with connect(sandbox.ws_api_url) as client:
        account = Account(client.socket)
        account.sandbox = sandbox
        await account.act("userDataStream.subscribe.signature")
        yield account


def shown(event: Any) -> set[str]:
    """Which conditional fields an event has."""
    return CONDITIONAL & set(event)


async def test_an_ordinary_order_has_no_conditional_field_but_its_working_time(account: Account) -> None:
    await account.act("order.place", **LIMIT)
    (new,) = await account.orders(1)
    assert shown(new) == {"W"}
    assert (new["P"], new["F"], new["g"]) == ("0.00000000", "0.00000000", -1)


async def test_a_stop_waits_and_triggers(account: Account) -> None:
    """NEW, not in the book and without W; on its trigger NEW again, working; then its trades."""
    await account.act("order.place", **STOP, type="STOP_LOSS", stopPrice="49000")
    (waiting,) = await account.orders(1)
    assert (waiting["x"], waiting["X"], waiting["P"], waiting["w"]) == ("NEW", "NEW", "49000.00000000", False)
    assert "W" not in waiting
    await account.move("48900")
    working, trade = await account.orders(2)
    assert (working["x"], working["w"], working["i"]) == ("NEW", True, waiting["i"])
    assert working["W"] >= waiting["O"]
    assert (trade["x"], trade["X"], trade["o"], trade["z"]) == ("TRADE", "FILLED", "STOP_LOSS", "0.00100000")
    assert (await account.next_event())["e"] == "outboundAccountPosition"


async def test_trailing_and_strategy_fields(account: Account) -> None:
    numbers = {"strategyId": 3, "strategyType": 1_000_000}
    await account.act("order.place", **STOP, type="STOP_LOSS", trailingDelta=100, **numbers)
    (new,) = await account.orders(1)
    assert shown(new) == {"d", "D", "j", "J"}
    assert (new["d"], new["j"], new["J"]) == (100, 3, 1_000_000)


async def test_an_amendment_is_told_as_replaced(account: Account) -> None:
    """With the new id, the former one and the new quantity."""
    placed = await account.act("order.place", **LIMIT, newClientOrderId="a")
    await account.act(
        "order.amend.keepPriority",
        symbol="BTCUSDT",
        orderId=placed["orderId"],
        newQty="0.001",
        newClientOrderId="b",
    )
    _, replaced = await account.orders(2)
    assert (replaced["x"], replaced["X"], replaced["c"], replaced["C"], replaced["q"]) == (
        "REPLACED", "NEW", "b", "a", "0.00100000",
    )  # fmt: skip


async def test_cancel_and_replace_are_told_in_this_order(account: Account) -> None:
    placed = await account.act("order.place", **LIMIT)
    done = await account.act(
        "order.cancelReplace", **LIMIT, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=placed["orderId"]
    )
    assert [event["x"] for event in await account.orders(3)] == ["NEW", "CANCELED", "NEW"]
    assert done["newOrderResponse"]["orderId"] > placed["orderId"]


async def test_a_rejected_replacement_is_told(account: Account) -> None:
    """The predecessor's CANCELED, then REJECTED with its reason and without an order id; 409 with data."""
    placed = await account.act("order.place", **LIMIT)
    maker = {**LIMIT, "type": "LIMIT_MAKER", "price": "60000"}
    del maker["timeInForce"]
    error = await account.act(
        "order.cancelReplace",
        **maker,
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=placed["orderId"],
        newClientOrderId="refused",
    )
    assert (error["code"], error["data"]["cancelResult"], error["data"]["newOrderResult"]) == (
        -2021, "SUCCESS", "FAILURE",
    )  # fmt: skip
    _, canceled, rejected = await account.orders(3)
    assert (canceled["x"], rejected["x"], rejected["X"]) == ("CANCELED", "REJECTED", "REJECTED")
    assert (rejected["r"], rejected["c"], rejected["i"]) == ("WOULD_MATCH_IMMEDIATELY", "refused", -1)


async def test_a_prevented_match_is_told(account: Account) -> None:
    """TRADE_PREVENTION with the counterpart, what was taken, and the execution that did not happen."""
    maker = await account.act("order.place", **{**LIMIT, "side": "SELL", "price": "50000"})
    taker = await account.act(
        "order.place", **{**LIMIT, "quantity": "0.001", "price": "50000"}, selfTradePreventionMode="DECREMENT"
    )
    events = {event["i"]: event for event in await account.orders(4) if event["x"] == "TRADE_PREVENTION"}
    expired, smaller = events[taker["orderId"]], events[maker["orderId"]]
    assert (expired["X"], smaller["X"]) == ("EXPIRED_IN_MATCH", "NEW")
    assert (expired["A"], expired["B"], expired["U"]) == ("0.00100000", "0.00100000", maker["orderId"])
    assert (smaller["A"], smaller["B"], smaller["U"]) == ("0.00100000", "0.00100000", taker["orderId"])
    for event in (expired, smaller):
        assert (event["pl"], event["pL"], event["pY"]) == ("0.00100000", "50000.00000000", "50.00000000")
        assert (event["u"], event["Cs"], event["l"], event["t"]) == (-1, "BTCUSDT", "0.00000000", -1)
    await account.act("order.cancel", symbol="BTCUSDT", orderId=maker["orderId"])
    (canceled,) = await account.orders(1)
    assert shown(canceled) == {"W", "v", "A"}


async def test_an_expired_taker_tells_what_would_have_traded(account: Account) -> None:
    """`pl` is no more than the maker had left."""
    maker = await account.act("order.place", **{**LIMIT, "side": "SELL", "price": "50000"})
    taker = await account.act(
        "order.place",
        **{**LIMIT, "quantity": "0.003", "price": "50000"},
        selfTradePreventionMode="EXPIRE_TAKER",
    )
    event = next(each for each in await account.orders(3) if each["x"] == "TRADE_PREVENTION")
    assert (event["i"], event["B"], event["pl"]) == (taker["orderId"], "0.00300000", "0.00200000")
    assert event["pY"] == "100.00000000"
    await account.act("order.cancel", symbol="BTCUSDT", orderId=maker["orderId"])
    await account.orders(1)


async def test_an_expired_remainder_has_its_reason(account: Account) -> None:
    await account.act("order.place", **{**LIMIT, "timeInForce": "IOC"})
    _, expired = await account.orders(2)
    assert (expired["x"], expired["eR"], expired["w"]) == ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED", False)
