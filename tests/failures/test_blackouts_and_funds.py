"""An exchange that does not answer, and one that says there is no money: patience, one word to the owner, no loop."""

from __future__ import annotations

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.commands import Pause
from gridtide.domain.journal import BotState, PauseReason
from gridtide.domain.lifecycle import IntentState
from tests.engine.test_grid_in_world import grid_world
from tests.engine.test_order_life import agree, bot_state, states, submissions, world
from tests.engine.world import World
from tests.failures.test_unnamed_executions import notices


def refuse_for_money(place: World) -> None:
    place.answer_instead = lambda command: (
        ev.OrderRefused(
            command.client_order_id, ev.RefusalReason.INSUFFICIENT_FUNDS, "Account has insufficient balance"
        )
        if isinstance(command, cmd.SubmitOrder)
        else None
    )


def test_missing_money_is_looked_up_before_the_one_next_attempt() -> None:
    """F11: refused, the account is read, then comes one attempt; never a loop, each time later."""
    place = world()
    refuse_for_money(place)
    place.start()
    since = next(i for i, command in enumerate(place.sent) if isinstance(command, cmd.SubmitOrder))
    assert any(isinstance(command, cmd.TakeSnapshot) and command.full for command in place.sent[since:])
    place.elapse(3600)
    assert 5 <= len(submissions(place)) <= 12
    place.answer_instead = lambda command: None
    place.elapse(601)
    assert states(place) == [IntentState.OPEN]
    agree(place)


def test_no_attempt_before_the_account_was_read() -> None:
    """F11, F50: while the account cannot be read a refused level waits, and no timer spins for it."""
    place = world()
    refuse_for_money(place)
    place.start()
    count = len(submissions(place))
    place.answer_instead = lambda command: (
        ev.ReadFailed("snapshot", "HTTP 503") if isinstance(command, cmd.TakeSnapshot) else None
    )
    place.engine.state.read_at = None
    place.elapse(300)
    assert len(submissions(place)) == count
    place.answer_instead = lambda command: None
    place.elapse(120)
    assert states(place) == [IntentState.OPEN]


def test_two_hours_without_answers_and_the_truth_afterwards() -> None:
    """F33, F50, I15: few questions, one alarm, nothing concluded and nothing placed; what was filled or expired
    meanwhile is booked on return, and the bot goes on by itself."""
    place = grid_world()
    place.start()
    place.lose_request = lambda command: True
    place.hold_stream = True
    place.elapse(120)
    place.move("92", "104")
    place.held.clear()
    place.hold_stream = False
    before = len(place.sent)
    place.elapse(7200)
    assert bot_state(place) == (BotState.PAUSED, PauseReason.EXCHANGE)
    assert len(place.sent) - before < 400
    assert len(notices(place, "exchange.unreachable")) == 1
    assert len(notices(place, "bot.paused")) == 1
    assert place.engine.state.fill_count == 0 or place.engine.state.fill_count < len(place.fills())
    place.lose_request = lambda command: False
    place.elapse(400)
    assert place.engine.state.bot_state is BotState.RUNNING
    assert len(notices(place, "exchange.back")) == 1
    assert place.engine.state.fill_count == len(place.fills())
    agree(place)


def test_a_blackout_does_not_end_an_owners_pause() -> None:
    """I16, F50: a pause that passes by itself never replaces one that a person set."""
    place = world()
    place.start()
    place.feed(ev.OperatorCommanded(Pause()))
    place.lose_request = lambda command: True
    place.elapse(400)
    place.lose_request = lambda command: False
    place.elapse(200)
    assert bot_state(place) == (BotState.PAUSED, PauseReason.OPERATOR)
