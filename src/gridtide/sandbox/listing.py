"""A market as the sandbox runs it: the venue's side, its public record and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox.feed import MarketFeed
from gridtide.sandbox.record import MarketRecord

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Market, TopOfBook
    from gridtide.sandbox.hub import Hub
    from gridtide.venue.messages import BookView
    from gridtide.venue.venue import Venue


class Listing:
    """One market; its rules and status are always the present ones."""

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
