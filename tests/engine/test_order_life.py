"""The life of an order in the engine, against a real venue: placed, filled and settled once, whatever is lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.commands import Pause, Resume, Stop, StopPolicy
from gridtide.domain.errors import PlanRefused
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.journal import BotState, FillAdded, OrderPut, PauseReason
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import MarketStatus, PriceBand, Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import Side
from gridtide.domain.parking import ParkReason
from gridtide.engine import invariants
from gridtide.engine.order_ids import LAST_ATTEMPT
from gridtide.strategies.protocol import ExecutionContext
from gridtide.venue.messages import NewOrder
from tests.engine.ladder import BUY, SELL, Ladder
from tests.engine.world import ACCOUNT, BTC, RULES, SYMBOL, USDT, World, update


def world(**options: str) -> World:
    return World(lambda: Ladder(**options), Ladder.from_state)


def submissions(place: World) -> list[cmd.SubmitOrder]:
    return [command for command in place.sent if isinstance(command, cmd.SubmitOrder)]


def states(place: World) -> list[IntentState]:
    """States of the live orders, oldest first."""
    return [order.state for order in place.engine.state.orders]


def bot_state(place: World) -> tuple[BotState, PauseReason]:
    return place.engine.state.bot_state, place.engine.state.pause_reason


def parked(place: World) -> list[ParkReason | None]:
    return [slot.parked for slot in place.engine.state.slots.parked()]


def agree_on_orders_and_balances(place: World) -> None:
    snapshot = place.act(cmd.TakeSnapshot(SYMBOL, 0, ()))
    assert isinstance(snapshot, ev.SnapshotTaken)
    assert invariants.own_breaches(place.engine.state) == []
    assert invariants.exchange_differences(place.engine.state, snapshot) == []


def agree(place: World) -> None:
    """Ours and the exchange's records are equal to the last unit (I3, I6 to I10), and no id was sent twice (I2)."""
    snapshot = place.act(cmd.TakeSnapshot(SYMBOL, 0, ()))
    assert isinstance(snapshot, ev.SnapshotTaken)
    assert invariants.own_breaches(place.engine.state) == []
    assert invariants.exchange_differences(place.engine.state, snapshot) == []
    ids = [command.client_order_id for command in submissions(place)]
    assert len(ids) == len(set(ids))
    booked = [entry.fill.key for entry in place.entries if isinstance(entry, FillAdded)]
    assert sorted(booked) == sorted(fill.key for fill in place.fills())


def test_a_wish_becomes_one_order_and_its_fill_the_next() -> None:
    """The main path: plan, send, rest, fill, counter-order; books balanced after each fill."""
    place = world()
    place.start()
    assert place.engine.state.bot_state is BotState.RUNNING
    assert [order.client_order_id for order in place.venue.open_orders(ACCOUNT)] == [
        submissions(place)[0].client_order_id
    ]
    place.move("97", "101")
    assert [fill.side for fill in place.fills()] == [Side.BUY, Side.SELL]
    assert place.engine.state.fill_count == 2
    statement = place.engine.state.statement()
    assert statement is not None
    assert statement.is_balanced
    assert statement.grid_profit > 0
    agree(place)


def test_nothing_is_sent_before_its_row_is_durable() -> None:
    """R1, R3: each submission stands in the journal as SENDING, sent once, before the command is handed on."""
    place = world()
    place.start()
    place.move("97", "101", "97")
    for command in submissions(place):
        rows = [
            entry.row
            for entry in place.entries
            if isinstance(entry, OrderPut) and entry.row.client_order_id == command.client_order_id
        ]
        sending = [row for row in rows if row.state is IntentState.SENDING]
        assert len(sending) == 1
        assert sending[0].signed_at == command.signed_at
        assert all(row.tx_count <= 1 for row in rows)


