"""What a bot made durable is in the log: fills, each state of an order once, states of the bot, notices."""

from dataclasses import replace
from decimal import Decimal

from gridtide.domain.fill import Fee, Fill
from gridtide.domain.journal import (
    BotState,
    BotStatePut,
    CursorPut,
    FillAdded,
    ForeignFillSeen,
    NoticeAdded,
    OrderPut,
    OrderRow,
    PauseReason,
)
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import OrderType, Side, TimeInForce
from gridtide.telemetry.journal_log import JournalLog
from gridtide.telemetry.logs import get_logger
from tests.telemetry.conftest import Written

ROW = OrderRow(
    client_order_id="gt1-X-041B-00001-1-AA",
    slot="041B",
    cycle=1,
    attempt=1,
    symbol=Symbol("BTC/USDT"),
    side=Side.BUY,
    type=OrderType.LIMIT_MAKER,
    time_in_force=TimeInForce.GTC,
    price=Decimal("50000.10"),
    amount=Decimal("0.001"),
    state=IntentState.PLANNED,
    reserved_asset=Asset("USDT"),
    reserved_amount=Decimal(50),
    created_at=Timestamp(1),
    updated_at=Timestamp(1),
)
FILL = Fill(
    symbol=Symbol("BTC/USDT"),
    trade_id=7,
    order_id="9",
    side=Side.BUY,
    price=Price(Decimal("50000.10")),
    amount=Amount(Decimal("0.001")),
    quote_amount=Money(Decimal("50.0001")),
    fee=Fee(Amount(Decimal("0.000001")), Asset("BTC")),
    is_maker=True,
    timestamp=Timestamp(1),
)


def events_of(written: Written, *states: IntentState, tx_count: int = 1) -> list[str]:
    log = JournalLog(get_logger())
    for state in states:
        log(OrderPut(replace(ROW, state=state, tx_count=tx_count)))
    return [entry["event"] for entry in written.entries()]


def test_each_state_of_an_order_is_told_once(written: Written) -> None:
    states = [IntentState.PLANNED, IntentState.SENDING, IntentState.OPEN, IntentState.OPEN, IntentState.PART]
    told = events_of(written, *states, IntentState.CLOSING, IntentState.SETTLED)
    assert told == ["order.submitted", "order.accepted", "order.settled"]


def test_a_wish_that_was_dropped_is_no_refusal(written: Written) -> None:
    assert events_of(written, IntentState.REJECTED, tx_count=0) == ["order.not_sent"]
    assert written.entries()[0]["level"] == "info"


def test_what_a_person_must_see_is_a_warning(written: Written) -> None:
    events_of(written, IntentState.UNKNOWN, IntentState.REJECTED, IntentState.ZOMBIE)
    assert {entry["level"] for entry in written.entries()} == {"warning"}


def test_fills_keep_every_digit(written: Written) -> None:
    log = JournalLog(get_logger())
    log(FillAdded(FILL, "stream"))
    log(ForeignFillSeen(FILL))
    booked, foreign = written.entries()
    assert (booked["event"], booked["price"], booked["fee"]) == ("fill.booked", "50000.10", "0.000001")
    assert (foreign["event"], foreign["level"]) == ("fill.foreign", "warning")


def test_states_and_notices(written: Written) -> None:
    log = JournalLog(get_logger())
    log(BotStatePut(BotState.PAUSED, PauseReason.INTEGRITY, "books differ"))
    log(NoticeAdded("alarm", "books.differ", "the exchange holds more"))
    log(CursorPut(1, 1))
    state, notice = written.entries()
    assert (state["event"], state["reason"]) == ("bot.state_changed", "integrity")
    assert (notice["level"], notice["kind"], notice["text"]) == (
        "error",
        "books.differ",
        "the exchange holds more",
    )
