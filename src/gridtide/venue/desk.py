"""Everything the venue knows of one market: rules, prices, both kinds of liquidity, counters, public trades."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from gridtide.domain.market import MarketStatus
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue import refusals
from gridtide.venue.admission import exchange_limits
from gridtide.venue.ambient import AmbientBook
from gridtide.venue.average_price import AveragePrice
from gridtide.venue.conditional import WaitingOrders
from gridtide.venue.order_book import Level, OrderBook
from gridtide.venue.plain_orders import PlainOrders
from gridtide.venue.public_book import PublicBook
from gridtide.venue.queue import parts, take_front
from gridtide.venue.rounding import UNIT
from gridtide.venue.settings import FillModel, SelfTradePrevention

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from decimal import Decimal

    from gridtide.domain.market import Asset, Market, Symbol
    from gridtide.venue.fees import PriceOf
    from gridtide.venue.messages import TradePrinted
    from gridtide.venue.recorded_book import RecordedBook
    from gridtide.venue.settings import VenueSettings


class Desk:
    """One market. `price` is where the market stands, `last_price` what was last paid."""

    __slots__ = (
        "ambient",
        "average",
        "beyond",
        "book",
        "counts_everywhere",
        "filters",
        "has_luck",
        "is_deserted",
        "is_trading",
        "last_execution_id",
        "last_order_id",
        "last_prevented_id",
        "last_price",
        "last_trade_id",
        "market",
        "open_lists",
        "outside",
        "plain_orders",
        "prevention",
        "price",
        "price_of",
        "public",
        "publishes",
        "recorded",
        "rng",
        "settings",
        "tells_balances",
        "trades",
        "waiting",
    )

    def __init__(
        self, market: Market, settings: VenueSettings, seed: int, price_of: PriceOf, rng: random.Random
    ) -> None:
        self.use_settings(settings, market)
        self.rng = rng
        """For what is a matter of luck: the place in a queue that nobody recorded."""
        self.price_of = price_of
        self.book = OrderBook()
        self.ambient = AmbientBook(seed, settings.depth_levels, settings.depth_quote, market.rules)
        self.recorded: RecordedBook | None = None
        """The liquidity of everybody else once a recording is played; the ambient book is out of use then."""
        self.is_deserted = False
        """Whether everybody else has left the book (`intervention`); not part of the saved state."""
        self.public = PublicBook(market.symbol)
        self.average = AveragePrice(settings.average_minutes_of(market.symbol))
        self.trades: deque[TradePrinted] = deque(maxlen=settings.kept_trades)
        self.price: Decimal | None = None
        self.last_price: Decimal | None = None
        self.last_order_id = 0
        self.last_trade_id = 0
        self.last_execution_id = 0
        self.last_prevented_id = -1
        self.waiting = WaitingOrders()
        """Orders that stand before their trigger."""
        self.open_lists = 0
        """How many order lists are alive here."""
        self.outside: dict[Asset, Decimal] = {market.base: ZERO, market.quote: ZERO}
        """What the ambient side of all trades gained: what accounts lost to it."""

    def use_settings(self, settings: VenueSettings, market: Market | None = None) -> None:
        """How the venue behaves from now on."""
        market = market or self.market
        self.settings = settings
        self.publishes, self.tells_balances = settings.publishes, settings.tells_balances
        self.counts_everywhere = any(exchange_limits(settings.exchange_filters))
        self.filters = settings.filters_of(market.symbol)
        self.prevention = SelfTradePrevention(settings.default_prevention(market.symbol))
        self.use_market(market)

    def use_market(self, market: Market) -> None:
        """The market's rules and status from now on. What follows from them is worked out here, once."""
        self.market = market
        self.is_trading = market.status is MarketStatus.TRADING
        touches = self.settings.fill_model is FillModel.TOUCH
        self.has_luck = self.settings.fill_model is FillModel.QUEUE and self.settings.queue_probability > 0
        self.beyond = ZERO if touches else market.rules.tick_size or UNIT
        self.plain_orders = PlainOrders(market, self.filters, self.settings)

    def average_price(self) -> Decimal | None:
        """The average of the last minutes, or the last price where nothing traded."""
        average = self.average.value()
        return self.last_price if average is None else average

    def next_trade_id(self, recorded: int = 0) -> int:
        """The recorded trade's own id where that is ahead, else the next number."""
        self.last_trade_id = max(self.last_trade_id + 1, recorded)
        return self.last_trade_id

    def next_prevented_id(self) -> int:
        self.last_prevented_id += 1
        return self.last_prevented_id

    def trade_with_outside(self, side: Side, amount: Decimal, quote: Decimal) -> None:
        """Count what the ambient side gained when an account's order of `side` met it."""
        if side is Side.BUY:
            amount, quote = -amount, -quote
        self.outside[self.market.base] += amount
        self.outside[self.market.quote] -= quote

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Level | None, Decimal]]:
        """(price, queue of accounts' orders, outside amount) of one side, best first; nothing may change meanwhile."""
        ambient = self._outside_levels(side)
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

    def best(self, side: Side) -> tuple[Decimal, Decimal] | None:
        """Price and public amount of the first of `levels`, without a walk: every diff of the book asks for both."""
        book = self.book.bids if side is Side.BUY else self.book.asks
        own, outside = book.best, self._best_outside(side)
        if own is None or outside is None:
            return outside if own is None else (own, book.levels[own].total)
        price, amount = outside
        if price > own if side is Side.BUY else price < own:
            return outside
        return own, book.levels[own].total + (amount if price == own else ZERO)

    def best_prices(self) -> tuple[Decimal | None, Decimal | None]:
        """The prices of the `best` bid and the `best` ask, without their amounts."""
        if self.recorded is None and not self.is_deserted:
            bid, ask = self.ambient.best_prices()
        else:
            bids, asks = self._best_outside(Side.BUY), self._best_outside(Side.SELL)
            bid, ask = None if bids is None else bids[0], None if asks is None else asks[0]
        own_bid, own_ask = self.book.bids.best, self.book.asks.best
        if own_bid is not None and (bid is None or own_bid > bid):
            bid = own_bid
        if own_ask is not None and (ask is None or own_ask < ask):
            ask = own_ask
        return bid, ask

    def levels_in_turn(self, side: Side) -> Iterator[tuple[Decimal, Level | None, Decimal]]:
        """`levels` as a taker meets them: by the queue model a price comes in parts, as its orders stand in it."""
        if self.recorded is None or self.settings.fill_model is not FillModel.QUEUE:
            yield from self.levels(side)
            return
        for price, level, outside in self.levels(side):
            if level is None:
                yield price, None, outside
            else:
                yield from ((price, orders, amount) for orders, amount in parts(level, outside))

    # --- everybody else's liquidity ------------------------------------------------------------------

    def _outside_levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        if self.is_deserted:
            return iter(())
        if self.recorded is None:
            return self.ambient.levels(side)
        levels = self.recorded.levels(side)
        return levels if not (hidden := self.hidden_prices(side)) else islice(levels, len(hidden), None)

    def _best_outside(self, side: Side) -> tuple[Decimal, Decimal] | None:
        if self.recorded is None and not self.is_deserted:
            return self.ambient.best(side)
        return next(self._outside_levels(side), None)

    def hidden_prices(self, side: Side) -> tuple[Decimal, ...]:
        """Recorded levels that an account's order of the other side crosses and could not trade with: the market is
        closed. They are no part of the public book, or it would be crossed."""
        if self.recorded is None:
            return ()
        opposite = self.book.side(side.opposite).best
        return tuple(price for price, _ in self.recorded.side(side).crossing(opposite))

    def amount_outside(self, side: Side, price: Decimal) -> Decimal:
        """What everybody else has resting at a price."""
        if self.is_deserted:
            return ZERO
        if self.recorded is None:
            return self.ambient.amount_at(side, price)
        opposite = self.book.side(side.opposite).best
        is_hidden = opposite is not None and (opposite >= price if side is Side.SELL else opposite <= price)
        return ZERO if is_hidden else self.recorded.amount_at(side, price)

    def take_outside(self, side: Side, price: Decimal, amount: Decimal) -> None:
        """An account's taker consumed part or all of a level of `side`."""
        if self.recorded is None:
            self.ambient.take(side, price, amount)
            return
        level = self.book.side(side).levels.get(price)
        if level is not None and self.settings.fill_model is FillModel.QUEUE:
            take_front(level, self.recorded.amount_at(side, price), amount)
        self.recorded.take(side, price, amount)

    def total_at(self, side: Side, price: Decimal) -> Decimal:
        """What the public sees at a price."""
        return self.book.side(side).total_at(price) + self.amount_outside(side, price)


class Desks(dict["Symbol", Desk]):
    """All markets of a venue; raises `VenueRefusal` -1121 for a symbol that is none of them."""

    def __missing__(self, symbol: Symbol) -> Desk:
        raise refusals.invalid_symbol()
