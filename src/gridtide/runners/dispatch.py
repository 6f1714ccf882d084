"""Command dispatch: carries out what the engine decided, once, and brings the answers back as events.

Orders and cancels are never repeated here; a read that fails becomes `ReadFailed`, never an observation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, assert_never

from gridtide.domain import events as ev
from gridtide.domain.commands import (
    CancelOrder,
    QueryOrder,
    ReadFills,
    RefreshMarket,
    SubmitOrder,
    TakeSnapshot,
)
from gridtide.domain.errors import GridtideError, NotPermitted

if TYPE_CHECKING:
    from gridtide.domain.commands import Command
    from gridtide.domain.market import Symbol
    from gridtide.ports.exchange import Exchange
    from gridtide.runners.reply_order import ReplyOrder

MAX_IN_FLIGHT = 8
"""Submissions under way at once."""


class Dispatcher:
    """Runs commands as tasks of their own and hands each answer to `deliver`."""

    def __init__(
        self,
        exchange: Exchange,
        deliver: Callable[[ev.Event], None],
        reply_order: ReplyOrder | None = None,
    ) -> None:
        """With `reply_order` no reply overtakes what the stream tells of earlier executions."""
        self._exchange = exchange
        self._deliver = deliver
        self._reply_order = reply_order
        self._tasks: dict[asyncio.Task[None], None] = {}
        """In their order, so that a simulated world ends them in the same one each time."""
        self._submissions = 0
        self._reads: dict[type, Command | None] = {}

    @property
    def is_idle(self) -> bool:
        return not self._tasks

    def capacity(self) -> int:
        """How many orders may leave now."""
        return min(self._exchange.send_capacity(), MAX_IN_FLIGHT - self._submissions)

    def hand_on(self, command: Command) -> None:
        """Carry out `command`. Of fills and snapshots one at a time runs; a second request waits for it."""
        if isinstance(command, ReadFills | TakeSnapshot):
            kind = type(command)
            if kind in self._reads:
                self._reads[kind] = command
                return
            self._reads[kind] = None
        if isinstance(command, SubmitOrder):
            self._submissions += 1
        task = asyncio.create_task(self._execute(command), name=type(command).__name__)
        self._tasks[task] = None
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)

    async def drain(self, timeout_seconds: float) -> bool:
        """Wait until nothing is under way; False if the time was not enough."""
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(tuple(self._tasks), timeout=left)
        return not self._tasks

    async def close(self) -> None:
        """Abandon what is under way. Orders being sent become UNKNOWN at the next start."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _execute(self, command: Command) -> None:
        exchange = self._exchange
        match command:
            case SubmitOrder():
                try:
                    reply: ev.Event = await exchange.submit(command)
                finally:
                    self._submissions -= 1
                if self._reply_order is not None:
                    await self._reply_order.wait_for_stream(reply)
                self._deliver(reply)
            case CancelOrder():
                self._deliver(await exchange.cancel(command))
            case QueryOrder(_, client_order_id, _):
                await self._read("query", exchange.query(command), client_order_id)
            case ReadFills(symbol, from_trade_id):
                await self._read("fills", self._fills(symbol, from_trade_id))
                self._read_again(command)
            case TakeSnapshot():
                await self._read("snapshot", exchange.snapshot(command))
                self._read_again(command)
            case RefreshMarket(symbol):
                await self._read("market", self._market(symbol))
            case _:
                assert_never(command)

    async def _read(self, what: str, reading: Awaitable[ev.Event], client_order_id: str = "") -> None:
        try:
            event = await reading
        except NotPermitted as error:
            event = ev.ReadFailed(what, str(error), client_order_id, not_permitted=True)
        except GridtideError as error:
            event = ev.ReadFailed(what, str(error), client_order_id)
        except Exception as error:  # whatever an answer did to its reader, the next read must not wait for it
            event = ev.ReadFailed(what, f"{type(error).__name__} in the answer", client_order_id)
        self._deliver(event)

    async def _fills(self, symbol: Symbol, from_trade_id: int) -> ev.Event:
        fills = await self._exchange.fills(symbol, from_trade_id)
        return ev.FillsRead(symbol, fills)

    async def _market(self, symbol: Symbol) -> ev.Event:
        return ev.MarketChanged(await self._exchange.refresh_market(symbol))

    def _read_again(self, command: Command) -> None:
        waiting = self._reads.pop(type(command))
        if waiting is not None:
            self.hand_on(waiting)