@pytest.mark.parametrize("fate", ["request", "answer"])
def test_a_lost_placement_is_looked_up_never_repeated(fate: str) -> None:
    """F01, F07, T8 to T11: a lost answer is found by query; a lost request is proved absent after its deadline,
    and only then a new attempt with a new id follows."""
    place = world()
    lost: list[cmd.Command] = []

    def first_submission(command: cmd.Command) -> bool:
        if isinstance(command, cmd.SubmitOrder) and not lost:
            lost.append(command)
            return True
        return False

    setattr(place, f"lose_{fate}", first_submission)
    place.hold_stream = True
    place.start()
    if fate == "answer":
        place.elapse(3)
        assert states(place) == [IntentState.OPEN]
        assert len(submissions(place)) == 1
    else:
        place.elapse(180)
        assert states(place) == [IntentState.UNKNOWN]
        assert len(submissions(place)) == 1
        place.elapse(60)
        assert states(place) == [IntentState.OPEN]
        assert len(submissions(place)) == 2
    place.release_stream()
    place.move("97", "101")
    agree(place)


def test_an_error_is_not_an_observation() -> None:
    """F33, R7: while queries fail an unknown order stays unknown, however long."""
    place = world()
    place.lose_request = lambda command: not isinstance(command, cmd.TakeSnapshot)
    place.start()
    place.elapse(1200)
    assert states(place) == [IntentState.UNKNOWN]
    assert len(submissions(place)) == 1
    place.lose_request = lambda command: False
    place.elapse(60)
    assert states(place) == [IntentState.OPEN]
    assert len(submissions(place)) == 2
    agree(place)


def test_a_fill_before_the_answer_is_booked_once() -> None:
    """F10, F27: the stream's execution, the reply's and the record's are one fill under one key."""
    place = world(price="100.01", order_type="LIMIT")
    place.start()
    place.release_stream()
    place.feed(ev.FillsRead(SYMBOL, place.fills()), ev.FillsRead(SYMBOL, place.fills()))
    assert len([entry for entry in place.entries if isinstance(entry, FillAdded)]) == 1
    agree(place)


def test_fills_missed_by_the_stream_come_from_the_records() -> None:
    """F24, F29: with a deaf stream the light reconciliation finds what happened."""
    place = world()
    place.start()
    place.hold_stream = True
    place.move("97")
    assert place.engine.state.fill_count == 0
    place.elapse(61)
    assert place.engine.state.fill_count == 1
    place.release_stream()
    assert place.engine.state.fill_count == 1
    agree(place)


def test_restart_after_each_fill_changes_nothing() -> None:
    """F32, F34: kill and restart after every move; fills are booked once, a filled level becomes its counter-order."""
    place = world()
    place.start()
    for price in ("97", "101", "97", "101", "97"):
        place.hold_stream = True
        place.move(price)
        place.hold_stream = False
        place.restart()
    assert place.engine.state.fill_count == 5
    assert [order.side for order in place.venue.open_orders(ACCOUNT)] == [Side.SELL]
    agree(place)


def test_a_cancel_that_raced_a_fill_asks_before_it_concludes() -> None:
    """F16, T17: -2011 means "not open now"; the order is queried and its fill booked."""
    place = world()
    place.start()
    place.hold_stream = True
    place.move("97")
    place.feed(ev.OperatorCommanded(Stop(StopPolicy.CANCEL)))
    place.elapse(5)
    assert place.engine.state.fill_count == 1
    assert [order.state for order in place.engine.state.orders] == [IntentState.PLANNED]
    agree(place)


def test_an_order_cancelled_by_somebody_else_waits_for_a_person() -> None:
    """F21: the level is parked with an alarm, foreign hands are respected, resume places it again."""
    place = world()
    place.start()
    place.cancel_by_hand(submissions(place)[0].client_order_id)
    assert parked(place) == [ParkReason.CANCELLED_OUTSIDE]
    place.elapse(3600)
    assert len(submissions(place)) == 1
    place.feed(ev.OperatorCommanded(Resume()))
    assert len(submissions(place)) == 2
    agree(place)


