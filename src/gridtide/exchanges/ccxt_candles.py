"""Public candles and market trades of any exchange, through CCXT: reads only, within the rate budget, exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from gridtide.domain.candle import MarketTrade, timeframe_seconds
from gridtide.domain.errors import Defect, GridtideError, InvalidInput, Transient
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.exchanges.ccxt_client import close_client, make_client
from gridtide.exchanges.ccxt_values import candle_of, exact, trade_number
from gridtide.exchanges.ccxt_verdict import read_error
from gridtide.exchanges.exchange_clock import ExchangeClock
from gridtide.exchanges.rate_budget import LimitKind, RateBudget, RateLimit
from gridtide.exchanges.rest_caller import RestCaller
from gridtide.exchanges.rows import UNREADABLE
from gridtide.exchanges.transmission import Transmission, open_session
from gridtide.exchanges.unknown_market import unknown_market

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import aiohttp

    from gridtide.domain.candle import Candle
    from gridtide.exchanges.connection import ExchangeConnection

T = TypeVar("T")

_PAGE = 1_000
_TRADE_WINDOW_MS = 3_600_000
"""CCXT asks for at most an hour of trades by time."""
_ID_LIMIT = 2**63
_SETTLING_MS = 1_000
"""A candle is taken for closed, and trades for complete, this long after its end."""


class CcxtCandleSource:
    """A `CandleSource` over CCXT. It needs no key, and sends none."""

    def __init__(self, settings: ExchangeConnection, page: int = _PAGE) -> None:
        self.candle_page = page
        self.name = f"{settings.name}-sandbox" if settings.mode == "sandbox" else settings.name
        self._settings = settings
        self._clock = ExchangeClock()
        self._budget = RateBudget(())
        self._caller = RestCaller(self.name, self._clock, self._budget, self._judge, self._measure_clock)
        self._session: aiohttp.ClientSession | None = None
        self._client: Any = None

    async def connect(self) -> None:
        """Load the markets and measure the clock."""
        self._session = open_session(encrypted=self._settings.mode != "sandbox")
        try:
            self._client = make_client(self._settings, self._clock, self._session)
            await self._read("markets", self._client.load_markets, dict)
            self._budget.replace_limits(_limits(self._client.rateLimit))
            if self._client.has["fetchTime"]:
                await self._measure_clock()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        client, session, self._client, self._session = self._client, self._session, None, None
        if client is not None:
            await close_client(client)
        if session is not None:
            await session.close()

    async def closed_until(self, symbol: Symbol, timeframe: str | None) -> Timestamp:
        """By the exchange's clock. The sandbox's candles are of the time it plays: there all but the newest."""
        self._know(symbol, timeframe)
        now = self._clock.now() - _SETTLING_MS
        if self._settings.mode == "sandbox" and timeframe is not None:
            newest = await self._candle_page(symbol, timeframe, None, 1)
            now = min([now, *(candle.timestamp for candle in newest)])
        return Timestamp(now)

    async def candles(self, symbol: Symbol, timeframe: str, start: Timestamp) -> Sequence[Candle]:
        self._know(symbol, timeframe)
        return await self._candle_page(symbol, timeframe, start, self.candle_page)

    async def trades(
        self, symbol: Symbol, start: Timestamp, after_id: int | None = None
    ) -> tuple[Sequence[MarketTrade], Timestamp]:
        """A full page leaves out what follows its last millisecond; behind one that is not full, an hour or
        everything until now is complete."""
        self._know(symbol, None)
        asked_at = self._clock.now()
        by_id = after_id is not None and self._pages_by_id
        params = {"fromId": after_id + 1} if by_id and after_id is not None else {}
        page = await self._read(
            "market trades",
            lambda: self._client.fetch_trades(symbol, None if by_id else start, self.candle_page, params),
            lambda rows: [_trade(symbol, row) for row in rows],
        )
        if len(page) >= self.candle_page:
            newest = max(trade.timestamp for trade in page)
            if newest <= start and not self._pages_by_id:
                raise Transient(
                    f"{self.name} has more market trades in one millisecond than it gives at once; nothing of them "
                    "was stored."
                )
            return page, newest
        asked_until = asked_at - _SETTLING_MS if by_id else start + _TRADE_WINDOW_MS
        return page, Timestamp(asked_until)

    # --- inner ---------------------------------------------------------------------------------------

    @property
    def _pages_by_id(self) -> bool:
        """Where ids are numbers that a page can begin at; elsewhere pages go by time."""
        return self._settings.name.startswith("binance")

    def _know(self, symbol: Symbol, timeframe: str | None) -> None:
        """Raise `InvalidInput` for a market or timeframe that the exchange does not have."""
        if self._client is None:
            raise Defect("the exchange was used before it was connected")
        market = self._client.markets.get(symbol)
        if market is None or not market.get("spot"):
            raise unknown_market(symbol, self._client.markets, self.name)
        known = self._client.timeframes or {}
        if timeframe is not None and known and timeframe not in known:
            raise InvalidInput(f"{self.name} has no candles of {timeframe}: it has {', '.join(known)}")

    async def _candle_page(
        self, symbol: Symbol, timeframe: str, start: Timestamp | None, limit: int
    ) -> Sequence[Candle]:
        timeframe_seconds(timeframe)
        return await self._read(
            "candles",
            lambda: self._client.fetch_ohlcv(symbol, timeframe, start, limit),
            lambda rows: [candle_of(row) for row in rows],
        )

    async def _read(self, what: str, call: Callable[[], Awaitable[Any]], read: Callable[[Any], T]) -> T:
        result = await self._caller.read(what, 4, call)
        try:
            return read(result)
        except UNREADABLE as error:
            raise Transient(
                f"{self.name} gave {what} in a form we cannot read ({type(error).__name__})."
            ) from None

    def _judge(self, what: str, sent: Transmission) -> GridtideError | None:
        return read_error(self.name, what, sent, self._clock.now())

    async def _measure_clock(self) -> None:
        async def ask() -> int:
            return int(await self._caller.read_once("its time", 1, self._client.fetch_time))

        await self._clock.measure(ask)


def _limits(milliseconds_a_request: float) -> tuple[RateLimit, ...]:
    """CCXT states one number for an exchange: the time between two requests."""
    return (RateLimit(LimitKind.RAW_REQUESTS, 10_000, max(1, int(10_000 / max(milliseconds_a_request, 1)))),)


def _trade(symbol: Symbol, row: Any) -> MarketTrade:
    timestamp = int(row["timestamp"])
    return MarketTrade(
        symbol,
        Timestamp(timestamp),
        Price(exact(row["price"])),
        Amount(exact(row["amount"])),
        Side(str(row["side"]).upper()),
        _number_of(str(row.get("id") or ""), timestamp),
    )


def _number_of(identity: str, timestamp: int) -> int:
    """An id that is a number as it is, another as its `trade_number`, 0 for none."""
    if identity.isdigit() and int(identity) < _ID_LIMIT:
        return int(identity)
    return trade_number(identity, timestamp) if identity else 0
