"""Any CCXT Pro exchange behind the `Exchange` port, by its id alone: the calls that all of them have.

An exchange with an adapter of its own overrides how a call is made and judged, never the way of an order:
checked, taken from the budget, transmitted once, judged (R3 to R5).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from gridtide.domain.errors import Defect, GridtideError, InvalidInput, NotPermitted, Transient
from gridtide.domain.events import (
    CancelUnconfirmed,
    OrderFound,
    OrderNotFound,
    OrderNotSent,
    OrderUnconfirmed,
    ReadFailed,
)
from gridtide.domain.market import Timestamp
from gridtide.domain.money import plain
from gridtide.domain.order import OrderType
from gridtide.exchanges import ccxt_verdict
from gridtide.exchanges.candle_line import CandleLine
from gridtide.exchanges.ccxt_client import SocketListener, close_client, make_client
from gridtide.exchanges.ccxt_stream import CcxtFeed
from gridtide.exchanges.ccxt_values import (
    balances_of,
    book_of,
    candle_of,
    fee_schedule,
    fill_of,
    market_of,
    trade_time,
    update_of,
)
from gridtide.exchanges.exchange_clock import ExchangeClock
from gridtide.exchanges.order_checks import reason_not_to_send
from gridtide.exchanges.rate_budget import LimitKind, RateBudget, RateLimit
from gridtide.exchanges.read_errors import NoSuchOrder
from gridtide.exchanges.rest_caller import RestCaller
from gridtide.exchanges.rows import UNREADABLE
from gridtide.exchanges.snapshot import take_snapshot
from gridtide.exchanges.stream_buffer import StreamBuffer
from gridtide.exchanges.stream_loop import Feed, Link, StreamPatience, keep_streaming
from gridtide.exchanges.transmission import Transmission, open_session
from gridtide.exchanges.unknown_market import unknown_market
from gridtide.ports.exchange import ExchangeAccount, SendTiming

if TYPE_CHECKING:
    import aiohttp

    from gridtide.domain.balance import Balance
    from gridtide.domain.commands import CancelOrder, QueryOrder, SubmitOrder, TakeSnapshot
    from gridtide.domain.events import (
        CancelReply,
        QueryReply,
        SnapshotTaken,
        StreamEvent,
        SubmitReply,
    )
    from gridtide.domain.fill import Fill, FillKey
    from gridtide.domain.market import Asset, FeeSchedule, Market, Symbol, TopOfBook
    from gridtide.domain.order import OrderUpdate
    from gridtide.exchanges.connection import ExchangeConnection

T = TypeVar("T")

PAGE = 1_000
_TIMINGS_KEPT = 2_000
_CANDLES_READ = 500
_WEIGHT_CANDLES = 2


class CcxtExchange:
    """One account on one exchange. `connect` before anything else, `close` at the end."""

    def __init__(self, settings: ExchangeConnection) -> None:
        self.name = settings.name
        self.send_timings: deque[tuple[str, SendTiming]] = deque(maxlen=_TIMINGS_KEPT)
        """Client order id and timing of the last submissions, for the latency bench."""
        self.received_at: dict[FillKey, float] = {}
        """When the event of each recent fill arrived, seconds of the monotonic clock; for the same bench."""
        self._settings = settings
        self._clock = ExchangeClock()
        self._budget = RateBudget(())
        self._caller = RestCaller(self.name, self._clock, self._budget, self._judge_read, self._measure_clock)
        self._markets: dict[Symbol, Market] = {}
        self._session: aiohttp.ClientSession | None = None
        self._client: Any = None
        self._clock_is_due = asyncio.Event()
        self._clock_task: asyncio.Task[None] | None = None
        self._streams: dict[asyncio.Task[None], StreamBuffer] = {}
        self._links: WeakSet[Link] = WeakSet()
        """Connections that may still deliver."""

    # --- life ----------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Load the markets and measure the clock, which a task then keeps fresh where the exchange tells its time."""
        self._session = open_session(encrypted=self._settings.mode != "sandbox")
        try:
            self._client = self._new_client()
            if self._client.has["fetchTime"]:
                await self._measure_clock()
            await self._load_markets()
        except BaseException:
            await self.close()
            raise
        if self._client.has["fetchTime"]:
            self._clock_task = asyncio.create_task(self._keep_clock())

    async def close(self) -> None:
        """End the streams, then the sockets. Orders stay where they are."""
        tasks = [task for task in (self._clock_task, *self._streams) if task is not None]
        for buffer in self._streams.values():
            buffer.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await close_client(self._client)
        if self._session is not None:
            await self._session.close()

    def now(self) -> Timestamp:
        """Exchange time, ms since the epoch."""
        return self._clock.now()

    def market(self, symbol: Symbol) -> Market:
        """The market by its symbol; raises `InvalidInput` naming near misses for an unknown one."""
        if self._client is None:
            raise Defect("the exchange was asked for a market before it was connected")
        try:
            return self._markets[symbol]
        except KeyError:
            raise unknown_market(symbol, self._markets, self.name) from None

    # --- orders --------------------------------------------------------------------------------------

    async def submit(self, command: SubmitOrder) -> SubmitReply:
        """Check, transmit once, judge. Raises only if the task itself is cancelled, and then nobody knows."""
        market = self.market(command.approved.intent.symbol)
        unsent = reason_not_to_send(command, market, self._settings.mode, self.now())
        if unsent is not None:
            return unsent
        sent = await self._caller.transmit_order(lambda: self._post_order(command, market))
        if sent is None:
            return OrderNotSent(command.client_order_id, "the rate budget is used up")
        self.send_timings.append((command.client_order_id, _timing(sent)))
        try:
            return self._judge_submit(command, market, sent)
        except UNREADABLE as error:
            return OrderUnconfirmed(command.client_order_id, f"unreadable answer ({type(error).__name__})")

    async def cancel(self, command: CancelOrder) -> CancelReply:
        """Transmit one cancel, once, and judge its answer."""
        market = self.market(command.symbol)
        if self._settings.mode == "paper":
            return CancelUnconfirmed(command.client_order_id, "not sent: paper trading")
        sent = await self._caller.transmit_cancel(lambda: self._delete_order(command, market))
        if sent is None:
            return CancelUnconfirmed(command.client_order_id, "not sent: the rate budget is used up")
        try:
            return self._judge_cancel(command, market, sent)
        except UNREADABLE as error:
            return CancelUnconfirmed(command.client_order_id, f"unreadable answer ({type(error).__name__})")

    async def query(self, command: QueryOrder) -> QueryReply:
        """Ask for one order. A failed read is told as such and is no observation (R7)."""
        try:
            update = await self.find(command)
        except GridtideError as error:
            return ReadFailed(
                "query",
                str(error),
                command.client_order_id,
                not_permitted=isinstance(error, NotPermitted),
            )
        return OrderNotFound(command.client_order_id) if update is None else OrderFound(update)

    async def snapshot(self, command: TakeSnapshot) -> SnapshotTaken:
        """One consistent round of reads; raises what a read raises."""
        return await take_snapshot(self, command)

    def send_capacity(self) -> int:
        """How many orders the rate budget lets through at this moment."""
        return self._budget.order_capacity(self.now())

    # --- stream --------------------------------------------------------------------------------------

    async def stream(self, symbol: Symbol, timeframe: str | None = None) -> AsyncIterator[StreamEvent]:
        """User and market events of one market, reconnecting for ever; ends with `close`.

        Each connection, the first included, is told by `StreamRestored`, each loss by `StreamInterrupted`.
        """
        market = self.market(symbol)
        candles = None if timeframe is None else self._candle_line(symbol, timeframe)
        buffer = StreamBuffer()
        patience = StreamPatience(self._settings.silence_seconds, self._settings.reconnect_seconds)
        keeper = asyncio.create_task(
            keep_streaming(lambda link: self._feed_of(link, market, candles), buffer, patience)
        )
        keeper.add_done_callback(
            lambda _: buffer.close()
        )  # a keeper that fails must not leave a silent stream
        self._streams[keeper] = buffer
        try:
            while (event := await buffer.get()) is not None:
                yield event
        finally:
            self._streams.pop(keeper, None)
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper

    def rebuild_stream(self, reason: str) -> None:
        """End the connections of all streams; each is made anew."""
        for link in tuple(self._links):
            link.end(reason)

    async def measure_clock(self) -> None:
        """Measure the exchange's clock now, where it tells its time."""
        if self._client.has["fetchTime"]:
            await self._measure_clock()

    def clock_age(self) -> float | None:
        """Seconds since the clock was measured; None where the exchange does not tell its time."""
        return self._clock.age() if self._client.has["fetchTime"] else None

    def _feed_of(self, link: Link, market: Market, candles: CandleLine | None) -> Feed:
        self._links.add(link)
        return self._make_feed(link, market, candles)

    def _candle_line(self, symbol: Symbol, timeframe: str) -> CandleLine:
        """Raises `InvalidInput` for a timeframe that the exchange does not have."""
        known = self._client.timeframes or {}
        if timeframe not in known:
            raise InvalidInput(
                f"{self.name} has no candles of {timeframe}, which the strategy wants; it has {', '.join(known)}"
            )
        return CandleLine(symbol, timeframe)

    async def _tell_candles(self, line: CandleLine, put: Callable[[StreamEvent], None]) -> None:
        """Read what has closed since the last candle that was told."""
        start = None if line.told is None else line.told + 1
        rows = await self._read(
            "candles",
            _WEIGHT_CANDLES,
            lambda: self._client.fetch_ohlcv(line.symbol, line.timeframe, start, _CANDLES_READ),
            lambda found: [candle_of(row) for row in found],
        )
        line.tell_read(rows, self._candle_clock(), put)

    def _candle_clock(self) -> int | None:
        """The sandbox's candles are of the time it plays, which no clock tells."""
        return None if self._settings.mode == "sandbox" else self.now()

    # --- what an exchange does in its own way: reads ---------------------------------------------------

    async def refresh_market(self, symbol: Symbol) -> Market:
        """The market's rules and status, read anew."""
        await self._load_markets(reload=True)
        return self.market(symbol)

    async def account(self) -> ExchangeAccount:
        """CCXT has no common word for who an account is: a digest of the key stands for it."""
        return ExchangeAccount(self._key_digest())

    async def balances(self) -> Mapping[Asset, Balance]:
        """Free and locked of every asset; one that is missing is zero."""
        return await self._read("balances", 1, self._client.fetch_balance, balances_of)

    async def fees(self, symbol: Symbol) -> FeeSchedule:
        """What the account pays, or the exchange's usual fees where it does not tell."""
        if self._client.has["fetchTradingFee"]:
            return await self._read("fees", 1, lambda: self._client.fetch_trading_fee(symbol), fee_schedule)
        return fee_schedule(self._client.market(symbol))

    async def top_of_book(self, symbol: Symbol) -> TopOfBook:
        """Best bid and ask and the last price."""
        return await self._read("the book", 1, lambda: self._client.fetch_ticker(symbol), book_of)

    async def find(self, command: QueryOrder) -> OrderUpdate | None:
        """One order, None where the exchange answers that it knows none."""
        params = {} if command.order_id else {"clientOrderId": command.client_order_id}
        try:
            return await self._read(
                "the order",
                1,
                lambda: self._client.fetch_order(command.order_id or None, command.symbol, dict(params)),
                lambda order: update_of(order, command.symbol),
            )
        except NoSuchOrder:
            return None

    async def open_orders(self, symbol: Symbol) -> tuple[OrderUpdate, ...]:
        """All open orders of the account on this market."""
        return await self._read(
            "open orders",
            1,
            lambda: self._client.fetch_open_orders(symbol),
            lambda orders: tuple(update_of(order, symbol) for order in orders),
        )

    async def orders(self, symbol: Symbol, from_order_id: int | None) -> tuple[OrderUpdate, ...]:
        """Orders, oldest first, pages by time. An exchange whose ended orders CCXT cannot list shows the open ones;
        ids of orders have no common order, so `from_order_id` only asks for all pages."""
        if not self._client.has["fetchOrders"]:
            return await self.open_orders(symbol)
        found: dict[str, tuple[int, OrderUpdate]] = {}
        since: int | None = None if from_order_id is None else 1
        while True:
            page = await self._order_page(symbol, since)
            known = len(found)
            found |= {update.order_id: (placed_at, update) for placed_at, update in page}
            if len(found) == known or from_order_id is None:
                return tuple(update for _, update in sorted(found.values(), key=lambda item: item[0]))
            since = max(placed_at for placed_at, _ in page)

    async def _order_page(self, symbol: Symbol, since: int | None) -> list[tuple[int, OrderUpdate]]:
        """Orders and when they were placed."""
        return await self._read(
            "orders",
            1,
            lambda: self._client.fetch_orders(symbol, since, PAGE),
            lambda orders: [(int(order["timestamp"] or 0), update_of(order, symbol)) for order in orders],
        )

    async def fills(self, symbol: Symbol, from_trade_id: int) -> tuple[Fill, ...]:
        """Our trade records from `from_trade_id` on, ascending; the ids are `trade_number`s, so pages go by time."""
        found: dict[FillKey, Fill] = {}
        since = trade_time(from_trade_id)
        while True:
            page = await self._fill_page(symbol, since)
            known = len(found)
            found |= {fill.key: fill for fill in page}
            if len(found) == known:
                break
            since = max(fill.timestamp for fill in page)
        return tuple(sorted((f for f in found.values() if f.trade_id >= from_trade_id), key=lambda f: f.key))

    async def newest_trade_id(self, symbol: Symbol) -> int:
        """Id of the account's newest execution on the market, 0 if there is none."""
        return max((fill.trade_id for fill in await self._fill_page(symbol, None)), default=0)

    async def _fill_page(self, symbol: Symbol, since: int | None) -> list[Fill]:
        market = self.market(symbol)

        def read(trades: Any) -> list[Fill]:
            received = {"buy": market.base, "sell": market.quote}
            return [fill_of(trade, symbol, received[trade["side"]]) for trade in trades]

        return await self._read("fills", 1, lambda: self._client.fetch_my_trades(symbol, since, PAGE), read)

    async def _load_markets(self, *, reload: bool = False) -> None:
        structures = await self._read("markets", 1, lambda: self._client.load_markets(reload), dict)
        mode = self._client.precisionMode
        for structure in structures.values():
            if structure.get("spot"):
                with contextlib.suppress(*UNREADABLE):  # a market we cannot read is one we do not trade
                    market = market_of(structure, mode)
                    self._markets[market.symbol] = market
        self._budget.replace_limits(_usual_limits(self._client.rateLimit))

    async def _ask_time(self) -> int:
        return self._turned(
            "its time", await self._caller.read_once("its time", 1, self._client.fetch_time), int
        )

    # --- what an exchange does in its own way: orders --------------------------------------------------

    async def _post_order(self, command: SubmitOrder, _market: Market) -> Any:
        intent = command.approved.intent
        params: dict[str, Any] = {"clientOrderId": command.client_order_id}
        if intent.type is OrderType.LIMIT_MAKER:
            params["postOnly"] = True
        elif intent.type is OrderType.LIMIT:
            params["timeInForce"] = intent.time_in_force.value
        kind = "market" if intent.type is OrderType.MARKET else "limit"
        price = None if intent.price is None or kind == "market" else plain(intent.price)
        return await self._client.create_order(
            intent.symbol, kind, intent.side.value.lower(), plain(intent.amount), price, params
        )

    async def _delete_order(self, command: CancelOrder, _market: Market) -> Any:
        params = {} if command.order_id else {"clientOrderId": command.client_order_id}
        return await self._client.cancel_order(command.order_id or None, command.symbol, params)

    def _judge_submit(self, command: SubmitOrder, _market: Market, sent: Transmission) -> SubmitReply:
        return ccxt_verdict.submit_verdict(command, sent)

    def _judge_cancel(self, command: CancelOrder, _market: Market, sent: Transmission) -> CancelReply:
        return ccxt_verdict.cancel_verdict(command, sent)

    def _judge_read(self, what: str, sent: Transmission) -> GridtideError | None:
        return ccxt_verdict.read_error(self.name, what, sent, self.now())

    def _make_feed(self, link: Link, market: Market, candles: CandleLine | None) -> Feed:
        return CcxtFeed(
            link,
            market,
            self._new_client,
            lambda: self.top_of_book(market.symbol),
            with_account=self._settings.has_key,
            keep_reading_candles=None if candles is None else lambda: self._keep_reading(candles, link),
        )

    async def _keep_reading(self, line: CandleLine, link: Link) -> None:
        """Candles are read when they are due: streams of candles differ too much from exchange to exchange."""
        while True:
            with contextlib.suppress(Transient):  # the next read has what this one could not bring
                await self._tell_candles(line, link.buffer.put)
            await asyncio.sleep(line.seconds_to_next(self._candle_clock()))

    # --- inner ---------------------------------------------------------------------------------------

    def _new_client(self, listener: SocketListener | None = None, *, parse_messages: bool = True) -> Any:
        if self._session is None:
            raise Defect("the exchange was used before it was connected")
        return make_client(
            self._settings, self._clock, self._session, listener=listener, parse_messages=parse_messages
        )

    async def _read(
        self, what: str, weight: int, call: Callable[[], Awaitable[Any]], read: Callable[[Any], T]
    ) -> T:
        """A read, repeated as needed, with its answer turned to ours; one that cannot be read is a failed read."""
        return self._turned(what, await self._caller.read(what, weight, call), read)

    def _turned(self, what: str, result: Any, read: Callable[[Any], T]) -> T:
        try:
            return read(result)
        except UNREADABLE as error:
            raise Transient(
                f"{self.name} gave {what} in a form we cannot read ({type(error).__name__})."
            ) from None

    async def _measure_clock(self) -> None:
        await self._clock.measure(self._ask_time)

    def _key_digest(self) -> str:
        return hashlib.blake2b(self._settings.api_key.encode(), digest_size=6).hexdigest()

    def _measure_clock_soon(self) -> None:
        """Have the clock measured now, without making anybody wait for it."""
        self._clock_is_due.set()

    async def _keep_clock(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._clock_is_due.wait(), self._settings.clock_refresh_seconds)
            self._clock_is_due.clear()
            with contextlib.suppress(GridtideError):  # the old offset serves until the exchange answers again
                await self._measure_clock()


def _timing(sent: Transmission) -> SendTiming:
    return SendTiming(sent.called, sent.signed, sent.written, sent.answered)


def _usual_limits(milliseconds_a_request: float) -> tuple[RateLimit, ...]:
    """CCXT states one number for an exchange: the time between two requests."""
    return (RateLimit(LimitKind.RAW_REQUESTS, 10_000, max(1, int(10_000 / milliseconds_a_request))),)
