"""One seed's run: a bot that lives, dies and is started again, a market that moves, people who interfere; then calm.

A quarter of an hour of trouble in virtual time, then everything must come to rest with books that equal the exchange's.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from gridtide.domain.errors import Fenced, GridtideError, StorageFailed, Transient
from gridtide.domain.events import StreamInterrupted, StreamRestored
from gridtide.domain.journal import BotState
from gridtide.domain.market import Asset, FeeSchedule, Market, MarketRules, MarketStatus, Symbol, Timestamp
from gridtide.domain.money import FeeRate, nearest_to_step
from gridtide.domain.order import Side, Slot
from gridtide.engine.engine import Engine, stored_strategy_state
from gridtide.engine.settings import Allocation, BotIdentity, EngineSettings, ProtocolTimes
from gridtide.exchanges.venue_exchange import VenueExchange
from gridtide.exchanges.venue_side import VenueSide
from gridtide.risk.gate import default_gate
from gridtide.runners.live import LiveRun, Verification
from gridtide.simulation.host import Host, HostWriter, Killed, MortalJournal
from gridtide.simulation.oracle import Oracle
from gridtide.simulation.troubles import Troubles, draw_rates
from gridtide.simulation.virtual_time import run_virtually, running_loop
from gridtide.storage.memory_journal import MemoryDatabase
from gridtide.strategies.grid.config import GridConfig
from gridtide.strategies.grid.strategy import GridTradingStrategy
from gridtide.venue.messages import NewOrder, VenueRefusal
from gridtide.venue.settings import AccountFees, VenueSettings
from gridtide.venue.venue import Venue

if TYPE_CHECKING:
    from gridtide.domain.journal import BotSnapshot
    from gridtide.ports.journal import Journal
    from gridtide.venue.messages import VenueEvent

ACCOUNT = "simulated"
SYMBOL = Symbol("BTC/USDT")
BTC, USDT = Asset("BTC"), Asset("USDT")
MARKET = Market(
    SYMBOL,
    BTC,
    USDT,
    MarketRules(
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        min_notional=Decimal(5),
        min_price=Decimal("0.01"),
        max_price=Decimal(1_000_000),
        min_amount=Decimal("0.00001"),
        max_amount=Decimal(9_000),
    ),
)
FEES = FeeSchedule(FeeRate(Decimal("0.001")), FeeRate(Decimal("0.001")))
EPOCH_MS = 1_700_000_000_000
TROUBLE_SECONDS = 900.0
CALM_SECONDS = 1_000.0
LEASE_SECONDS = 60.0
"""The lease of a database that one process owns needs no renewal; a lost one shows at the next commit."""
LOOKS = 4
"""How often a person looks after the bot in the calm."""


class SimulatedDatabase(Protocol):
    """What outlives a killed process."""

    def open_bot(self, *, resume: bool) -> Journal:
        """A journal on the newest generation; whoever had one before is fenced."""


@dataclass(slots=True)
class SeedResult:
    """What one seed's run came to."""

    seed: int
    violations: list[str] = field(default_factory=list)
    orders: int = 0
    fills: int = 0
    crashes: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    virtual_seconds: float = 0.0


