"""How the venue behaves and what its accounts pay: plain values, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput, InvalidValue
from gridtide.domain.money import ONE, ZERO, FeeRate, plain

if TYPE_CHECKING:
    from gridtide.domain.market import Asset


class FillModel(StrEnum):
    """When a resting order executes as the market's price walks (design.md 6)."""

    TOUCH = "touch"
    """Reaching its price fills it."""
    TRADE_THROUGH = "trade_through"
    """The price must go one tick beyond."""
    QUEUE = "queue"
    """By the place in the queue. Not built yet."""


class SelfTradePrevention(StrEnum):
    """What happens when an order meets one of its own account; the taker's mode decides."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


@dataclass(frozen=True, slots=True)
class AccountFees:
    """What an account pays for an execution, and in which asset.

    With `asset` set, fees are taken in it at `discount` (a multiplier: 0.75 is a quarter off) while the free
    balance lasts, else in full from what is received. `asset_price` is what one unit of it costs in the quote
    asset; without it the last price of its own market against that quote counts.
    """

    maker: FeeRate
    taker: FeeRate
    asset: Asset | None = None
    discount: Decimal = ONE
    asset_price: Decimal | None = None

    def __post_init__(self) -> None:
        for name, rate in (("maker", self.maker), ("taker", self.taker)):
            if not -ONE < rate < ONE:
                raise InvalidValue(f"the {name} fee rate {plain(rate)} is not a fraction: 0.001 is 0.1 %")
        if self.asset_price is not None and self.asset_price <= 0:
            raise InvalidValue(f"the fee asset's price {plain(self.asset_price)} is not above zero")


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """How the venue fills orders and what it shows of its book.

    `volume_cap` is the fraction of a move's volume that resting orders may take together (None: no cap);
    `slippage` the fraction by which market orders trade worse than the ambient level they meet. `depth_levels`
    counts ambient price levels a side; `depth_quote` is their typical size in the quote asset (None: 4,000
    times the market's minimum notional). With `publishes` off the venue keeps no public trades and emits neither
    `TradePrinted` nor `BookChanged`, which makes a backtest several times faster.
    """

    fill_model: FillModel = FillModel.TOUCH
    volume_cap: Decimal | None = None
    slippage: Decimal = ZERO
    depth_levels: int = 20
    depth_quote: Decimal | None = None
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_MAKER
    average_minutes: int = 5
    kept_trades: int = 1000
    publishes: bool = True

    def __post_init__(self) -> None:
        if self.fill_model is FillModel.QUEUE:
            raise InvalidInput("the fill model `queue` does not exist yet: use touch or trade_through")
        if self.volume_cap is not None and not 0 < self.volume_cap <= 1:
            raise InvalidValue(f"volume_cap {plain(self.volume_cap)} is not between 0 (excluded) and 1")
        if not 0 <= self.slippage < 1:
            raise InvalidValue(f"slippage {plain(self.slippage)} is not between 0 and 1")
        if self.depth_levels < 1 or self.average_minutes < 1 or self.kept_trades < 1:
            raise InvalidValue("depth_levels, average_minutes and kept_trades must be at least 1")
