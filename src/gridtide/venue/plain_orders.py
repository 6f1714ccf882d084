"""Which orders are accepted at a glance: limit orders without extras that are well inside every rule of the market.

It never accepts what the filters would refuse. What it does not accept is looked at closely (`filters`), where each
refusal has its code and text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import EXACT, ZERO
from gridtide.domain.order import Side
from gridtide.venue.admission import CLOSED_TO_REQUESTS
from gridtide.venue.order_parameters import is_client_order_id
from gridtide.venue.rounding import INFINITE, is_multiple, remainder, smallest

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Market, MarketRules
    from gridtide.venue.desk import Desk
    from gridtide.venue.market_filters import MarketFilters
    from gridtide.venue.messages import NewOrder
    from gridtide.venue.settings import VenueSettings


class PlainOrders:
    """One market's rules for plain limit orders, worked out once for as long as they hold."""

    __slots__ = (
        "_applies",
        "_band",
        "_least_amount",
        "_least_price",
        "_least_value",
        "_lot",
        "_most_amount",
        "_most_price",
        "_most_value",
        "_tick",
        "_types",
    )

    def __init__(self, market: Market, filters: MarketFilters, settings: VenueSettings) -> None:
        rules = market.rules
        self._applies = (
            market.status not in CLOSED_TO_REQUESTS
            and filters.is_spot
            and not settings.exchange_filters.max_assets
            and _steps_are_precise(rules)
        )
        self._types: dict[str, bool] = {
            kind: kind == "LIMIT" for kind in ("LIMIT", "LIMIT_MAKER") if kind in filters.order_types
        }
        self._tick, self._lot = rules.tick_size, rules.lot_size
        # What is a multiple of a step and at least one step is above zero.
        self._least_price, self._most_price = (
            max(rules.min_price, rules.tick_size),
            rules.max_price or INFINITE,
        )
        self._least_amount, self._most_amount = (
            max(rules.min_amount, rules.lot_size),
            rules.max_amount or INFINITE,
        )
        has_most = filters.notional_filter == "NOTIONAL" and rules.max_notional
        self._least_value, self._most_value = rules.min_notional, rules.max_notional if has_most else INFINITE
        self._band = rules.price_band

    def accept(self, request: NewOrder, desk: Desk) -> bool:
        """Whether the order passes whatever `check_request` looks at."""
        price, amount = request.price, request.amount
        if (
            not self._applies
            or price is None
            or amount is None
            or self._types.get(request.type) is not (request.time_in_force is not None)
            or request.stop_price is not None
            or request.quote_amount is not None
            or request.trailing_delta is not None
            or request.iceberg_amount is not None
            or request.self_trade_prevention
            or not price.is_finite()
            or not amount.is_finite()
        ):
            return False
        return (
            self._least_price <= price <= self._most_price
            and self._least_amount <= amount <= self._most_amount
            and not remainder(price, self._tick)
            and not remainder(amount, self._lot)
            and self._least_value <= EXACT.multiply(price, amount) <= self._most_value
            and (not request.client_order_id or is_client_order_id(request.client_order_id) is not None)
            and (self._band is None or self._is_well_inside_band(request.side, price, desk))
        )

    def _is_well_inside_band(self, side: Side, price: Decimal, desk: Desk) -> bool:
        """Whether any average that there can be allows the price. The average lies between two bounds that are known
        without counting, or is the last price."""
        band, average, last = self._band, desk.average, desk.last_price
        if band is None or last is None:
            return False
        down, up = (band.bid_down, band.bid_up) if side is Side.BUY else (band.ask_down, band.ask_up)
        low = min(last, average.lowest)
        high = max(last, average.highest)
        return EXACT.multiply(high, down) <= price <= EXACT.multiply(low, up)


def _steps_are_precise(rules: MarketRules) -> bool:
    """Whether a multiple of tick and lot has no more decimals than its asset."""
    return (
        rules.tick_size > ZERO
        and rules.lot_size > ZERO
        and is_multiple(rules.tick_size, smallest(rules.quote_precision))
        and is_multiple(rules.lot_size, smallest(rules.base_precision))
    )
