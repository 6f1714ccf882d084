"""The exchange behind both entrances: the venue, its public record, its limits and everybody who listens.

Every change of the venue goes through here, so that no event is ever left unpublished. Nothing here awaits.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, assert_never

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Timestamp
from gridtide.sandbox.authentication import KeyRing
from gridtide.sandbox.clock import WallClock
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.feed import MarketFeed, pulse_all_markets
from gridtide.sandbox.hub import Hub
from gridtide.sandbox.limits import RateLimiter
from gridtide.sandbox.record import MarketRecord
from gridtide.sandbox.seam import Seam
from gridtide.sandbox.user_events import account_position, balance_update, execution_report
from gridtide.venue.messages import (
    BalancesChanged,
    BookChanged,
    OrderChanged,
    PriceMoved,
    TradePrinted,
)
from gridtide.venue.venue import Venue

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Asset, Market, Symbol, TopOfBook
    from gridtide.ports.clock import Clock
    from gridtide.sandbox.settings import SandboxSettings
    from gridtide.venue.messages import BookView, Cancellation, NewOrder, Placement, VenueEvent, VenueFill


class Listing:
    """A market as the sandbox runs it: the venue's side, its public record and its streams."""

    def __init__(self, market: Market, venue: Venue, hub: Hub, kept_candles: int) -> None:
        self.symbol = market.symbol
        self.exchange_id = market.exchange_id
        self.record = MarketRecord(kept_candles)
        self.feed = MarketFeed(self.exchange_id, self, hub)
        self._venue = venue

    @property
    def market(self) -> Market:
        """With its present rules and status."""
        return self._venue.market(self.symbol)

    def book(self, depth: int) -> BookView:
        return self._venue.book(self.symbol, depth)

    def best(self) -> TopOfBook:
        return self._venue.best(self.symbol)

    def average_price(self) -> Decimal | None:
        return self._venue.average_price(self.symbol)


