"""A live run of one bot: connects, starts, watches and stops it. The world it trades in is the exchange's affair."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic as system_monotonic
from typing import TYPE_CHECKING

from gridtide.domain.commands import Pause, Resume, Stop, StopPolicy
from gridtide.domain.errors import Defect, Fenced, GridtideError, InvalidInput, StorageFailed
from gridtide.domain.events import AssetPriced, OperatorCommanded, RunStarted, SnapshotTaken
from gridtide.domain.journal import BotState, BotStatePut, FillAdded, NoticeAdded
from gridtide.domain.market import Symbol, Timestamp
from gridtide.engine import invariants, liquidation, resolving
from gridtide.runners.dispatch import Dispatcher
from gridtide.runners.reply_order import ReplyOrder
from gridtide.runners.session import LEASE_SECONDS, Session
from gridtide.runners.view import NoticeView
from gridtide.runners.watchdogs.delivery import DeliveryWatch
from gridtide.runners.watchdogs.limits import WatchdogLimits
from gridtide.runners.watchdogs.pack import Watchdogs

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from gridtide.domain.commands import OperatorCommand
    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import JournalEntry
    from gridtide.domain.market import Asset
    from gridtide.engine.engine import Engine
    from gridtide.ports.exchange import Exchange
    from gridtide.ports.journal import Journal

KEPT_FILLS = 50
KEPT_NOTICES = 100
SETTLE_SECONDS = 10.0
FEE_ASSET_SECONDS = 30.0
"""How often the price of a third fee asset is read."""
CANCEL_SECONDS = 60.0


@dataclass(slots=True)
class Verification:
    """The last comparison with the exchange, to the last unit."""

    agrees: bool
    differences: list[str] = field(default_factory=list)


class LiveRun:
    """One execution of one bot. Use `start`, `wait`, `stop`, in this order; `close` always."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        exchange: Exchange,
        run_id: str,
        *,
        after_close: Callable[[], None] | None = None,
        writer: Executor | None = None,
        monotonic: Callable[[], float] = system_monotonic,
        lease_seconds: float = LEASE_SECONDS,
        limits: WatchdogLimits | None = None,
        folder: Path | None = None,
    ) -> None:
        """`limits` sets the watchdogs to work; `folder` is where the books are, for the one that looks at the disk."""
        self.engine = engine
        self.exchange = exchange
        self.run_id = run_id
        self.recent_fills: deque[Fill] = deque(maxlen=KEPT_FILLS)
        self.notices: deque[NoticeView] = deque(maxlen=KEPT_NOTICES)
        self.started_at = 0
        self.on_entry: Callable[[JournalEntry], None] | None = None
        """Called for each durable entry: the log and the terminal listen here."""
        self._after_close = after_close
        self._journal = journal
        self._writer = writer or ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self.session = Session(engine, journal, exchange, self._writer, monotonic, lease_seconds)
        self._reply_order = ReplyOrder()
        self._dispatcher = Dispatcher(exchange, self.session.deliver, self._reply_order)
        self.session.connect(self._dispatcher)
        self.session.listeners.append(self._listen)
        self._loop_task: asyncio.Task[None] | None = None
        self._stream_task: asyncio.Task[None] | None = None
        self._price_task: asyncio.Task[None] | None = None
        self._delivery = DeliveryWatch(limits or WatchdogLimits())
        self._delivery_look: asyncio.TimerHandle | None = None
        self._watchdogs = Watchdogs(self.session, exchange, limits, folder) if limits is not None else None
        self._watch_task: asyncio.Task[None] | None = None
        self.ended_as: BotState | None = None
        """FENCED or STORAGE_FAILED, once the run has ended that way: what is shown, and stored where it can be."""
        self._stop_asked = asyncio.Event()

    # --- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Subscribe to the streams, then reconcile; the bot trades once that is done."""
        self.started_at = self.exchange.now()
        self._loop_task = asyncio.create_task(self.session.run(), name="session")
        self._stream_task = asyncio.create_task(self._read_stream(), name="stream")
        if self._watchdogs is not None:
            self._watch_task = asyncio.create_task(self._watchdogs.run(), name="watchdogs")
        await self._watch_fee_asset()
        balances = await self.exchange.balances()
        newest = await self.exchange.newest_trade_id(self.engine.state.market.symbol)
        self.session.deliver(RunStarted(balances, newest))

    async def wait(self, seconds: float | None = None) -> None:
        """Until `seconds` have passed, somebody asks to stop, or the bot cannot go on (that is raised)."""
        stop = asyncio.create_task(self._stop_asked.wait())
        tasks = [t for t in (self._loop_task, self._stream_task, self._watch_task) if t is not None]
        try:
            await asyncio.wait([stop, *tasks], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
        self._raise_failure()

    def ask_to_stop(self) -> None:
        """Make `wait` return; safe to call from a signal handler."""
        self._stop_asked.set()

    def command(self, command: OperatorCommand) -> None:
        """Hand an operator's command to the engine, through the same queue as everything else."""
        self.session.deliver(OperatorCommanded(command))

    def pause(self) -> None:
        self.command(Pause())

    def resume(self) -> None:
        self.command(Resume())

    async def verify(self, timeout_seconds: float = SETTLE_SECONDS) -> Verification:
        """Compare orders, fills and balances with the exchange; meaningful while the market stands still."""
        differences = ["the account did not come to rest"]
        for _ in range(3):
            await self.session.settle(timeout_seconds)
            state = self.engine.state
            snapshot = await self.exchange.snapshot(resolving.full_snapshot(state))
            self.session.deliver(snapshot)
            await self.session.settle(timeout_seconds)
            differences = self._differences(snapshot)
            if not differences:
                return Verification(agrees=True)
        return Verification(agrees=False, differences=differences)

    async def stop(self, policy: StopPolicy) -> None:
        """Stop deciding; keep, cancel or sell as `policy` says, and see that it happened."""
        self._raise_failure()
        await self._stepped(Stop(policy), lambda: self.engine.state.bot_state is BotState.STOPPING)
        await self.session.settle(SETTLE_SECONDS)
        if policy is not StopPolicy.KEEP:
            await self._until(self._nothing_rests, CANCEL_SECONDS)
        if policy is StopPolicy.LIQUIDATE:
            await self._until(lambda: liquidation.is_finished(self.engine.state), CANCEL_SECONDS)

    async def close(self) -> None:
        """End all tasks and store STOPPED; orders that rest stay as the stop policy left them."""
        await self.abandon()
        try:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._close_journal)
        finally:
            self._writer.shutdown(wait=True)
            await self.exchange.close()

    async def abandon(self) -> None:
        """End all tasks and leave everything else as it is, as a killed process would."""
        if self._delivery_look is not None:
            self._delivery_look.cancel()
        own = (self._stream_task, self._price_task, self._watch_task, self._loop_task)
        tasks = [task for task in own if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._dispatcher.close()

    def _close_journal(self) -> None:
        state = self.engine.state
        try:
            # A liquidation that left an order of unknown fate is not over: the next start must find it again.
            is_over = state.pause_detail != StopPolicy.LIQUIDATE.value or self._nothing_rests()
            if self.ended_as is None and state.bot_state is BotState.STOPPING and is_over:
                entry = BotStatePut(BotState.STOPPED, state.pause_reason, state.pause_detail)
                self._journal.commit([entry], Timestamp(self.exchange.now()))
            elif self.ended_as is BotState.STORAGE_FAILED:
                self._store_failure()
            if self._after_close is not None:
                self._after_close()
        finally:
            self._journal.close()

    def _store_failure(self) -> None:
        """Where the books can still be written (the disk is nearly full only), they say why the run ended; a pause
        that was stored is kept."""
        state = self.engine.state
        if state.bot_state in (BotState.PAUSED, BotState.STOPPING, BotState.STOPPED):
            return
        entry = BotStatePut(BotState.STORAGE_FAILED, state.pause_reason, state.pause_detail)
        with contextlib.suppress(GridtideError):
            self._journal.commit([entry], Timestamp(self.exchange.now()))

    # --- inside --------------------------------------------------------------------------------------

    async def _read_stream(self) -> None:
        symbol, timeframe = self.engine.state.market.symbol, self.engine.timeframe
        async for event in self.exchange.stream(symbol, timeframe):
            self.session.heard += 1
            self._delivery.see_event(event, self.exchange.now())
            self.session.deliver(event)
            self._reply_order.see_event(event)

    async def _watch_fee_asset(self) -> None:
        """Where fees are paid in a third asset, know its price before the first fill, and keep it fresh."""
        state = self.engine.state
        asset = state.fees.asset
        if asset is None or asset in (state.market.base, state.market.quote):
            return
        symbol = Symbol(f"{asset}/{state.market.quote}")
        if await self._price_fee_asset(asset, symbol):
            self._price_task = asyncio.create_task(self._keep_pricing(asset, symbol), name="fee asset")

    async def _price_fee_asset(self, asset: Asset, symbol: Symbol) -> bool:
        """Deliver the asset's price; False where the exchange has no such market (its fees then count as nothing,
        and the engine says so)."""
        try:
            price = (await self.exchange.top_of_book(symbol)).mid()
        except InvalidInput:
            return False
        except GridtideError:
            return True  # a read that failed passes; the last price stands until the next one
        if price is not None:
            self.session.deliver(AssetPriced(asset, price))
        return True

    async def _keep_pricing(self, asset: Asset, symbol: Symbol) -> None:
        while True:
            await asyncio.sleep(FEE_ASSET_SECONDS)
            await self._price_fee_asset(asset, symbol)

    async def _stepped(self, command: OperatorCommand, reached: Callable[[], bool]) -> None:
        self.command(command)
        await self._until(reached, SETTLE_SECONDS)

    async def _until(self, reached: Callable[[], bool], timeout_seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while not reached() and asyncio.get_running_loop().time() < deadline:
            self._raise_failure()
            await asyncio.sleep(0.02)

    def _nothing_rests(self) -> bool:
        return all(not order.order_id and not order.tx_count for order in self.engine.state.orders)

    def _differences(self, snapshot: SnapshotTaken) -> list[str]:
        state = self.engine.state
        found = invariants.own_breaches(state)
        if not invariants.is_quiet(state):
            stuck = [
                f"{order.client_order_id} is {order.state}"
                for order in state.orders
                if not order.state.rests_at_exchange
            ]
            return [*found, *stuck]
        return [*found, *invariants.exchange_differences(state, snapshot)]

    def _raise_failure(self) -> None:
        for task in (self._loop_task, self._stream_task, self._watch_task):
            if task is not None and task.done() and not task.cancelled():
                error = task.exception()
                self.ended_as = _ending_of(error) or self.ended_as
                if isinstance(error, GridtideError):
                    raise error
                if error is not None:
                    raise Defect(f"{type(error).__name__}: {error}") from error
                if task is self._stream_task:
                    raise Defect("the stream of the exchange ended")

    def _listen(self, entries: list[JournalEntry]) -> None:
        now = self.exchange.now()
        for entry in entries:
            if isinstance(entry, FillAdded):
                self.recent_fills.append(entry.fill)
                self._delivery.see_booked(entry, now)
            elif isinstance(entry, NoticeAdded):
                self.notices.append(NoticeView(now, entry.level, entry.kind, entry.text))
            if self.on_entry is not None:
                self.on_entry(entry)
        self._plan_delivery_look()

    def _plan_delivery_look(self) -> None:
        moment = self._delivery.next_look()
        if moment is None or self._delivery_look is not None:
            return
        wait = max(0.0, (moment - self.exchange.now()) / 1000)
        self._delivery_look = asyncio.get_running_loop().call_later(wait, self._look_for_missing_events)

    def _look_for_missing_events(self) -> None:
        self._delivery_look = None
        if reason := self._delivery.reason_to_rebuild(self.exchange.now()):
            self.exchange.rebuild_stream(reason)
        self._plan_delivery_look()


def _ending_of(error: BaseException | None) -> BotState | None:
    if isinstance(error, StorageFailed):
        return BotState.STORAGE_FAILED
    return BotState.FENCED if isinstance(error, Fenced) else None
