"""Slots, statuses and intents: names that survive storage, words that nobody knows, and ranks."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.balance import Balance
from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Symbol
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import OrderIntent, OrderStatus, OrderType, Side, Slot

D = Decimal


@given(st.integers(0, 999), st.sampled_from(Side))
def test_a_slot_is_its_key(index: int, side: Side) -> None:
    slot = Slot.level(index, side)
    assert slot.key == str(slot) == f"{index:03d}{side.value[0]}"
    assert Slot.parse(slot.key) == slot


def test_slots_sort_as_levels_do() -> None:
    slots = [Slot.level(index, Side.BUY) for index in (100, 9, 41, 0)]
    assert [slot.name for slot in sorted(slots)] == ["000", "009", "041", "100"]


@pytest.mark.parametrize("key", ["", "041", "041X", "41B", "0041B", "abcB", "04 B", "04ÄB", "041b", "٠٤١B"])
def test_what_is_no_slot_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidValue):
        Slot.parse(key)


@pytest.mark.parametrize("index", [-1, 1000])
def test_levels_have_three_digits(index: int) -> None:
    with pytest.raises(InvalidValue, match="0 to 999"):
        Slot.level(index, Side.BUY)


def test_sides_face_each_other() -> None:
    assert [side.opposite for side in Side] == list(reversed(Side))


@pytest.mark.parametrize("word", ["FOO", "", "new", "PENDING CANCEL"])
def test_an_unknown_status_is_final_and_named_so(word: str) -> None:
    """F22: nothing rests on a word we do not know."""
    status = OrderStatus.parse(word)
    assert status is OrderStatus.UNRECOGNISED
    assert status.is_final


def test_every_known_status_parses_to_itself_and_ranks_rise() -> None:
    """T13: NEW < PARTIALLY_FILLED < final."""
    assert all(OrderStatus.parse(status.value) is status for status in OrderStatus)
    still_open = {status for status in OrderStatus if not status.is_final}
    assert still_open == {
        OrderStatus.PENDING_NEW,
        OrderStatus.NEW,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_CANCEL,
    }
    assert OrderStatus.NEW.rank < OrderStatus.PARTIALLY_FILLED.rank < OrderStatus.FILLED.rank
    assert {status.rank for status in OrderStatus if status.is_final} == {2}


def test_an_intent_knows_its_side_and_value() -> None:
    slot, symbol = Slot.level(3, Side.SELL), Symbol("BTC/USDT")
    limit = OrderIntent(slot, symbol, OrderType.LIMIT, Price(D(100)), Amount(D("0.5")))
    market = OrderIntent(slot, symbol, OrderType.MARKET, None, Amount(D("0.5")))
    assert limit.side is Side.SELL
    assert limit.value() == 50
    assert market.value(D(90)) == 45
    with pytest.raises(InvalidValue, match="without a market price"):
        market.value()


def test_a_balance_is_free_and_locked() -> None:
    assert Balance(D("1.5"), D("0.25")).total == D("1.75")
