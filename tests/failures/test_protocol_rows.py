"""Rows of the state table and failures of the catalogue that no other test is about, one small story each."""

from __future__ import annotations

import ast
import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.commands import Resume, Stop, StopPolicy
from gridtide.domain.journal import BotState, FillAdded, LedgerBooked, OrderPut, PauseReason, SlotPut
from gridtide.domain.ledger import Account
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.order import OrderStatus, Side
from gridtide.domain.parking import ParkReason
from gridtide.engine import placing
from gridtide.storage.memory_journal import MemoryDatabase
from gridtide.venue.settings import VenueSettings
from tests.engine.ladder import SELL, Ladder
from tests.engine.test_grid_in_world import grid_world, walk
from tests.engine.test_never_stuck import lost_once
from tests.engine.test_order_life import agree, bot_state, parked, states, submissions, world
from tests.engine.world import ACCOUNT, BTC, SYMBOL, USDT, World, update
from tests.failures.test_unnamed_executions import notices
from tests.house.files import PACKAGE
from tests.runners.test_live_run import running


def rows_of(place: World, name: str) -> list[IntentState]:
    """The states the journal saw of one order."""
    return [e.row.state for e in place.entries if isinstance(e, OrderPut) and e.row.client_order_id == name]


# --- planning and sending ------------------------------------------------------------------------------


def test_a_wish_reserves_its_money_in_the_step_that_makes_it() -> None:
    """T1, T2, I11: the first row of an order holds its reservation; with it sent or unknown the money stays taken."""
    place = world()
    lost_once(place, cmd.SubmitOrder)
    place.start()
    name = submissions(place)[0].client_order_id
    first = next(e.row for e in place.entries if isinstance(e, OrderPut) and e.row.client_order_id == name)
    assert first.reserved_amount >= Decimal(98)
    assert rows_of(place, name)[-1] is IntentState.UNKNOWN
    assert place.engine.state.available(USDT) == place.allocation.quote - first.reserved_amount


def test_an_order_never_sent_is_dropped_when_nobody_wants_it() -> None:
    """T3: REJECTED without a transmission, its money free."""
    place = world()
    place.start()
    place.move("97")
    place.feed(ev.OperatorCommanded(cmd.Pause()))
    place.move("101")
    (order,) = [o for o in place.engine.state.orders if o.state is IntentState.PLANNED]
    placing.withdraw(place.engine.state, order.slot)
    assert (order.state, order.tx_count, order.reserved) == (IntentState.REJECTED, 0, Decimal(0))
    assert place.engine.state.available(USDT) == place.engine.state.ledger.holding(USDT)


# --- endings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["EXPIRED", "EXPIRED_IN_MATCH", "REJECTED", "CANCELED"])
def test_a_final_status_settles_by_executions_alone(word: str) -> None:
    """T14, T19, F22, F23, R9, I3: closed, but settled only when its fills add up; without an execution nothing is held
    and the level has its order, or waits for a person where somebody cancelled it."""
    place = world()
    place.start()
    name = submissions(place)[0].client_order_id
    shown = update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=name))
    place.hold_stream = True
    place.cancel_by_hand(name)
    place.held.clear()
    place.hold_stream = False
    place.feed(ev.OrderUpdated(shown._replace(status=OrderStatus(word), status_text=word)))
    assert rows_of(place, name)[-1] is IntentState.SETTLED
    assert place.engine.state.ledger.holding(BTC) == 0
    if word == "CANCELED":
        assert parked(place) == [ParkReason.CANCELLED_OUTSIDE]
    else:
        assert states(place) == [IntentState.OPEN]
        assert len(submissions(place)) == 2
    agree(place)


def test_an_unknown_status_stays_open_to_question() -> None:
    """F22, T20: "FOO" is not booked and not forgotten: CLOSING with an alarm until the exchange says a word we know."""
    place = world()
    place.start()
    name = submissions(place)[0].client_order_id
    shown = update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=name))
    place.hold_stream = True
    place.feed(ev.OrderUpdated(shown._replace(status=OrderStatus.UNRECOGNISED, status_text="FOO")))
    place.answer_instead = lambda c: (
        ev.OrderFound(shown._replace(status=OrderStatus.UNRECOGNISED, status_text="FOO"))
        if isinstance(c, cmd.QueryOrder)
        else None
    )
    place.elapse(700)
    assert states(place) == [IntentState.CLOSING]
    assert notices(place, "order.unknown_status")
    assert len(notices(place, "order.stuck")) == 1
    assert place.engine.state.ledger.holding(BTC) == 0