def test_foreign_trades_are_recorded_not_posted() -> None:
    """F21, F45: an order placed by hand on the same account moves the account's baseline, once, and no posting of
    ours, through restarts too."""
    place = world()
    place.start()
    hand = NewOrder(ACCOUNT, SYMBOL, Side.BUY, "MARKET", Decimal("0.5"), client_order_id="by-hand")
    before = place.engine.state.ledger.holding(USDT)
    place.place_by_hand(hand)
    place.elapse(901)
    assert place.engine.state.ledger.holding(USDT) == before
    assert place.engine.state.fill_count == 0
    assert place.engine.state.increase_halted == ""
    resting = NewOrder(
        ACCOUNT, SYMBOL, Side.BUY, "LIMIT_MAKER", Decimal(1), price=Decimal(90), client_order_id="resting"
    )
    place.place_by_hand(resting)
    place.restart()
    place.elapse(901)
    assert place.engine.state.increase_halted == ""
    agree_on_orders_and_balances(place)


def test_an_unexplained_difference_halts_buying_until_a_person_accepts_it() -> None:
    """F45: money that appears without a record is never taken for profit; nothing is bought until a person resumes."""
    place = world()
    place.start()
    place.venue.deposit(ACCOUNT, USDT, Decimal(7), Timestamp(place.now))
    place.elapse(901)
    assert "differs" in place.engine.state.increase_halted
    assert place.engine.state.bot_state is BotState.RUNNING
    place.feed(ev.OperatorCommanded(Resume()))
    assert place.engine.state.increase_halted == ""
    place.elapse(901)
    agree(place)


def test_a_post_only_refusal_parks_and_comes_back() -> None:
    """F12: a level on the wrong side of the price waits and is placed when the price is a tick away."""
    place = world(price="100.50")
    place.start()
    assert parked(place) == [ParkReason.WOULD_TAKE]
    assert not submissions(place)
    place.move("101")
    assert parked(place) == []
    assert len(place.venue.open_orders(ACCOUNT)) == 1


def test_a_paused_bot_books_fills_and_places_nothing() -> None:
    """I16: PAUSED places nothing, loses nothing; the counter-order leaves after resume; a restart keeps the pause."""
    place = world()
    place.start()
    place.feed(ev.OperatorCommanded(Pause()))
    place.move("97")
    assert place.engine.state.fill_count == 1
    assert len(submissions(place)) == 1
    place.restart()
    assert bot_state(place) == (BotState.PAUSED, PauseReason.OPERATOR)
    assert len(submissions(place)) == 1
    place.feed(ev.OperatorCommanded(Resume()))
    assert [order.side for order in place.venue.open_orders(ACCOUNT)] == [Side.SELL]
    agree(place)


def test_a_raising_strategy_is_contained() -> None:
    """F63: the fill stays booked, the orders stay, the bot pauses and says why."""

    class Raises(Ladder):
        def on_order_settled(self, order: object, context: object) -> None:
            raise ZeroDivisionError("a bug of its author")

    place = World(Raises, Raises.from_state)
    place.start()
    place.move("97")
    assert place.engine.state.fill_count == 1
    assert bot_state(place) == (BotState.PAUSED, PauseReason.STRATEGY)
    assert "a bug of its author" in place.engine.state.pause_detail
    agree(place)


def test_liquidation_sells_what_is_held() -> None:
    """A stop that liquidates cancels everything, then sells through the gate; what stays is less than an order."""
    place = world()
    place.start()
    place.move("97")
    assert place.engine.state.ledger.holding(BTC) > 0
    place.feed(ev.OperatorCommanded(Stop(StopPolicy.LIQUIDATE)))
    assert place.venue.open_orders(ACCOUNT) == ()
    held = place.engine.state.ledger.holding(BTC)
    assert held < Decimal("0.05")
    assert [fill.side for fill in place.fills()] == [Side.BUY, Side.SELL]
    agree(place)


