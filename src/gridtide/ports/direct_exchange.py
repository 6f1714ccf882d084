"""An exchange in this process that answers at once and whose time is handed in: what backtests trade on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.balance import Balance
    from gridtide.domain.commands import CancelOrder, QueryOrder, SubmitOrder, TakeSnapshot
    from gridtide.domain.events import CancelReply, QueryReply, SnapshotTaken, StreamEvent, SubmitReply
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset, Market, Symbol, Timestamp, TopOfBook
    from gridtide.price_path.path import PricePath
    from gridtide.price_path.point import PathPoint
    from gridtide.venue.schedule import MarketSchedule

Bounds = tuple["Decimal | None", "Decimal | None"]
"""Highest price at or below which, and lowest at or above which, something may happen; None: on that side nothing."""


class DirectExchange(Protocol):
    """One account. Requests take effect at `now`, ms; what they cause beside their answer is in `heard`."""

    @property
    def account_id(self) -> str: ...

    def market(self, symbol: Symbol) -> Market: ...

    def submit(self, command: SubmitOrder, now: Timestamp) -> SubmitReply: ...

    def cancel(self, command: CancelOrder, now: Timestamp) -> CancelReply: ...

    def query(self, command: QueryOrder) -> QueryReply: ...

    def fills(self, symbol: Symbol, from_trade_id: int) -> tuple[Fill, ...]:
        """The account's trade records from an id on."""

    def snapshot(self, command: TakeSnapshot) -> SnapshotTaken: ...

    def balances(self) -> Mapping[Asset, Balance]: ...

    def book(self, symbol: Symbol) -> TopOfBook: ...

    def move(self, symbol: Symbol, point: PathPoint) -> None:
        """The price walks to `point`, over every price between."""

    def pass_over(self, symbol: Symbol, path: PricePath, start: int, stop: int) -> None:
        """The price went over the points [start, stop) of `path`, without anything happening: see `bounds`."""

    def bounds(self, symbol: Symbol) -> Bounds:
        """Until the price is at or beyond one of these, no point of its walk changes anything."""

    def heard(self) -> Sequence[tuple[Symbol, StreamEvent]]:
        """What the account's stream said since it was last asked, in order; forgets it."""

    def obey(self, symbol: Symbol, schedule: MarketSchedule, now: Timestamp) -> Market:
        """Let the market have the rules and the status that its schedule knows for `now`; gives the market. Orders on a
        market that takes a break for good (BREAK) end."""
