"""What once was lost, doubled, repeated without end or left waiting for ever, one small story each."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

import pytest

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.commands import Pause, Resume, Stop, StopPolicy
from gridtide.domain.fill import Fill
from gridtide.domain.journal import BotState, OrderPut, PauseReason
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import MarketStatus, Timestamp
from gridtide.domain.order import Side
from gridtide.engine import order_ids, order_tracker
from gridtide.strategies.protocol import ExecutionContext
from gridtide.venue.messages import NewOrder
from gridtide.venue.settings import VenueSettings
from tests.engine.ladder import BUY, Ladder
from tests.engine.test_grid_in_world import grid_world
from tests.engine.test_order_life import agree, bot_state, states, submissions, world
from tests.engine.world import ACCOUNT, SYMBOL, Killed, World, update


def lost_once(place: World, kind: type) -> None:
    """Lose the next request of `kind` on its way."""
    lost: list[cmd.Command] = []

    def lose(command: cmd.Command) -> bool:
        if isinstance(command, kind) and not lost:
            lost.append(command)
            return True
        return False

    place.lose_request = lose


def test_an_order_that_cannot_be_sent_is_not_tried_in_a_tight_loop() -> None:
    """F65, T4: while no connection comes about, attempts follow each other with a pause."""
    place = world()
    place.answer_instead = lambda command: (
        ev.OrderNotSent(command.client_order_id, "no connection")
        if isinstance(command, cmd.SubmitOrder)
        else None
    )
    place.start()
    assert len(submissions(place)) == 1
    place.elapse(20)
    assert 5 <= len(submissions(place)) <= 11
    place.answer_instead = lambda command: None
    place.elapse(5)
    assert states(place) == [IntentState.OPEN]
    agree(place)


def test_nothing_leaves_before_a_restarted_bot_has_read() -> None:
    """I16, F34: a planned order of a killed bot waits for reconciliation, whatever the market does meanwhile."""
    place = world()
    place.dies = lambda: any(isinstance(entry, OrderPut) for entry in place.entries)
    with pytest.raises(Killed):
        place.start()
    place.dies = lambda: False
    place.load()
    assert place.engine.state.orders.has_planned
    place.engine.handle(place.book_event(), Timestamp(place.now))
    assert not place.engine.wants_to_send
    place.start()
    assert states(place) == [IntentState.OPEN]
    agree(place)


def test_a_stream_that_is_up_before_the_start_asks_for_nothing() -> None:
    """A fresh bot must not read the account's whole history: its cursor is set by the start."""
    place = world()
    assert place.engine.handle(ev.StreamRestored(), Timestamp(place.now)).commands == []


def test_an_order_no_row_knows_is_cancelled_until_it_is_gone() -> None:
    """T22, T23: adopted, paused for a person, cancelled again when the cancel was lost; its id is never used again."""
    place = world()
    place.start()
    code = place.engine.state.orders.bot_code
    rogue = order_ids.client_order_id(code, BUY, 1, 3)
    place.hold_stream = True
    place.place_by_hand(
        NewOrder(
            ACCOUNT, SYMBOL, Side.BUY, "LIMIT_MAKER", Decimal(1), price=Decimal(90), client_order_id=rogue
        )
    )
    lost_once(place, cmd.CancelOrder)
    place.elapse(80)
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    assert len(place.venue.open_orders(ACCOUNT)) == 1
    assert states(place) == [IntentState.OPEN]
    slot = place.engine.state.slots.get(BUY)
    assert (slot.attempt, slot.zombies) == (3, 0)


def test_a_wish_survives_a_stop_that_cancels_an_order_that_never_was() -> None:
    """F35, F66: the order is proved absent after the stop; its level has its wish again, not nothing."""
    place = world()
    lost_once(place, cmd.SubmitOrder)
    place.start()
    place.feed(ev.OperatorCommanded(Stop(StopPolicy.CANCEL)))
    place.elapse(300)
    assert states(place) == [IntentState.PLANNED]
    place.restart()
    assert states(place) == [IntentState.OPEN]
    agree(place)


def test_a_stop_does_not_clear_a_pause() -> None:
    """The state and its reason are stored: stopped and started again, a paused bot is paused."""
    place = world()
    place.start()
    place.feed(ev.OperatorCommanded(Pause()), ev.OperatorCommanded(Stop(StopPolicy.KEEP)))
    place.restart()
    assert bot_state(place) == (BotState.PAUSED, PauseReason.OPERATOR)
    place.feed(ev.OperatorCommanded(Resume()))
    assert place.engine.state.bot_state is BotState.RUNNING


def test_a_lagging_read_after_a_restart_is_no_rogue_order() -> None:
    """T13, T22: an order that ended without a fill is still known after a restart."""
    place = world()
    place.start()
    name = submissions(place)[0].client_order_id
    old = update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=name))
    place.cancel_by_hand(name)
    place.restart()
    place.feed(ev.OrderUpdated(old))
    assert place.engine.state.bot_state is BotState.RUNNING


