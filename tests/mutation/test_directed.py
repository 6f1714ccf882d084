"""One situation on purpose for each way to break a rule that random seeds reach late or never."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.errors import Defect
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.journal import BotState, FillAdded, JournalEntry, LedgerBooked, OrderPut, PauseReason
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import OrderIntent, OrderType
from gridtide.engine import placing
from gridtide.exchanges.venue_exchange import VenueExchange
from gridtide.exchanges.venue_side import StraightLine, VenueSide
from gridtide.runners.dispatch import Dispatcher
from gridtide.simulation.virtual_time import run_virtually
from tests.engine.ladder import BUY, SELL, Ladder
from tests.engine.world import ACCOUNT, SYMBOL, USDT, World, update
from tests.runners.test_live_run import running

LIVE_AGAIN = 240
"""Seconds after which an order that never arrived is proved absent and wished for anew."""


def world() -> World:
    return World(Ladder, Ladder.from_state)


def submissions(place: World) -> list[cmd.SubmitOrder]:
    return [command for command in place.sent if isinstance(command, cmd.SubmitOrder)]


def lost_at_first(place: World) -> cmd.SubmitOrder:
    """Start a bot whose first submission never arrives, and give it back."""
    place.lose_request = lambda command: isinstance(command, cmd.SubmitOrder) and len(submissions(place)) == 1
    place.start()
    (command,) = submissions(place)
    return command


def bot_state(place: World) -> tuple[BotState, PauseReason]:
    return place.engine.state.bot_state, place.engine.state.pause_reason


def states(place: World) -> list[IntentState]:
    return [order.state for order in place.engine.state.orders]


def test_a_slot_takes_one_wish_at_a_time() -> None:
    """R2: a second wish for a taken slot is a defect of whoever wishes, never a second order."""
    place = world()
    place.start()
    state = place.engine.state
    first = submissions(place)[0].approved.intent
    with pytest.raises(Defect):
        placing.place(state, OrderIntent(BUY, SYMBOL, OrderType.LIMIT_MAKER, first.price, first.amount))


def test_a_transmission_is_counted_once() -> None:
    """R3: whoever would send an order a second time, by whatever way it got there, is stopped by its count."""
    place = world()
    place.start()
    (order,) = place.engine.state.orders
    assert order.tx_count == 1
    order.state = IntentState.PLANNED
    with pytest.raises(Defect):
        place.engine.state.orders.transmit(order, Timestamp(place.now))


async def test_a_submission_without_an_answer_is_not_repeated() -> None:
    """R3, F05: whatever the answer, one call of the exchange for one command."""
    place = world()
    place.start()
    command = submissions(place)[0]
    called: list[str] = []
    told: list[ev.Event] = []

    class Silent:
        async def submit(self, command: cmd.SubmitOrder) -> ev.SubmitReply:
            called.append(command.client_order_id)
            return ev.OrderUnconfirmed(command.client_order_id, "no answer")

    dispatcher = Dispatcher(Silent(), told.append)  # type: ignore[arg-type]  # all of an exchange that is needed here
    dispatcher.hand_on(command)
    await dispatcher.drain(5)
    assert called == [command.client_order_id]
    assert [type(event) for event in told] == [ev.OrderUnconfirmed]


def test_an_unknown_order_is_never_sent_again() -> None:
    """R3, F06: through all looks, cancel probes and reads, one transmission; then one of a new id."""
    place = world()
    first = lost_at_first(place)
    place.elapse(LIVE_AGAIN)
    names = [command.client_order_id for command in submissions(place)]
    assert len(names) == len(set(names)) == 2
    assert names[0] == first.client_order_id


def test_an_unknown_order_keeps_its_slot_and_its_funds() -> None:
    """R6: as long as nobody knows, neither the level nor its money is there for anybody else."""
    place = world()
    before = place.allocation.quote
    command = lost_at_first(place)
    state = place.engine.state
    assert states(place) == [IntentState.UNKNOWN]
    intent = command.approved.intent
    assert intent.price is not None
    assert not state.slots.get(BUY).is_free
    assert state.slots.get(BUY).wish is None
    assert state.available(USDT) <= before - intent.price * intent.amount
    place.elapse(100)
    assert states(place) == [IntentState.UNKNOWN]
    assert state.available(USDT) <= before - intent.price * intent.amount


def test_nothing_is_concluded_from_failed_reads_after_a_cancel_probe() -> None:
    """R7: the probe was answered, every query fails: however long, that is no absence."""
    place = world()
    lost_at_first(place)
    place.lose_request = lambda command: isinstance(command, cmd.QueryOrder)
    place.elapse(900)
    assert any(isinstance(command, cmd.CancelOrder) for command in place.sent)
    assert states(place) == [IntentState.UNKNOWN]
    assert len(submissions(place)) == 1


def test_reads_with_errors_between_them_are_no_proof() -> None:
    """R7, (f): of three queries one fails; there are never five good ones in a row over the read lag."""
    place = world()
    lost_at_first(place)
    asked = 0

    def each_third(command: cmd.Command) -> bool:
        nonlocal asked
        asked += isinstance(command, cmd.QueryOrder)
        return isinstance(command, cmd.QueryOrder) and asked % 3 == 0

    place.lose_request = each_third
    place.elapse(900)
    assert states(place) == [IntentState.UNKNOWN]


def test_absence_needs_looks_over_the_whole_read_lag() -> None:
    """R7, (b): once the request is dead, several looks over the read lag, not one, and a cancel probe before them."""
    place = world()
    first = lost_at_first(place)
    times = place.engine.state.settings.times
    dead = first.signed_at + times.dead_after
    place.elapse((dead - place.now + times.read_lag - 3_000) / 1000)
    assert states(place) == [IntentState.UNKNOWN]
    place.elapse(60)
    assert len(submissions(place)) == 2


def test_a_resting_order_that_a_query_does_not_know_rests_on() -> None:
    """R7, F09: queries lag; what once rested is over when the exchange says how it ended."""
    place = world()
    place.start()
    name = submissions(place)[0].client_order_id
    for _ in range(10):
        place.elapse(20)
        place.feed(ev.OrderNotFound(name))
    assert states(place) == [IntentState.OPEN]
    assert len(submissions(place)) == 1


def test_an_order_that_appears_after_its_absence_was_proved_is_ours() -> None:
    """R8, T21: it waited in the engine longer than anybody would wait for it: found, stopped for, cancelled."""
    place = world()
    late = lost_at_first(place)
    place.elapse(LIVE_AGAIN)
    assert len(submissions(place)) == 2
    place.act(late)
    place.run()
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    cancelled = [command.client_order_id for command in place.sent if isinstance(command, cmd.CancelOrder)]
    assert cancelled[-1] == late.client_order_id
    assert [order.client_order_id for order in place.venue.open_orders(ACCOUNT)] == [
        submissions(place)[1].client_order_id
    ]


def test_an_execution_of_an_order_given_up_is_booked() -> None:
    """R8, T21: the records show an execution of an order that ended without one: ours all the same, and a reason to
    stop for a person."""
    place = world()
    place.start()
    name = submissions(place)[0].client_order_id
    row = update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=name))
    place.cancel_by_hand(name)
    assert states(place) == []
    late = Fill(
        SYMBOL,
        1,
        row.order_id,
        row.side,
        Price(row.price),
        Amount(row.amount),
        Money(row.price * row.amount),
        Fee(Amount(Decimal(0)), USDT),
        is_maker=True,
        timestamp=Timestamp(place.now),
    )
    place.feed(ev.FillsRead(SYMBOL, (late,)))
    assert place.engine.state.fill_count == 1
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)


def test_a_quantity_books_nothing() -> None:
    """R9: a status says that all was executed; the books wait for the execution record."""
    place = world()
    place.start()
    name = submissions(place)[0].client_order_id
    found = place.act(cmd.QueryOrder(SYMBOL, name))
    assert isinstance(found, ev.OrderFound)
    place.lose_request = lambda command: not isinstance(command, cmd.SubmitOrder)
    part = found.update._replace(executed_amount=Decimal("0.5"), executed_quote=Decimal(49))
    place.feed(ev.OrderFound(part))
    assert states(place) == [IntentState.PART]
    assert place.engine.state.fill_count == 0
    assert place.engine.state.ledger.holding(USDT) == place.allocation.quote


async def test_a_fill_and_what_follows_from_it_are_one_transaction() -> None:
    """R10: execution, postings, the ended order, the counter-order and its slot stand or fall together."""
    commits: list[list[JournalEntry]] = []
    async with running() as (run, exchange, journal):
        commit = journal.commit

        def noted(entries: list[JournalEntry], now: Timestamp) -> None:
            commits.append(entries)
            commit(entries, now)

        journal.commit = noted  # type: ignore[method-assign,assignment]  # to look over its shoulder
        exchange.move("97")
        await run.session.settle(5)
    (with_fill,) = [entries for entries in commits if any(isinstance(entry, FillAdded) for entry in entries)]
    rows = {entry.row.slot: entry.row.state for entry in with_fill if isinstance(entry, OrderPut)}
    assert any(isinstance(entry, LedgerBooked) for entry in with_fill)
    assert rows[BUY.key] is IntentState.SETTLED
    assert SELL.key in rows


def test_a_frozen_process_signs_with_the_time_of_its_commit() -> None:
    """R11, F56: stopped between commit and first byte for longer than the window: the exchange refuses the order."""
    place = world()
    place.start()
    command = submissions(place)[0]
    late = replace(command, client_order_id="late", signed_at=Timestamp(place.now))
    clock = [place.now]

    async def frozen() -> None:
        clock[0] += 20_000

    async def send() -> ev.SubmitReply:
        side = VenueSide(place.venue, ACCOUNT, SYMBOL, StraightLine(), lambda: clock[0])
        return await VenueExchange(side, lambda: clock[0], frozen).submit(late)

    reply = run_virtually(send())
    assert isinstance(reply, ev.OrderRefused)
    assert reply.reason is ev.RefusalReason.CLOCK
