"""Binance's user events and market streams, raw, over CCXT Pro's sockets: no event passes through CCXT's caches.

CCXT dials, pings and signs. Its watch calls would resolve on the first event only and lose the next (F28).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import NotPermitted, Transient
from gridtide.domain.events import BookUpdated, OrderUpdated
from gridtide.domain.market import TopOfBook
from gridtide.exchanges.binance_events import (
    SHUTDOWN,
    TERMINATED,
    closed_candle,
    user_event,
    with_market_message,
)
from gridtide.exchanges.binance_refusals import KEY_CODES
from gridtide.exchanges.ccxt_client import close_client
from gridtide.exchanges.http_outcome import quoted
from gridtide.exchanges.rows import UNREADABLE, Row

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Market
    from gridtide.exchanges.candle_line import CandleLine
    from gridtide.exchanges.ccxt_client import SocketListener
    from gridtide.exchanges.stream_loop import Link

ANSWER_TIMEOUT_SECONDS = 10.0


class BinanceFeed:
    """One connection: a socket for user events (where there is a key) and one for book ticker and trades."""

    def __init__(
        self,
        link: Link,
        market: Market,
        make_client: Callable[[SocketListener], Any],
        read_book: Callable[[], Awaitable[TopOfBook]],
        *,
        with_account: bool,
        on_fill: Callable[[Fill, float], None],
        candles: CandleLine | None,
        read_candles: Callable[[CandleLine], Awaitable[None]],
    ) -> None:
        """`candles`: what is told of candles, with `read_candles` to read those that were missed; None: nothing."""
        self._link = link
        self._market = market
        self._read_book = read_book
        self._with_account = with_account
        self._on_fill = on_fill
        self._candles = candles
        self._read_candles = read_candles
        self._book = TopOfBook(None, None)
        self._frame_at = 0.0
        self._request_id = 0
        self._client = make_client(self)
        sockets = self._client.urls["api"]["ws"]
        self._market_url = f"{sockets['spot']}/0"
        self._user_url: str = sockets["ws-api"]["spot"]

    async def open(self) -> None:
        """Subscribe to user events first: from then on nothing of the account is lost."""
        if self._with_account:
            params = self._client.sign_params({})
            await self._ask(self._user_url, "userDataStream.subscribe.signature", params)
        name = self._market.exchange_id.lower()
        wanted = [f"{name}@bookTicker", f"{name}@trade"]
        if self._candles is not None:
            wanted.append(f"{name}@kline_{self._candles.timeframe}")
        await self._ask(self._market_url, "SUBSCRIBE", wanted)
        if self._candles is not None and self._candles.told is not None:
            await self._read_candles(self._candles)
        # A ticker is sent on the next change only; until then the book is what REST says, unless one came already.
        book = await self._read_book()
        if self._book == TopOfBook(None, None):
            self._show(book)

    async def close(self) -> None:
        await close_client(self._client)

    # --- what the sockets tell -----------------------------------------------------------------------

    def frame_arrived(self, url: str) -> None:
        self._frame_at = time.monotonic()
        self._link.heard(url)

    def message_arrived(self, url: str, message: Any) -> None:
        if not isinstance(message, dict):
            return  # no event of ours comes in another form
        try:
            if url == self._user_url:
                self._take_user_message(message)
            else:
                self._take_market_message(message)
        except UNREADABLE as error:
            self._link.gap(f"a stream message could not be read ({type(error).__name__})")

    def frame_unreadable(self, _url: str) -> None:
        self._link.gap("a stream frame could not be read")

    def socket_broken(self, _url: str, reason: str) -> None:
        self._link.end(f"stream lost: {reason}")

    def _take_user_message(self, message: Row) -> None:
        event = message.get("event", message)
        if not isinstance(event, dict):
            return
        if event.get("e") == TERMINATED:
            self._link.end(f"the exchange ended the stream ({TERMINATED})")
        elif event.get("e") == SHUTDOWN:
            self._link.renew()
        elif "error" in message:
            self._link.end("the exchange refused the stream")
        else:
            ours = user_event(event, self._market)
            if isinstance(ours, OrderUpdated) and ours.fill is not None:
                self._on_fill(ours.fill, self._frame_at)
            if ours is not None:
                self._link.buffer.put(ours)

    def _take_market_message(self, message: Row) -> None:
        data = message.get("data", message)
        if not isinstance(data, dict):
            return
        if data.get("e") == TERMINATED:
            self._link.end(f"the exchange ended the stream ({TERMINATED})")
            return
        if data.get("e") == SHUTDOWN:
            self._link.renew()
            return
        if self._candles is not None:
            candle = closed_candle(data, self._market, self._candles.timeframe)
            if candle is not None:
                self._candles.tell(candle, self._link.buffer.put)
                return
        book = with_market_message(self._book, data, self._market)
        if book is not None:
            self._show(book)

    def _show(self, book: TopOfBook) -> None:
        self._book = book
        self._link.buffer.put(BookUpdated(self._market.symbol, book))

    # --- requests ------------------------------------------------------------------------------------

    async def _ask(self, url: str, method: str, params: object) -> None:
        """Send one request and wait for its answer; raises `NotPermitted` or `Transient` for anything but a yes."""
        self._request_id += 1
        number = str(self._request_id)
        # Market streams answer numbers with numbers, the WebSocket API texts with texts.
        request_id: str | int = number if url == self._user_url else self._request_id
        request = {"id": request_id, "method": method, "params": params}
        future = self._client.watch(url, number, request, number)
        await asyncio.wait({future}, timeout=ANSWER_TIMEOUT_SECONDS)
        if not future.done():
            raise Transient(f"{method} was not answered within {ANSWER_TIMEOUT_SECONDS:g} s")
        if future.cancelled() or future.exception() is not None:
            # CCXT rejects with whatever the socket met; its text may quote the signed request.
            raise Transient(f"the stream's socket failed before {method} was answered")
        self._check(method, future.result())

    def _check(self, method: str, answer: Row) -> None:
        error = answer.get("error", answer if "code" in answer else None)
        if error is None and answer.get("status", 200) == 200:
            return
        code, text = (error.get("code"), str(error.get("msg", ""))) if isinstance(error, dict) else (None, "")
        failure = NotPermitted if code in KEY_CODES else Transient
        raise failure(f"the exchange refused {method}: {code} {quoted(text)}")
