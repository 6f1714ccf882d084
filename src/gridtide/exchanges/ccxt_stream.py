"""User and market events of any CCXT Pro exchange, out of CCXT's caches after each message.

CCXT's watch calls subscribe and tell of failures; their results are not used, because a call resolves on the
first of several events. Fills are not told here: an order that has executed more makes the engine read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import Transient
from gridtide.domain.events import BookUpdated, OrderUpdated
from gridtide.exchanges.ccxt_client import close_client
from gridtide.exchanges.ccxt_values import book_of, price_or_none, update_of
from gridtide.exchanges.rows import UNREADABLE

if TYPE_CHECKING:
    from gridtide.domain.market import Market, TopOfBook
    from gridtide.exchanges.ccxt_client import SocketListener
    from gridtide.exchanges.stream_loop import Link

SUBSCRIBE_SECONDS = 1.0
"""CCXT does not tell when a subscription stands; one that fails does so within this time."""


class CcxtFeed:
    """One connection through CCXT Pro."""

    def __init__(
        self,
        link: Link,
        market: Market,
        make_client: Callable[[SocketListener], Any],
        read_book: Callable[[], Awaitable[TopOfBook]],
        *,
        with_account: bool,
        keep_reading_candles: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._link = link
        self._market = market
        self._read_book = read_book
        self._with_account = with_account
        self._client = make_client(self)
        self._keep_reading_candles = keep_reading_candles
        self._tasks: list[asyncio.Task[None]] = []
        self._last_order: tuple[object, ...] = ()
        self._has_book = False

    async def open(self) -> None:
        """Start all subscriptions; raises `Transient` where one fails at once."""
        symbol = str(self._market.symbol)
        has = self._client.has
        if self._with_account:
            self._watch(lambda: self._client.watch_orders(symbol))
        if has.get("watchBidsAsks"):
            self._watch(lambda: self._client.watch_bids_asks([symbol]))
        elif has.get("watchTicker"):
            self._watch(lambda: self._client.watch_ticker(symbol))
        else:
            self._watch(lambda: self._client.watch_order_book(symbol))
        if has.get("watchTrades"):
            self._watch(lambda: self._client.watch_trades(symbol))
        done, _ = await asyncio.wait(
            self._tasks, timeout=SUBSCRIBE_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if done:
            raise Transient("a subscription failed")
        if self._keep_reading_candles is not None:
            self._watch(self._keep_reading_candles)
        book = await self._read_book()
        if not self._has_book:
            self._link.buffer.put(BookUpdated(self._market.symbol, book))

    async def close(self) -> None:
        self._client.listener = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await close_client(self._client)

    # --- what the sockets tell -----------------------------------------------------------------------

    def frame_arrived(self, url: str) -> None:
        self._link.heard(url)

    def message_arrived(self, _url: str, _message: Any) -> None:
        try:
            self._tell_order()
            self._tell_book()
        except UNREADABLE as error:
            self._link.gap(f"a stream message could not be read ({type(error).__name__})")

    def frame_unreadable(self, _url: str) -> None:
        self._link.gap("a stream frame could not be read")

    def socket_broken(self, _url: str, reason: str) -> None:
        self._link.end(f"stream lost: {reason}")

    def _tell_order(self) -> None:
        """CCXT moves the order a message changed to the end of its cache."""
        orders = self._client.orders
        if not orders:
            return
        order = orders[-1]
        state = (order["id"], order["status"], order["filled"])
        if state != self._last_order and order["symbol"] == self._market.symbol:
            self._last_order = state
            self._link.buffer.put(OrderUpdated(update_of(order, self._market.symbol)))

    def _tell_book(self) -> None:
        symbol = self._market.symbol
        ticker = (self._client.bidsasks or {}).get(symbol) or (self._client.tickers or {}).get(symbol)
        if ticker is None:
            depth = (self._client.orderbooks or {}).get(symbol)
            if not depth:
                return
            ticker = {"bid": _best(depth["bids"]), "ask": _best(depth["asks"])}
        book = book_of(ticker)
        trades = (self._client.trades or {}).get(symbol)
        if trades:
            book = book._replace(last=price_or_none(trades[-1]["price"]))
        self._has_book = True
        self._link.buffer.put(BookUpdated(symbol, book))

    # --- inner ---------------------------------------------------------------------------------------

    def _watch(self, subscribe: Callable[[], Awaitable[Any]]) -> None:
        self._tasks.append(asyncio.create_task(self._keep_watching(subscribe)))

    async def _keep_watching(self, subscribe: Callable[[], Awaitable[Any]]) -> None:
        """Call again and again, so that a failure is noticed; ends at the first one."""
        try:
            while True:
                await subscribe()
        except Exception as error:  # the library raises anything; its text may quote a signed request
            self._link.end(f"stream lost: {type(error).__name__}")


def _best(levels: Any) -> Any:
    return levels[0][0] if levels else None
