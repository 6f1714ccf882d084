"""A session of the real bot against the sandbox, over real sockets, written down for a backtest to play it again."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from gridtide.bootstrap.backtest import World
from gridtide.bootstrap.live import LiveOptions, build_live
from gridtide.config.settings import AppSettings, Mode
from gridtide.domain.events import StreamEvent
from gridtide.domain.journal import FillAdded, JournalEntry
from gridtide.domain.market import Symbol
from gridtide.domain.money import FeeRate
from gridtide.engine import invariants
from gridtide.engine.order_ids import decode
from gridtide.exchanges.connection import ExchangeConnection
from gridtide.market_data.files import open_market
from gridtide.runners.arrivals import Acceptance, Arrivals, RequestKind
from gridtide.runners.live import LiveRun
from gridtide.sandbox.control import truth
from gridtide.sandbox.settings import Limits, MarketSettings, unlimited_orders
from gridtide.testing.sandbox_exchange import (
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from gridtide.venue.settings import AccountFees, VenueSettings
from gridtide.venue.venue import Venue
from tests.backtest.worlds import Candles

SYMBOL = Symbol("ABC/USDT")
TOKEN = "token-of-this-session"
PATIENCE_SECONDS = 20.0


class TradedFill(NamedTuple):
    """An execution as the venue has it, and what it was for."""

    slot: str
    cycle: int
    price: Decimal
    amount: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool


class PlacedOrder(NamedTuple):
    """An order as the venue has it, and the point of the path after which it was accepted."""

    slot: str
    cycle: int
    after: int
    type: str
    price: Decimal
    amount: Decimal
    executed: Decimal
    status: str


class Traded(NamedTuple):
    """What an account did: fills in their order, orders by what they were for."""

    fills: list[TradedFill]
    orders: list[PlacedOrder]


def write_candles(folder: Path, candles: Candles) -> Path:
    """The file that both worlds play."""
    path = folder / "ABCUSDT-1m.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(candles)
        writer.writerows(zip(*(column.tolist() for column in candles.values()), strict=True))
    return path


def traded(venue: Venue, account: str, after: Callable[[str], int]) -> Traded:
    """What `account` did on `venue`; `after` gives the point at which an order was accepted, by its id."""
    told: Any = truth(venue, account)
    names: dict[int, str] = {}
    orders = []
    for order in told["orders"]:
        name = names[order["order_id"]] = order["original_client_order_id"] or order["client_order_id"]
        price, amount, executed = (Decimal(order[key]) for key in ("price", "amount", "executed_amount"))
        kind, status = order["type"], order["status"]
        orders.append(PlacedOrder(*_purpose(name), after(name), kind, price, amount, executed, status))
    fills = []
    for fill in told["fills"]:
        price, amount, fee = (Decimal(fill[key]) for key in ("price", "amount", "fee"))
        purpose = _purpose(names[fill["order_id"]])
        fills.append(TradedFill(*purpose, price, amount, fee, fill["fee_asset"], fill["is_maker"]))
    return Traded(fills, sorted(orders))


def replayed(world: World, account: str) -> Traded:
    """What a backtest did."""
    path = world.run.lanes[0].path
    created = {
        order.original_client_order_id or order.client_order_id: order.created_at
        for order in world.venue.orders(account, SYMBOL, 0, 10**9)
    }
    return traded(world.venue, account, lambda name: path.first_at(created[name]))


def _purpose(client_order_id: str) -> tuple[str, int]:
    decoded = decode(client_order_id)
    assert decoded is not None, client_order_id
    return decoded.slot.key, decoded.cycle


@dataclass(slots=True)
class Session:
    """A bot and its exchange, both alive; the market stands still until `step` or `play`."""

    sandbox: RunningSandbox
    run: LiveRun
    control: aiohttp.ClientSession
    booked: int = 0
    """Fills in the bot's books."""

    def hear(self, entry: JournalEntry) -> None:
        self.booked += isinstance(entry, FillAdded)

    async def ask(self, method: str, operation: str, body: Any = None) -> dict[str, Any]:
        """One request to the control API."""
        url = f"http://127.0.0.1:{self.sandbox.sandbox.control_port}/control/{operation}"
        async with self.control.request(method, url, json=body) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer

    async def step(self) -> bool:
        """The market's next event, and nothing more until the bot has done all that follows from it. False at the
        end."""
        played = (await self.ask("POST", "step", {"points": 1}))["played"]
        await self.bot_is_done()
        return bool(played)

    async def play(self, speed: int) -> None:
        """Let the market run to its end, whatever the bot is at."""
        await self.ask("POST", "speed", {"speed": str(speed)})
        await self.ask("POST", "resume")
        while not (await self.ask("GET", "status"))["finished"]:  # noqa: ASYNC110  another process has no event
            await asyncio.sleep(0.05)
        await self.bot_is_done()

    async def bot_is_done(self) -> None:
        """Until the bot knows what the exchange knows and wants nothing more. Raises `TimeoutError`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._is_done():  # noqa: ASYNC110  what the venue knows makes no event here
                await asyncio.sleep(0.001)

    def _is_done(self) -> bool:
        return is_quiet(self.run) and self._knows(
            self.sandbox.call(lambda sandbox: shown(sandbox.exchange.venue))
        )

    def _knows(self, there: Shown) -> bool:
        return knows(self.run, self.booked, there) and is_quiet(self.run)

    async def recording(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = (await self.ask("GET", "recording"))["events"]
        return events

    async def traded(self) -> Traded:
        """What the bot did, by the exchange's own records."""
        after = {
            event["client_order_id"]: event["after"]
            for event in await self.recording()
            if event["event"] == "placed"
        }
        return self.sandbox.call(lambda sandbox: traded(sandbox.exchange.venue, "main", after.__getitem__))

    async def arrivals(self) -> Arrivals:
        """When its requests were accepted."""
        kinds = {"placed": RequestKind.ORDER, "cancelled": RequestKind.CANCEL}
        return Arrivals(
            Acceptance(kinds[event["event"]], event["client_order_id"], event["after"])
            for event in await self.recording()
            if event["event"] in kinds
        )


