"""The queue between sockets and runner: order events are never merged, books always are, overflow is a gap."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from gridtide.domain.events import BookUpdated, FundsMoved, StreamInterrupted, StreamRestored
from gridtide.domain.market import Asset, TopOfBook
from gridtide.domain.money import Price
from gridtide.exchanges.stream_buffer import StreamBuffer
from tests.exchanges.orders import SYMBOL


def book(price: int) -> BookUpdated:
    return BookUpdated(SYMBOL, TopOfBook(Price(Decimal(price)), None))


def moved(number: int) -> FundsMoved:
    return FundsMoved(Asset("USDT"), Decimal(number))


async def test_account_events_come_first_and_in_order_then_the_newest_book() -> None:
    buffer = StreamBuffer()
    for event in (book(1), moved(1), book(2), moved(2), book(3)):
        buffer.put(event)
    assert [await buffer.get() for _ in range(3)] == [moved(1), moved(2), book(3)]


async def test_a_book_that_did_not_change_is_not_told_again() -> None:
    """A busy ticker repeats prices with other amounts thousands of times."""
    buffer = StreamBuffer()
    buffer.put(book(1))
    assert await buffer.get() == book(1)
    buffer.put(book(1))
    buffer.put(moved(1))
    assert await buffer.get() == moved(1)
    buffer.close()
    assert await buffer.get() is None


async def test_an_overflow_becomes_a_gap() -> None:
    """F30: bounded, and whoever was too slow is told to reconcile."""
    buffer = StreamBuffer(capacity=3)
    for number in range(5):
        buffer.put(moved(number))
    buffer.close()
    assert isinstance(await buffer.get(), StreamInterrupted)
    assert await buffer.get() == StreamRestored()
    assert await buffer.get() == moved(4)
    assert await buffer.get() is None


async def test_a_waiting_reader_is_woken() -> None:
    buffer = StreamBuffer()
    waiting = asyncio.create_task(buffer.get())
    await asyncio.sleep(0)
    buffer.put(moved(1))
    assert await waiting == moved(1)
