"""What the engine makes of each answer, in whatever order answers and events come: rows of the catalogue and of the
state table that need one small story each."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.journal import BotState, OrderPut, PauseReason
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.order import OrderStatus, OrderUpdate, Side
from gridtide.domain.parking import ParkReason
from gridtide.venue.settings import VenueSettings
from tests.engine.ladder import Ladder
from tests.engine.test_order_life import agree, bot_state, parked, states, submissions, world
from tests.engine.world import ACCOUNT, SYMBOL, USDT, Killed, World, update
from tests.failures.test_unnamed_executions import notices


def rows_of(place: World, name: str) -> list[IntentState]:
    """The states the journal saw of one order, each once in a row."""
    found = [e.row.state for e in place.entries if isinstance(e, OrderPut) and e.row.client_order_id == name]
    return [state for index, state in enumerate(found) if index == 0 or found[index - 1] is not state]


def shown(place: World, name: str) -> OrderUpdate:
    return update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=name))


def quiet(place: World) -> list[ev.Event]:
    """Send the first order with its events held back and its answer kept from the bot; both, in the order they came."""
    kept: list[ev.Event] = []

    def keep(command: cmd.Command) -> ev.Event | None:
        if not isinstance(command, cmd.SubmitOrder) or kept:
            return None
        kept.append(place.act(command))
        return place.book_event()

    place.answer_instead = keep
    place.hold_stream = True
    place.start()
    return kept


# --- placing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream_first", [True, False])
def test_a_stream_event_settles_what_an_answer_left_open(stream_first: bool) -> None:
    """F02, T8, T9: -1007, and NEW by the stream before it or after it: open, known by its number, sent once."""
    place = world()
    (reply,) = quiet(place)
    assert isinstance(reply, ev.OrderAccepted)
    told: list[ev.Event] = [
        ev.OrderUpdated(reply.update),
        ev.OrderUnconfirmed(reply.update.client_order_id, "-1007"),
    ]
    place.feed(*(told if stream_first else reversed(told)))
    (order,) = place.engine.state.orders
    assert (order.state, order.order_id) == (IntentState.OPEN, reply.update.order_id)
    place.elapse(900)
    assert len(submissions(place)) == 1
    agree(place)


@pytest.mark.parametrize("order", [*permutations(range(4))], ids=lambda order: "".join(map(str, order)))
def test_reply_and_events_come_in_any_order(order: tuple[int, ...]) -> None:
    """F10, F28, T5, T9, T13: the reply, NEW, a part and the rest, each way round: the same order, the same books."""
    place = World(Ladder, Ladder.from_state, venue=VenueSettings(volume_cap=Decimal(1)))
    (reply,) = quiet(place)
    place.move_venue("98", volume="0.4")
    place.move_venue("98", volume="5")
    place.hold_stream = False
    events = [event for event in place.held if isinstance(event, ev.OrderUpdated)]
    assert [event.update.status for event in events][-2:] == [
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
    ]
    told = [reply, *events[-3:]]
    assert len(told) == 4
    for position in order:
        place.feed(told[position])
    place.elapse(30)
    assert place.engine.state.fill_count == 2
    assert [o.side for o in place.engine.state.orders] == [Side.SELL]
    assert len(submissions(place)) == 2
    agree(place)


def test_a_reply_with_a_final_status_closes_and_its_fills_settle() -> None:
    """T6, T19: a taker's reply says FILLED and has the fills: CLOSING, and SETTLED in the same step."""
    place = world(order_type="LIMIT", price="101")
    place.hold_stream = True
    place.start()
    name = submissions(place)[0].client_order_id
    assert rows_of(place, name) == [IntentState.PLANNED, IntentState.SENDING, IntentState.SETTLED]
    assert place.engine.state.fill_count == 1
    place.release_stream()
    agree(place)


def test_a_reply_with_a_final_status_and_no_fills_waits_for_them() -> None:
    """T6, R9: FILLED without executions is CLOSING; the records have them."""
    place = world(order_type="LIMIT", price="101")
    (reply,) = quiet(place)
    assert isinstance(reply, ev.OrderAccepted)
    place.held.clear()
    place.lose_request = lambda command: isinstance(command, cmd.ReadFills | cmd.QueryOrder)
    place.feed(replace(reply, fills=()))
    assert states(place) == [IntentState.CLOSING]
    place.lose_request = lambda command: False
    place.hold_stream = False
    place.elapse(10)
    assert place.engine.state.fill_count == 1
    agree(place)


def test_a_refusal_frees_slot_and_money() -> None:
    """T7: REJECTED, its reservation gone, its level parked with the reason."""
    place = world()
    place.answer_instead = lambda command: (
        ev.OrderRefused(command.client_order_id, ev.RefusalReason.PRICE_BAND, "PERCENT_PRICE")
        if isinstance(command, cmd.SubmitOrder)
        else None
    )
    place.start()
    assert rows_of(place, submissions(place)[0].client_order_id)[-1] is IntentState.REJECTED
    assert parked(place) == [ParkReason.PRICE_BAND]
    assert place.engine.state.orders.reserved(USDT) == 0


