"""Rounds of reads that overlap: each is judged by the moment it was asked for, which it carries itself."""

from __future__ import annotations

from dataclasses import replace

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Timestamp
from tests.engine.test_order_life import states, submissions, world
from tests.engine.world import SYMBOL, World
from tests.failures.test_unnamed_executions import notices


def round_of(place: World, *, full: bool = True) -> ev.SnapshotTaken:
    """What a round asked for now shows."""
    names = tuple(order.client_order_id for order in place.engine.state.orders)
    taken = place.act(cmd.TakeSnapshot(SYMBOL, 0, names, full, Timestamp(place.now)))
    assert isinstance(taken, ev.SnapshotTaken)
    return taken


def test_an_old_round_that_comes_late_is_no_difference() -> None:
    """I6, I8: asked for before a fill, answered after a newer round was asked for: it may not show the fill, and
    nobody is alarmed about that."""
    place = world()
    place.start()
    old = round_of(place)
    place.elapse(1)
    place.move("97")
    place.feed(replace(old, fills=round_of(place).fills))
    assert notices(place, "books.differ") == []
    place.lose_request = lambda command: isinstance(command, cmd.TakeSnapshot)
    place.elapse(901)  # newer rounds are under way
    place.feed(old)
    assert notices(place, "books.differ") == []
    assert place.engine.state.increase_halted == ""


def test_a_round_asked_for_since_compares() -> None:
    """The same difference in a round of now is told."""
    place = world()
    place.start()
    old = round_of(place)
    place.elapse(1)
    place.move("97")
    place.elapse(1)
    place.feed(replace(old, asked_at=Timestamp(place.now)))
    assert len(notices(place, "books.differ")) == 1


def test_absence_needs_a_full_round_asked_for_after_the_reads() -> None:
    """T11, (b) to (e): a round that was under way already, or one without balances, proves nothing."""
    place = world()
    place.lose_request = lambda command: isinstance(command, cmd.SubmitOrder) and len(submissions(place)) == 1
    place.start()
    place.lose_request = lambda command: isinstance(command, cmd.TakeSnapshot)
    place.elapse(600)
    (order,) = place.engine.state.orders
    complete = order.proof.complete_at
    assert complete is not None
    taken = round_of(place)
    place.feed(replace(taken, asked_at=Timestamp(complete - 1)))
    place.feed(round_of(place, full=False))
    assert states(place) == [IntentState.UNKNOWN]
    place.feed(taken)
    assert order.state is IntentState.ABSENT
    assert len(submissions(place)) == 2