class SandboxExchange:
    """One exchange with its markets and accounts, alive in one event loop."""

    def __init__(self, settings: SandboxSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or WallClock()
        self.seam = Seam()
        self.hub = Hub(self.seam)
        self.keys = KeyRing(settings.accounts)
        self.limiter = RateLimiter(settings.limits)
        self.started_at = self.now()
        self.revision = 0
        """Grows with every change worth saving."""
        markets = [entry.market for entry in settings.markets]
        self.venue = Venue(markets, settings.venue, random.Random(settings.seed))  # noqa: S311  a seeded market
        for account in settings.accounts:
            self.venue.add_account(account.account_id, account.balances, account.fees)
        self._list_markets()

    def _list_markets(self) -> None:
        kept = self.settings.kept_candles
        listings = [Listing(market, self.venue, self.hub, kept) for market in self.venue.markets()]
        self.listings = {listing.exchange_id: listing for listing in listings}
        self._by_symbol = {listing.symbol: listing for listing in listings}
        if len(self.listings) < len(self.settings.markets):
            raise InvalidInput("two markets of the sandbox have the same name")

    def now(self) -> Timestamp:
        """Exchange time, ms."""
        return Timestamp(self.clock.now())

    def listing(self, exchange_id: str) -> Listing:
        """The market by the name on the wire; raises -1121."""
        listing = self.listings.get(exchange_id)
        if listing is None:
            raise ApiError(-1121, "Invalid symbol.")
        return listing

    def exchange_id(self, symbol: Symbol) -> str:
        """The market's name on the wire."""
        return self._by_symbol[symbol].exchange_id

    # --- accounts ------------------------------------------------------------------------------------

    def place_order(self, request: NewOrder) -> Placement:
        """Place an order; a full order count (-1015) gives way to what is wrong with the order itself."""
        now = self.now()
        try:
            self.limiter.admit_order(request.account_id, now)
        except ApiError:
            self.venue.check_order(request)
            raise
        placement = self.venue.place_order(request, now)
        self.limiter.count_order(request.account_id, now)
        self._publish(placement.events, now)
        return placement

    def cancel_order(
        self,
        account_id: str,
        symbol: Symbol,
        *,
        order_id: int | None,
        client_order_id: str | None,
        new_client_order_id: str,
    ) -> Cancellation:
        """Cancel one open order."""
        now = self.now()
        cancellation = self.venue.cancel_order(
            account_id,
            symbol,
            order_id=order_id,
            client_order_id=client_order_id,
            new_client_order_id=new_client_order_id,
            now=now,
        )
        self._publish(cancellation.events, now)
        return cancellation

    def cancel_all(self, account_id: str, symbol: Symbol) -> tuple[Cancellation, ...]:
        """Cancel every open order of the account on the market."""
        now = self.now()
        cancellations = self.venue.cancel_all(account_id, symbol, now)
        for cancellation in cancellations:
            self._publish(cancellation.events, now)
        return cancellations

    def deposit(self, account_id: str, asset: Asset, amount: Decimal) -> None:
        """Add to an account's free balance, or take away; its listeners get a balanceUpdate first."""
        now = self.now()
        events = self.venue.deposit(account_id, asset, amount, now)
        self.hub.emit_user(account_id, balance_update(asset, amount, now))
        self._publish(events, now)

    # --- the market ----------------------------------------------------------------------------------

    def move_market(self, symbol: Symbol, move: PriceMoved) -> None:
        """The market walks on: orders on its way fill, candles grow."""
        now = self.now()
        listing = self._by_symbol[symbol]
        record = listing.record
        record.market_time = max(record.market_time, move.market_time)
        self._publish(self.venue.move_market(symbol, move, now), now)
        listing.feed.on_closed(record.advance(move.market_time, move.price), now)

    def pulse(self, tick: int) -> None:
        """Send what streams of fixed speed owe; called every tenth of a second."""
        now = self.now()
        feeds = [listing.feed for listing in self.listings.values()]
        for feed in feeds:
            feed.pulse(tick, now)
        pulse_all_markets(feeds, self.hub, tick, now)

    # --- events --------------------------------------------------------------------------------------

    def _publish(self, events: Iterable[VenueEvent], now: Timestamp) -> None:
        self.revision += 1
        for event in events:
            match event:
                case OrderChanged():
                    self._publish_order(event, now)
                case BalancesChanged():
                    self.hub.emit_user(event.account_id, account_position(event, now))
                case TradePrinted():
                    self._publish_trade(event, now)
                case BookChanged():
                    listing = self._by_symbol[event.symbol]
                    listing.record.version += 1
                    listing.feed.on_book(event)
                case _:
                    assert_never(event)

    def _publish_order(self, changed: OrderChanged, now: Timestamp) -> None:
        order = changed.order
        if changed.fill is not None and _is_first(changed.fill, changed):
            self.limiter.credit_first_fill(order.account_id, is_maker=changed.fill.is_maker, now=now)
        if self.hub.wants_user(order.account_id):
            exchange_id = self._by_symbol[order.symbol].exchange_id
            self.hub.emit_user(order.account_id, execution_report(changed, exchange_id, now))

    def _publish_trade(self, printed: TradePrinted, now: Timestamp) -> None:
        listing = self._by_symbol[printed.trade.symbol]
        listing.feed.on_closed(listing.record.print(printed, now), now)
        listing.feed.on_trade(printed, now)

    # --- the whole -----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Venue and public record, JSON-compatible."""
        records = {name: listing.record.state() for name, listing in self.listings.items()}
        return {"venue": self.venue.state(), "records": records}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what `state` was taken of, for the markets and accounts of the settings.

        Accounts that the settings add are opened; the others keep what they had.
        """
        self.venue = Venue.from_state(state["venue"], random.Random(0))  # noqa: S311  set to the saved state
        wanted = {entry.market.symbol for entry in self.settings.markets}
        if {market.symbol for market in self.venue.markets()} != wanted:
            raise InvalidInput("the saved state of the sandbox is of other markets: use another state file")
        known = self.venue.accounts()
        for account in self.settings.accounts:
            if account.account_id not in known:
                self.venue.add_account(account.account_id, account.balances, account.fees)
        self._list_markets()
        for name, record in state["records"].items():
            self.listing(name).record.restore(record)


def _is_first(fill: VenueFill, changed: OrderChanged) -> bool:
    return fill.amount == changed.order.executed_amount
