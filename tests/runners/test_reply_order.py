"""Replies and the stream tell one story in one order, and none waits for the other for ever."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from gridtide.domain.events import OrderAccepted, OrderUpdated, StreamEvent, StreamInterrupted, StreamRestored
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import OrderStatus, OrderUpdate, Side
from gridtide.runners.reply_order import ReplyOrder

SYMBOL = Symbol("ABC/USDT")
LONG = 60.0
"""Seconds that no test waits."""


def update(executed: str, order_id: str = "7") -> OrderUpdate:
    price, amount = Decimal(100), Decimal(3)
    status = OrderStatus.PARTIALLY_FILLED
    done = Decimal(executed)
    return OrderUpdate(
        SYMBOL, "x", order_id, Side.BUY, "LIMIT", price, amount, status, done, done * price, Timestamp(1)
    )


def reply(executed: str) -> OrderAccepted:
    amount = Decimal(executed)
    fee = Fee(Amount(Decimal(0)), Asset("USDT"))
    fill = Fill(
        SYMBOL,
        1,
        "7",
        Side.BUY,
        Price(Decimal(100)),
        Amount(amount),
        Money(amount * 100),
        fee,
        False,
        Timestamp(1),
    )
    return OrderAccepted(update(executed), (fill,) if amount else ())


async def waits(order: ReplyOrder, answer: OrderAccepted, *events: StreamEvent) -> bool:
    """Whether `answer` waits while the stream tells `events`, and is over right behind them."""
    task = asyncio.create_task(order.wait_for_stream(answer))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waited = not task.done()
    for event in events:
        order.see_event(event)
    await asyncio.wait_for(task, 5)
    return waited


@pytest.fixture
def order() -> ReplyOrder:
    found = ReplyOrder(LONG)
    found.see_event(StreamRestored())
    return found


async def test_a_reply_with_executions_comes_behind_their_events(order: ReplyOrder) -> None:
    told = OrderUpdated(update("1")), OrderUpdated(update("2", order_id="8")), OrderUpdated(update("2"))
    assert await waits(order, reply("2"), *told)


async def test_what_was_told_already_is_not_waited_for(order: ReplyOrder) -> None:
    order.see_event(OrderUpdated(update("2")))
    assert not await waits(order, reply("2"))


async def test_a_reply_without_executions_does_not_wait(order: ReplyOrder) -> None:
    assert not await waits(order, reply("0"))


async def test_a_stream_that_is_down_is_not_waited_for(order: ReplyOrder) -> None:
    """Nor one that goes down meanwhile."""
    assert await waits(order, reply("2"), StreamInterrupted("gone"))
    assert not await waits(order, reply("2"))


async def test_a_stream_that_says_nothing_is_waited_for_a_moment_only() -> None:
    order = ReplyOrder(0.02)
    order.see_event(StreamRestored())
    assert await waits(order, reply("2"))