def test_a_stale_event_changes_nothing() -> None:
    """F28, T13: an old NEW after the fill neither reopens nor unfills the order."""
    place = world()
    place.start()
    order_id = submissions(place)[0].client_order_id
    old = update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=order_id))
    place.move("97")
    before = place.engine.state.ledger.state()
    place.feed(ev.OrderUpdated(old), ev.OrderFound(old))
    assert place.engine.state.ledger.state() == before
    assert [order.slot for order in place.engine.state.orders] == [SELL]
    assert place.engine.state.bot_state is BotState.RUNNING


def test_equal_events_give_equal_effects() -> None:
    """The engine is a step function: the same story twice gives the same entries and commands."""

    def story() -> tuple[list[object], list[cmd.Command]]:
        place = world()
        place.start()
        place.move("97", "101", "99", "97")
        place.elapse(100)
        return list(place.entries), place.sent

    assert story() == story()


def test_changed_market_rules_are_read_anew() -> None:
    """F42: rules that change in mid-run are known after ten minutes at most, and orders follow them."""
    place = world()
    place.start()
    coarse = replace(RULES, lot_size=Decimal("0.1"), min_amount=Decimal("0.1"))
    place.venue.set_rules(SYMBOL, coarse)
    place.elapse(601)
    assert place.engine.state.market.rules == coarse
    place.move("97")
    sells = [order for order in place.venue.open_orders(ACCOUNT) if order.side is Side.SELL]
    assert [order.amount for order in sells] == [Decimal("0.9")]
    agree(place)


def test_sums_that_left_their_lots_are_found_and_stop_the_bot() -> None:
    """Statements are made from running sums of the lots: each round of reads counts the lots themselves again."""
    place = world()
    place.start()
    place.move("97")
    assert invariants.own_breaches(place.engine.state) == []
    ledger = place.engine.state.ledger
    lots = ledger._lots[SELL.key]  # noqa: SLF001  the damage that is to be found
    lots[0] = lots[0]._replace(cost=Money(Decimal(1)))
    breaches = invariants.own_breaches(place.engine.state)
    assert len(breaches) == 2
    assert SELL.key in breaches[0]
    place.elapse(901)
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)


def test_a_level_beyond_the_price_band_waits_for_the_price_and_for_no_clock() -> None:
    """Our own rule keeps a wish off the exchange: no timer runs for it, neither at once nor after a restart, and the
    first price whose band holds it lets it go."""
    place = world()
    band = PriceBand(Decimal("0.99"), Decimal(5), Decimal("0.2"), Decimal(5))
    place.venue.set_rules(SYMBOL, replace(RULES, price_band=band))
    ruled = ev.MarketChanged(place.venue.market(SYMBOL))
    place.start()
    place.feed(ruled)
    place.move("97", "101", "105")
    assert parked(place) == [ParkReason.PRICE_BAND]
    sent = len(submissions(place))
    place.elapse(590)
    assert len(submissions(place)) == sent
    below, above = place.engine.prices_of_interest()
    assert above is None
    assert below is not None
    assert Decimal("98.98") < below < 99
    place.load()
    place.feed(ruled)
    place.start()
    place.move("99")
    place.elapse(590)  # the exchange's own average forgets the high prices
    assert parked(place) == [ParkReason.PRICE_BAND]
    place.move("98.98")
    assert parked(place) == []
    assert len(submissions(place)) == sent + 1
    agree(place)


def test_a_level_refused_by_the_exchange_waits_without_spinning() -> None:
    """F12, F65: post-only refused by the exchange because our price was late: parked, no timer in the past, back when
    the price is."""
    place = world()
    place.start()
    place.move("97")
    place.hold_stream = True
    place.move("101")
    place.move_venue("97")
    place.release_stream()
    assert parked(place) == [ParkReason.WOULD_TAKE]
    timer = place.engine.next_timer()
    assert timer is not None
    assert timer > place.now
    assert len(submissions(place)) == 3
    place.elapse(1)
    place.move("99")
    assert parked(place) == []
    assert len(submissions(place)) == 4
    agree(place)


