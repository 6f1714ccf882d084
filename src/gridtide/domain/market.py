"""Markets, assets and the rules a market puts on prices and amounts.

The rules here are ours, for building orders; the venue checks orders with its own arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, NewType

from gridtide.domain.money import (
    ZERO,
    Amount,
    FeeRate,
    Price,
    ceil_to_step,
    floor_to_step,
    nearest_to_step,
    notional,
    plain,
)
from gridtide.domain.order import OrderType, Side

Asset = NewType("Asset", str)
"""An asset's code in capitals: ``BTC``."""

Symbol = NewType("Symbol", str)
"""A market's name, base and quote joined by a slash: ``BTC/USDT``."""

Timestamp = NewType("Timestamp", int)
"""Milliseconds since 1970-01-01 UTC."""


class MarketStatus(StrEnum):
    """What the exchange allows on a market at the moment."""

    TRADING = "TRADING"
    END_OF_DAY = "END_OF_DAY"
    HALT = "HALT"
    BREAK = "BREAK"
    CANCEL_ONLY = "CANCEL_ONLY"


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Multipliers of the average price between which an order's price must lie (moves with the market)."""

    bid_down: Decimal
    bid_up: Decimal
    ask_down: Decimal
    ask_up: Decimal

    def multipliers(self, side: Side) -> tuple[Decimal, Decimal]:
        """Down and up, for orders of `side`."""
        return (self.bid_down, self.bid_up) if side is Side.BUY else (self.ask_down, self.ask_up)

    def bounds(self, side: Side, average_price: Decimal) -> tuple[Decimal, Decimal]:
        """Lowest and highest price allowed for `side` at `average_price`."""
        if side is Side.BUY:
            return average_price * self.bid_down, average_price * self.bid_up
        return average_price * self.ask_down, average_price * self.ask_up


@dataclass(frozen=True, slots=True)
class RuleViolation:
    """Which rule of the market an order would break, with the numbers."""

    rule: str
    """Short name: ``tick``, ``price_bounds``, ``lot``, ``amount_bounds``, ``min_notional``, ``price_band`` …"""
    detail: str
    moving: bool = False
    """True where the rule moves with the market (price band): waiting may help."""


