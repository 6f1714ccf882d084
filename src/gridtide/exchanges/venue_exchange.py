"""The exchange port over a venue in this process: what paper trading and simulations trade on.

The same rules as over a network: one transmission, a verdict only from an answer, no conclusion from silence.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gridtide.domain import events as ev
from gridtide.domain.errors import GridtideError, InvalidInput, Transient
from gridtide.domain.market import FeeSchedule
from gridtide.exchanges.binance_refusals import NO_SUCH_ORDER_CODES
from gridtide.exchanges.order_checks import reason_not_to_send
from gridtide.exchanges.snapshot import take_snapshot
from gridtide.exchanges.venue_replies import accepted, not_accepted, not_cancelled, order_request
from gridtide.exchanges.venue_side import Unanswered
from gridtide.exchanges.venue_values import order_update
from gridtide.ports.exchange import ExchangeAccount
from gridtide.venue.messages import VenueRefusal

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.commands import CancelOrder, QueryOrder, SubmitOrder, TakeSnapshot
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset, Market, Symbol, Timestamp, TopOfBook
    from gridtide.domain.order import OrderUpdate
    from gridtide.exchanges.venue_side import VenueSide
    from gridtide.venue.messages import Cancellation, Placement

T = TypeVar("T")

PATIENCE_SECONDS = 10.0
"""How long an answer is waited for."""
_CAPACITY = 8


class _NoAnswer(Exception):
    """Nobody knows whether the request arrived."""


class _Inbox:
    """What the stream told and its one reader has not taken yet; None ends it."""

    def __init__(self) -> None:
        self._events: deque[ev.StreamEvent | None] = deque()
        self._reader: asyncio.Future[None] | None = None

    def put(self, event: ev.StreamEvent | None) -> None:
        self._events.append(event)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> ev.StreamEvent | None:
        while not self._events:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._events.popleft()


async def _nothing() -> None:
    return


class VenueExchange:
    """One client of a `VenueSide`. `now` is the client's idea of the exchange's time; `before_transport` is awaited
    right before each request leaves, and after each answer came (a simulation stops processes there)."""

    name = "venue"

    def __init__(
        self,
        side: VenueSide,
        now: Callable[[], int],
        before_transport: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._side = side
        self.now = now
        self._pass = before_transport
        self._events = _Inbox()

    async def connect(self) -> None:
        """Nothing to load: the venue is here."""

    def market(self, symbol: Symbol) -> Market:
        self._check(symbol)
        return self._side.venue.market(symbol)

    async def refresh_market(self, symbol: Symbol) -> Market:
        return await self._read("market", lambda: self.market(symbol))

    async def account(self) -> ExchangeAccount:
        return ExchangeAccount(self._side.account_id, can_trade=True, can_withdraw=False, can_transfer=False)

    async def fees(self, symbol: Symbol) -> FeeSchedule:
        fees = self._side.venue.fees(self._side.account_id)
        return FeeSchedule(fees.maker, fees.taker, fees.asset)

    async def top_of_book(self, symbol: Symbol) -> TopOfBook:
        self._check(symbol)
        return await self._read("market", self._side.book)

    def send_capacity(self) -> int:
        return _CAPACITY

    # --- orders --------------------------------------------------------------------------------------

    async def submit(self, command: SubmitOrder) -> ev.SubmitReply:
        name = command.client_order_id
        market = self._side.venue.market(self._side.symbol)
        unsent = reason_not_to_send(command, market, "sandbox", self.now())
        if unsent is not None:
            return unsent
        try:
            placed = await self._send("submit", partial(self._place, command), command.signed_at)
        except VenueRefusal as refusal:
            return not_accepted(name, refusal)
        except (_NoAnswer, Unanswered) as error:
            return ev.OrderUnconfirmed(name, str(error))
        return accepted(placed)

    def _place(self, command: SubmitOrder, now: Timestamp) -> Placement:
        placement = self._side.venue.place_order(order_request(self._side.account_id, command), now)
        self._side.happened(placement.events, now)
        return placement

    async def cancel(self, command: CancelOrder) -> ev.CancelReply:
        name = command.client_order_id
        try:
            done = await self._send("cancel", partial(self._cancel, command), self.now())
        except VenueRefusal as refusal:
            return not_cancelled(name, refusal)
        except (_NoAnswer, Unanswered) as error:
            return ev.CancelUnconfirmed(name, str(error))
        return ev.CancelAccepted(order_update(done.order))

    def _cancel(self, command: CancelOrder, now: Timestamp) -> Cancellation:
        done = self._side.venue.cancel_order(
            self._side.account_id, command.symbol, client_order_id=command.client_order_id, now=now
        )
        self._side.happened(done.events, now)
        return done

    # --- reads ---------------------------------------------------------------------------------------

    async def query(self, command: QueryOrder) -> ev.QueryReply:
        try:
            found = await self.find(command)
        except GridtideError as error:
            return ev.ReadFailed("query", str(error), command.client_order_id)
        return ev.OrderNotFound(command.client_order_id) if found is None else ev.OrderFound(found)

    async def find(self, command: QueryOrder) -> OrderUpdate | None:
        """The order as the exchange shows it at this moment, None where it knows none."""
        order_id = None if command.client_order_id else int(command.order_id)

        def look() -> OrderUpdate:
            shown, name = self._side.shown("query"), command.client_order_id or None
            return order_update(shown.order(self._side.account_id, command.symbol, order_id, name))

        try:
            return await self._read("query", look)
        except VenueRefusal as refusal:
            if refusal.code in NO_SUCH_ORDER_CODES:
                return None
            raise Transient(str(refusal)) from None

    async def open_orders(self, symbol: Symbol) -> tuple[OrderUpdate, ...]:
        def look() -> tuple[OrderUpdate, ...]:
            shown = self._side.shown("open_orders")
            return tuple(map(order_update, shown.open_orders(self._side.account_id, symbol)))

        return await self._read("open_orders", look)

    async def balances(self) -> Mapping[Asset, Balance]:
        return await self._read(
            "balances", lambda: self._side.shown("balances").balances(self._side.account_id)
        )

    async def fills(self, symbol: Symbol, from_trade_id: int) -> tuple[Fill, ...]:
        return await self._read("fills", partial(self._side.fills, from_trade_id))

    async def newest_trade_id(self, symbol: Symbol) -> int:
        fills = await self.fills(symbol, 0)
        return fills[-1].trade_id if fills else 0

    async def snapshot(self, command: TakeSnapshot) -> ev.SnapshotTaken:
        return await take_snapshot(self, command)

    # --- stream --------------------------------------------------------------------------------------

    async def stream(self, symbol: Symbol, timeframe: str | None = None) -> AsyncIterator[ev.StreamEvent]:
        self._check(symbol)
        if timeframe is not None:
            self._side.watch_candles(timeframe)
        self._side.listeners[self._events.put] = None
        try:
            yield ev.StreamRestored()
            yield ev.BookUpdated(symbol, self._side.book())
            while (event := await self._events.get()) is not None:
                yield event
        finally:
            self._side.listeners.pop(self._events.put, None)

    def rebuild_stream(self, reason: str) -> None:
        """Listen anew; a stream nobody reads stays as it is."""
        if self._events.put in self._side.listeners:
            self._events.put(ev.StreamInterrupted(reason))
            self._events.put(ev.StreamRestored())

    async def measure_clock(self) -> None:
        """The venue's clock is ours."""

    def clock_age(self) -> float | None:
        return None

    async def close(self) -> None:
        self._side.listeners.pop(self._events.put, None)
        self._events.put(None)

    # --- the way there and back ----------------------------------------------------------------------

    async def _read(self, what: str, look: Callable[[], T]) -> T:
        """Look at what the exchange shows, as late as it shows it; raises `Transient`."""
        line = self._side.line

        def act(_now: Timestamp) -> T:
            if failure := line.failure(what):
                raise Transient(failure)
            return look()

        try:
            return await self._send(what, act, None)
        except (_NoAnswer, Unanswered) as error:
            raise Transient(str(error)) from None

    async def _send(self, what: str, act: Callable[[Timestamp], T], signed_at: int | None) -> T:
        """Hand a request to the line and wait for its answer, not for ever."""
        await self._pass()
        try:
            answer = await self._exchange_over_line(what, act, signed_at)
        except (VenueRefusal, Transient, Unanswered, _NoAnswer):
            await self._pass()
            raise
        await self._pass()
        return answer

    async def _exchange_over_line(self, what: str, act: Callable[[Timestamp], T], signed_at: int | None) -> T:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        wait = self._side.line.outward(what)
        if wait is None:
            pass  # it never arrives, and we never learn it
        elif wait > 0:
            loop.call_later(wait, self._side.receive, what, act, signed_at, answer)
        else:
            self._side.receive(what, act, signed_at, answer)
        if answer.done():
            return answer.result()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await answer
        except TimeoutError:
            raise _NoAnswer(f"no answer within {PATIENCE_SECONDS:g} s") from None

    def _check(self, symbol: Symbol) -> None:
        if symbol != self._side.symbol:
            raise InvalidInput(f"this exchange has {self._side.symbol} only, not {symbol}")