def test_what_ended_last_is_remembered_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """F27: an old order that ends today is spoken of tomorrow; one that was opened later but ended long ago is not."""
    monkeypatch.setattr(order_tracker, "KEPT_SETTLED", 3)
    place = grid_world()
    place.start()
    names = [order.client_order_id for order in place.engine.state.orders]
    for name in reversed(names):
        place.cancel_by_hand(name)
    tracker = place.engine.state.orders
    assert all(tracker.find(name) is not None for name in names[:3])
    assert tracker.find(names[-1]) is None


def test_a_halted_market_that_opens_again_is_noticed() -> None:
    """F49: the rules are read again soon after a refusal, so the grid comes back by itself."""
    place = world()
    place.venue.set_status(SYMBOL, MarketStatus.HALT)
    place.start()
    place.elapse(60)
    assert not place.venue.open_orders(ACCOUNT)
    place.venue.set_status(SYMBOL, MarketStatus.TRADING)
    place.elapse(90)
    assert states(place) == [IntentState.OPEN]
    agree(place)


def test_a_part_once_booked_is_not_asked_for_for_ever() -> None:
    """A partial execution seen before its record is read once it is there, not every two seconds from then on."""
    place = World(Ladder, Ladder.from_state, venue=VenueSettings(volume_cap=Decimal("0.5")))
    place.start()
    place.hold_stream = True
    place.move("98", volume="0.2")
    name = submissions(place)[0].client_order_id
    place.feed(ev.OrderFound(update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=name))))
    assert states(place) == [IntentState.PART]
    place.elapse(10)
    before = len(place.sent)
    place.elapse(40)
    assert not any(isinstance(command, cmd.ReadFills) for command in place.sent[before:])


class Sleeper:
    """Asks to be woken in a minute, and then needs a price. `fails` makes its first call raise."""

    fails = False

    def __init__(self) -> None:
        self.prices: list[Decimal] = []

    def on_start(self, context: ExecutionContext) -> None:
        context.wake_at(Timestamp(context.now + 60_000))

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None: ...

    def on_wake(self, context: ExecutionContext) -> None:
        if self.fails:
            raise ValueError("not yet")
        self.prices.append(context.current_price())

    def get_state(self) -> Mapping[str, Any]:
        return {"version": 1}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        return cls()


def sleeping_world() -> World:
    place = World(Sleeper, Sleeper.from_state)
    place.start()
    return place


def sleeper(place: World) -> Sleeper:
    strategy = place.engine.strategy
    assert isinstance(strategy, Sleeper)
    return strategy


def test_nobody_is_woken_before_a_price_is_known() -> None:
    """A restart may come after the moment that a strategy asked for, and its first book event later still. Found by
    simulated seed 285: the strategy failed for want of a price, and its grid was never placed."""
    place = sleeping_world()
    place.now += 120_000
    place.load()
    place.feed(ev.RunStarted(place.venue.balances(ACCOUNT), 0), ev.TimerFired())
    assert (sleeper(place).prices, place.engine.state.bot_state) == ([], BotState.RUNNING)
    place.feed(place.book_event())
    assert sleeper(place).prices == [Decimal(100)]


def test_a_call_that_failed_is_made_again_after_the_owner_resumed() -> None:
    """What a strategy asked to be woken for stands until it has been called for it without raising."""
    place = sleeping_world()
    sleeper(place).fails = True
    place.elapse(61)
    assert place.engine.state.pause_reason is PauseReason.STRATEGY
    sleeper(place).fails = False
    place.elapse(10)
    assert sleeper(place).prices == []
    place.feed(ev.OperatorCommanded(Resume()))
    place.elapse(1)
    assert sleeper(place).prices == [Decimal(100)]


def test_records_that_are_still_missing_are_asked_for_at_intervals() -> None:
    """F28, F51, F65: an order is filled by two executions and the records show one: read again every POLL, not without
    a pause (`ReadFills` weighs 20)."""
    place = World(Ladder, Ladder.from_state, venue=VenueSettings(volume_cap=Decimal("0.5")))
    place.start()
    place.hold_stream = True
    place.move_venue("97.9")
    place.move_venue("97.8", volume="5")
    all_fills = place.fills
    reads = 0

    def only_the_first(from_id: int = 0) -> tuple[Fill, ...]:
        nonlocal reads
        reads += 1
        assert reads < 100, "the records are read without a pause"
        return all_fills(from_id)[:1]

    place.fills = only_the_first  # type: ignore[method-assign]  # what the exchange shows
    place.elapse(61)
    place.fills = all_fills  # type: ignore[method-assign]
    place.elapse(10)
    assert place.engine.state.fill_count == 2
