"""Journal entries survive JSON exactly, or are refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given

from gridtide.domain.errors import Defect, StorageFailed
from gridtide.domain.journal import (
    BaselinePut,
    FillCorrected,
    ForeignFillSeen,
    JournalEntry,
    LedgerBooked,
    OrderPut,
)
from gridtide.domain.market import Asset
from gridtide.storage.codec import decode, encode
from tests.storage.builders import fill, fill_commit, first_commit, funded_ledger, order
from tests.storage.entries import entries


@given(entries)
def test_every_entry_comes_back_as_it_was(entry: JournalEntry) -> None:
    """Same values and same types: an enumeration's member is not its text, 1.10 is not 1.1."""
    back = decode(*encode(entry))
    assert back == entry
    assert repr(back) == repr(entry)


def test_every_kind_of_entry_is_known() -> None:
    """A kind that is added to the union and forgotten here would fail in production only."""
    ledger, _ = funded_ledger()
    samples = [*first_commit(), *fill_commit(ledger, 0), ForeignFillSeen(fill(9)), FillCorrected(fill(1))]
    assert {type(entry) for entry in samples} == set(get_args(JournalEntry))
    assert [decode(*encode(entry)) for entry in samples] == samples


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")])
def test_what_is_not_a_number_is_refused(amount: Decimal) -> None:
    """F63: NaN is stopped at the border."""
    with pytest.raises(Defect):
        encode(BaselinePut({Asset("BTC"): amount}))


def test_an_older_payload_without_a_new_field_is_read() -> None:
    """A field with a default may be added without a new version."""
    kind, payload = encode(OrderPut(replace(order(), received=Decimal("1.50"))))
    document = orjson.loads(payload)
    del document["entry"]["row"]["received"]
    assert decode(kind, orjson.dumps(document).decode()) == OrderPut(order())


def test_fields_at_their_defaults_take_no_room() -> None:
    """An order is written several times in its life; what says nothing is left out, to the last digit."""
    _, payload = encode(OrderPut(order()))
    assert "emergency" not in payload
    exact = OrderPut(replace(order(), received=Decimal("0.000")))
    entry = decode(*encode(exact))
    assert isinstance(entry, OrderPut)
    assert str(entry.row.received) == "0.000"


def test_bookings_of_version_1_are_read() -> None:
    """Journals written before postings shared their entry and time go on."""
    ledger, opened = funded_ledger()
    booked = next(entry for entry in fill_commit(ledger, 0) if isinstance(entry, LedgerBooked))
    for entry in (opened, booked):
        old = orjson.dumps({"version": 1, "entry": entry}, default=_as_once_written).decode()
        assert decode("ledger_booked", old) == entry == decode(*encode(entry))


@pytest.mark.parametrize(
    "kind, payload",
    [
        ("order_put", '{"version":3,"entry":{}}'),
        ("teleported", '{"version":1,"entry":{}}'),
        ("cursor_put", '{"version":1,"entry":{"applied":1,"safe":1,"colour":"red"}}'),
        ("cursor_put", '{"version":1'),
        ("baseline_put", '{"version":1,"entry":{"baseline":{"BTC":1.5}}}'),
        ("bot_state_put", '{"version":1,"entry":{"state":"FLYING"}}'),
    ],
)
def test_what_this_program_does_not_know_is_not_guessed(kind: str, payload: str) -> None:
    """Another version's entries, other kinds, a float as money: refused with one sentence."""
    with pytest.raises(StorageFailed, match="cannot be read"):
        decode(kind, payload)


def _as_once_written(value: Any) -> Any:
    """Decimals as text, records by the names of their fields."""
    return value._asdict() if hasattr(value, "_asdict") else str(value)
