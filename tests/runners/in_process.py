"""The world of the engine tests behind the exchange port, so that the live runner can be driven without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import cast

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.balance import Balance
from gridtide.domain.fill import Fill
from gridtide.domain.market import Asset, FeeSchedule, Market, Symbol, TopOfBook
from gridtide.domain.order import OrderUpdate
from gridtide.ports.exchange import ExchangeAccount
from tests.engine.world import ACCOUNT, FEES, MARKET, World


class InProcessExchange:
    """One account of the world's venue. `room` is what its rate budget would let through."""

    name = "venue"

    def __init__(self, world: World) -> None:
        self.world = world
        self.room = 8
        self.submitted: list[str] = []
        self.snapshots = 0
        self.rebuilt: list[str] = []
        self.age: float | None = 0.0
        self.read_delay_seconds = 0.0
        self._events: asyncio.Queue[ev.StreamEvent | None] = asyncio.Queue()

    async def connect(self) -> None: ...

    def market(self, symbol: Symbol) -> Market:
        return MARKET

    async def refresh_market(self, symbol: Symbol) -> Market:
        return MARKET

    def now(self) -> int:
        self.world.now += 1
        return self.world.now

    async def account(self) -> ExchangeAccount:
        return ExchangeAccount(ACCOUNT)

    async def balances(self) -> Mapping[Asset, Balance]:
        return self.world.venue.balances(ACCOUNT)

    async def fees(self, symbol: Symbol) -> FeeSchedule:
        return FEES

    async def top_of_book(self, symbol: Symbol) -> TopOfBook:
        return self.world.book_event().book

    async def submit(self, command: cmd.SubmitOrder) -> ev.SubmitReply:
        self.submitted.append(command.client_order_id)
        answer = cast("ev.SubmitReply", self.world.act(command))
        self._forward()
        return answer

    async def cancel(self, command: cmd.CancelOrder) -> ev.CancelReply:
        answer = cast("ev.CancelReply", self.world.act(command))
        self._forward()
        return answer

    async def query(self, command: cmd.QueryOrder) -> ev.QueryReply:
        return cast("ev.QueryReply", self.world.act(command))

    async def open_orders(self, symbol: Symbol) -> tuple[OrderUpdate, ...]:
        return (await self.snapshot(cmd.TakeSnapshot(symbol, 0, ()))).open_orders

    async def fills(self, symbol: Symbol, from_trade_id: int) -> tuple[Fill, ...]:
        return self.world.fills(from_trade_id)

    async def newest_trade_id(self, symbol: Symbol) -> int:
        return 0

    async def snapshot(self, command: cmd.TakeSnapshot) -> ev.SnapshotTaken:
        self.snapshots += 1
        await asyncio.sleep(self.read_delay_seconds)
        return cast("ev.SnapshotTaken", self.world.act(command))

    def send_capacity(self) -> int:
        return self.room

    async def stream(self, symbol: Symbol, timeframe: str | None = None) -> AsyncIterator[ev.StreamEvent]:
        self._events.put_nowait(self.world.book_event())
        while (event := await self._events.get()) is not None:
            yield event

    def rebuild_stream(self, reason: str) -> None:
        self.rebuilt.append(reason)
        self._events.put_nowait(ev.StreamInterrupted(reason))
        self._events.put_nowait(ev.StreamRestored())

    async def measure_clock(self) -> None:
        self.age = 0.0

    def clock_age(self) -> float | None:
        return self.age

    async def close(self) -> None:
        self._events.put_nowait(None)

    def move(self, price: str) -> None:
        """Walk the market; the stream tells."""
        self.world.move_venue(price)
        self._forward()
        self._events.put_nowait(self.world.book_event())

    def _forward(self) -> None:
        while self.world.inbox:
            self._events.put_nowait(cast("ev.StreamEvent", self.world.inbox.popleft()))