class World:
    """One run. `run` gives its result."""

    def __init__(
        self,
        seed: int,
        database: SimulatedDatabase | None = None,
        times: ProtocolTimes = ProtocolTimes(),  # noqa: B008  a frozen value
        calm_seconds: float = CALM_SECONDS,
    ) -> None:
        self._loop = running_loop()
        self.seed = seed
        self.calm_seconds = calm_seconds
        self.rng = random.Random(seed)  # noqa: S311  a seeded world
        self.database: SimulatedDatabase = database or _Memory()
        self.troubles = Troubles(random.Random(seed + 1), draw_rates(self.rng))  # noqa: S311
        self.times = times
        self.crashes = 0
        self.price = Decimal(100)
        self.config = self._draw_config()
        cap = self.rng.choice([None, Decimal("0.3")])
        settings = VenueSettings(volume_cap=cap, publishes=False, depth_levels=2)
        self.venue = Venue([MARKET], settings, random.Random(seed))  # noqa: S311
        self.venue.add_account(ACCOUNT, {USDT: Decimal(5_000)}, AccountFees(FEES.maker, FEES.taker))
        self.oracle = Oracle(self.venue, ACCOUNT)
        self.side = _WatchedSide(self.venue, ACCOUNT, SYMBOL, self.troubles, self.now, self.oracle.see)
        self.run_now: LiveRun | None = None
        self.host: Host | None = None
        self._agreed = Verification(agrees=False)
        self._frozen: list[asyncio.Task[None]] = []
        self._takeover = asyncio.Event()

    def _draw_config(self) -> GridConfig:
        rng = self.rng
        return GridConfig.from_settings(
            SYMBOL,
            {
                "lower_price": "95",
                "upper_price": "105",
                "num_grids": rng.choice([4, 5, 6, 6]),
                "total_investment": "2000",
                "profit": rng.choice(["quote", "base", "compound"]),
                "start_outside": "allow",
                "post_only": rng.random() < 0.8,
                "mirror_after_seconds": rng.choice([5, 600]),
            },
        )

    def now(self) -> int:
        return EPOCH_MS + round(self._loop.passed * 1000)

    # --- the run -------------------------------------------------------------------------------------

    async def run(self) -> SeedResult:
        self.side.move(self.price, Decimal(1))
        bot = asyncio.create_task(self._keep_alive())
        await self._trouble()
        self.troubles.spare_host()
        await self._come_to_rest()
        bot.cancel()
        await asyncio.gather(bot, return_exceptions=True)
        self._judge()
        await self._end_life()
        return SeedResult(
            seed=self.seed,
            violations=self.oracle.violations,
            orders=self.oracle.orders,
            fills=len(self.oracle.own_fills()),
            crashes=self.crashes,
            faults=dict(self.troubles.counts),
            virtual_seconds=asyncio.get_running_loop().time(),
        )

    # --- lives of the bot ----------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        """Start the bot, and start it again whenever it is gone."""
        while True:
            await self._live()
            self.crashes += 1
            await asyncio.sleep(self.rng.choice((0.0, 0.5, 3.0, 30.0)))

    async def _live(self) -> None:
        """One process from its start to its end, however it ends."""
        self.host = host = Host(self.troubles, self._on_freeze)
        self._takeover.clear()
        life = asyncio.create_task(self._trade(host))
        waits = [asyncio.create_task(host.died.wait()), asyncio.create_task(self._takeover.wait()), life]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits[:2]:
                wait.cancel()
        if self._takeover.is_set() and not life.done():
            self._frozen.append(life)  # it wakes up one day and finds that it lost its lease
            return
        await self._end_life()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)

    def _on_freeze(self, seconds: float) -> None:
        """A frozen process is sometimes replaced while it sleeps (F56)."""
        if seconds > 10 and self.rng.random() < 0.5:
            self._takeover.set()

    async def _trade(self, host: Host) -> None:
        """What one process does; a storage failure or a lost lease ends it."""
        run: LiveRun | None = None
        try:
            run = self._build(host)
            self.run_now = run
            await run.start()
            await run.wait()
        except (Killed, StorageFailed, Fenced):
            pass
        except GridtideError as error:
            cause = error.__cause__
            if not isinstance(cause, Killed):
                self._note_end(error)
        finally:
            host.kill()
            if run is not None:
                await run.abandon()

    def _note_end(self, error: GridtideError) -> None:
        if not isinstance(error, Transient):
            self.oracle.violations.append(f"the process ended: {type(error).__name__}: {error}")

    async def _end_life(self) -> None:
        if self.host is not None:
            self.host.kill()
        if self.run_now is not None:
            await self.run_now.abandon()

    def _build(self, host: Host) -> LiveRun:
        journal = MortalJournal(self.database.open_bot(resume=True), host, self.oracle.sent)
        snapshot = journal.load()
        exchange = VenueExchange(self.side, self.now, host.pass_transport)
        loop = asyncio.get_running_loop()
        return LiveRun(
            self._engine(snapshot),
            journal,
            exchange,
            "simulated",
            writer=HostWriter(host),
            monotonic=loop.time,
            lease_seconds=LEASE_SECONDS,
        )

    def _engine(self, snapshot: BotSnapshot) -> Engine:
        stored = stored_strategy_state(snapshot)
        strategy = (
            GridTradingStrategy(self.config) if stored is None else GridTradingStrategy.from_state(stored)
        )
        identity = BotIdentity("simulated", ACCOUNT, SYMBOL, snapshot.generation)
        settings = EngineSettings(identity, Allocation(quote=Decimal(2_000)), self.times)
        return Engine(settings, self.venue.market(SYMBOL), FEES, strategy, default_gate(), snapshot)

    # --- trouble -------------------------------------------------------------------------------------

    async def _trouble(self) -> None:
        loop = asyncio.get_running_loop()
        deeds = self._deeds()
        while loop.time() < TROUBLE_SECONDS:
            self.rng.choice(deeds)()
            await asyncio.sleep(self.rng.choice((3.0, 7.0, 12.0, 21.0)))
        self.venue.set_status(SYMBOL, MarketStatus.TRADING)

    def _deeds(self) -> list[Callable[[], None]]:
        walks: list[Callable[[], None]] = [self._walk] * 34
        return [
            *walks,
            self._gap,
            self._interrupt,
            self._halt,
            self._trade_by_hand,
            self._cancel_by_hand,
            lambda: self.host.kill() if self.host is not None else None,
        ]

    def _walk(self) -> None:
        drawn = self.price * Decimal(str(1 + self.rng.gauss(0, 0.036))) + (100 - self.price) / 10
        self._go(drawn)

    def _gap(self) -> None:
        self._go(Decimal(str(self.rng.choice([90, 94, 97, 103, 106, 115]))))

    def _go(self, price: Decimal) -> None:
        self.price = nearest_to_step(price, MARKET.rules.tick_size)
        self.side.move(self.price, Decimal(self.rng.choice(["0.5", "5", "100"])))

    def _interrupt(self) -> None:
        self.side.tell(StreamInterrupted("drawn"))
        wait = self.rng.choice((0.1, 5.0, 60.0))
        asyncio.get_running_loop().call_later(wait, self.side.tell, StreamRestored())

    def _halt(self) -> None:
        self.venue.set_status(SYMBOL, MarketStatus.HALT)
        wait = self.rng.choice((1.0, 40.0))
        asyncio.get_running_loop().call_later(wait, self.venue.set_status, SYMBOL, MarketStatus.TRADING)

    def _trade_by_hand(self) -> None:
        request = NewOrder(
            ACCOUNT,
            SYMBOL,
            Side.BUY,
            "MARKET",
            Decimal("0.1"),
            client_order_id=f"hand-{self.rng.randrange(10**9)}",
        )
        try:
            now = Timestamp(self.now())
            self.side.happened(self.venue.place_order(request, now).events, now)
        except VenueRefusal:
            pass  # the market is closed, or the person has no money left

    def _cancel_by_hand(self) -> None:
        orders = self.venue.open_orders(ACCOUNT)
        if orders:
            order, now = self.rng.choice(orders), Timestamp(self.now())
            done = self.venue.cancel_order(ACCOUNT, SYMBOL, order_id=order.order_id, now=now)
            self.side.happened(done.events, now)

    # --- calm ----------------------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        self.troubles.calm()
        self.side.tell(StreamRestored())
        for _ in range(LOOKS):
            await asyncio.sleep(self.calm_seconds / LOOKS)
            self._look_after()
        self._go(Decimal(100))
        await asyncio.sleep(self.calm_seconds / LOOKS)
        if self.run_now is not None:
            self._agreed = await self.run_now.verify(30)

    def _look_after(self) -> None:
        """A person looks, and resumes a bot that waits for one."""
        if self.run_now is None:
            return
        state = self.run_now.engine.state
        is_stuck = any(order.alarmed for order in state.orders)
        if state.bot_state is BotState.PAUSED or state.increase_halted or state.slots.parked() or is_stuck:
            self.run_now.resume()

    def _judge(self) -> None:
        bad = self.oracle.violations
        run = self.run_now
        if run is None or self.host is None or self.host.is_dead:
            bad.append("the bot does not live at the end")
            return
        state = run.engine.state
        if (state.bot_state, state.increase_halted) != (BotState.RUNNING, ""):
            bad.append(f"the bot is {state.bot_state}: {state.pause_detail or state.increase_halted}")
        if not self._agreed.agrees:
            bad.append("; ".join(self._agreed.differences[:3]))
        expected = len(self.oracle.own_fills())
        if state.fill_count != expected:
            bad.append(f"{state.fill_count} fills are booked, the exchange has {expected}")
        for interval in range(self.config.intervals):
            slots = (Slot.level(interval, Side.BUY), Slot.level(interval + 1, Side.SELL))
            if all(state.slots.get(slot).is_free for slot in slots):
                bad.append(f"interval {interval} is empty")


class _WatchedSide(VenueSide):
    """A venue's side at which the oracle sees everything first."""

    def __init__(
        self,
        venue: Venue,
        account_id: str,
        symbol: Symbol,
        line: Troubles,
        now: Callable[[], int],
        watch: Callable[[tuple[VenueEvent, ...]], None],
    ) -> None:
        super().__init__(venue, account_id, symbol, line, now)
        self._watch = watch

    def happened(self, events: Iterable[VenueEvent], now: Timestamp) -> None:
        events = tuple(events)
        self._watch(events)
        super().happened(events, now)


class _Memory:
    """The in-memory database as a simulated one."""

    def __init__(self) -> None:
        self._database = MemoryDatabase()

    def open_bot(self, *, resume: bool) -> Journal:
        return self._database.open_bot(resume=resume)


def run_seed(seed: int) -> SeedResult:
    """Run one seed in virtual time, the books in memory."""

    async def run() -> SeedResult:
        return await World(seed).run()

    return run_virtually(run())
