"""What every journal promises, held against memory, SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gridtide.domain.errors import Defect, Fenced
from gridtide.domain.fill import Fee
from gridtide.domain.journal import (
    BotSnapshot,
    CursorPut,
    FillAdded,
    FillCorrected,
    ForeignFillSeen,
    JournalEntry,
    LedgerBooked,
    OrderPut,
    SlotPut,
    SlotRow,
    StrategyStatePut,
)
from gridtide.domain.lifecycle import LIVE_STATES, IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.ports.journal import Journal
from tests.storage.builders import (
    BTC,
    NOW,
    USDT,
    commits_of_fills,
    fill,
    fill_commit,
    first_commit,
    funded_ledger,
    notice,
    order,
    planned,
)
from tests.storage.stores import Store

LATER = Timestamp(NOW + 1)


def test_a_bot_that_never_ran_has_a_fresh_snapshot(store: Store) -> None:
    assert store.open().load() == BotSnapshot(generation=1)


def test_what_was_committed_is_loaded_after_a_restart(store: Store) -> None:
    """Everything a snapshot holds comes back, to the last digit."""
    ledger, _ = funded_ledger()
    store.open().commit(first_commit(), NOW)
    snapshot = store.open().load()
    assert snapshot.is_resume
    assert snapshot.orders == (order(),)
    assert [row.slot for row in snapshot.slots] == ["041B", "042S"]
    assert snapshot.slots[1].held
    assert snapshot.slots[1].retry_at == NOW
    assert snapshot.ledger == ledger.state()
    assert snapshot.baseline == {BTC: Decimal("-0.1"), USDT: Decimal("123.45")}
    assert snapshot.cursor == CursorPut(12, 7)
    assert (snapshot.state, snapshot.pause_reason, snapshot.pause_detail) == ("PAUSED", "risk", "drawdown")
    assert snapshot.strategy_state is not None
    assert snapshot.strategy_state["levels"][40]["price"] == "70000"


def test_the_books_survive_a_hundred_fills(store: Store) -> None:
    """What is loaded continues exactly where the ledger in memory stands, lots and running numbers included."""
    ledger, opened = funded_ledger()
    journal = store.open()
    journal.commit([opened], NOW)
    for number in range(100):
        journal.commit(fill_commit(ledger, number), NOW)
    snapshot = store.open().load()
    ours = ledger.state()
    assert snapshot.ledger.balances == ours.balances
    assert snapshot.ledger.lots == tuple(sorted(ours.lots, key=lambda lot: lot.lot_id))
    assert snapshot.ledger.totals == ours.totals
    assert snapshot.fill_count == 100


def test_the_last_put_of_a_key_counts(store: Store) -> None:
    """Entries put whole rows, so applying one twice changes nothing and a later one replaces it."""
    journal = store.open()
    journal.commit([OrderPut(planned("gt1-A")), OrderPut(order()), SlotPut(SlotRow("041B", 1, 0))], NOW)
    journal.commit([OrderPut(order()), SlotPut(SlotRow("041B", 2, 0)), SlotPut(SlotRow("041B", 3, 1))], LATER)
    snapshot = store.open().load()
    assert snapshot.orders == (order(),)
    assert snapshot.slots == (SlotRow("041B", 3, 1),)


def test_orders_are_loaded_in_the_order_they_were_wished_for(store: Store) -> None:
    """The nearest levels are wished for first and must be sent first after a restart too (F14)."""
    names = ["gt1-C", "gt1-A", "gt1-D", "gt1-B"]
    journal = store.open()
    journal.commit([OrderPut(planned(name, f"00{i}B")) for i, name in enumerate(names)], NOW)
    journal.commit([OrderPut(order("gt1-A", "001B"))], LATER)
    assert [row.client_order_id for row in store.open().load().orders] == names


@pytest.mark.parametrize("ended_first", [True, False])
def test_an_order_may_take_a_slot_in_the_commit_that_frees_it(store: Store, ended_first: bool) -> None:
    """T19 writes the settled order and its successor in one transaction, in whatever order they stand (R10)."""
    journal = store.open()
    journal.commit([OrderPut(order())], NOW)
    entries = [OrderPut(order(state=IntentState.SETTLED)), OrderPut(planned("gt1-B"))]
    journal.commit(entries if ended_first else entries[::-1], LATER)
    assert store.open().load().orders == (planned("gt1-B"),)


@pytest.mark.parametrize("state", sorted(LIVE_STATES))
def test_a_slot_never_has_two_live_orders(store: Store, state: IntentState) -> None:
    """R2, I1: refused by the storage itself, with everything else in the commit (F07)."""
    journal = store.open()
    journal.commit([OrderPut(order(state=state))], NOW)
    before = journal.load()
    with pytest.raises(Defect):
        journal.commit([notice(), OrderPut(planned("gt1-B")), SlotPut(SlotRow("041B", 9, 9))], LATER)
    assert journal.load() == before == store.open().load()


def test_a_zombie_may_stand_beside_a_live_order(store: Store) -> None:
    """A late order is ours and outside the index (R8); both are loaded."""
    journal = store.open()
    journal.commit([OrderPut(order(state=IntentState.ZOMBIE)), OrderPut(order("gt1-B"))], NOW)
    assert {row.client_order_id for row in store.open().load().orders} == {"gt1-A", "gt1-B"}


def test_an_order_is_never_sent_twice(store: Store) -> None:
    """R3, I2: a second transmission cannot even be written down."""
    journal = store.open()
    with pytest.raises(Defect):
        journal.commit([OrderPut(replace(order(), tx_count=2))], NOW)
    assert journal.load().orders == ()


def test_an_order_of_the_exchange_belongs_to_one_intent(store: Store) -> None:
    """I2; orders without an id of the exchange are not compared."""
    journal = store.open()
    journal.commit([OrderPut(planned("gt1-A", "001B")), OrderPut(planned("gt1-B", "002B"))], NOW)
    journal.commit([OrderPut(replace(order("gt1-A", "001B"), order_id="77"))], NOW)
    with pytest.raises(Defect):
        journal.commit([OrderPut(replace(order("gt1-B", "002B"), order_id="77"))], LATER)
    assert {row.order_id for row in journal.load().orders} == {"77", ""}


def test_a_fill_is_booked_once(store: Store) -> None:
    """I4, F27, F32: the second booking is refused with all its effects, across restarts too."""
    ledger, opened = funded_ledger()
    store.open().commit([opened, *fill_commit(ledger, 0)], NOW)
    journal = store.open()
    before = journal.load()
    again = fill(1, "id-gt1-0")
    with pytest.raises(Defect):
        journal.commit([FillAdded(again, "records"), LedgerBooked(ledger.book(again, "042S"))], LATER)
    with pytest.raises(Defect):
        journal.commit([FillAdded(fill(5), "stream"), FillAdded(fill(5), "stream")], LATER)
    assert journal.load() == before == store.open().load()


def test_a_corrected_fill_is_the_one_there_is(store: Store) -> None:
    """R9, I4: the records win over what was told before; the fill stays one, and one that is not there stays away."""
    journal = store.open()
    told = fill(5)
    right = replace(told, price=Price(Decimal("7.5")), fee=Fee(Amount(Decimal("0.5")), USDT), is_maker=False)
    journal.commit([OrderPut(replace(order(), order_id=told.order_id)), FillAdded(told, "stream")], NOW)
    journal.commit([FillCorrected(right)], LATER)
    journal.commit([FillCorrected(right)], LATER)
    assert store.open().load().fills == (right,)
    assert store.open().load().fill_count == 1
    with pytest.raises(Defect):
        store.open().commit([FillCorrected(fill(6))], LATER)
    assert store.open().load().fills == (right,)


def test_a_self_trade_is_two_fills_with_one_trade_id(store: Store) -> None:
    """F38: the order id is part of the key."""
    journal = store.open()
    journal.commit([FillAdded(fill(5, "buy"), "records"), FillAdded(fill(5, "sell"), "records")], NOW)
    assert journal.load().fill_count == 2


def test_a_foreign_fill_may_be_seen_again(store: Store) -> None:
    """It is recorded, not posted, and a restart sees it again (F21)."""
    journal = store.open()
    journal.commit([ForeignFillSeen(fill(5, "by hand"))], NOW)
    journal.commit([ForeignFillSeen(fill(5, "by hand"))], LATER)
    assert journal.load().fill_count == 0


def test_a_lot_is_closed_once(store: Store) -> None:
    """A booking applied twice would take profit twice."""
    ledger, opened = funded_ledger()
    journal = store.open()
    journal.commit([opened, *fill_commit(ledger, 0)], NOW)
    sale = next(entry for entry in fill_commit(ledger, 1) if isinstance(entry, LedgerBooked))
    journal.commit([sale], NOW)
    before = journal.load()
    with pytest.raises(Defect):
        journal.commit([sale], LATER)
    assert journal.load() == before
    assert before.ledger.lots == ()


def test_late_records_find_their_orders(store: Store) -> None:
    """Ended orders with a fill at or behind the safe cursor are loaded, with the keys of their fills (F29, F32)."""
    journal = store.open()
    for entries in commits_of_fills(30):
        journal.commit(entries, NOW)
    snapshot = store.open().load()
    safe = snapshot.cursor.safe
    assert safe == 9
    assert {row.client_order_id for row in snapshot.recent_orders} >= {
        f"gt1-{n}" for n in range(safe - 1, 30)
    }
    assert {fill.trade_id for fill in snapshot.fills} >= set(range(safe, 31))


def test_orders_that_ended_last_are_remembered(store: Store) -> None:
    """A lagging read may still show a cancelled order as open after a restart: its row is known, not T22."""
    journal = store.open()
    journal.commit([OrderPut(order(state=IntentState.SETTLED))], NOW)
    assert [row.state for row in store.open().load().recent_orders] == [IntentState.SETTLED]


def test_all_fills_of_a_loaded_order_are_known(store: Store) -> None:
    """An order that fills slowly has fills older than the cursor; none may be booked again (F32)."""
    journal = store.open()
    fills: list[JournalEntry] = [FillAdded(fill(number), "stream") for number in (3, 50)]
    journal.commit([OrderPut(order(state=IntentState.PART)), *fills, CursorPut(60, 55)], NOW)
    assert {fill.trade_id for fill in store.open().load().fills} == {3, 50}


def test_parts_of_a_strategy_state_not_named_stay(store: Store) -> None:
    """A plan that never changes is written once; what a later commit does not name is still there."""
    journal = store.open()
    journal.commit([StrategyStatePut({"plan": [1, 2], "phase": "buying"})], NOW)
    journal.commit([StrategyStatePut({"phase": "trading"}), StrategyStatePut({"tries": 2})], NOW)
    assert store.open().load().strategy_state == {"plan": [1, 2], "phase": "trading", "tries": 2}


def test_a_strategy_state_comes_back_as_json(store: Store) -> None:
    journal = store.open()
    journal.commit([StrategyStatePut({"levels": (1, 2), "nested": {"rate": 0.1, "none": None}})], NOW)
    assert store.open().load().strategy_state == {"levels": [1, 2], "nested": {"rate": 0.1, "none": None}}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("0.1"), {1: "a"}, {"a", "b"}, 2**70])
def test_a_strategy_state_that_json_would_change_is_refused(store: Store, value: object) -> None:
    """F63: better a defect now than another strategy after the restart."""
    journal = store.open()
    with pytest.raises(Defect):
        journal.commit([notice(), StrategyStatePut({"value": [value]})], NOW)
    assert journal.load() == BotSnapshot(generation=1)


def test_a_fresh_start_begins_a_new_generation(store: Store) -> None:
    """Order ids are never used again: the generation is part of them."""
    store.open().commit(first_commit(), NOW)
    assert store.open(resume=False).load() == BotSnapshot(generation=2)
    store.open(resume=False, minimum_generation=7).commit([notice()], NOW)
    assert store.open().load() == BotSnapshot(generation=7, is_resume=True)
    assert store.open(resume=False, minimum_generation=3).load().generation == 8


def test_the_exchange_may_still_show_older_generations(store: Store) -> None:
    """With an empty database the first generation is what the caller says, resume or not."""
    assert store.open(resume=True, minimum_generation=4).load().generation == 4


def test_a_closed_journal_takes_nothing(store: Store) -> None:
    """Neither a commit nor a renewal: whoever closed it no longer owns the bot."""
    journal: Journal = store.open()
    journal.renew_lease()
    journal.close()
    with pytest.raises(Fenced):
        journal.commit([notice()], NOW)
    with pytest.raises(Fenced):
        journal.renew_lease()


def test_no_entries_are_no_commit(store: Store) -> None:
    journal = store.open()
    journal.commit([], NOW)
    assert not journal.load().is_resume