def test_what_was_planned_before_a_crash_leaves_at_a_price_of_now() -> None:
    """F08, T3: committed and never sent, and the price ran through the level meanwhile: it is dropped and waits, and
    one order leaves when the price is back."""
    place = world()
    place.dies = lambda: IntentState.SENDING in states(place)  # before the step that sends is committed
    with pytest.raises(Killed):
        place.start()
    place.dies = lambda: False
    place.load()
    assert states(place) == [IntentState.PLANNED]
    place.move_venue("97")
    place.start()
    assert submissions(place) == []
    assert parked(place) == [ParkReason.WOULD_TAKE]
    place.move("99")
    assert states(place) == [IntentState.OPEN]
    assert len(submissions(place)) == 1
    agree(place)


# --- resolving -----------------------------------------------------------------------------------------


def test_the_cancel_probe_finds_what_queries_do_not_know() -> None:
    """T10: no query ever sees it; the probe, answered by the matching engine, ends it: settled, and wished for anew."""
    place = world()
    quiet(place)
    place.held.clear()
    hidden = submissions(place)[0].client_order_id
    place.answer_instead = lambda command: (
        ev.OrderNotFound(command.client_order_id)
        if isinstance(command, cmd.QueryOrder) and command.client_order_id == hidden
        else (ev.ReadFailed("snapshot", "no") if isinstance(command, cmd.TakeSnapshot) else None)
    )
    place.hold_stream = True
    place.elapse(260)
    assert rows_of(place, hidden)[-3:] == [IntentState.SENDING, IntentState.UNKNOWN, IntentState.SETTLED]
    place.answer_instead = lambda command: None
    assert hidden not in {o.client_order_id for o in place.venue.open_orders(ACCOUNT)}


def test_what_stays_unproved_is_told_once_and_blocks_its_own_level_only() -> None:
    """T12, I15: ten minutes without an answer to any question about it: one alarm, its level blocked, nothing sent."""
    place = world()
    place.lose_request = lambda command: isinstance(command, cmd.SubmitOrder | cmd.QueryOrder)
    place.start()
    place.elapse(1500)
    assert states(place) == [IntentState.UNKNOWN]
    assert len(notices(place, "order.stuck")) == 1
    assert len(submissions(place)) == 1


# --- account and key -----------------------------------------------------------------------------------


def test_a_key_without_rights_pauses_until_it_has_them() -> None:
    """F52: PAUSED(auth), told once for each reason and not at each read, nothing placed, no storm of questions; a read
    that works ends it."""
    place = world()
    place.start()
    place.lose_request = lambda command: isinstance(command, cmd.SubmitOrder)
    place.move("97")
    place.answer_instead = lambda command: (
        ev.CancelUnconfirmed(command.client_order_id, "-2015")
        if isinstance(command, cmd.CancelOrder)
        else ev.ReadFailed(
            "snapshot" if isinstance(command, cmd.TakeSnapshot) else "query",
            "-2015 Invalid API-key, IP, or permissions for action.",
            getattr(command, "client_order_id", ""),
            not_permitted=True,
        )
    )
    asked = len(place.sent)
    place.elapse(3600)
    assert bot_state(place) == (BotState.PAUSED, PauseReason.AUTH)
    assert len(place.sent) - asked < 300
    assert len(notices(place, "bot.paused")) <= 3
    place.answer_instead = lambda command: None
    place.lose_request = lambda command: False
    place.elapse(1000)
    assert place.engine.state.bot_state is BotState.RUNNING
    agree(place)


def test_a_refused_key_pauses() -> None:
    """F52, T7: the same where it is an order that the key may not place."""
    place = world()
    place.answer_instead = lambda command: (
        ev.OrderRefused(command.client_order_id, ev.RefusalReason.NOT_PERMITTED, "-2015")
        if isinstance(command, cmd.SubmitOrder)
        else None
    )
    place.start()
    assert bot_state(place) == (BotState.PAUSED, PauseReason.AUTH)
    assert len(submissions(place)) == 1


@pytest.mark.parametrize("amount", ["250", "-250"])
def test_money_that_comes_or_goes_is_the_accounts(amount: str) -> None:
    """F45, I6: a deposit or withdrawal that the stream tells moves the baseline, by name, and no profit."""
    place = world()
    place.start()
    statement = place.engine.state.statement()
    before = dict(place.engine.state.baseline)
    place.feed(ev.FundsMoved(USDT, Decimal(amount)))
    assert place.engine.state.baseline[USDT] == before[USDT] + Decimal(amount)
    assert place.engine.state.statement() == statement
    assert len(notices(place, "funds.moved")) == 1
    place.restart()
    assert place.engine.state.baseline[USDT] == before[USDT] + Decimal(amount)