def test_fills_that_stay_away_are_never_invented() -> None:
    """T20, I15, R9: FILLED by its status, no record: CLOSING, asked for, alarmed once after ten minutes."""
    place = world()
    place.start()
    name = submissions(place)[0].client_order_id
    place.hold_stream = True
    place.move("97")
    done = update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=name))
    place.answer_instead = lambda c: (
        ev.FillsRead(SYMBOL, ())
        if isinstance(c, cmd.ReadFills)
        else (ev.ReadFailed("snapshot", "no") if isinstance(c, cmd.TakeSnapshot) else None)
    )
    place.feed(ev.OrderUpdated(done))
    place.elapse(900)
    assert states(place) == [IntentState.CLOSING]
    assert (place.engine.state.fill_count, place.engine.state.ledger.holding(BTC)) == (0, Decimal(0))
    assert len(notices(place, "order.stuck")) == 1
    place.answer_instead = lambda c: None
    place.elapse(120)
    assert place.engine.state.fill_count == 1
    agree(place)


# --- cancels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["lose_request", "lose_answer"])
def test_a_cancel_of_unknown_outcome_is_asked_about(fate: str) -> None:
    """T15, T16, T18, F18: CANCELLING, asked, sent again only when the first is dead; in the end nothing rests."""
    place = world()
    place.start()
    lost: list[cmd.Command] = []

    def lose(command: cmd.Command) -> bool:
        if isinstance(command, cmd.CancelOrder) and not lost:
            lost.append(command)
            return True
        return False

    setattr(place, fate, lose)
    place.hold_stream = True
    place.feed(ev.OperatorCommanded(Stop(StopPolicy.CANCEL)))
    cancels = [c for c in place.sent if isinstance(c, cmd.CancelOrder)]
    assert len(cancels) == 1
    name = cancels[0].client_order_id
    place.elapse(5)
    assert len([c for c in place.sent if isinstance(c, cmd.CancelOrder)]) == 1
    place.elapse(20)
    assert rows_of(place, name)[-1] is IntentState.SETTLED
    assert IntentState.CANCELLING in rows_of(place, name)
    assert place.venue.open_orders(ACCOUNT) == ()
    assert len([c for c in place.sent if isinstance(c, cmd.CancelOrder)]) == (
        2 if fate == "lose_request" else 1
    )


def test_a_part_executed_while_it_was_cancelled_is_sold_exactly() -> None:
    """F17, T16, T19: the counter-order is made of the real executions, not of what was seen before the cancel."""
    place = World(Ladder, Ladder.from_state, venue=VenueSettings(volume_cap=Decimal(1)))
    place.start()
    place.hold_stream = True
    place.move("98", volume="0.4")
    name = submissions(place)[0].client_order_id
    place.cancel_by_hand(name)
    place.release_stream()
    place.elapse(5)
    (fill,) = place.fills()
    sells = [order for order in place.venue.open_orders(ACCOUNT) if order.side is Side.SELL]
    assert [order.amount for order in sells] == [fill.amount - fill.fee.amount]
    agree(place)


def test_nothing_replaces_an_order_in_one_request() -> None:
    """F20: cancel-replace, which may succeed by half, is not used anywhere."""
    wanted = ("cancelReplace", "cancel_replace", "editOrder", "edit_order")
    folders = [PACKAGE / name for name in ("exchanges", "engine", "runners", "strategies")]
    found = [
        f"{path.name}:{node.lineno}"
        for folder in folders
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
        and any(
            word.lower() in (node.attr if isinstance(node, ast.Attribute) else node.id).lower()
            for word in wanted
        )
    ]
    assert found == []


# --- keys, exposure, old orders ------------------------------------------------------------------------


def test_the_same_ids_on_two_markets_are_two_things() -> None:
    """F37: order and trade ids grow for each symbol; the journal keeps both, the engine books its own market's only."""
    place = world()
    place.start()
    place.move("97")
    (added,) = [e for e in place.entries if isinstance(e, FillAdded)]
    other = replace(added, fill=replace(added.fill, symbol=Symbol("ETH/USDT")))
    journal = MemoryDatabase().open_bot()
    journal.commit([added, other], Timestamp(1))
    assert journal.load().fill_count == 2
    assert added.fill.key != other.fill.key