@dataclass(frozen=True, slots=True)
class MarketRules:
    """What the exchange accepts on a market. A bound of zero means "no such rule"."""

    tick_size: Decimal
    lot_size: Decimal
    min_notional: Decimal = ZERO
    max_notional: Decimal = ZERO
    min_price: Decimal = ZERO
    max_price: Decimal = ZERO
    min_amount: Decimal = ZERO
    max_amount: Decimal = ZERO
    market_min_amount: Decimal = ZERO
    market_max_amount: Decimal = ZERO
    price_band: PriceBand | None = None
    max_open_orders: int = 0
    base_precision: int = 8
    quote_precision: int = 8

    def floor_price(self, price: Decimal) -> Price:
        """`price` down to the tick."""
        return Price(floor_to_step(price, self.tick_size))

    def ceil_price(self, price: Decimal) -> Price:
        """`price` up to the tick."""
        return Price(ceil_to_step(price, self.tick_size))

    def nearest_price(self, price: Decimal) -> Price:
        """`price` to the nearest tick, a tie up."""
        return Price(nearest_to_step(price, self.tick_size))

    def floor_amount(self, amount: Decimal) -> Amount:
        """`amount` down to the lot."""
        return Amount(floor_to_step(amount, self.lot_size))

    def is_tradable(self, price: Decimal, amount: Decimal) -> bool:
        """Whether `amount` (a multiple of the lot) reaches the smallest order at `price`."""
        return amount > 0 and amount >= self.min_amount and notional(price, amount) >= self.min_notional

    def violation(
        self,
        side: Side,
        order_type: OrderType,
        price: Decimal | None,
        amount: Decimal,
        average_price: Decimal | None = None,
    ) -> RuleViolation | None:
        """The first rule that an order would break, or None. `average_price` is needed for the price band."""
        if price is not None:
            found = self._price_violation(side, price, average_price)
            if found is not None:
                return found
        return self._amount_violation(order_type, price if price is not None else average_price, amount)

    def _price_violation(
        self, side: Side, price: Decimal, average_price: Decimal | None
    ) -> RuleViolation | None:
        if price <= 0:
            return RuleViolation("price_bounds", f"price {plain(price)} is not above zero")
        if self.min_price and price < self.min_price:
            return RuleViolation("price_bounds", f"price {plain(price)} is below {plain(self.min_price)}")
        if self.max_price and price > self.max_price:
            return RuleViolation("price_bounds", f"price {plain(price)} is above {plain(self.max_price)}")
        if self.tick_size and price % self.tick_size:
            return RuleViolation("tick", f"price {plain(price)} is no multiple of {plain(self.tick_size)}")
        if self.price_band is not None and average_price is not None:
            low, high = self.price_band.bounds(side, average_price)
            if not low <= price <= high:
                return RuleViolation(
                    "price_band",
                    f"price {plain(price)} is outside {plain(low)} to {plain(high)}",
                    moving=True,
                )
        return None

    def _amount_violation(
        self, order_type: OrderType, price: Decimal | None, amount: Decimal
    ) -> RuleViolation | None:
        if amount <= 0:
            return RuleViolation("amount_bounds", f"amount {plain(amount)} is not above zero")
        smallest, largest = self.min_amount, self.max_amount
        if order_type is OrderType.MARKET:
            smallest = max(smallest, self.market_min_amount)
            largest = min(largest or self.market_max_amount, self.market_max_amount or largest)
        if smallest and amount < smallest:
            return RuleViolation("amount_bounds", f"amount {plain(amount)} is below {plain(smallest)}")
        if largest and amount > largest:
            return RuleViolation("amount_bounds", f"amount {plain(amount)} is above {plain(largest)}")
        if self.lot_size and amount % self.lot_size:
            return RuleViolation("lot", f"amount {plain(amount)} is no multiple of {plain(self.lot_size)}")
        if price is None:
            return None
        value = notional(price, amount)
        if self.min_notional and value < self.min_notional:
            return RuleViolation(
                "min_notional", f"value {plain(value)} is below the minimum of {plain(self.min_notional)}"
            )
        if self.max_notional and value > self.max_notional:
            return RuleViolation(
                "max_notional", f"value {plain(value)} is above the maximum of {plain(self.max_notional)}"
            )
        return None


@dataclass(frozen=True, slots=True)
class Market:
    """A spot market: base traded against quote, and its rules."""

    symbol: Symbol
    base: Asset
    quote: Asset
    rules: MarketRules
    status: MarketStatus = MarketStatus.TRADING

    @property
    def exchange_id(self) -> str:
        """The name without the slash, as Binance writes it: ``BTCUSDT``."""
        return f"{self.base}{self.quote}"


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """What an account really pays on a market, and in which asset."""

    maker: FeeRate
    taker: FeeRate
    asset: Asset | None = None
    """A third asset (BNB) that all fees are paid in; None: each fee is taken from what is received."""

    @property
    def taken_from_received(self) -> bool:
        """Whether a buy's fee comes out of the base bought."""
        return self.asset is None


class TopOfBook(NamedTuple):
    """Best bid and ask and the last traded price; None where a side is empty. Equal where the prices are."""

    bid: Price | None
    ask: Price | None
    last: Price | None = None
    bid_amount: Amount | None = None
    ask_amount: Amount | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TopOfBook) and self[:3] == other[:3]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:3])

    def mid(self, max_spread: Decimal = Decimal("0.005")) -> Price | None:
        """Mid of bid and ask; the last price if a side is empty or the spread is over `max_spread`.

        Source: grid-semantics section 0.
        """
        if self.bid is not None and self.ask is not None:
            middle = (self.bid + self.ask) / 2
            if self.ask - self.bid <= middle * max_spread:
                return Price(middle)
        return self.last
