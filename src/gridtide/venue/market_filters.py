"""What only the exchange knows of a market: the filters and permissions that `MarketRules` does not hold.

Every number stands in one place: prices, amounts, notional and order count in `MarketRules`, the rest here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from gridtide.domain.errors import InvalidInput, InvalidValue
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridtide.domain.market import Asset

ORDER_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)
"""Every type of order the venue takes, as the listing of a market names them."""

ALGO_TYPES = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
"""Orders that wait for a trigger: what the exchange counts as "algo" orders."""

PREVENTION_MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")
"""Modes of self-trade prevention that a market allows unless it says otherwise."""

NotionalFilter = Literal["NOTIONAL", "MIN_NOTIONAL"]
PriceBandFilter = Literal["PERCENT_PRICE_BY_SIDE", "PERCENT_PRICE"]


@dataclass(frozen=True, slots=True)
class TrailingBounds:
    """TRAILING_DELTA: least and greatest `trailingDelta` in basis points, above and below the market."""

    min_above: int = 10
    max_above: int = 2000
    min_below: int = 10
    max_below: int = 2000

    def bounds(self, side: Side, order_type: str) -> tuple[int, int]:
        """Least and greatest delta of an order: Above where it waits for a rise, else Below (section 7)."""
        if (side is Side.BUY) == order_type.startswith("STOP_LOSS"):
            return self.min_above, self.max_above
        return self.min_below, self.max_below


@dataclass(frozen=True, slots=True)
class MarketFilters:
    """One market's further filters and permissions. The defaults are those of a large market today.

    A count or a bound of zero is no rule. `notional_filter` and `price_band_filter` name the filters that the numbers
    of `MarketRules` are shown and refused under: markets of before 2022 have the older ones. `average_minutes` is how
    long the average price of both reaches back (0: the last price counts; None: `VenueSettings.average_minutes`).
    """

    notional_filter: NotionalFilter = "NOTIONAL"
    apply_min_to_market: bool = True
    apply_max_to_market: bool = False
    price_band_filter: PriceBandFilter = "PERCENT_PRICE_BY_SIDE"
    average_minutes: int | None = None
    market_lot_size: Decimal = ZERO
    """Step of MARKET_LOT_SIZE."""
    iceberg_parts: int = 10
    trailing: TrailingBounds | None = TrailingBounds()
    max_algo_orders: int = 5
    max_iceberg_orders: int = 0
    max_order_lists: int = 20
    max_order_amends: int = 10
    max_position: Decimal = ZERO
    order_types: tuple[str, ...] = ORDER_TYPES
    iceberg_allowed: bool = True
    oco_allowed: bool = True
    oto_allowed: bool = True
    opo_allowed: bool = True
    quote_amount_allowed: bool = True
    """MARKET orders sized in quote."""
    trailing_allowed: bool = True
    cancel_replace_allowed: bool = True
    amend_allowed: bool = True
    prevention_modes: tuple[str, ...] = PREVENTION_MODES
    default_prevention: str = ""
    """Empty: `VenueSettings.self_trade_prevention`."""
    permission_sets: tuple[tuple[str, ...], ...] = (("SPOT",),)
    base_commission_precision: int = 8
    quote_commission_precision: int = 8

    def __post_init__(self) -> None:
        unknown = set(self.order_types) - set(ORDER_TYPES)
        if unknown:
            raise InvalidInput(f"the order types {', '.join(sorted(unknown))} do not exist")
        if self.average_minutes is not None and self.average_minutes < 0:
            raise InvalidValue("average_minutes must not be negative: 0 stands for the last price")

    @property
    def is_spot(self) -> bool:
        """Whether spot accounts may trade here."""
        return any("SPOT" in permissions for permissions in self.permission_sets)


@dataclass(frozen=True, slots=True)
class ExchangeFilters:
    """Filters over all markets: EXCHANGE_MAX_NUM_* and MAX_ASSET. Zero is no rule."""

    max_orders: int = 0
    max_algo_orders: int = 0
    max_iceberg_orders: int = 0
    max_order_lists: int = 0
    max_assets: Mapping[Asset, Decimal] = field(default_factory=dict)
    """The most of an asset one order may be about: its amount in base, its notional value in quote."""


DEFAULT_FILTERS = MarketFilters()
