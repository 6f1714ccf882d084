"""Trailing stop orders: the trigger follows the market at a distance in basis points (see the trailing-stop FAQ).

A sell follows the highest price and triggers once the market fell by the delta from it; a buy follows the lowest.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.money import ceil_to_step, floor_to_step, multiply_exact
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from gridtide.venue.working_order import WorkingOrder

_BASIS_POINT = Decimal("0.0001")


def trigger_level(order: WorkingOrder) -> Decimal:
    """The price that triggers an order which follows the market; exact, so perhaps between two ticks."""
    delta = order.trailing_delta or 0
    if order.side is Side.BUY:
        return multiply_exact(order.extreme, _BASIS_POINT * (10_000 + delta))
    return multiply_exact(order.extreme, _BASIS_POINT * (10_000 - delta))


def first_price(order: WorkingOrder, tick: Decimal) -> Decimal:
    """The first price on the tick at which the order triggers."""
    level = trigger_level(order)
    return ceil_to_step(level, tick) if order.side is Side.BUY else floor_to_step(level, tick)


def is_due(order: WorkingOrder, price: Decimal) -> bool:
    """Whether the market at `price` has come back far enough."""
    level = trigger_level(order)
    return price >= level if order.side is Side.BUY else price <= level


def follow(order: WorkingOrder, price: Decimal) -> None:
    """Note a better price."""
    if price < order.extreme if order.side is Side.BUY else price > order.extreme:
        order.extreme = price
