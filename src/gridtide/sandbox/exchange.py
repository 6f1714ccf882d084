"""The exchange behind both entrances: the venue, its public record, its limits and everybody who listens.

Every change of the venue goes through here, so that no event is ever left unpublished. Nothing here awaits.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO
from gridtide.sandbox.authentication import KeyRing
from gridtide.sandbox.clock import WallClock
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.feed import pulse_all_markets
from gridtide.sandbox.hub import Hub
from gridtide.sandbox.limits import RateLimiter
from gridtide.sandbox.listing import Listing
from gridtide.sandbox.publisher import Publisher
from gridtide.sandbox.seam import Seam
from gridtide.sandbox.user_events import balance_update, rejection
from gridtide.venue.messages import PriceMoved
from gridtide.venue.venue import Venue

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Asset, Symbol
    from gridtide.ports.clock import Clock
    from gridtide.sandbox.recording import Recording
    from gridtide.sandbox.settings import SandboxSettings
    from gridtide.venue.messages import (
        Amendment,
        Cancellation,
        ListCancellation,
        ListPlacement,
        MarketMove,
        NewOrder,
        NewOrderList,
        Placement,
        VenueEvent,
        VenueOrder,
    )


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
        self.recording: Recording | None = None
        """Where everything is written down while somebody wants it."""
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
        self._publisher = Publisher(self.hub, self.limiter, self._by_symbol)
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
        if self.recording is not None:
            self.recording.accepted("placed", placement.order)
        self._publish(placement.events, now)
        return placement

    def place_order_list(self, request: NewOrderList) -> ListPlacement:
        """Place an order list; each of its orders counts."""
        now = self.now()
        orders = len(request.legs) + (request.working is not None)
        try:
            self.limiter.admit_order(request.account_id, now, orders)
        except ApiError:
            self.venue.check_order_list(request)
            raise
        placement = self.venue.place_order_list(request, now)
        self.limiter.count_order(request.account_id, now, orders)
        self._publish(placement.events, now)
        return placement

    def admit_orders(self, account_id: str) -> None:
        """Raise -1015 where the account may not place an order at the moment."""
        self.limiter.admit_order(account_id, self.now())

    def count_unattempted(self, account_id: str) -> None:
        """An order that was asked for and not attempted, because a cancel failed, counts too (section 4)."""
        self.limiter.count_order(account_id, self.now())

    def tell_rejected(self, request: NewOrder, reason: str) -> None:
        """Tell the account's listeners of a new order that was rejected after its predecessor was cancelled."""
        if self.hub.wants_user(request.account_id):
            event = rejection(request, reason, self.exchange_id(request.symbol), self.now())
            self.hub.emit_user(request.account_id, event)

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
        if self.recording is not None:
            self.recording.accepted("cancelled", cancellation.order)
        self._publish(cancellation.events, now)
        return cancellation

    def cancel_order_list(
        self,
        account_id: str,
        symbol: Symbol,
        *,
        order_list_id: int | None,
        list_client_order_id: str | None,
        new_client_order_id: str,
    ) -> ListCancellation:
        """Cancel every open order of one list."""
        now = self.now()
        cancellation = self.venue.cancel_order_list(
            account_id,
            symbol,
            order_list_id=order_list_id,
            list_client_order_id=list_client_order_id,
            new_client_order_id=new_client_order_id,
            now=now,
        )
        self._publish(cancellation.events, now)
        return cancellation

    def amend_order(
        self,
        account_id: str,
        symbol: Symbol,
        *,
        order_id: int | None,
        client_order_id: str | None,
        new_client_order_id: str,
        new_amount: Decimal,
    ) -> Amendment:
        """Make an open order smaller; it keeps its place."""
        now = self.now()
        amendment = self.venue.amend_order(
            account_id,
            symbol,
            order_id=order_id,
            client_order_id=client_order_id,
            new_client_order_id=new_client_order_id,
            new_amount=new_amount,
            now=now,
        )
        self._publish(amendment.events, now)
        return amendment

    def cancel_all(self, account_id: str, symbol: Symbol) -> tuple[Cancellation | ListCancellation, ...]:
        """Cancel every open order of the account on the market; a list comes once."""
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

    def move_market(self, symbol: Symbol, move: MarketMove) -> None:
        """The market moves on: orders on its way fill, candles grow. A change of a recorded book is no price: candles
        wait for the trades."""
        now = self.now()
        listing = self._by_symbol[symbol]
        record = listing.record
        at = move.timestamp if isinstance(move, MarketTrade) else move.market_time
        record.market_time = max(record.market_time, at)
        if self.recording is not None:
            self.recording.moved(symbol, move)
        self._publish(self.venue.move_market(symbol, move, now), now)
        price = self.venue.last_price(symbol)
        if price is not None and not (isinstance(move, DepthUpdate) and record.has_prices):
            listing.feed.on_closed(record.advance(at, price), now)

    # --- what a fault may do -------------------------------------------------------------------------

    def hit_order(self, order: VenueOrder, amount: Decimal) -> None:
        """A stranger takes `amount` of an order that rests in the book."""
        now = self.now()
        events = self.venue.hit_order(order.account_id, order.symbol, order.order_id, amount, now)
        self._publish(events, now)

    def expire_orders(self, symbol: Symbol, account_id: str | None) -> None:
        """Every open order of the account, or of all, expires."""
        now = self.now()
        for each in self.venue.accounts() if account_id is None else (account_id,):
            self._publish(self.venue.expire_orders(each, symbol, now), now)

    def set_liquidity(self, symbol: Symbol, *, is_there: bool) -> None:
        """Everybody else's orders leave the book, or are back."""
        now = self.now()
        self._publish(self.venue.desert(symbol, now, is_deserted=not is_there), now)

    def reset(self) -> None:
        """Begin anew: all orders, executions and balances are gone, accounts have what the settings give them, and
        markets stand where they stood. Accounts that the settings do not know are empty."""
        former = self.venue
        markets = list(former.markets())
        if any(former.follows_recording(market.symbol) for market in markets):
            raise InvalidInput(
                "a market that follows a recorded order book cannot begin anew; nothing was reset"
            )
        self.venue = Venue(markets, self.settings.venue, random.Random(self.settings.seed))  # noqa: S311  as above
        for account in self.settings.accounts:
            self.venue.add_account(account.account_id, account.balances, account.fees)
        for account_id in former.accounts():
            if account_id not in self.venue.accounts():
                self.venue.add_account(account_id, {}, former.fees(account_id))
        market_times = {listing.symbol: listing.record.market_time for listing in self.listings.values()}
        self._list_markets()
        for market in markets:
            price = former.last_price(market.symbol)
            if price is not None:
                at = Timestamp(market_times[market.symbol])
                self.move_market(market.symbol, PriceMoved(price, ZERO, at))
        self.revision += 1

    def pulse(self, tick: int) -> None:
        """Send what streams of fixed speed owe; called every tenth of a second."""
        now = self.now()
        feeds = [listing.feed for listing in self.listings.values()]
        for feed in feeds:
            feed.pulse(tick, now)
        pulse_all_markets(feeds, self.hub, tick, now, retired=self.settings.retired_features)

    # --- events --------------------------------------------------------------------------------------

    def _publish(self, events: Iterable[VenueEvent], now: Timestamp) -> None:
        self.revision += 1
        if self.seam.on_published is not None:
            events = tuple(events)
            self.seam.on_published(events, now)
        self._publisher.publish(events, now)

    # --- the whole -----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Venue and public record as they are now; JSON-compatible but for the `History` of the venue."""
        records = {name: listing.record.state() for name, listing in self.listings.items()}
        return {"venue": self.venue.snapshot(), "records": records}

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
