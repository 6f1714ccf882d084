"""Everything the venue knows of one market: rules, prices, both kinds of liquidity, counters, public trades."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue.ambient import AmbientBook
from gridtide.venue.average_price import AveragePrice
from gridtide.venue.order_book import Level, OrderBook
from gridtide.venue.public_book import PublicBook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from gridtide.domain.market import Asset, Market
    from gridtide.venue.fees import PriceOf
    from gridtide.venue.messages import TradePrinted
    from gridtide.venue.settings import VenueSettings


class Desk:
    """One market. `price` is where the market stands, `last_price` what was last paid."""

    __slots__ = (
        "ambient",
        "average",
        "book",
        "last_execution_id",
        "last_order_id",
        "last_price",
        "last_trade_id",
        "market",
        "outside",
        "price",
        "price_of",
        "public",
        "settings",
        "trades",
    )

    def __init__(self, market: Market, settings: VenueSettings, seed: int, price_of: PriceOf) -> None:
        self.market = market
        self.settings = settings
        self.price_of = price_of
        self.book = OrderBook()
        self.ambient = AmbientBook(seed, settings.depth_levels, settings.depth_quote, market.rules)
        self.public = PublicBook(market.symbol)
        self.average = AveragePrice(settings.average_minutes)
        self.trades: deque[TradePrinted] = deque(maxlen=settings.kept_trades)
        self.price: Decimal | None = None
        self.last_price: Decimal | None = None
        self.last_order_id = 0
        self.last_trade_id = 0
        self.last_execution_id = 0
        self.outside: dict[Asset, Decimal] = {market.base: ZERO, market.quote: ZERO}
        """What the ambient side of all trades gained: what accounts lost to it."""

    def average_price(self) -> Decimal | None:
        """The average of the last minutes, or the last price where nothing traded."""
        average = self.average.value()
        return self.last_price if average is None else average

    def next_trade_id(self) -> int:
        self.last_trade_id += 1
        return self.last_trade_id

    def next_execution_id(self) -> int:
        self.last_execution_id += 1
        return self.last_execution_id

    def trade_with_outside(self, side: Side, amount: Decimal, quote: Decimal) -> None:
        """Count what the ambient side gained when an account's order of `side` met it."""
        sign = 1 if side is Side.SELL else -1
        self.outside[self.market.base] += sign * amount
        self.outside[self.market.quote] -= sign * quote

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Level | None, Decimal]]:
        """(price, queue of accounts' orders, ambient amount) of one side, best first; nothing may change meanwhile."""
        ambient = iter(self.ambient.side(side).items())
        price, amount = next(ambient, (None, ZERO))
        is_bid = side is Side.BUY
        for level in self.book.side(side):
            while price is not None and (price > level.price if is_bid else price < level.price):
                yield price, None, amount
                price, amount = next(ambient, (None, ZERO))
            if price == level.price:
                yield level.price, level, amount
                price, amount = next(ambient, (None, ZERO))
            else:
                yield level.price, level, ZERO
        if price is not None:
            yield price, None, amount
            for price, amount in ambient:
                yield price, None, amount

    def total_at(self, side: Side, price: Decimal) -> Decimal:
        """What the public sees at a price."""
        return self.book.side(side).total_at(price) + self.ambient.side(side).get(price, ZERO)
