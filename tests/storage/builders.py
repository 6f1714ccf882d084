"""Rows and entries for the tests, with everything filled in that a test does not care about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from gridtide.domain.balance import Balance
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.journal import (
    BalancesSeen,
    BaselinePut,
    BotState,
    BotStatePut,
    CursorPut,
    FillAdded,
    JournalEntry,
    LedgerBooked,
    NoticeAdded,
    OrderPut,
    OrderRow,
    PauseReason,
    SlotPut,
    SlotRow,
    StrategyStatePut,
)
from gridtide.domain.ledger import Ledger
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import OrderType, Side, TimeInForce
from gridtide.storage.sql_journal import BotIdentity

BTC, USDT = Asset("BTC"), Asset("USDT")
SYMBOL = Symbol("BTC/USDT")
NOW = Timestamp(1_770_000_000_000)
BOT = BotIdentity("btc-grid", "account-7", SYMBOL, "binance", "sandbox")


def order(
    client_order_id: str = "gt1-A", slot: str = "041B", state: IntentState = IntentState.OPEN
) -> OrderRow:
    """An order at the exchange whose id follows from ours."""
    return OrderRow(
        client_order_id=client_order_id,
        slot=slot,
        cycle=1,
        attempt=0,
        symbol=SYMBOL,
        side=Side.BUY if slot.endswith("B") else Side.SELL,
        type=OrderType.LIMIT_MAKER,
        time_in_force=TimeInForce.GTC,
        price=Decimal("60000.10"),
        amount=Decimal("0.00150"),
        state=state,
        reserved_asset=USDT,
        reserved_amount=Decimal("90.0901502"),
        created_at=NOW,
        updated_at=NOW,
        tx_count=1,
        signed_at=NOW,
        order_id=f"id-{client_order_id}",
        status="NEW",
    )


def planned(client_order_id: str, slot: str = "041B") -> OrderRow:
    """An order that was never sent: the exchange has no id for it."""
    row = order(client_order_id, slot, IntentState.PLANNED)
    return replace(row, tx_count=0, signed_at=None, order_id="", status="")


def fill(trade_id: int, order_id: str = "id-gt1-A", side: Side = Side.BUY) -> Fill:
    return Fill(
        symbol=SYMBOL,
        trade_id=trade_id,
        order_id=order_id,
        side=side,
        price=Price(Decimal("60000.10")),
        amount=Amount(Decimal("0.00150")),
        quote_amount=Money(Decimal("90.00015")),
        fee=Fee(Amount(Decimal("0.0000015")), BTC),
        is_maker=True,
        timestamp=NOW,
    )


def notice(text: str = "hello") -> NoticeAdded:
    return NoticeAdded("info", "test.said", text)


def funded_ledger() -> tuple[Ledger, LedgerBooked]:
    ledger = Ledger(BTC, USDT)
    return ledger, LedgerBooked(ledger.contribute(USDT, Decimal(10_000), Decimal(10_000), NOW, "start"))


def state_of_levels(count: int = 41) -> StrategyStatePut:
    """A strategy's state of a realistic size."""
    levels = [
        {"level": index, "price": str(50_000 + 500 * index), "amount": "0.00150", "carried": "0.0000015"}
        for index in range(count)
    ]
    return StrategyStatePut({"version": 1, "levels": levels, "vacant": 20, "started": True})


def first_commit() -> list[JournalEntry]:
    """The books opened and a first order sent."""
    _, opened = funded_ledger()
    return [
        opened,
        BaselinePut({USDT: Decimal("123.45"), BTC: Decimal("-0.1")}),
        BalancesSeen({USDT: Balance(Decimal("10033.36"), Decimal("90.09"))}),
        OrderPut(order()),
        SlotPut(SlotRow("041B", 1, 0)),
        SlotPut(
            SlotRow("042S", 3, 2, "price_band", "far", NOW, Decimal(61), Decimal("0.1"), "LIMIT", held=True)
        ),
        state_of_levels(),
        CursorPut(12, 7),
        BotStatePut(BotState.PAUSED, PauseReason.RISK, "drawdown"),
        notice(),
    ]


def fill_commit(ledger: Ledger, number: int) -> list[JournalEntry]:
    """What one fill writes: the order settled, its fill booked, the counter-order planned, the state stored.

    Buys and sells alternate, so `ledger` never runs dry.
    """
    side = Side.BUY if number % 2 == 0 else Side.SELL
    slot, counter = ("041B", "042S") if side is Side.BUY else ("042S", "041B")
    ended = replace(order(f"gt1-{number}", slot, IntentState.SETTLED), status="FILLED")
    execution = replace(fill(number + 1, ended.order_id, side), fee=Fee(Amount(Decimal("0.09")), USDT))
    return [
        OrderPut(ended),
        FillAdded(execution, "stream"),
        LedgerBooked(ledger.book(execution, "042S")),
        OrderPut(planned(f"gt1-{number + 1}", counter)),
        SlotPut(SlotRow(slot, number, 0)),
        SlotPut(SlotRow(counter, number + 1, 0)),
        state_of_levels(),
        CursorPut(number + 1, max(0, number - 20)),
    ]


def commits_of_fills(count: int) -> list[Sequence[JournalEntry]]:
    """The books opened, then `count` fills."""
    ledger, opened = funded_ledger()
    return [[opened], *(fill_commit(ledger, number) for number in range(count))]
