"""The exchange as the runners use it: one adapter for each real exchange, none of them known below this line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.commands import CancelOrder, QueryOrder, SubmitOrder, TakeSnapshot
    from gridtide.domain.events import (
        CancelReply,
        QueryReply,
        SnapshotTaken,
        StreamEvent,
        SubmitReply,
    )
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset, FeeSchedule, Market, Symbol, TopOfBook
    from gridtide.domain.order import OrderUpdate


@dataclass(frozen=True, slots=True)
class ExchangeAccount:
    """Who we are at the exchange and what the key may do. None means the exchange does not tell."""

    account_id: str
    can_trade: bool | None = None
    can_withdraw: bool | None = None
    can_transfer: bool | None = None
    ip_restricted: bool | None = None


@dataclass(frozen=True, slots=True)
class SendTiming:
    """When the parts of one submission happened, in seconds of the monotonic clock, for the latency bench."""

    called: float
    signed: float
    written: float
    """The moment the request was handed to the transport."""
    answered: float


class Exchange(Protocol):
    """An exchange account behind one key.

    `submit` and `cancel` transmit at most once and never raise for anything the exchange or the network did:
    every outcome is a reply (R3 to R5). Reads raise `Transient` (after their retries), `RateLimited` or
    `NotPermitted`.
    """

    name: str

    async def connect(self) -> None:
        """Load the markets and measure the clock."""

    def market(self, symbol: Symbol) -> Market:
        """The market by its symbol; raises `InvalidInput` naming near misses for an unknown one."""

    async def refresh_market(self, symbol: Symbol) -> Market:
        """The market's rules and status, read anew."""

    def now(self) -> int:
        """Exchange time: monotonic clock plus measured offset, ms since the epoch."""

    async def account(self) -> ExchangeAccount: ...

    async def balances(self) -> Mapping[Asset, Balance]: ...

    async def fees(self, symbol: Symbol) -> FeeSchedule: ...

    async def top_of_book(self, symbol: Symbol) -> TopOfBook: ...

    async def submit(self, command: SubmitOrder) -> SubmitReply: ...

    async def cancel(self, command: CancelOrder) -> CancelReply: ...

    async def query(self, command: QueryOrder) -> QueryReply: ...

    async def open_orders(self, symbol: Symbol) -> tuple[OrderUpdate, ...]: ...

    async def fills(self, symbol: Symbol, from_trade_id: int) -> tuple[Fill, ...]:
        """Our trade records with id >= `from_trade_id`, ascending, all pages."""

    async def newest_trade_id(self, symbol: Symbol) -> int:
        """Id of the account's newest execution on the market, 0 if there is none."""

    async def snapshot(self, command: TakeSnapshot) -> SnapshotTaken: ...

    def send_capacity(self) -> int:
        """How many orders the rate budget lets through at this moment."""

    def stream(self, symbol: Symbol, timeframe: str | None = None) -> AsyncIterator[StreamEvent]:
        """User and market events without loss; a gap arrives as `StreamInterrupted`, then `StreamRestored`. With a
        `timeframe` also its candles, each once it is closed; raises `InvalidInput` for one the exchange does not have.

        Reconnects by itself, for ever, with backoff; ends when `close` is called. `StreamRestored` alone: a new
        connection took over without a gap.
        """

    def rebuild_stream(self, reason: str) -> None:
        """Drop what delivers the events and make it anew: it lives, but does not tell what happens (F24)."""

    async def measure_clock(self) -> None:
        """Measure the exchange's clock now, where it tells its time; raises `Transient` where that fails (F54)."""

    def clock_age(self) -> float | None:
        """Seconds since the exchange's clock was last measured; None where there is nothing to measure."""

    async def close(self) -> None: ...


class RecordedExchange(Exchange, Protocol):
    """An exchange that also shows the orders that are over: what a lost database is rebuilt from (F46)."""

    async def orders(self, symbol: Symbol, from_order_id: int | None) -> tuple[OrderUpdate, ...]:
        """The account's orders on the market, open and ended, oldest first, as far as the exchange keeps them.

        From the order `from_order_id` on, all pages; with None only the newest page.
        """
