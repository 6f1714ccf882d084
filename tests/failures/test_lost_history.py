"""F47: an exchange that was wiped and counts anew stops the bot with one sentence, whatever the journal is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.commands import Resume
from gridtide.domain.journal import BotState, PauseReason
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Price
from gridtide.domain.order import Side
from gridtide.storage.database import Database, open_database
from gridtide.storage.sql_journal import BotIdentity, SqlJournal, open_bot
from gridtide.venue.messages import NewOrder
from gridtide.venue.settings import AccountFees, VenueSettings
from gridtide.venue.venue import Venue
from tests.engine.test_order_life import bot_state, submissions, world
from tests.engine.world import ACCOUNT, BTC, FEES, MARKET, SYMBOL, USDT, World
from tests.failures.test_unnamed_executions import notices

INTEGRITY = (BotState.PAUSED, PauseReason.INTEGRITY)


class SqlDatabase:
    """A file in the place of the memory database of a test's world."""

    def __init__(self, path: Path) -> None:
        self._database: Database = open_database(f"sqlite:///{path}")
        self._journal: SqlJournal | None = None

    def open_bot(self, *, resume: bool = False) -> SqlJournal:
        self.close_bot()
        bot = BotIdentity("test", ACCOUNT, SYMBOL, "venue", "sandbox")
        self._journal = open_bot(self._database, bot, Timestamp(1), resume=resume)
        return self._journal

    def close_bot(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def close(self) -> None:
        self.close_bot()
        self._database.close()


@pytest.fixture(params=["memory", "sql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A bot that traded for a while, on either journal."""
    made = world()
    database = SqlDatabase(tmp_path / "bot.db") if request.param == "sql" else None
    if database is not None:
        made.database = database  # type: ignore[assignment]  # the same calls
        made.journal = database.open_bot()  # type: ignore[assignment]
        made.engine = made._build()  # noqa: SLF001  before anything happened
    made.start()
    made.move("97", "101", "97", "101")
    yield made
    if database is not None:
        database.close()


def wipe(place: World) -> None:
    """As `exchange.reset` of the sandbox: no orders, no executions, balances as at the start, ids from 1."""
    place.venue = Venue([MARKET], VenueSettings(), random.Random(7))
    place.venue.add_account(
        ACCOUNT, {USDT: Decimal(10000), BTC: Decimal(0)}, AccountFees(FEES.maker, FEES.taker)
    )
    place.move_venue("100")


def assert_told(place: World) -> None:
    """Paused for a person, nothing more leaves, and the sentence names what happened and what to do."""
    assert bot_state(place) == INTEGRITY
    detail = place.engine.state.pause_detail
    assert "lost its history" in detail
    assert "move its database away" in detail
    sent = len(submissions(place))
    place.move("97", "101")
    assert len(submissions(place)) == sent


def test_an_order_number_that_comes_again_stops_the_bot_not_the_process(place: World) -> None:
    """F47, I2: the first new order has a number that an old one had; each later start finds the pause, not a crash."""
    (resting,) = [o.client_order_id for o in place.venue.open_orders(ACCOUNT)]
    place.cancel_by_hand(resting)
    wipe(place)
    place.restart()
    place.feed(ev.OperatorCommanded(Resume()))  # the slot may have an order again: it is number 1
    assert place.venue.open_orders(ACCOUNT) or place.fills()
    assert_told(place)
    for _ in range(2):
        place.restart()
        place.elapse(700)
        assert_told(place)
    assert place.engine.state.fill_count == 4
    assert len(notices(place, "bot.paused")) == 1


def test_a_number_older_than_all_that_was_known_is_no_new_orders_number(place: World) -> None:
    """F47: not only the orders still in memory count: a smaller number than any known before the order was sent."""
    order_id = max(int(order.order_id) for order in place.engine.state.orders)
    (order,) = place.engine.state.orders
    name = order.client_order_id
    place.cancel_by_hand(name)
    place.lose_answer = lambda command: isinstance(command, cmd.SubmitOrder)
    place.hold_stream = True
    place.lose_request = lambda command: isinstance(command, cmd.QueryOrder)
    place.feed(ev.OperatorCommanded(Resume()))
    shown = place.venue.open_orders(ACCOUNT)[0]
    place.restart()  # the bound survives it
    place.lose_request = lambda command: False
    place.hold_stream = False
    (unknown,) = [o for o in place.engine.state.orders if o.client_order_id == shown.client_order_id]
    assert unknown.numbers_before == order_id


def test_a_start_finds_that_executions_are_gone(place: World) -> None:
    """F47: the records once went further than they go now, and a whole round of reads agrees (R7)."""
    place.elapse(1000)
    assert place.engine.state.cursor.safe > 1
    wipe(place)
    place.restart()
    assert_told(place)


def test_one_read_without_executions_is_no_proof(place: World) -> None:
    """R7: half a page at the start means nothing while the records have what is booked."""
    place.elapse(1000)
    place.load()
    place.feed(ev.RunStarted(place.venue.balances(ACCOUNT), 0), place.book_event())
    assert place.engine.state.bot_state is BotState.RUNNING


def test_an_order_that_rested_for_long_and_is_unknown_now_stops_the_bot(place: World) -> None:
    """F47: within the run too; a young order may be hidden by lagging reads, an old one may not (F09)."""
    place.elapse(700)
    wipe(place)
    place.elapse(120)
    assert_told(place)


def test_a_young_order_that_a_round_does_not_know_is_only_told() -> None:
    """F09: reads lag; nothing is concluded, nothing is paused."""
    young = world()
    young.start()
    wipe(young)
    young.elapse(120)
    assert young.engine.state.bot_state is BotState.RUNNING


@pytest.mark.parametrize("difference", ["side", "time"])
def test_an_execution_under_an_old_key_is_not_a_correction(place: World, difference: str) -> None:
    """F47, R9: the other side, or hours later: a different execution with a number that was used before."""
    first = place.fills()[0]
    other = {"side": replace(first, side=Side.SELL)}
    other["time"] = replace(first, timestamp=Timestamp(first.timestamp + 3_600_000), price=Price(Decimal(90)))
    place.feed(ev.FillsRead(SYMBOL, (other[difference],)))
    assert place.engine.state.fill_count == 4
    assert_told(place)


def test_an_execution_whose_number_went_back_is_not_booked(place: World) -> None:
    """F47, I12: executions of now have greater numbers than those of ten minutes ago."""
    place.elapse(1000)
    (order,) = place.engine.state.orders
    fill = replace(
        place.fills()[-1],
        trade_id=1,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        side=order.side,
        timestamp=Timestamp(place.now),
    )
    place.feed(ev.FillsRead(SYMBOL, (fill,)))
    assert place.engine.state.fill_count == 4
    assert_told(place)


def test_hand_trades_of_a_healthy_exchange_are_no_reset(place: World) -> None:
    """F21 beside F47: numbers between ours belong to others."""
    order = NewOrder(ACCOUNT, SYMBOL, Side.BUY, "MARKET", Decimal("0.1"), client_order_id="hand-1")
    place.place_by_hand(order)
    place.move("97", "101")
    place.elapse(1000)
    place.restart()
    assert place.engine.state.bot_state is BotState.RUNNING
