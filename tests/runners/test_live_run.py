"""The live runner over an in-process venue: durable before anything leaves, one read at a time, stops as asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from gridtide.domain.commands import StopPolicy, TakeSnapshot
from gridtide.domain.errors import Fenced, GridtideError, StorageFailed
from gridtide.domain.events import Event, ReadFailed, SnapshotTaken
from gridtide.domain.journal import BotState, JournalEntry, OrderPut
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Asset, Timestamp
from gridtide.engine.engine import Engine
from gridtide.engine.settings import Allocation, BotIdentity, EngineSettings
from gridtide.risk.gate import default_gate
from gridtide.runners.dispatch import Dispatcher
from gridtide.runners.live import LiveRun
from gridtide.runners.view_builder import build_view
from gridtide.storage.memory_journal import MemoryDatabase, MemoryJournal
from tests.engine.ladder import Ladder
from tests.engine.world import ACCOUNT, FEES, MARKET, SYMBOL, World
from tests.runners.in_process import InProcessExchange


class Watched:
    """A memory journal that notes what was durable when, and can refuse."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self.sending: set[str] = set()
        self.failure: GridtideError | None = None

    def load(self) -> object:
        return self._journal.load()

    def commit(self, entries: Sequence[JournalEntry], now: Timestamp) -> None:
        if self.failure is not None:
            raise self.failure
        self._journal.commit(entries, now)
        self.sending |= {
            entry.row.client_order_id
            for entry in entries
            if isinstance(entry, OrderPut) and entry.row.state is IntentState.SENDING
        }

    def renew_lease(self) -> None: ...

    def close(self) -> None: ...


def build(price: str = "98") -> tuple[LiveRun, InProcessExchange, Watched]:
    exchange = InProcessExchange(World(Ladder, Ladder.from_state))
    journal = Watched(MemoryDatabase().open_bot())
    settings = EngineSettings(
        BotIdentity("test", ACCOUNT, SYMBOL, 1), Allocation(quote=exchange.world.allocation.quote)
    )
    snapshot = MemoryDatabase().open_bot().load()
    engine = Engine(settings, MARKET, FEES, Ladder(price), default_gate(), snapshot)
    return LiveRun(engine, journal, exchange, "run-1"), exchange, journal  # type: ignore[arg-type]  # Watched is one


@asynccontextmanager
async def running(price: str = "98") -> AsyncIterator[tuple[LiveRun, InProcessExchange, Watched]]:
    run, exchange, journal = build(price)
    await run.start()
    try:
        await run.session.settle(5)
        yield run, exchange, journal
    finally:
        await run.close()


async def test_an_order_leaves_only_after_its_row_is_durable() -> None:
    """R1: at the moment the exchange is called, the SENDING row is committed."""
    run, exchange, journal = build()
    submit = exchange.submit
    seen: list[bool] = []

    async def watched(command):  # type: ignore[no-untyped-def]  # wraps the port's own method
        seen.append(command.client_order_id in journal.sending)
        return await submit(command)

    exchange.submit = watched  # type: ignore[method-assign]  # to look over its shoulder
    await run.start()
    await run.session.settle(5)
    exchange.move("97")
    await run.session.settle(5)
    await run.close()
    assert seen == [True, True]


@pytest.mark.parametrize("failure", [StorageFailed("disk full"), Fenced("taken over")])
async def test_nothing_leaves_when_the_journal_refuses(failure: GridtideError) -> None:
    """F57, F58, R10: a failed commit ends the run with its reason, and no byte leaves for it."""
    async with running() as (run, exchange, journal):
        before = len(exchange.submitted)
        journal.failure = failure
        exchange.move("97")
        with pytest.raises(type(failure), match=str(failure)):
            await run.wait(5)
        assert len(exchange.submitted) == before
        journal.failure = None


async def test_a_full_rate_budget_only_delays() -> None:
    """F14: without room nothing is sent, and as soon as there is room the order leaves."""
    run, exchange, _ = build()
    exchange.room = 0
    await run.start()
    await asyncio.sleep(0.3)
    assert exchange.submitted == []
    exchange.room = 1
    await asyncio.sleep(0.6)
    assert len(exchange.submitted) == 1
    await run.close()


