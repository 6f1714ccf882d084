"""Trade records win: what an event or a reply told of an execution is booked as the record has it, once (R9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.domain import events as ev
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.journal import BotState, CursorPut, FillAdded, FillCorrected, PauseReason
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import OrderUpdate
from gridtide.engine import invariants
from gridtide.storage.database import open_database
from gridtide.storage.examination import examine_rows, read_rows
from gridtide.storage.examined_file import replayed_equally
from gridtide.storage.findings import Outcome
from gridtide.storage.reader import open_reader
from gridtide.storage.sql_journal import BotIdentity, Run, open_bot
from gridtide.venue.settings import VenueSettings
from tests.engine.ladder import Ladder
from tests.engine.test_order_life import agree_on_orders_and_balances, bot_state, states, world
from tests.engine.world import ACCOUNT, BTC, SYMBOL, USDT, World, update

Wrong = Callable[[Fill], Fill]


def less(fill: Fill) -> Fill:
    """Half of it."""
    half = Amount(fill.amount / 2)
    return replace(
        fill, amount=half, quote_amount=Money(half * fill.price), fee=Fee(Amount(half / 1000), BTC)
    )


def more(fill: Fill) -> Fill:
    twice = Amount(fill.amount * 2)
    return replace(
        fill, amount=twice, quote_amount=Money(twice * fill.price), fee=Fee(Amount(twice / 1000), BTC)
    )


def other_fee(fill: Fill) -> Fill:
    return replace(fill, fee=Fee(Amount(Decimal("0.05")), USDT), is_maker=not fill.is_maker)


def other_price(fill: Fill) -> Fill:
    return replace(fill, price=Price(Decimal("97.5")), quote_amount=Money(fill.amount * Decimal("97.5")))


def told(wrong: Wrong, *, whole: bool = True) -> World:
    """A bot whose buy executed, wholly or half, and whose event told it wrong."""
    place = world() if whole else World(Ladder, Ladder.from_state, venue=VenueSettings(volume_cap=Decimal(1)))
    place.start()
    place.hold_stream = True
    place.move("97" if whole else "98", volume="1" if whole else "0.4")
    place.hold_stream = False
    (event,) = [event for event in place.held if isinstance(event, ev.OrderUpdated)]
    place.held.clear()
    assert event.fill is not None
    fill = wrong(event.fill)
    update = event.update._replace(executed_amount=fill.amount, executed_quote=fill.quote_amount)
    place.feed(replace(event, update=update, fill=fill))
    return place


def corrections(place: World) -> list[Fill]:
    return [entry.fill for entry in place.entries if isinstance(entry, FillCorrected)]


@pytest.mark.parametrize("wrong", [less, other_fee, other_price])
def test_the_record_wins_over_the_event(wrong: Wrong) -> None:
    """R9, I3, I5, I6: the books end as the exchange's, with one correction and one notice, however often it is read,
    before and after a restart."""
    place = told(wrong)
    place.elapse(1000)
    (record,) = place.fills()
    (corrected,) = corrections(place)
    assert (corrected.amount, corrected.price, corrected.fee) == (record.amount, record.price, record.fee)
    assert corrected.is_maker == record.is_maker
    assert len([e for e in place.entries if isinstance(e, FillAdded)]) == 1
    agree_on_orders_and_balances(place)
    place.restart()
    place.feed(ev.FillsRead(SYMBOL, place.fills()))
    assert len(corrections(place)) == 1
    agree_on_orders_and_balances(place)
    statement = place.engine.state.statement()
    assert statement is not None
    assert statement.is_balanced


def test_a_record_of_less_takes_back_what_was_too_much() -> None:
    """R9: of an order that is still open its sums fall with the fill; then it goes on as if nothing had been."""
    place = told(more, whole=False)
    place.feed(ev.FillsRead(SYMBOL, place.fills()))
    place.elapse(60)
    (order,) = place.engine.state.orders
    (record,) = place.fills()
    assert (order.filled_amount, order.executed_amount) == (record.amount, record.amount)
    assert order.received == record.amount - record.fee.amount
    place.move("97", volume="5")
    place.elapse(1000)
    assert states(place) == [IntentState.OPEN]
    assert invariants.own_breaches(place.engine.state) == []
    agree_on_orders_and_balances(place)


def test_an_equal_record_changes_nothing() -> None:
    """The usual case: not one entry, and nothing asked for."""
    place = told(lambda fill: fill)
    effects = place.engine.handle(ev.FillsRead(SYMBOL, place.fills()), Timestamp(place.now))
    assert [entry for entry in effects.entries if not isinstance(entry, CursorPut)] == []
    assert effects.commands == []


def test_an_event_after_the_record_changes_nothing() -> None:
    """R9: events do not win over records, whichever comes last."""
    place = told(lambda fill: fill)
    place.feed(ev.FillsRead(SYMBOL, place.fills()))
    (record,) = place.fills()
    order = place.venue.orders(ACCOUNT, SYMBOL)[0]
    for again in (other_fee(record), less(record)):
        named = replace(again, client_order_id=order.client_order_id)
        place.engine.handle(
            ev.OrderAccepted(_shown(place, order.client_order_id), (named,)), Timestamp(place.now)
        )
    assert corrections(place) == []
    agree_on_orders_and_balances(place)


def _shown(place: World, name: str) -> OrderUpdate:
    return update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=name))


def test_a_record_the_books_cannot_take_stops_the_bot() -> None:
    """F44: what was sold already was never bought: an event is missing, a person looks."""
    place = told(lambda fill: fill)
    place.move("101")
    bought = place.fills()[0]
    place.feed(ev.FillsRead(SYMBOL, (less(bought),)))
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    assert corrections(place) == []


@pytest.mark.parametrize("wrong", [less, more, other_fee])
def test_the_doctor_and_a_replay_agree_with_corrected_books(wrong: Wrong, tmp_path: Path) -> None:
    """I3 to I5, I12, I14: corrected books are as right as others, by their rows and by their journal."""
    place = told(wrong, whole=wrong is not more)
    place.elapse(1000)
    assert corrections(place)
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    database = open_database(url)
    journal = open_bot(
        database, BotIdentity("test", ACCOUNT, SYMBOL, "venue", "sandbox"), Timestamp(1), resume=False
    )
    journal.begin_run(Run("r1", Timestamp(1), "sandbox", "0", ""))
    for position, entry in enumerate(place.entries):
        journal.commit([entry], Timestamp(position + 2))
    journal.close()
    database.close()
    with open_reader(url) as reader, reader.transaction() as connection:
        found = [*examine_rows(connection, read_rows(connection, reader.bots()[-1]))]
        found.append(replayed_equally(connection, tmp_path))
    assert [item for item in found if item.outcome is not Outcome.HELD] == []
