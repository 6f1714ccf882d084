"""The public trades and order book of a real exchange as they happen, through CCXT Pro.

Numbers are the exchange's own texts, never floats. What breaks is mended: a lost connection is dialled again, ever
more slowly, and after each gap comes a whole snapshot.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import ZERO, Amount, Price
from gridtide.domain.order import Side
from gridtide.market_data.live_market import market_of_row

if TYPE_CHECKING:
    from gridtide.domain.market import Market
    from gridtide.market_data.source import MarketMoment

_LOG = logging.getLogger(__name__)

BUFFERED_MOMENTS = 10_000
"""Moments kept while nobody plays them. When they are full the feed stops reading: the book goes on from what it has
become by then, trades beyond those that CCXT keeps are lost."""
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_QUIET_SECONDS = 60.0
"""A book that says nothing for this long is taken for lost."""
_CROSSED_AT_MOST = 100
"""A book that stays crossed for longer is not the exchange's any more: something was missed unnoticed."""
_NEEDED = ("watchTrades", "watchOrderBook")
_OPTIONS = {
    "defaultType": "spot",
    "fetchMarkets": {"types": ["spot"]},
    "fetchMargins": False,
    "fetchCurrencies": False,
}
"""Public spot data only."""

Levels = dict[Decimal, Decimal]
Urls = Mapping[str, Any]


def open_live(name: str, symbol: Symbol, urls: Urls | None = None) -> LiveFeed:
    """The live market of an exchange, by its CCXT id; asks the exchange for the market's rules.

    `urls` replaces parts of CCXT's own addresses (``{"public": …, "ws": {"spot": …}}``). Call it outside any event
    loop; in one, await `fetch_market`. Raises `InvalidInput` for an exchange, or a market, that cannot be watched.
    """
    return LiveFeed(name, asyncio.run(fetch_market(name, symbol, urls)), urls)