@pytest.mark.parametrize("delay", [5, 60, 180])
def test_late_fills_never_let_exposure_grow(delay: int) -> None:
    """F36, F44, I11: SENDING, UNKNOWN and fills owed count as filled: reservations never exceed what is held."""
    place = grid_world(total_investment="2000")
    place.start()
    for price in walk(3, 12):
        place.hold_stream = True
        place.move(price)
        place.elapse(delay)
        place.release_stream()
        for asset in (BTC, USDT):
            assert place.engine.state.available(asset) >= 0
            assert place.engine.state.orders.reserved(asset) <= place.engine.state.ledger.holding(asset)
    place.elapse(300)
    agree(place)


def test_a_settled_order_is_never_asked_for_again() -> None:
    """F48: what the exchange archives after 90 days (-2026) is in our own books."""
    place = world()
    place.start()
    place.move("97", "101", "97")
    ended = {c.client_order_id for c in submissions(place)} - {
        order.client_order_id for order in place.engine.state.orders
    }
    before = len(place.sent)
    place.elapse(7200)
    place.restart()
    asked = {
        name
        for c in place.sent[before:]
        for name in (
            (c.client_order_id,)
            if isinstance(c, cmd.QueryOrder)
            else c.client_order_ids
            if isinstance(c, cmd.TakeSnapshot)
            else ()
        )
    }
    assert ended
    assert not asked & ended


# --- invariants of one transaction -----------------------------------------------------------------------


def test_what_follows_from_a_fill_is_in_its_step() -> None:
    """R10, I4, I5, I15: fill, postings, slot and the next order are entries of one and the same step."""
    place = world()
    place.start()
    steps: list[list[object]] = []
    commit = place.journal.commit

    def note(entries: list[object], now: Timestamp) -> None:
        steps.append(list(entries))
        commit(entries, now)  # type: ignore[arg-type]  # the engine's own entries

    place.journal.commit = note  # type: ignore[method-assign,assignment]
    place.move("97")
    (step,) = [s for s in steps if any(isinstance(e, FillAdded) for e in s)]
    (booked,) = [
        e.change
        for e in step
        if isinstance(e, LedgerBooked)
        and e.change.closings == ()
        and any(p.account is Account.MARKET for p in e.change.postings)
    ]
    (fill,) = [e.fill for e in step if isinstance(e, FillAdded)]
    sums: dict[str, Decimal] = {}
    for posting in booked.postings:
        if posting.account is Account.HOLDINGS:
            sums[posting.asset] = sums.get(posting.asset, Decimal(0)) + posting.amount
    assert sums == {BTC: fill.amount - fill.fee.amount, USDT: -fill.quote_amount}
    planned = [e.row.slot for e in step if isinstance(e, OrderPut) and e.row.state is IntentState.PLANNED]
    assert planned == [SELL.key]
    assert any(isinstance(e, SlotPut) for e in step)


def test_a_pause_for_integrity_needs_a_person() -> None:
    """I16: readings, a restart and other pauses leave it as it is; it books on; a person ends it."""
    place = world()
    place.start()
    place.engine.state.pause(PauseReason.INTEGRITY, "test")
    place.feed(ev.TroubleFound(PauseReason.CLOCK, "x"), ev.TroubleOver(PauseReason.CLOCK))
    place.move("97")
    place.elapse(2000)
    place.restart()
    place.elapse(1000)
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    assert (place.engine.state.fill_count, len(submissions(place))) == (1, 1)
    place.feed(ev.OperatorCommanded(Resume()))
    assert len(submissions(place)) == 2


# --- one call that hangs ---------------------------------------------------------------------------------


async def test_a_read_that_hangs_holds_up_no_order() -> None:
    """F64: a snapshot that never comes back keeps its own place only; fills are booked and orders leave."""
    async with running() as (run, exchange, _):
        exchange.read_delay_seconds = 3_600
        run.engine.state.wants_snapshot = True
        exchange.move("97")
        async with asyncio.timeout(5):
            while len(exchange.submitted) < 2:  # noqa: ASYNC110  a plain list of the fake
                await asyncio.sleep(0.01)
        assert run.engine.state.fill_count == 1
        exchange.read_delay_seconds = 0.0
        await run.abandon()
