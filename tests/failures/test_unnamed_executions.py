"""Executions whose order nobody names, executions of others, and executions of orders that should not exist."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.commands import Resume
from gridtide.domain.fill import Fill
from gridtide.domain.journal import BotState, ForeignFillSeen, NoticeAdded, PauseReason
from gridtide.domain.ledger import DUST
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.order import Side
from gridtide.engine import order_ids
from gridtide.venue.messages import NewOrder
from tests.engine.ladder import BUY
from tests.engine.test_never_stuck import lost_once
from tests.engine.test_order_life import agree, bot_state, states, submissions, world
from tests.engine.world import ACCOUNT, SYMBOL, USDT, World


def notices(place: World, kind: str) -> list[NoticeAdded]:
    return [entry for entry in place.entries if isinstance(entry, NoticeAdded) and entry.kind == kind]


def by_hand(amount: str, name: str = "by-hand") -> NewOrder:
    return NewOrder(ACCOUNT, SYMBOL, Side.BUY, "MARKET", Decimal(amount), client_order_id=name)


def nameless(place: World) -> None:
    """From now on the exchange knows no order by its own id."""
    place.answer_instead = lambda command: (
        ev.OrderNotFound("") if isinstance(command, cmd.QueryOrder) and not command.client_order_id else None
    )


def deaf_trade(place: World, amount: str = "0.5", name: str = "by-hand") -> None:
    """Somebody trades and no event tells of it."""
    place.hold_stream = True
    place.place_by_hand(by_hand(amount, name))
    place.held.clear()
    place.hold_stream = False


def test_an_execution_nobody_names_is_asked_for_again_and_told() -> None:
    """F21, F64, I15: asked at growing distances, told once after ten minutes, and from then on the rest goes on: the
    cursor moves, the account is compared, and what a person then accepts is the account's."""
    place = world()
    place.start()
    nameless(place)
    deaf_trade(place)
    place.elapse(1700)
    asked = [c for c in place.sent if isinstance(c, cmd.QueryOrder) and not c.client_order_id]
    assert 10 <= len(asked) <= 60
    assert len(notices(place, "fill.nobodys")) == 1
    assert place.engine.state.cursor.applied == place.fills()[-1].trade_id
    assert place.engine.state.increase_halted
    place.move("97")
    assert place.engine.state.fill_count == 1
    place.feed(ev.OperatorCommanded(Resume()))
    place.elapse(1000)
    assert (place.engine.state.increase_halted, place.engine.state.unattributed) == ("", {})
    assert place.engine.state.bot_state is BotState.RUNNING


def test_an_execution_nobody_names_does_not_hold_up_other_orders() -> None:
    """F64, T11, T12: an order whose request was lost is proved absent: the execution cannot be its."""
    place = world()
    place.start()
    nameless(place)
    deaf_trade(place, "5")  # more than any order of ours
    place.elapse(700)
    lost_once(place, cmd.SubmitOrder)
    place.move("97")
    assert IntentState.UNKNOWN in states(place)
    place.elapse(900)
    place.feed(ev.OperatorCommanded(Resume()))  # the balances are as the person says (e)
    place.elapse(300)
    assert IntentState.UNKNOWN not in states(place)


def test_an_execution_that_may_be_an_unknown_orders_keeps_it_unknown() -> None:
    """T12, R7: absence is never concluded while an execution that fits the order has no owner."""
    place = world()
    lost_once(place, cmd.SubmitOrder)
    nameless(place)
    place.start()
    deaf_trade(place)
    order = place.engine.state.orders.find(submissions(place)[0].client_order_id)
    assert order is not None
    assert order.intent.price is not None
    fill = replace(place.fills()[-1], price=order.intent.price, side=Side.BUY)
    place.feed(ev.FillsRead(SYMBOL, (fill,)))
    place.elapse(3000)
    assert states(place) == [IntentState.UNKNOWN]


def test_a_late_record_of_a_hand_trade_reaches_the_baseline() -> None:
    """F21, F45: records appear out of order; one that turns up behind the cursor is counted, once, and a restart
    does not count it again."""
    place = world()
    place.start()
    deaf_trade(place, "0.5", "hand-1")
    deaf_trade(place, "0.3", "hand-2")
    first, second = place.fills()
    place.elapse(1)
    _read(place, second)
    assert place.engine.state.cursor.applied == second.trade_id
    _read(place, first, second)
    _read(place, first, second)
    seen = [entry.fill.key for entry in place.entries if isinstance(entry, ForeignFillSeen)]
    assert sorted(seen) == [first.key, second.key]
    expected = dict(place.engine.state.baseline)
    place.restart()
    place.elapse(901)
    assert place.engine.state.baseline == expected
    assert place.engine.state.increase_halted == ""


def _read(place: World, *fills: Fill) -> None:
    """Trade records as the exchange shows them at first: incomplete."""
    place.feed(ev.FillsRead(SYMBOL, fills))


def test_the_safe_cursor_goes_on_after_a_restart() -> None:
    """F29, I12: executions of before the restart grow old enough, without new ones."""
    place = world()
    place.start()
    place.move("97")
    newest = place.fills()[-1].trade_id
    assert place.engine.state.cursor.safe < newest or place.engine.state.cursor.applied == newest
    place.restart()
    place.elapse(700)
    assert place.engine.state.cursor.safe == newest


def test_what_an_order_bought_that_should_not_exist_is_sold_with_the_next() -> None:
    """T21, T22, T23, I10, I13: where no wish is left that it could serve, it is booked at once, told to nobody but
    the owner, its base among the remainders; the next sell takes it along, and nothing is left over."""
    place = world()
    place.start()
    place.move("97")  # the buy is over, its sell rests
    rogue = _rogue_name(place)
    order = NewOrder(ACCOUNT, SYMBOL, Side.BUY, "MARKET", Decimal("0.5"), client_order_id=rogue)
    told = place.engine.strategy.fills  # type: ignore[attr-defined]  # a Ladder counts them
    place.place_by_hand(order)
    place.elapse(30)
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    assert place.engine.strategy.fills == told  # type: ignore[attr-defined]
    assert place.engine.state.ledger.owned(DUST) > 0
    assert len(notices(place, "order.zombie")) == 1
    place.restart()
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    place.feed(ev.OperatorCommanded(Resume()))
    place.move("101", "97")
    sells = [o for o in place.venue.open_orders(ACCOUNT) if o.side is Side.SELL]
    assert [o.amount for o in sells] == [Decimal("1.4985")]
    agree(place)


def _rogue_name(place: World) -> str:
    return order_ids.client_order_id(place.engine.state.orders.bot_code, BUY, 1, 3)


def test_a_refusal_that_was_none_is_taken_back() -> None:
    """T21, F33, R8: an order we were told was refused turns out to rest: cancelled, paused for a person, and its slot
    has its order again afterwards (I13)."""
    place = world()
    place.answer_instead = lambda command: (
        _refused_after_all(place, command) if isinstance(command, cmd.SubmitOrder) else None
    )
    place.hold_stream = True
    place.start()
    place.answer_instead = lambda command: None
    place.release_stream()
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    place.elapse(20)
    assert place.venue.open_orders(ACCOUNT) == ()
    place.feed(ev.OperatorCommanded(Resume()))
    place.elapse(60)
    assert states(place) == [IntentState.OPEN]
    assert place.engine.state.ledger.holding(USDT) == place.allocation.quote
    agree(place)


def _refused_after_all(place: World, command: cmd.SubmitOrder) -> ev.Event:
    place.act(command)
    return ev.OrderRefused(command.client_order_id, ev.RefusalReason.OTHER, "no")
