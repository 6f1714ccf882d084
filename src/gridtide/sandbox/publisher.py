"""Every event of the venue, told to whoever listens: accounts, market streams, public records, order counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, assert_never

from gridtide.sandbox.user_events import account_position, execution_report, list_status
from gridtide.venue.messages import (
    BalancesChanged,
    BookChanged,
    OrderChanged,
    OrderListChanged,
    TradePrinted,
)

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.sandbox.hub import Hub
    from gridtide.sandbox.limits import RateLimiter
    from gridtide.sandbox.listing import Listing
    from gridtide.venue.messages import VenueEvent, VenueFill


class Publisher:
    """Tells events in the order the venue gave them."""

    def __init__(self, hub: Hub, limiter: RateLimiter, listings: Mapping[Symbol, Listing]) -> None:
        self._hub = hub
        self._limiter = limiter
        self._listings = listings

    def publish(self, events: Iterable[VenueEvent], now: Timestamp) -> None:
        """Tell what one action caused."""
        traded: Listing | None = None
        for event in events:
            match event:
                case OrderChanged():
                    self._tell_order(event, now)
                case OrderListChanged():
                    self._tell_list(event, now)
                case BalancesChanged():
                    if self._hub.wants_user(event.account_id):
                        self._hub.emit_user(event.account_id, account_position(event, now))
                case TradePrinted():
                    traded = self._tell_trade(event, now)
                case BookChanged():
                    listing = self._listings[event.symbol]
                    listing.record.version += 1
                    listing.feed.on_book(event)
                case _:
                    assert_never(event)
        if traded is not None:
            traded.feed.end_of_trades(now)

    def _tell_order(self, changed: OrderChanged, now: Timestamp) -> None:
        order = changed.order
        if changed.fill is not None and _is_first(changed.fill, changed):
            self._limiter.credit_first_fill(order.account_id, is_maker=changed.fill.is_maker, now=now)
        if self._hub.wants_user(order.account_id):
            exchange_id = self._listings[order.symbol].exchange_id
            self._hub.emit_user(order.account_id, execution_report(changed, exchange_id, now))

    def _tell_list(self, changed: OrderListChanged, now: Timestamp) -> None:
        account_id = changed.order_list.account_id
        if self._hub.wants_user(account_id):
            exchange_id = self._listings[changed.order_list.symbol].exchange_id
            self._hub.emit_user(account_id, list_status(changed, exchange_id, now))

    def _tell_trade(self, printed: TradePrinted, now: Timestamp) -> Listing:
        listing = self._listings[printed.trade.symbol]
        listing.feed.on_closed(listing.record.print(printed, now), now)
        listing.feed.on_trade(printed, now)
        return listing


def _is_first(fill: VenueFill, changed: OrderChanged) -> bool:
    return fill.amount == changed.order.executed_amount