def test_a_refused_level_comes_back_though_the_market_falls_silent() -> None:
    """F12: the newer book came within the pause behind the refusal and was the last; the level is placed all the
    same."""
    place = world()
    place.start()
    place.move("97")
    place.hold_stream = True
    place.move("101")
    place.move_venue("97")
    place.release_stream()
    place.move("99")
    assert parked(place) == [ParkReason.WOULD_TAKE]
    place.elapse(1)
    assert parked(place) == []
    agree(place)


def test_a_paused_bot_with_parked_levels_does_not_spin() -> None:
    """F65: while paused no retry is due, whatever time it is; after resume it is tried again."""
    place = world(amount="200")
    place.start()
    place.venue.set_status(SYMBOL, MarketStatus.HALT)
    place.engine.state.slots.parked()[0].retry_at = Timestamp(place.now + 1000)
    place.feed(ev.OperatorCommanded(Pause()))
    place.elapse(5)
    timer = place.engine.next_timer()
    assert timer is not None
    assert timer > place.now


def test_two_exchange_ids_for_one_wish_stop_the_bot_not_the_process() -> None:
    """I2: the bot pauses for a person, keeps what it knows and goes on listening."""
    place = world()
    place.start()
    row = update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=submissions(place)[0].client_order_id))
    place.feed(ev.OrderFound(row._replace(order_id="999")))
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    place.move("97")
    assert place.engine.state.fill_count == 1
    agree(place)


def test_a_fill_the_books_cannot_take_stops_the_bot_not_the_process() -> None:
    """F44: a posting that would go below zero means a missing event: never clamped, never a crash loop."""
    place = world()
    place.start()
    row = update(place.venue.order(ACCOUNT, SYMBOL, client_order_id=submissions(place)[0].client_order_id))
    impossible = Fill(
        SYMBOL,
        1,
        row.order_id,
        Side.BUY,
        Price(Decimal(98)),
        Amount(Decimal(1)),
        Money(Decimal(99999)),
        Fee(Amount(Decimal(0)), BTC),
        is_maker=True,
        timestamp=Timestamp(place.now),
    )
    before = place.engine.state.ledger.state()
    place.feed(ev.OrderUpdated(row, impossible))
    assert bot_state(place) == (BotState.PAUSED, PauseReason.INTEGRITY)
    assert place.engine.state.ledger.state() == before
    assert place.engine.state.fill_count == 0


def test_attempts_without_end_go_on_in_a_new_cycle() -> None:
    """F06: an id is never cut to fit and never repeated, however often a wish was refused."""
    place = world(price="100.50")
    place.start()
    assert parked(place) == [ParkReason.WOULD_TAKE]
    slot = place.engine.state.slots.get(BUY)
    slot.attempt = LAST_ATTEMPT
    place.move("101")
    assert (slot.cycle, slot.attempt) == (2, 1)
    agree(place)


def test_a_strategy_that_could_not_start_may_try_again() -> None:
    """F63: what kept it from starting was mended, its owner resumed, and it starts."""

    class StartsLater(Ladder):
        ready = False

        def on_start(self, context: ExecutionContext) -> None:
            if not StartsLater.ready:
                raise PlanRefused("not yet")
            super().on_start(context)

    place = World(StartsLater, StartsLater.from_state)
    place.start()
    assert bot_state(place) == (BotState.PAUSED, PauseReason.STRATEGY)
    assert place.engine.state.pause_detail == "not yet"
    place.restart()
    StartsLater.ready = True
    place.feed(ev.OperatorCommanded(Resume()))
    assert len(submissions(place)) == 1
    agree(place)
