"""How the venue behaves and what its accounts pay: plain values, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput, InvalidValue
from gridtide.domain.money import ONE, ZERO, FeeRate, plain
from gridtide.domain.order import Side
from gridtide.venue.market_filters import DEFAULT_FILTERS, ExchangeFilters, MarketFilters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridtide.domain.market import Asset, Symbol


class FillModel(StrEnum):
    """When a resting order executes as the market's price walks (design.md 6)."""

    TOUCH = "touch"
    """Reaching its price fills it."""
    TRADE_THROUGH = "trade_through"
    """The price must go one tick beyond."""
    QUEUE = "queue"
    """By the place in the queue at its price, where a recorded order book tells it. Elsewhere reaching its price fills
    it with `queue_probability`, and once the price is one tick beyond, every turn has come."""


class QueueCancellations(StrEnum):
    """Whose orders left, where a recorded level shrank by more than was traded."""

    BEHIND = "behind"
    """Those behind ours, as long as there can be any: the careful guess."""
    PROPORTIONAL = "proportional"
    """Those ahead and behind in the proportion of what stood there."""


class SelfTradePrevention(StrEnum):
    """What happens when an order meets one of its own account; the taker's mode decides."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"
    TRANSFER = "TRANSFER"
    """Within one account the same as DECREMENT (protocol document, 6.8)."""


class CommissionRounding(StrEnum):
    """What becomes of digits beyond the commission precision. The exchange does not say (section 18)."""

    TRUNCATE = "truncate"
    ROUND_HALF_UP = "round_half_up"
    ROUND_UP = "round_up"


class StopNotional(StrEnum):
    """The price at which NOTIONAL values STOP_LOSS and TAKE_PROFIT orders. The exchange does not say (section 18)."""

    STOP_PRICE = "stop_price"
    """The stop price; the average price for trailing orders without one."""
    AVERAGE = "average"
    """The average price, as for MARKET orders."""
    NONE = "none"
    """They are not checked."""


@dataclass(frozen=True, slots=True)
class CommissionRates:
    """The four rates of one kind of commission; an execution pays maker or taker plus buyer or seller."""

    maker: FeeRate = FeeRate(ZERO)
    taker: FeeRate = FeeRate(ZERO)
    buyer: FeeRate = FeeRate(ZERO)
    seller: FeeRate = FeeRate(ZERO)

    def __post_init__(self) -> None:
        for name in ("maker", "taker", "buyer", "seller"):
            _check_rate(name, getattr(self, name))

    def total(self, side: Side, *, is_maker: bool) -> FeeRate:
        """What an execution of `side` pays."""
        own = self.maker if is_maker else self.taker
        extra = self.buyer if side is Side.BUY else self.seller
        return FeeRate(own + extra) if extra else own


def _check_rate(name: str, rate: Decimal) -> None:
    if not -ONE < rate < ONE:
        raise InvalidValue(f"the {name} fee rate {plain(rate)} is not a fraction: 0.001 is 0.1 %")


NO_COMMISSION = CommissionRates()


@dataclass(frozen=True, slots=True)
class FeeTier:
    """Standard rates of an account that traded at least `volume_from` dollars in the last 30 days."""

    volume_from: Decimal
    maker: FeeRate
    taker: FeeRate

    def __post_init__(self) -> None:
        _check_rate("maker", self.maker)
        _check_rate("taker", self.taker)


@dataclass(frozen=True, slots=True)
class AccountFees:
    """What an account pays for an execution, and in which asset.

    With `asset` set, fees are taken in it at `discount` (a multiplier: 0.75 is a quarter off) while the free
    balance lasts, else in full from what is received. `asset_price` is what one unit of it costs in the quote
    asset; without it the last prices of its own market, or of two markets with a common asset, count.

    `maker`, `taker`, `buyer` and `seller` are the standard commission, the only one that is discounted; `tax` and
    `special` come on top. `tiers`, lowest first, replace maker and taker by the 30-day volume, and `markets` replaces
    the whole standard commission on single markets.
    """

    maker: FeeRate
    taker: FeeRate
    asset: Asset | None = None
    discount: Decimal = ONE
    asset_price: Decimal | None = None
    buyer: FeeRate = FeeRate(ZERO)
    seller: FeeRate = FeeRate(ZERO)
    tax: CommissionRates = NO_COMMISSION
    special: CommissionRates = NO_COMMISSION
    tiers: tuple[FeeTier, ...] = ()
    markets: Mapping[Symbol, CommissionRates] = field(default_factory=dict)
    standard: CommissionRates = field(init=False, repr=False, compare=False)
    """Maker, taker, buyer and seller together."""
    has_extra: bool = field(init=False, repr=False, compare=False)
    """Whether there is any tax or special commission."""
    flat: Mapping[tuple[Side, bool], FeeRate] | None = field(init=False, repr=False, compare=False)
    """By side and whether the order was the maker, where nothing but that decides and the fee is taken out of what is
    received; else None."""

    def __post_init__(self) -> None:
        standard = CommissionRates(self.maker, self.taker, self.buyer, self.seller)
        object.__setattr__(self, "standard", standard)
        has_extra = (self.tax, self.special) != (NO_COMMISSION, NO_COMMISSION)
        object.__setattr__(self, "has_extra", has_extra)
        is_flat = not (has_extra or self.tiers or self.markets or self.asset)
        flat = {
            (side, maker): standard.total(side, is_maker=maker) for side in Side for maker in (True, False)
        }
        object.__setattr__(self, "flat", flat if is_flat else None)
        volumes = [tier.volume_from for tier in self.tiers]
        if volumes != sorted(set(volumes)):
            raise InvalidValue("fee tiers must have rising volumes")
        if self.asset_price is not None and self.asset_price <= 0:
            raise InvalidValue(f"the fee asset's price {plain(self.asset_price)} is not above zero")


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """How the venue fills orders and what it shows of its book.

    `volume_cap` is the fraction of a move's volume that resting orders may take together (None: no cap);
    `slippage` the fraction by which takers trade worse than the ambient level they meet, up to their limit where they
    have one (a limit order fills at its limit or better; exchange rule everywhere); `volume_slippage` the
    further fraction for one as large as all that traded in the last `average_minutes`, in proportion for smaller ones
    (linear impact: Kyle, "Continuous auctions and insider trading", 1985). `depth_levels`
    counts ambient price levels a side; `depth_quote` is their typical size in the quote asset (None: 4,000
    times the market's minimum notional). With `publishes` off the venue keeps no public trades and emits neither
    `TradePrinted` nor `BookChanged`, which makes a backtest several times faster, and with `tells_balances` off it
    emits no `BalancesChanged`, for those who ask for balances when they need them. `filters` holds what only the
    exchange knows of single markets; the others have `MarketFilters()`.
    """

    fill_model: FillModel = FillModel.TOUCH
    volume_cap: Decimal | None = None
    slippage: Decimal = ZERO
    volume_slippage: Decimal = ZERO
    depth_levels: int = 20
    depth_quote: Decimal | None = None
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_MAKER
    average_minutes: int = 5
    kept_trades: int = 1000
    publishes: bool = True
    tells_balances: bool = True
    filters: Mapping[Symbol, MarketFilters] = field(default_factory=dict)
    exchange_filters: ExchangeFilters = field(default_factory=ExchangeFilters)
    commission_rounding: CommissionRounding = CommissionRounding.TRUNCATE
    stop_notional: StopNotional = StopNotional.STOP_PRICE
    stop_lock_margin: Decimal = ZERO
    """What waiting buys without a price lock beyond their stop price, as a fraction of it: 0.01 is 1 %."""
    queue_cancellations: QueueCancellations = QueueCancellations.BEHIND
    """With the fill model `queue`, where a recorded book tells the queue."""
    queue_probability: Decimal = ZERO
    """With the fill model `queue`, where no recorded book tells the queue: how likely a move that reaches an order's
    price without going beyond fills it. Zero is `trade_through`, one is `touch`."""

    def __post_init__(self) -> None:
        if self.volume_cap is not None and not 0 < self.volume_cap <= 1:
            raise InvalidValue(f"volume_cap {plain(self.volume_cap)} is not between 0 (excluded) and 1")
        if not 0 <= self.queue_probability <= 1:
            raise InvalidValue(f"queue_probability {plain(self.queue_probability)} is not between 0 and 1")
        if self.slippage < 0 or self.volume_slippage < 0 or self.slippage + self.volume_slippage >= 1:
            raise InvalidValue(
                f"slippage {plain(self.slippage)} and volume_slippage {plain(self.volume_slippage)} must not be "
                "below 0, and together they must be below 1"
            )
        if self.depth_levels < 1 or self.average_minutes < 1 or self.kept_trades < 1:
            raise InvalidValue("depth_levels, average_minutes and kept_trades must be at least 1")
        self._check_prevention_modes()

    def _check_prevention_modes(self) -> None:
        known = {mode.value for mode in SelfTradePrevention}
        for symbol, filters in self.filters.items():
            modes = {*filters.prevention_modes, self.default_prevention(symbol)}
            if not modes <= known:
                raise InvalidInput(
                    f"{symbol} has unknown modes of self-trade prevention: {sorted(modes - known)}"
                )

    def filters_of(self, symbol: Symbol) -> MarketFilters:
        """What only the exchange knows of a market."""
        return self.filters.get(symbol, DEFAULT_FILTERS)

    def default_prevention(self, symbol: Symbol) -> str:
        """The mode of orders that name none."""
        return self.filters_of(symbol).default_prevention or self.self_trade_prevention.value

    def average_minutes_of(self, symbol: Symbol) -> int:
        """How long the market's average price reaches back; 0 stands for the last price."""
        minutes = self.filters_of(symbol).average_minutes
        return self.average_minutes if minutes is None else minutes
