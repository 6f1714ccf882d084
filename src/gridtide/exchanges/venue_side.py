"""The exchange's half of an in-process connection: it takes requests when they arrive and streams what happens.

It goes on when a client is gone: a request under way still reaches the venue of somebody who was killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, TypeVar

from gridtide.domain.errors import Transient
from gridtide.domain.events import BookUpdated
from gridtide.domain.market import Timestamp
from gridtide.exchanges.candle_line import CandleBuilder, CandleLine
from gridtide.exchanges.venue_values import own_fill, user_event
from gridtide.venue.messages import OrderChanged, PriceMoved, VenueRefusal
from gridtide.venue.past import PastVenue
from gridtide.venue.recent_past import RecentPast

if TYPE_CHECKING:
    from gridtide.domain.events import StreamEvent
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Symbol, TopOfBook
    from gridtide.venue.messages import VenueEvent, VenueFill
    from gridtide.venue.venue import Venue

T = TypeVar("T")

ENGINE_SECONDS = 10.0
"""After this long the exchange answers -1007, "execution unknown", while the request may still take effect."""
RECEIVE_WINDOW_MS = 5_000
AHEAD_MS = 1_000
KEPT_RECORDS = 5_000
"""Trade records kept ready; more are made anew."""
_NO_LIMIT = 10**9


class Line(Protocol):
    """What lies between a client and the exchange, and inside it. `what` names a kind of request: ``submit``,
    ``cancel``, ``query``, ``fills``, ``open_orders``, ``balances``, ``market``. Times are seconds, lags ms."""

    def outward(self, what: str) -> float | None:
        """Until a request arrives; None: it never does."""

    def queue(self, what: str) -> float:
        """What it waits inside the exchange before the engine takes it."""

    def homeward(self, what: str) -> float | None:
        """Until its answer is back; None: it never is."""

    def failure(self, what: str) -> str:
        """An error the exchange answers a read with; empty: none."""

    def lag(self, what: str) -> int:
        """By how much a read shows the past."""

    def record_delay(self) -> float:
        """How late an execution shows up among the account's trade records."""

    def deliveries(self, event: StreamEvent) -> Sequence[float]:
        """When each copy of a stream event arrives; none: it is lost."""


class StraightLine:
    """Nothing in between: every request and every event arrives at once, and only once."""

    def outward(self, what: str) -> float | None:
        return 0.0

    def queue(self, what: str) -> float:
        return 0.0

    def homeward(self, what: str) -> float | None:
        return 0.0

    def failure(self, what: str) -> str:
        return ""

    def lag(self, what: str) -> int:
        return 0

    def record_delay(self) -> float:
        return 0.0

    def deliveries(self, event: StreamEvent) -> Sequence[float]:
        return (0.0,)


@dataclass(frozen=True, slots=True)
class Unanswered(Exception):
    """The exchange said that it does not know what became of a request (-1007)."""

    message: str


