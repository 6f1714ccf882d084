"""The verdict table of order-safety part 2, row by row, on the pure functions."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.events import (
    CancelAccepted,
    CancelFoundNothing,
    CancelUnconfirmed,
    OrderAccepted,
    OrderNotSent,
    OrderRefused,
    OrderUnconfirmed,
    RefusalReason,
)
from gridtide.domain.order import OrderStatus, OrderType
from gridtide.exchanges.http_outcome import HttpAnswer, Silence
from gridtide.exchanges.order_verdict import cancel_verdict, submit_verdict
from tests.exchanges.orders import (
    CLIENT_ID,
    MARKET,
    cancel_order,
    cancelled,
    filled,
    placed,
    submit_order,
)

SIGNED_AT = 1_790_000_000_000
COMMAND = submit_order(SIGNED_AT)
ERRORS = Path(__file__).parents[2].parent / "shared" / "data" / "responses" / "errors.json"


def answer(body: Any, status: int = 200, **headers: str) -> HttpAnswer:
    text = body if isinstance(body, str) else json.dumps(body)
    return HttpAnswer(status, text, {name.replace("_", "-"): value for name, value in headers.items()})


def error(code: int, message: str, status: int = 400, **headers: str) -> HttpAnswer:
    return answer({"code": code, "msg": message}, status, **headers)


# --- accepted ----------------------------------------------------------------------------------------


def test_a_reply_with_our_id_and_an_order_id_is_accepted() -> None:
    """R4, T5: the state is taken over exactly."""
    reply = submit_verdict(COMMAND, MARKET, answer(placed()))
    assert isinstance(reply, OrderAccepted)
    assert (reply.update.order_id, reply.update.client_order_id) == ("7001", CLIENT_ID)
    assert reply.update.status is OrderStatus.NEW
    assert (reply.update.price, reply.update.amount) == (Decimal("40000.5"), Decimal("0.002"))
    assert reply.fills == ()


def test_fills_of_a_full_reply_come_with_their_fees_as_taker() -> None:
    """T6: each execution with its own trade id and fee asset."""
    reply = submit_verdict(COMMAND, MARKET, answer(filled()))
    assert isinstance(reply, OrderAccepted)
    assert reply.update.status is OrderStatus.FILLED
    assert [(f.trade_id, f.quote_amount, f.fee.asset, f.is_maker) for f in reply.fills] == [
        (311, Decimal(60), "BTC", False),
        (312, Decimal(20), "BNB", False),
    ]
    assert {f.client_order_id for f in reply.fills} == {CLIENT_ID}


@pytest.mark.parametrize(
    "part",
    [
        {"qty": "0.00040000"},
        {"price": "40000.01"},
        {"tradeId": None},
        {"commission": "much"},
        {"commissionAsset": None},
        {"price": "1." + "1" * 60, "qty": "1." + "1" * 60},
    ],
)
def test_fills_that_do_not_add_up_are_left_to_the_trade_records(part: dict[str, Any]) -> None:
    """R9: the order is accepted all the same; money comes only from what is certain."""
    row = filled()
    row["fills"][1] |= part
    reply = submit_verdict(COMMAND, MARKET, answer(row))
    assert isinstance(reply, OrderAccepted)
    assert reply.fills == ()
    assert reply.update.executed_amount == Decimal("0.002")


def test_a_short_reply_is_accepted_as_new() -> None:
    """R4 asks for the two ids and no more; a reply of type ACK tells no state, so the order stands as sent."""
    row = {"symbol": "BTCUSDT", "orderId": 7001, "clientOrderId": CLIENT_ID, "transactTime": SIGNED_AT + 9}
    reply = submit_verdict(COMMAND, MARKET, answer(row))
    assert isinstance(reply, OrderAccepted)
    assert (reply.update.status, reply.update.executed_amount) == (OrderStatus.NEW, Decimal(0))
    assert (reply.update.price, reply.update.amount) == (Decimal("40000.50"), Decimal("0.002"))


def test_an_unknown_status_is_accepted_and_told() -> None:
    """F22: a word nobody knows does not make the reply unreadable."""
    reply = submit_verdict(COMMAND, MARKET, answer(placed(status="FOO")))
    assert isinstance(reply, OrderAccepted)
    assert (reply.update.status, reply.update.status_text) == (OrderStatus.UNRECOGNISED, "FOO")


def test_a_market_order_reply_has_price_zero() -> None:
    command = submit_order(SIGNED_AT, order_type=OrderType.MARKET, price=None)
    reply = submit_verdict(command, MARKET, answer(filled() | {"price": "0.00000000", "type": "MARKET"}))
    assert isinstance(reply, OrderAccepted)
    assert reply.update.price == 0


# --- unconfirmed -------------------------------------------------------------------------------------


def test_a_reply_cut_at_any_byte_is_unconfirmed() -> None:
    """F04: never refused, never open without an id."""
    whole = json.dumps(filled())
    for length in range(len(whole)):
        assert isinstance(submit_verdict(COMMAND, MARKET, answer(whole[:length])), OrderUnconfirmed)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>gateway</html>",
        {},
        [],
        [placed()],
        "null",
        "17",
        '"ok"',
        placed(clientOrderId="gt1-7K2P4Q-041B-0009Z-3-AA"),
        placed(clientOrderId=None),
        placed(orderId=None),
        placed(orderId=""),
        placed(orderId=-1),
        placed(orderId=True),
        placed(executedQty="many"),
        placed(executedQty=None),
        placed(symbol="ETHUSDT"),
        {"code": -2010, "msg": "Account has insufficient balance for requested action."},
    ],
)
def test_a_200_that_does_not_show_our_order_is_unconfirmed(body: Any) -> None:
    """F04, R4."""
    assert isinstance(submit_verdict(COMMAND, MARKET, answer(body)), OrderUnconfirmed)


@pytest.mark.parametrize("status", [400, 403, 404, 408, 418, 429, 500, 502, 503, 504, 520])
@pytest.mark.parametrize("body", ["<html>no</html>", "", "{", {"code": "x", "msg": "y"}, {"msg": "no code"}])
def test_an_answer_that_is_no_json_error_is_unconfirmed(status: int, body: Any) -> None:
    """F03: no page of a gateway proves anything."""
    assert isinstance(submit_verdict(COMMAND, MARKET, answer(body, status)), OrderUnconfirmed)


@pytest.mark.parametrize("code", [-1000, -1001, -1006, -1007, -1008, -1016])
@pytest.mark.parametrize("status", [400, 408, 409, 418, 429, 500, 503, 504])
def test_codes_of_unknown_outcome_are_unconfirmed_at_any_status(code: int, status: int) -> None:
    """F02, F03."""
    assert isinstance(submit_verdict(COMMAND, MARKET, error(code, "who knows", status)), OrderUnconfirmed)


@pytest.mark.parametrize(
    "code", [-1002, -1014, -1020, -1033, -1034, -1099, -1200, -2011, -2013, -2016, -2021, -2026, -9000]
)
def test_codes_that_are_not_listed_are_unconfirmed(code: int) -> None:
    """R5: an allow-list, not a deny-list."""
    assert isinstance(submit_verdict(COMMAND, MARKET, error(code, "Market is closed.")), OrderUnconfirmed)


@pytest.mark.parametrize("code", [-1010, -2010])
@pytest.mark.parametrize(
    "message", ["Duplicate order sent.", "A text of next year.", "", "account has insufficient balance"]
)
def test_engine_refusals_with_other_texts_are_unconfirmed(code: int, message: str) -> None:
    """F06: "Duplicate order sent." means that an order of this id is open."""
    assert isinstance(submit_verdict(COMMAND, MARKET, error(code, message)), OrderUnconfirmed)


@pytest.mark.parametrize("status", [200, 401, 409, 429, 500, 503])
def test_an_engine_refusal_counts_with_status_400_only(status: int) -> None:
    reply = submit_verdict(
        COMMAND, MARKET, error(-2010, "Account has insufficient balance for requested action.", status)
    )
    assert isinstance(reply, OrderUnconfirmed)


@pytest.mark.parametrize("code", [-1013, -1015, -1021, -1022, -1100, -1199, -2014, -2015])
@pytest.mark.parametrize("status", [200, 301, 500, 502, 503, 504])
def test_a_refusal_code_outside_4xx_is_unconfirmed(code: int, status: int) -> None:
    """F03: every 5xx is unknown, whatever its body says."""
    assert isinstance(submit_verdict(COMMAND, MARKET, error(code, "no", status)), OrderUnconfirmed)


@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.text(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
            ),
            max_leaves=6,
        ).map(json.dumps),
        st.fixed_dictionaries({"code": st.integers(-3000, 0), "msg": st.text(max_size=20)}).map(json.dumps),
    ),
)
def test_no_answer_raises_or_is_accepted_without_our_id(status: int, body: str) -> None:
    """R4, R5 over anything at all."""
    reply = submit_verdict(COMMAND, MARKET, HttpAnswer(status, body))
    assert isinstance(reply, OrderRefused | OrderUnconfirmed)
    assert isinstance(cancel_verdict(cancel_order(), MARKET, HttpAnswer(status, body)), CancelUnconfirmed)


# --- refused -----------------------------------------------------------------------------------------

R = RefusalReason


@pytest.mark.parametrize(
    "given_answer, reason",
    [
        (error(-1013, "Filter failure: PRICE_FILTER"), R.MARKET_RULE),
        (error(-1013, "Filter failure: LOT_SIZE"), R.MARKET_RULE),
        (error(-1013, "Filter failure: NOTIONAL"), R.MARKET_RULE),
        (error(-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"), R.PRICE_BAND),
        (error(-1013, "Market is closed."), R.MARKET_CLOSED),
        (error(-1013, "Invalid quantity."), R.MARKET_RULE),
        (error(-1015, "Too many new orders; current limit is 100 orders per 10 SECOND.", 429), R.RATE_LIMIT),
        (error(-1015, "Too many new orders.", 400), R.RATE_LIMIT),
        (error(-1021, "Timestamp for this request is outside of the recvWindow."), R.CLOCK),
        (error(-1022, "Signature for this request is not valid."), R.NOT_PERMITTED),
        (error(-1100, "Illegal characters found in a parameter."), R.OTHER),
        (error(-1111, "Parameter 'quantity' has too much precision."), R.MARKET_RULE),
        (error(-1121, "Invalid symbol."), R.OTHER),
        (error(-1199, "whatever"), R.OTHER),
        (error(-2014, "API-key format invalid.", 401), R.NOT_PERMITTED),
        (error(-2015, "Invalid API-key, IP, or permissions for action.", 401), R.NOT_PERMITTED),
        (error(-1003, "Too much request weight used.", 429), R.RATE_LIMIT),
        (error(-1003, "Way too much request weight used; IP banned until 1790000030000.", 418), R.RATE_LIMIT),
        (error(-2010, "Account has insufficient balance for requested action."), R.INSUFFICIENT_FUNDS),
        (error(-1010, "Account has insufficient balance for requested action."), R.INSUFFICIENT_FUNDS),
        (error(-2010, "Order would immediately match and take."), R.WOULD_TAKE),
        (error(-2010, "Market is closed."), R.MARKET_CLOSED),
        (error(-2010, "Filter failure: MAX_NUM_ORDERS"), R.MAX_OPEN_ORDERS),
        (error(-2010, "Filter failure: MAX_POSITION"), R.MARKET_RULE),
        (error(-2010, "This account may not place or cancel orders."), R.NOT_PERMITTED),
        (error(-2010, "This symbol is not permitted for this account."), R.NOT_PERMITTED),
    ],
)
def test_a_listed_refusal_is_refused_for_its_reason(given_answer: HttpAnswer, reason: RefusalReason) -> None:
    """R5, T7."""
    reply = submit_verdict(COMMAND, MARKET, given_answer)
    assert isinstance(reply, OrderRefused)
    assert reply.reason is reason
    assert reply.client_order_id == CLIENT_ID


@pytest.mark.parametrize("status", [400, 401, 403, 503])
def test_too_much_weight_refuses_with_429_or_418_only(status: int) -> None:
    assert isinstance(submit_verdict(COMMAND, MARKET, error(-1003, "Too much", status)), OrderUnconfirmed)


@pytest.mark.parametrize(
    "given_answer, seconds",
    [
        (error(-1003, "Too much.", 429, retry_after="7"), 7.0),
        (error(-1003, "IP banned until 1790000030000. Please use", 418), 30.0),
        (error(-1003, "banned.", 418), 120.0),
        (error(-1015, "Too many new orders.", 429, retry_after="4"), 4.0),
        (error(-2010, "Market is closed."), 0.0),
    ],
)
def test_how_long_to_wait_is_told(given_answer: HttpAnswer, seconds: float) -> None:
    """F14, F51: the header, the text of the ban, or a safe guess."""
    reply = submit_verdict(COMMAND, MARKET, given_answer)
    assert isinstance(reply, OrderRefused)
    assert reply.retry_after_seconds == seconds


@pytest.mark.skipif(not ERRORS.exists(), reason="shared data is not here")
@pytest.mark.parametrize("code", [-1010, -2010])
def test_all_published_texts_but_one_refuse(code: int) -> None:
    """R5: the list in the source is the published one, filter names included."""
    tables = json.loads(ERRORS.read_text())["messages"].values()
    published = {row["message"] for table in tables for row in table}
    assert len(published) > 40
    unproving = {
        message
        for message in published
        if not isinstance(submit_verdict(COMMAND, MARKET, error(code, message)), OrderRefused)
    }
    assert unproving == {"Duplicate order sent."}


# --- no answer ---------------------------------------------------------------------------------------


def test_silence_is_unconfirmed_unless_nothing_can_have_left() -> None:
    """F01, T4."""
    assert isinstance(submit_verdict(COMMAND, MARKET, Silence.LOST), OrderUnconfirmed)
    assert isinstance(submit_verdict(COMMAND, MARKET, Silence.NOT_CONNECTED), OrderNotSent)
    assert isinstance(submit_verdict(COMMAND, MARKET, Silence.NOT_SENT), OrderNotSent)


# --- cancels -----------------------------------------------------------------------------------------


def test_a_cancel_answer_is_known_by_the_orders_own_id() -> None:
    """T16: `clientOrderId` names the cancel request, `origClientOrderId` the order."""
    reply = cancel_verdict(cancel_order(), MARKET, answer(cancelled(executedQty="0.00100000")))
    assert isinstance(reply, CancelAccepted)
    assert reply.update.client_order_id == CLIENT_ID
    assert (reply.update.status, reply.update.executed_amount) == (OrderStatus.CANCELED, Decimal("0.001"))


def test_a_cancel_answer_is_known_by_the_order_id_too() -> None:
    row = cancelled()
    del row["origClientOrderId"]
    assert isinstance(cancel_verdict(cancel_order(order_id="7001"), MARKET, answer(row)), CancelAccepted)


@pytest.mark.parametrize(
    "outcome",
    [
        answer(cancelled(origClientOrderId="gt1-AAAAAA-041B-0009Z-2-KD")),
        answer(cancelled(origClientOrderId="other", clientOrderId=CLIENT_ID)),
        answer({}),
        answer([]),
        answer("<html></html>"),
        answer(cancelled(executedQty=None)),
        answer(json.dumps(cancelled())[:-3]),
        error(-2011, "Order was not canceled due to cancel restrictions."),
        error(-2011, "Cancel order is invalid. Check origClOrdId and orderId."),
        error(-2011, "This action is disabled on this account."),
        error(-2011, "Unknown order sent.", 500),
        error(-2013, "Order does not exist."),
        error(-2010, "Unknown order sent."),
        error(-1021, "Timestamp for this request is outside of the recvWindow."),
        error(-1003, "Too much request weight used.", 429),
        answer("<html></html>", 502),
        Silence.LOST,
        Silence.NOT_CONNECTED,
        Silence.NOT_SENT,
    ],
)
def test_everything_else_says_nothing_about_the_order(outcome: HttpAnswer | Silence) -> None:
    """T18: F16 and F18."""
    reply = cancel_verdict(cancel_order(), MARKET, outcome)
    assert isinstance(reply, CancelUnconfirmed)
    assert reply.client_order_id == CLIENT_ID


def test_unknown_order_sent_means_not_open_now() -> None:
    """T17, F16."""
    reply = cancel_verdict(cancel_order(), MARKET, error(-2011, "Unknown order sent."))
    assert reply == CancelFoundNothing(CLIENT_ID)


def test_no_message_carries_a_signature_or_a_key() -> None:
    """F71: what a gateway echoes does not reach a log."""
    echoed = f"no: /api/v3/order?signature={'a1' * 32}&apiKey={'K' * 64}"
    for reply in (
        submit_verdict(COMMAND, MARKET, error(-1100, echoed)),
        submit_verdict(COMMAND, MARKET, error(-9999, echoed)),
        submit_verdict(COMMAND, MARKET, answer(f"<html>{echoed}</html>", 502)),
    ):
        assert isinstance(reply, OrderRefused | OrderUnconfirmed)
        assert "a1a1" not in reply.message
        assert "KKKK" not in reply.message
