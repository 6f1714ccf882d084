"""The watchdogs of a live run: each failure found, told once, and answered by the one thing that helps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.domain import events as ev
from gridtide.domain.errors import Fenced, StorageFailed, Transient
from gridtide.domain.journal import BotState, BotStatePut, FillAdded, JournalEntry, PauseReason
from gridtide.domain.market import Timestamp
from gridtide.exchanges.exchange_clock import ExchangeClock
from gridtide.exchanges.stream_buffer import StreamBuffer
from gridtide.exchanges.stream_loop import Link, StreamPatience, keep_streaming
from gridtide.runners.view_builder import build_view
from gridtide.runners.watchdogs.clock import ClockWatch
from gridtide.runners.watchdogs.delivery import DeliveryWatch
from gridtide.runners.watchdogs.host import MemoryExhausted, check_disk, check_memory, resident_bytes
from gridtide.runners.watchdogs.limits import WatchdogLimits
from gridtide.runners.watchdogs.pack import Watchdogs
from tests.engine.test_order_life import bot_state, submissions, world
from tests.engine.world import World, update
from tests.runners.in_process import InProcessExchange
from tests.runners.test_live_run import build, running

LIMITS = WatchdogLimits()


@dataclass
class Hands:
    """Clock hands that a test moves."""

    wall: float = 1_700_000_000.0
    monotonic: float = 100.0

    def pass_seconds(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def clock_watch(hands: Hands) -> tuple[ClockWatch, InProcessExchange]:
    exchange = InProcessExchange(world())
    return ClockWatch(LIMITS, exchange, lambda: hands.wall, lambda: hands.monotonic), exchange


# --- clock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [3_600.0, -3_600.0, 3.0, -3.0])
async def test_a_wall_clock_that_jumps_has_the_exchanges_measured(step: float) -> None:
    """F53, F54: drift and steps, each way: measured again at once, nothing paused, because time never came from it."""
    hands = Hands()
    watch, exchange = clock_watch(hands)
    exchange.age = 10.0
    assert await watch.look(is_paused_for_clock=False) is None
    assert exchange.age == 10.0
    hands.wall += step
    assert await watch.look(is_paused_for_clock=False) is None
    assert exchange.age == 0.0


async def test_a_clock_nobody_can_measure_pauses_until_it_is_measured() -> None:
    """F53, T2: no order leaves on an offset older than five minutes; it goes on by itself afterwards."""
    watch, exchange = clock_watch(Hands())
    exchange.age = 301.0
    measure = exchange.measure_clock

    async def fails() -> None:
        raise Transient("no answer")

    exchange.measure_clock = fails  # type: ignore[method-assign]
    found = await watch.look(is_paused_for_clock=False)
    assert isinstance(found, ev.TroubleFound)
    place = world()
    place.start()
    place.feed(found)
    assert bot_state(place) == (BotState.PAUSED, PauseReason.CLOCK)
    sent = len(submissions(place))
    place.move("97")
    place.elapse(1000)
    assert (place.engine.state.fill_count, len(submissions(place))) == (1, sent)
    exchange.measure_clock = measure  # type: ignore[method-assign]
    over = await watch.look(is_paused_for_clock=True)
    assert over == ev.TroubleOver(PauseReason.CLOCK)
    place.feed(over)
    assert place.engine.state.bot_state is BotState.RUNNING
    assert len(submissions(place)) == sent + 1


async def test_the_clocks_age_counts_from_the_last_measurement() -> None:
    """F53: a failed measurement does not make the clock younger."""
    hands = Hands()
    clock = ExchangeClock(lambda: hands.monotonic, lambda: hands.wall)
    assert clock.age() == float("inf")

    async def ask() -> int:
        return int(hands.wall * 1000)

    await clock.measure(ask)
    hands.pass_seconds(7)
    assert clock.age() == 7.0


# --- delivery ----------------------------------------------------------------------------------------


def executed(place: World) -> tuple[JournalEntry, ev.OrderUpdated]:
    """A fill booked from the records, and the event that should have told of it."""
    place.start()
    place.hold_stream = True
    place.move("97")
    place.elapse(61)
    (entry,) = [e for e in place.entries if isinstance(e, FillAdded)]
    event = next(e for e in place.held if isinstance(e, ev.OrderUpdated) and e.fill is not None)
    return entry, event


@pytest.mark.parametrize("arrives", ["never", "before", "after", "late"])
def test_an_execution_no_event_told_makes_the_stream_anew(arrives: str) -> None:
    """F24: read for more than five seconds and not told: the stream lives and does not deliver."""
    entry, event = executed(world())
    assert isinstance(entry, FillAdded)
    at = int(entry.fill.timestamp)
    watch = DeliveryWatch(LIMITS)
    watch.see_event(ev.StreamRestored(), at - 1000)
    if arrives == "before":
        watch.see_event(event, at + 10)
    watch.see_booked(entry, at + 100)
    assert watch.next_look() == at + 5_100
    if arrives == "after":
        watch.see_event(event, at + 3_000)
    reason = watch.reason_to_rebuild(at + 5_100)
    assert bool(reason) == (arrives in ("never", "late"))
    assert watch.next_look() is None


def test_what_happened_before_the_connection_stood_is_no_alarm() -> None:
    """F24, F29: fills of a gap come from the records and from nowhere else."""
    entry, _ = executed(world())
    assert isinstance(entry, FillAdded)
    watch = DeliveryWatch(LIMITS)
    watch.see_event(ev.StreamRestored(), int(entry.fill.timestamp) + 1)
    watch.see_booked(entry, int(entry.fill.timestamp) + 100)
    assert watch.next_look() is None
    watch.see_event(ev.StreamInterrupted("gone"), 0)
    watch.see_booked(replace(entry, source="reply"), int(entry.fill.timestamp) + 200)
    assert watch.next_look() is None


async def test_a_silent_stream_is_made_anew_and_one_that_speaks_is_not() -> None:
    """F24: no event at all for minutes."""
    async with running() as (run, exchange, _):
        hands = Hands()
        dogs = Watchdogs(run.session, exchange, LIMITS, None, lambda: hands.monotonic, lambda: hands.wall)
        await dogs.look()
        hands.pass_seconds(299)
        await dogs.look()
        assert exchange.rebuilt == []
        hands.pass_seconds(2)
        await dogs.look()
        assert len(exchange.rebuilt) == 1
        await asyncio.sleep(0.05)
        hands.pass_seconds(299)
        await dogs.look()
        assert len(exchange.rebuilt) == 1


async def test_a_process_that_stood_still_reads_the_account() -> None:
    """F56: after a long sleep nothing is believed that was known before it."""
    async with running() as (run, exchange, _):
        dogs = Watchdogs(run.session, exchange, LIMITS)
        before = exchange.snapshots
        await dogs.look(2.0)
        await run.session.settle(5)
        assert exchange.snapshots == before
        await dogs.look(30.0)
        await run.session.settle(5)
        assert exchange.snapshots > before


# --- renewal -----------------------------------------------------------------------------------------


@dataclass
class ScriptedFeed:
    """A connection that says when it is opened and closed, and may fail to open."""

    link: Link
    log: list[str]
    number: int
    fails: set[int] = field(default_factory=set)

    async def open(self) -> None:
        if self.number in self.fails:
            self.log.append(f"failed {self.number}")
            raise Transient("no")
        self.log.append(f"open {self.number}")

    async def close(self) -> None:
        self.log.append(f"close {self.number}")


async def _stream(fails: set[int], enough: Callable[[list[str]], bool]) -> tuple[list[str], list[str]]:
    log: list[str] = []
    feeds: list[ScriptedFeed] = []
    buffer = StreamBuffer()

    def make(link: Link) -> ScriptedFeed:
        feeds.append(ScriptedFeed(link, log, len(feeds) + 1, fails))
        return feeds[-1]

    patience = StreamPatience(1.0, 0.01, lifetime_seconds=0.05, renewal_retry_seconds=0.01)
    task = asyncio.create_task(keep_streaming(make, buffer, patience))
    async with asyncio.timeout(5):
        while not enough(log):  # noqa: ASYNC110  the log is a plain list, looked at by the test alone
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    buffer.close()
    told: list[str] = []
    while (event := await buffer.get()) is not None:
        told.append(type(event).__name__)
    return log, told


async def test_a_planned_renewal_overlaps() -> None:
    """F26: the new connection is subscribed before the old is closed, and no gap is told."""
    log, told = await _stream(set(), lambda log: "close 2" in log)
    assert log[:5] == ["open 1", "open 2", "close 1", "open 3", "close 2"]
    assert set(told) == {"StreamRestored"}


async def test_a_renewal_that_fails_keeps_the_old_connection() -> None:
    """F26: while no new connection comes about, the old one serves on."""
    log, told = await _stream({2, 3}, lambda log: "close 1" in log)
    assert log[:7] == ["open 1", "failed 2", "close 2", "failed 3", "close 3", "open 4", "close 1"]
    assert "StreamInterrupted" not in told


# --- disk, memory, storage ---------------------------------------------------------------------------


def test_a_disk_that_is_nearly_full_ends_the_run_in_time(tmp_path: Path) -> None:
    """F58: before it is full, with a sentence; zero switches it off, an unknown folder is no failure."""
    check_disk(LIMITS, tmp_path / "missing")
    check_disk(replace(LIMITS, free_disk_bytes=0), tmp_path)
    with pytest.raises(StorageFailed, match="free some space"):
        check_disk(replace(LIMITS, free_disk_bytes=2**62), tmp_path)


def test_too_much_memory_ends_the_run(tmp_path: Path) -> None:
    """F60: it ends in order and is started again; what the process held before is not the bot's."""
    used = resident_bytes()
    if used is None:
        pytest.skip("this system does not tell")
    assert 10_000_000 < used < 8_000_000_000
    check_memory(replace(LIMITS, memory_bytes=used * 4), 0)
    check_memory(replace(LIMITS, memory_bytes=used // 2), used)
    check_memory(replace(LIMITS, memory_bytes=0), 0)
    with pytest.raises(MemoryExhausted, match="start it again"):
        check_memory(replace(LIMITS, memory_bytes=used // 2), 0)
    assert resident_bytes(tmp_path / "missing") is None


@pytest.mark.parametrize(
    "failure, shown",
    [
        (OSError(5, "Input/output error"), BotState.STORAGE_FAILED),
        (StorageFailed("the disk failed: nobody knows what was written"), BotState.STORAGE_FAILED),
        (Fenced("another instance owns this bot"), BotState.FENCED),
    ],
)
async def test_a_commit_that_may_be_durable_ends_the_run(failure: Exception, shown: BotState) -> None:
    """F58, I16: whatever the last flush raises, nothing leaves, nothing is written from memory."""
    run, exchange, journal = build()
    written: list[JournalEntry] = []
    commit = journal.commit

    def fails(entries: Sequence[JournalEntry], now: Timestamp) -> None:
        if any(
            entry.row.tx_count
            for entry in entries
            if hasattr(entry, "row") and hasattr(entry.row, "tx_count")
        ):
            commit(entries, now)
            journal.commit = refuses  # type: ignore[method-assign]
            raise failure
        commit(entries, now)

    def refuses(entries: Sequence[JournalEntry], now: Timestamp) -> None:
        written.extend(entries)
        raise StorageFailed("doubtful")

    journal.commit = fails  # type: ignore[method-assign]
    await run.start()
    expected = Fenced if shown is BotState.FENCED else StorageFailed
    with pytest.raises(expected):
        await run.wait(5)
    assert exchange.submitted == []
    assert run.ended_as is shown
    assert build_view(run, name="grid", mode="sandbox").state == shown.value
    await run.close()
    assert {type(entry) for entry in written} <= {BotStatePut}


def test_an_empty_strategy_state_is_a_state() -> None:
    """A strategy that keeps nothing is started once, and not again after a restart."""

    class Forgetful:
        starts = 0

        def on_start(self, context: object) -> None:
            Forgetful.starts += 1

        def on_fill(self, fill: object, context: object) -> None: ...

        def get_state(self) -> dict[str, object]:
            return {}

        @classmethod
        def from_state(cls, state: object) -> Forgetful:
            return cls()

    place = World(Forgetful, Forgetful.from_state)
    place.start()
    place.restart()
    assert Forgetful.starts == 1


@pytest.mark.parametrize("wrong", [0.5, float("nan"), Decimal("NaN")])
def test_the_memory_journal_refuses_what_is_not_exact(wrong: object) -> None:
    """F15: as the columns of the database do, and nothing of the commit is kept."""
    from gridtide.domain.errors import Defect
    from gridtide.domain.journal import OrderPut

    place = world()
    place.start()
    (row,) = [order.row() for order in place.engine.state.orders]
    assert update is not None
    with pytest.raises(Defect, match="no exact decimal"):
        place.journal.commit([OrderPut(replace(row, filled_amount=wrong))], Timestamp(place.now))  # type: ignore[arg-type]
    assert place.journal.load().orders[0].filled_amount == 0