async def test_keep_leaves_the_orders_and_says_so() -> None:
    """F66: a stop that keeps changes nothing at the exchange, and the verification finds both sides equal."""
    async with running() as (run, exchange, _):
        exchange.move("97")
        await run.session.settle(5)
        await run.stop(StopPolicy.KEEP)
        verification = await run.verify()
        assert verification.differences == []
        assert verification.agrees
        assert len(exchange.world.venue.open_orders(ACCOUNT)) == 1
        assert run.engine.state.bot_state is BotState.STOPPING


@pytest.mark.parametrize("policy", [StopPolicy.CANCEL, StopPolicy.LIQUIDATE])
async def test_cancel_and_liquidate_leave_nothing_open(policy: StopPolicy) -> None:
    """F66: after the stop nothing rests; a liquidation also sells what is held."""
    async with running() as (run, exchange, _):
        exchange.move("97")
        await run.session.settle(5)
        await run.stop(policy)
        assert exchange.world.venue.open_orders(ACCOUNT) == ()
        held = run.engine.state.ledger.holding(MARKET.base)
        assert (held < Decimal("0.1")) == (policy is StopPolicy.LIQUIDATE)
        assert (await run.verify()).agrees


async def test_the_view_shows_the_bot_as_it_is() -> None:
    """What a trader sees is what the engine knows: fills, order counts, books."""
    async with running() as (run, exchange, _):
        exchange.move("97")
        await run.session.settle(5)
        view = build_view(run, name="test", mode="sandbox")
        assert (view.fills, view.open_orders, view.state) == (1, 1, "RUNNING")
        assert view.statement is not None
        assert view.statement.is_balanced
        assert [fill.side for fill in view.recent_fills] == [fill.side for fill in exchange.world.fills()]


async def test_snapshots_never_overlap() -> None:
    """A second wish for a snapshot waits for the first one and is then honoured once."""
    exchange = InProcessExchange(World(Ladder, Ladder.from_state))
    exchange.read_delay_seconds = 0.05
    events: list[object] = []
    dispatcher = Dispatcher(exchange, events.append)
    for _ in range(5):
        dispatcher.hand_on(TakeSnapshot(SYMBOL, 0, ()))
    assert await dispatcher.drain(5)
    assert exchange.snapshots == 2
    assert len(events) == 2


async def test_a_third_fee_asset_has_its_price_before_the_first_fill() -> None:
    """F40: where fees are paid in a third asset, its market's price is an event of its own, kept fresh."""
    run, exchange, _ = build()
    run.engine.state.fees = replace(FEES, asset=Asset("BNB"))
    await run.start()
    await run.session.settle(5)
    assert run.engine.state.third_prices == {Asset("BNB"): Decimal(100)}
    assert exchange.world.venue.fills(ACCOUNT, SYMBOL) == ()
    await run.close()


async def test_a_read_that_breaks_does_not_block_the_next() -> None:
    """F63, R7: an answer nobody can read is a failed read, and later snapshots are taken all the same."""

    class Broken(InProcessExchange):
        async def snapshot(self, command: TakeSnapshot) -> SnapshotTaken:
            if not self.snapshots:
                self.snapshots += 1
                raise KeyError("clientOrderId")
            return await super().snapshot(command)

    events: list[Event] = []
    dispatcher = Dispatcher(Broken(World(Ladder, Ladder.from_state)), events.append)
    for _ in range(2):
        dispatcher.hand_on(TakeSnapshot(SYMBOL, 0, ()))
        await dispatcher.drain(1)
    assert [type(event) for event in events] == [ReadFailed, SnapshotTaken]


async def test_timers_fire_in_a_market_that_never_pauses() -> None:
    """F30, I15: with an event always waiting, reconciliation and polls still come at their time."""
    run, exchange, _ = build()
    now = exchange.now

    def now_with_news() -> int:
        run.session.deliver(exchange.world.book_event())
        exchange.world.now += 1_000
        return now()

    exchange.now = now_with_news  # type: ignore[method-assign]  # the market moves whenever somebody looks at the clock
    await run.start()
    for _ in range(500):
        await asyncio.sleep(0.002)
        if exchange.snapshots >= 3:
            break
    await run.close()
    assert exchange.snapshots >= 3