class VenueSide:
    """One account on one market of a venue, as a client reaches it over a `Line`."""

    def __init__(
        self, venue: Venue, account_id: str, symbol: Symbol, line: Line, now: Callable[[], int]
    ) -> None:
        self.venue = venue
        self.account_id = account_id
        self.symbol = symbol
        self.line = line
        self.now = now
        """The exchange's clock, ms."""
        self._recorded_at: dict[tuple[int, int], int] = {}
        """When executions that are late among the trade records show up there."""
        self._records: dict[tuple[int, int], tuple[VenueFill, Fill]] = {}
        self._recent = RecentPast()
        self._recent.begin(venue)
        self._builder: CandleBuilder | None = None
        self._candles: CandleLine | None = None
        self.listeners: dict[Callable[[StreamEvent], None], None] = {}
        """In the order they came: the same world is the same again."""

    # --- requests ------------------------------------------------------------------------------------

    def receive(
        self,
        what: str,
        act: Callable[[Timestamp], T],
        signed_at: int | None,
        answer: asyncio.Future[T],
    ) -> None:
        """A request has arrived. `signed_at` set: its timing is checked, and it passes through the engine's queue."""
        if signed_at is not None and not self._is_timely(signed_at):
            refusal = VenueRefusal(-1021, "Timestamp for this request is outside of the recvWindow.")
            self._answer(what, answer, refusal)
            return
        wait = self.line.queue(what)
        if wait > ENGINE_SECONDS:
            later = asyncio.get_running_loop().call_later
            later(ENGINE_SECONDS, self._answer, what, answer, Unanswered("-1007 execution unknown"))
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._act, what, act, answer)
        else:
            self._act(what, act, answer)

    def _is_timely(self, signed_at: int) -> bool:
        now = self.now()
        return signed_at < now + AHEAD_MS and now - signed_at <= RECEIVE_WINDOW_MS

    def _act(self, what: str, act: Callable[[Timestamp], T], answer: asyncio.Future[T]) -> None:
        try:
            result: T | Exception = act(Timestamp(self.now()))
        except (VenueRefusal, Transient) as error:
            result = error
        self._answer(what, answer, result)

    def _answer(self, what: str, answer: asyncio.Future[T], result: T | Exception) -> None:
        wait = self.line.homeward(what)
        if wait is None:
            return
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, _resolve, answer, result)
        else:
            _resolve(answer, result)

    def shown(self, what: str) -> Venue | PastVenue:
        """The venue as a read shows it: as it is, or as it was a while ago."""
        lag = self.line.lag(what)
        return PastVenue(self.venue, self._recent, self.now() - lag) if lag else self.venue

    def fills(self, from_trade_id: int) -> tuple[Fill, ...]:
        """The account's trade records from an id on, as they show now: late ones come after those behind them."""
        found = self.shown("fills").fills(self.account_id, self.symbol, from_trade_id, None, _NO_LIMIT)
        if self._recorded_at:
            now = self.now()
            found = tuple(
                fill for fill in found if self._recorded_at.get((fill.trade_id, fill.order_id), 0) <= now
            )
        return tuple([self._record(fill) for fill in found])

    def _record(self, fill: VenueFill) -> Fill:
        """The trade record of an execution; made once, it is read again with every round of reads."""
        key = fill.trade_id, fill.order_id
        known = self._records.get(key)
        if known is not None and known[0] is fill:
            return known[1]
        if len(self._records) >= KEPT_RECORDS:
            self._records.clear()
        record = own_fill(fill, named=False)
        self._records[key] = fill, record
        return record

    # --- what happens --------------------------------------------------------------------------------

    def happened(self, events: Iterable[VenueEvent], now: Timestamp) -> None:
        """Keep the venue's events and stream those of the account."""
        events = tuple(events)
        self._recent.add(events, now)
        for event in events:
            if isinstance(event, OrderChanged) and event.fill is not None:
                self._delay_record(event.fill, now)
            told = user_event(event, self.account_id)
            if told is not None:
                self.tell(told)

    def _delay_record(self, fill: VenueFill, now: Timestamp) -> None:
        if late := self.line.record_delay():
            self._recorded_at[fill.trade_id, fill.order_id] = now + int(late * 1000)

    def move(self, price: Decimal, volume: Decimal) -> None:
        """The market walks to `price`."""
        now = Timestamp(self.now())
        if self._builder is not None and self._candles is not None:
            closed = self._builder.move(now, price, volume)
            if closed is not None:
                self._candles.tell(closed, self.tell)
        move = PriceMoved(price, volume, now)
        self.happened(self.venue.move_market(self.symbol, move, now), now)
        self.tell(BookUpdated(self.symbol, self.book()))

    def watch_candles(self, timeframe: str) -> None:
        """From now on tell of the candles of `timeframe` that close."""
        if self._candles is None or self._candles.timeframe != timeframe:
            self._builder, self._candles = CandleBuilder(timeframe), CandleLine(self.symbol, timeframe)

    def book(self) -> TopOfBook:
        return self.venue.best(self.symbol)

    def tell(self, event: StreamEvent) -> None:
        """Stream an event to whoever listens, as the line lets it through."""
        for listener in tuple(self.listeners):
            for wait in self.line.deliveries(event):
                if wait > 0:
                    asyncio.get_running_loop().call_later(wait, listener, event)
                else:
                    listener(event)


def _resolve(answer: asyncio.Future[T], result: T | Exception) -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
