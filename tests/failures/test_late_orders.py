"""T21 to T23: what an order executed that should not exist counts for the wish it was sent for, which is never placed
beside it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.commands import Pause, Resume
from gridtide.domain.journal import BotState, PauseReason
from gridtide.domain.ledger import DUST
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.order import Side
from gridtide.engine import order_ids
from gridtide.venue.messages import NewOrder
from tests.engine.ladder import BUY, SELL
from tests.engine.test_grid_in_world import grid_world
from tests.engine.test_order_life import agree, bot_state, states, submissions, world
from tests.engine.world import ACCOUNT, BTC, SYMBOL, World

INTEGRITY = (BotState.PAUSED, PauseReason.INTEGRITY)
LIVE_AGAIN = 240


def resting(place: World) -> list[tuple[Side, Decimal]]:
    return [(order.side, order.amount) for order in place.venue.open_orders(ACCOUNT)]


def assert_served(place: World) -> None:
    """One purchase for one wish, and the sell of exactly that."""
    assert bot_state(place) == INTEGRITY
    place.restart()
    assert bot_state(place) == INTEGRITY
    assert resting(place) == []
    place.feed(ev.OperatorCommanded(Resume()))
    place.elapse(60)
    assert place.engine.state.bot_state is BotState.RUNNING
    assert place.engine.state.ledger.holding(BTC) == Decimal("0.999")
    assert resting(place) == [(Side.SELL, Decimal("0.999"))]
    assert place.engine.state.ledger.owned(DUST) == 0
    agree(place)
    place.move("101")
    assert resting(place) == [(Side.BUY, Decimal(1))]
    agree(place)


def lost_at_first(place: World, count: int = 1) -> cmd.SubmitOrder:
    place.lose_request = lambda command: (
        isinstance(command, cmd.SubmitOrder) and len(submissions(place)) <= count
    )
    place.start()
    (command,) = submissions(place)
    return command


def arrives_and_fills(place: World, late: cmd.SubmitOrder) -> None:
    """The request was not lost, it was slow; before anybody hears of it, it is filled."""
    place.hold_stream = True
    place.act(late)
    place.move_venue("97")
    place.move_venue("100")
    place.release_stream()
    place.elapse(20)


def test_a_refused_order_that_filled_serves_its_parked_wish() -> None:
    """T21, T23: the refusal was none; the wish parked for another attempt is the one that was served."""
    place = world()

    def refused_after_all(command: cmd.Command) -> ev.Event | None:
        if not isinstance(command, cmd.SubmitOrder):
            return None
        place.act(command)
        return ev.OrderRefused(command.client_order_id, ev.RefusalReason.OTHER, "no")

    place.answer_instead = refused_after_all
    place.hold_stream = True
    place.start()
    place.answer_instead = lambda command: None
    place.move_venue("97")
    place.move_venue("100")
    place.release_stream()
    place.elapse(20)
    assert_served(place)


def test_a_newer_attempt_never_sent_gives_way() -> None:
    """T21, T23, T3: the attempt planned after the proof of absence is dropped."""
    place = world()
    late = lost_at_first(place)
    place.elapse(LIVE_AGAIN - 60)
    place.feed(ev.OperatorCommanded(Pause()))
    place.elapse(120)
    assert states(place) == [IntentState.PLANNED]
    arrives_and_fills(place, late)
    assert_served(place)


def test_a_newer_attempt_of_unknown_fate_is_cleared_up_first() -> None:
    """T21, T23, R6: while it may still execute nothing is concluded; proved absent, it gives way."""
    place = world()
    late = lost_at_first(place, count=2)
    place.elapse(LIVE_AGAIN)
    assert len(submissions(place)) == 2
    assert states(place) == [IntentState.UNKNOWN]
    arrives_and_fills(place, late)
    assert sorted(states(place)) == [IntentState.UNKNOWN, IntentState.ZOMBIE]
    place.restart()
    place.elapse(LIVE_AGAIN + 60)
    assert len(submissions(place)) == 2
    assert_served(place)


@pytest.mark.parametrize("amount", ["1", "0.4"])
def test_a_resting_attempt_is_cancelled_for_an_order_that_executed(amount: str) -> None:
    """T22, T23: an order of ours that no row knows bought what a resting one is to buy: that one is cancelled, and what
    was bought, all of it or a part, is what is sold."""
    place = world()
    place.start()
    rogue = order_ids.client_order_id(place.engine.state.orders.bot_code, BUY, 1, 3)
    order = NewOrder(ACCOUNT, SYMBOL, Side.BUY, "MARKET", Decimal(amount), client_order_id=rogue)
    place.place_by_hand(order)
    place.elapse(20)
    if amount == "1":
        assert_served(place)
        return
    assert resting(place) == []
    place.feed(ev.OperatorCommanded(Resume()))
    assert resting(place) == [(Side.SELL, Decimal("0.3996"))]
    agree(place)


def test_a_late_sale_counts_for_its_level() -> None:
    """T21, T23: the same for a sell: the newer attempt gives way, and the next buy follows."""
    place = world()
    place.start()
    place.lose_request = lambda command: isinstance(command, cmd.SubmitOrder) and len(submissions(place)) <= 3
    place.move("97")
    late = submissions(place)[1]
    place.elapse(LIVE_AGAIN)
    assert submissions(place)[2].approved.intent.slot == late.approved.intent.slot == SELL
    place.hold_stream = True
    place.act(late)
    place.move_venue("101")
    place.release_stream()
    place.elapse(LIVE_AGAIN + 60)
    assert bot_state(place) == INTEGRITY
    assert place.engine.state.ledger.holding(BTC) == 0
    place.feed(ev.OperatorCommanded(Resume()), place.book_event())
    assert resting(place) == [(Side.BUY, Decimal(1))]
    agree(place)


def test_a_late_order_that_executed_nothing_leaves_the_newer_attempt_alone() -> None:
    """T23: cancelled in time, it served nothing."""
    place = world()
    late = lost_at_first(place)
    place.elapse(LIVE_AGAIN)
    place.act(late)
    place.run()
    place.elapse(20)
    assert resting(place) == [(Side.BUY, Decimal(1))]
    assert states(place) == [IntentState.OPEN]


def test_a_grid_never_holds_a_level_twice() -> None:
    """T23, I11, I13: the real strategy, with a rogue buy of a level whose own order rests."""
    place = grid_world(total_investment="2000")
    place.start()
    state = place.engine.state
    buy = max((o for o in state.orders if o.side is Side.BUY), key=lambda o: o.intent.price or 0)
    held = state.ledger.holding(BTC)
    rogue = order_ids.client_order_id(state.orders.bot_code, buy.slot, buy.cycle, buy.attempt + 1)
    place.place_by_hand(
        NewOrder(ACCOUNT, SYMBOL, Side.BUY, "MARKET", buy.intent.amount, client_order_id=rogue)
    )
    place.elapse(20)
    assert buy.client_order_id not in {o.client_order_id for o in place.venue.open_orders(ACCOUNT)}
    place.feed(ev.OperatorCommanded(Resume()))
    place.elapse(60)
    assert state.ledger.holding(BTC) <= held + buy.intent.amount
    assert state.slots.get(buy.slot).is_free
    agree(place)