class Shown(NamedTuple):
    """What an exchange has that its bot must come to know."""

    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    fills: int
    resting: frozenset[str]


def shown(venue: Venue, account: str = "main") -> Shown:
    best = venue.best(SYMBOL)
    resting = frozenset(order.client_order_id for order in venue.open_orders(account, SYMBOL))
    return Shown(
        best.bid,
        best.ask,
        venue.last_price(SYMBOL),
        len(venue.fills(account, SYMBOL, 0, None, 10**9)),
        resting,
    )


def is_quiet(run: LiveRun) -> bool:
    """Whether the bot has nothing to do. The pause behind a refused order belongs to what it does: on the market's own
    clock it is over long before the next point. (It may have sent on an older book: its two sockets promise no order
    between them.)"""
    state = run.engine.state
    pauses = any(slot.retry_at is not None and slot.retry_at > state.now for slot in state.slots.waiting())
    return not pauses and run.session.is_quiet and invariants.is_quiet(state)


def knows(run: LiveRun, booked: int, there: Shown) -> bool:
    """Whether the bot, with so many fills in its books, knows all that is there."""
    state = run.engine.state
    ours = frozenset(order.client_order_id for order in state.orders if order.state.rests_at_exchange)
    return Shown(state.book.bid, state.book.ask, state.book.last, booked, ours) == there


async def late(
    stream: Callable[[Symbol, str | None], AsyncIterator[StreamEvent]],
    seconds: float,
    symbol: Symbol,
    timeframe: str | None = None,
) -> AsyncIterator[StreamEvent]:
    """The events of `stream`, each `seconds` later."""
    events: asyncio.Queue[StreamEvent] = asyncio.Queue()

    async def read() -> None:
        async for event in stream(symbol, timeframe):
            asyncio.get_running_loop().call_later(seconds, events.put_nowait, event)

    reading = asyncio.create_task(read())
    try:
        while True:
            yield await events.get()
    finally:
        reading.cancel()


@asynccontextmanager
async def session(
    settings: AppSettings, candles: Path, folder: Path, stream_lag: float = 0.0
) -> AsyncIterator[Session]:
    """The bot of `settings` on a sandbox that plays `candles` under the conditions of its backtest section; the
    market has shown its first point and stands, everything is written down. What the streams tell reaches the bot
    `stream_lag` seconds later than they do."""
    backtest = settings.backtest
    fees = AccountFees(FeeRate(backtest.fees.maker), FeeRate(backtest.fees.taker))
    source = open_market(candles)
    world = sandbox_settings(
        accounts=(
            account_settings({name: str(amount) for name, amount in backtest.balance.items()}, fees=fees),
        ),
        markets=(MarketSettings(source.market, source),),
        venue=VenueSettings(volume_cap=backtest.volume_cap),
        limits=unlimited_orders(Limits()),
        control_token=TOKEN,
        hold=True,
    )
    with running_sandbox(world) as sandbox:
        connection = ExchangeConnection(
            api_key=sandbox.api_key,
            secret=sandbox.secret,
            rest_url=sandbox.url,
            stream_url=sandbox.stream_url,
            ws_api_url=sandbox.ws_api_url,
        )
        url = f"sqlite:///{folder / 'books.db'}"
        run = await build_live(connection, LiveOptions(Mode.SANDBOX, url, "test", bot=settings.bots[0]))
        if stream_lag:
            run.exchange.stream = partial(late, run.exchange.stream, stream_lag)  # type: ignore[method-assign]
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(headers=headers) as control:
            living = Session(sandbox, run, control)
            run.on_entry = living.hear
            await living.ask("POST", "recording", {"on": True})
            try:
                await run.start()
                yield living
            finally:
                await run.close()