async def fetch_market(name: str, symbol: Symbol, urls: Urls | None = None) -> Market:
    """The market with the rules the exchange states."""
    client = _client(name, urls)
    try:
        rows = await client.load_markets()
    except _ccxt().BaseError as error:
        raise InvalidInput(
            f"{name} did not tell its markets ({type(error).__name__}): nothing was started; check the connection"
        ) from None
    finally:
        await client.close()
    row = rows.get(symbol)
    if row is None or not row.get("spot"):
        near = difflib.get_close_matches(symbol, rows, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise InvalidInput(f"{name} has no spot market {symbol}{hint}")
    return market_of_row(symbol, row, ticks=client.precisionMode == _ccxt().TICK_SIZE)


class LiveFeed:
    """A `LiveSource` of one market. Iterate over it once, in one event loop; close it."""

    def __init__(self, name: str, market: Market, urls: Urls | None = None) -> None:
        self.market = market
        self.reconnections = 0
        """How often something broke and was begun anew."""
        self._name = name
        self._urls = urls
        self._client: Any = None
        self._moments: asyncio.Queue[MarketMoment | Exception] = asyncio.Queue(BUFFERED_MOMENTS)
        self._watchers: list[asyncio.Task[None]] = []
        self._book = _BookInStep()
        self._time = 0
        _client_class(name)

    async def __aiter__(self) -> AsyncIterator[MarketMoment]:
        self._client = _client(self._name, self._urls)
        self._watchers = [
            asyncio.create_task(self._keep(watch)) for watch in (self._watch_book, self._watch_trades)
        ]
        try:
            while True:
                moment = await self._moments.get()
                if isinstance(moment, Exception):
                    raise moment
                yield moment
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of every connection."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers = []
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # --- watching ------------------------------------------------------------------------------------

    async def _keep(self, watch: Callable[[], Awaitable[None]]) -> None:
        """Watch for ever: what the network does to us is waited out, anything else ends the feed with its reason."""
        pause, passing = _FIRST_PAUSE_SECONDS, _passing_errors()
        while True:
            try:
                await watch()
                pause = _FIRST_PAUSE_SECONDS
                continue
            except passing as error:
                reason = type(error).__name__
            except Exception as error:  # whoever plays the feed must hear of it, whatever it is
                await self._moments.put(error)
                return
            self.reconnections += 1
            _LOG.warning("live_feed.interrupted", extra={"market": self.market.symbol, "reason": reason})
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _watch_book(self) -> None:
        try:
            async with asyncio.timeout(_QUIET_SECONDS):
                book = await self._client.watch_order_book(self.market.symbol)
        except TimeoutError:
            self._book.is_lost = True
            await self._hang_up()
            raise
        except Exception:
            self._book.is_lost = True
            raise
        bids, asks = ({price: amount for price, amount, *_ in book[side]} for side in ("bids", "asks"))
        update = self._book.follow(bids, asks, book.get("nonce") or 0, self._at(book.get("timestamp")))
        if update is not None:
            await self._moments.put(update)
        elif self._book.crossed > _CROSSED_AT_MOST:
            self._book.is_lost, self._book.crossed = True, 0
            await self._hang_up()
            raise TimeoutError

    async def _hang_up(self) -> None:
        """Close the sockets, so that the next watching dials anew."""
        for socket in list(self._client.clients.values()):
            with suppress(*_passing_errors()):
                await socket.close()

    async def _watch_trades(self) -> None:
        for row in await self._client.watch_trades(self.market.symbol):
            if not self._book.is_lost:
                await self._moments.put(self._trade(row))

    def _trade(self, row: Mapping[str, Any]) -> MarketTrade:
        identity = str(row.get("id") or "")
        return MarketTrade(
            self.market.symbol,
            self._at(row.get("timestamp")),
            Price(_exact(row["price"])),
            Amount(_exact(row["amount"])),
            Side.SELL if row.get("side") == "sell" else Side.BUY,
            int(identity) if identity.isdigit() else 0,
        )

    def _at(self, time: int | None) -> Timestamp:
        """The exchange's time, never decreasing; its own clock's where a message says none."""
        self._time = max(self._time, int(time or self._client.milliseconds()))
        return Timestamp(self._time)


class _BookInStep:
    """The book as it was last handed out, and what must be told to keep in step with the exchange's."""

    def __init__(self) -> None:
        self.is_lost = True
        """Nothing can be built on what was handed out: a snapshot must come."""
        self.crossed = 0
        """How often in a row the exchange's book was crossed."""
        self._bids: Levels = {}
        self._asks: Levels = {}
        self._update_id = 0

    def follow(self, bids: Levels, asks: Levels, nonce: int, at: Timestamp) -> DepthUpdate | None:
        """What turns the book handed out into this one; None where nothing changed, or while it is crossed, as
        exchanges' books are for a moment at times."""
        if bids and asks and max(bids) >= min(asks):
            self.crossed += 1
            return None
        self.crossed = 0
        former_bids, former_asks = ({}, {}) if self.is_lost else (self._bids, self._asks)
        changed_bids, changed_asks = _changes(former_bids, bids), _changes(former_asks, asks)
        if not (self.is_lost or changed_bids or changed_asks):
            return None
        is_snapshot, self.is_lost = self.is_lost, False
        self._bids, self._asks = bids, asks
        first, self._update_id = self._update_id + 1, max(nonce, self._update_id + 1)
        return DepthUpdate(
            self._update_id if is_snapshot else first,
            self._update_id,
            changed_bids,
            changed_asks,
            at,
            is_snapshot=is_snapshot,
        )


def _changes(former: Levels, levels: Levels) -> tuple[tuple[Decimal, Decimal], ...]:
    gone = [(price, ZERO) for price in former if price not in levels]
    return (*gone, *(item for item in levels.items() if former.get(item[0]) != item[1]))


# --- CCXT --------------------------------------------------------------------------------------------


def _ccxt() -> Any:
    """Importing CCXT takes half a second: only where a live market is asked for."""
    import ccxt.pro

    return ccxt


def _passing_errors() -> tuple[type[Exception], ...]:
    """What comes and goes: the network, an overloaded exchange, a gap in the book's updates (`ChecksumError`)."""
    ccxt = _ccxt()
    return (ccxt.NetworkError, ccxt.ChecksumError, ccxt.ExchangeClosedByUser, OSError, TimeoutError)


@cache
def _client_class(name: str) -> type[Any]:
    """CCXT's class for an exchange, reading numbers exactly; raises `InvalidInput` for one that has no streams."""
    exchanges = _ccxt().pro.exchanges
    if name not in exchanges:
        near = difflib.get_close_matches(name, exchanges, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "use a CCXT id such as binance or kraken"
        raise InvalidInput(
            f"{name!r} is no exchange with streams that CCXT knows; nothing was started: {hint}"
        )
    known = getattr(_ccxt().pro, name)
    return type(f"Exact{name.capitalize()}", (known,), {"safe_float": staticmethod(_safe_exact)})


def _client(name: str, urls: Urls | None) -> Any:
    client = _client_class(name)({"enableRateLimit": True, "newUpdates": True, "options": dict(_OPTIONS)})
    client.number = Decimal
    missing = [word for word in _NEEDED if not client.has.get(word)]
    if missing:
        raise InvalidInput(
            f"CCXT cannot watch {' and '.join(missing)} on {name}; nothing was started: choose another exchange"
        )
    _override(client.urls["api"], urls or {})
    return client


def _override(known: dict[str, Any], urls: Urls) -> None:
    for key, url in urls.items():
        if isinstance(url, Mapping) and isinstance(known.get(key), dict):
            _override(known[key], url)
        else:
            known[key] = url


def _safe_exact(row: Any, key: Any, default: Any = None) -> Any:
    """In place of CCXT's `safe_float`, through which the levels of its order books go."""
    try:
        return _exact(row[key])
    except (ArithmeticError, IndexError, KeyError, TypeError):
        return default


def _exact(value: Any) -> Decimal:
    """The exchange's text as it is; where an exchange writes JSON numbers, the shortest text of the double."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
