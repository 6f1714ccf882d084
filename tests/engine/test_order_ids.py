"""Client order ids: derived, decodable, within what exchanges accept, and different for different wishes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import Defect
from gridtide.domain.order import Side, Slot
from gridtide.engine.order_ids import bot_code, client_order_id, decode

SLOTS = st.builds(Slot, st.from_regex(r"[0-9A-Z]{3}", fullmatch=True), st.sampled_from(Side))
CODE = bot_code("100200300", "BTC/USDT", "btc-grid", 1)


@given(SLOTS, st.integers(0, 36**5 - 1), st.integers(1, 36**3 - 1))
def test_an_id_decodes_to_what_it_was_made_of(slot: Slot, cycle: int, attempt: int) -> None:
    """F06: the id is a pure function of bot, slot, cycle and attempt, and says so without the database."""
    text = client_order_id(CODE, slot, cycle, attempt)
    assert decode(text) == (CODE, slot, cycle, attempt)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,36}", text)


@given(SLOTS, st.integers(0, 10**6), st.integers(1, 99), st.integers(0, 40), st.sampled_from("0123456789AZ"))
def test_a_changed_id_is_nobodys(slot: Slot, cycle: int, attempt: int, place: int, letter: str) -> None:
    """T22: a foreign id, or ours with one character changed, almost never decodes; never to another wish of the
    same bot without its checksum being right."""
    text = client_order_id(CODE, slot, cycle, attempt)
    changed = text[: place % len(text)] + letter + text[place % len(text) + 1 :]
    decoded = decode(changed)
    assert decoded is None or changed == client_order_id(decoded.bot_code, *decoded[1:])


def test_foreign_ids_are_not_ours() -> None:
    """F21: ids of other programs and people decode to nothing."""
    for text in ("", "abc1", "x-TKT5PX2F0123456789", "web_1234", "gt1-7K2P4Q-041B-0009Z-2-XX"):
        assert decode(text) is None


def test_generations_and_bots_have_codes_of_their_own() -> None:
    """F06: a bot that starts afresh never computes an id of its former life."""
    codes = {
        bot_code(account, symbol, name, generation)
        for account in ("1", "2")
        for symbol in ("BTC/USDT", "ETH/USDT")
        for name in ("a", "b")
        for generation in (1, 2, 3)
    }
    assert len(codes) == 24


def test_a_counter_out_of_digits_is_a_defect() -> None:
    """An id is never cut to fit: two wishes would share it."""
    with pytest.raises(Defect):
        client_order_id(CODE, Slot("041", Side.BUY), 36**5, 1)
