"""The plan of a grid whose state is lost, from its config and the orders the exchange shows (F46, F59).

The levels are the config's. The price of the start is what the first orders say it was: the vacant level among them,
and the limit of the initial purchase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from gridtide.domain.errors import PlanRefused
from gridtide.domain.market import TopOfBook
from gridtide.domain.money import ONE, Amount, Price
from gridtide.domain.order import Side, Slot
from gridtide.strategies.grid.config import Sizing
from gridtide.strategies.grid.levels import calculate_grid_levels
from gridtide.strategies.grid.plan import GridPlan, make_plan
from gridtide.strategies.grid.purchase import INITIAL
from gridtide.strategies.grid.vacant import vacant_level

if TYPE_CHECKING:
    from gridtide.domain.market import FeeSchedule, Market
    from gridtide.strategies.grid.config import GridConfig

_NEAR: Final = Decimal("0.05")
"""A first buy this near to the computed amount is the planned one; anything else was cut short."""


class SeenOrder(NamedTuple):
    """An order of the grid as the exchange has it."""

    slot: Slot
    price: Price
    amount: Amount


def recover_plan(
    config: GridConfig, market: Market, fees: FeeSchedule, orders: Sequence[SeenOrder]
) -> GridPlan:
    """The plan that led to `orders`, which come in the order they were placed.

    Raises `PlanRefused` where they are not those of a grid with this config, or the market would not take the
    grid any more.
    """
    levels = calculate_grid_levels(config, market.rules.tick_size)
    on_levels = [order for order in orders if order.slot.name.isdigit()]
    for order in on_levels:
        index = int(order.slot.name)
        if index >= len(levels) or levels[index] != order.price:
            raise PlanRefused(
                f"the exchange shows an order of level {index} at {order.price}, which this config does not have"
            )
    vacant = _vacant(config, levels, on_levels, _first_ask(config, orders))
    price = _start_price(config, levels, vacant, _first_ask(config, orders))
    plan = make_plan(config, market, fees, TopOfBook(price, price, price))
    if plan.vacant != vacant:
        raise PlanRefused(f"the orders began around level {vacant}, this config around level {plan.vacant}")
    return replace(plan, interval_amounts=_amounts(plan, on_levels))


def _first_ask(config: GridConfig, orders: Sequence[SeenOrder]) -> Price | None:
    """The ask that the initial purchase was capped above; None for a grid that bought nothing first."""
    first = next((order for order in orders if order.slot == INITIAL), None)
    return None if first is None else Price(first.price / (ONE + config.price_cap))


def _vacant(
    config: GridConfig, levels: Sequence[Price], orders: Sequence[SeenOrder], ask: Price | None
) -> int:
    """The level between the first sells and the first buys."""
    if config.sizing is Sizing.QUOTE_ONLY:
        return len(levels) - 1
    first = _first_placed(orders)
    buys = [index for index, side in first.items() if side is Side.BUY]
    sells = [index for index, side in first.items() if side is Side.SELL]
    lowest = max(buys) + 1 if buys else 0
    highest = min(sells) - 1 if sells else len(levels) - 1
    if lowest > highest:
        raise PlanRefused("the first orders that the exchange shows are not those of a new grid")
    if ask is None:
        return lowest if buys else highest
    return min(max(vacant_level(levels, ask, config.vacant), lowest), highest)


def _first_placed(orders: Sequence[SeenOrder]) -> dict[int, Side]:
    """Level and side of the orders a new grid is made of: sells upward, then buys downward, each level once."""
    found: dict[int, Side] = {}
    before: SeenOrder | None = None
    for order in orders:
        index = int(order.slot.name)
        if index in found or (before is not None and not _follows(before.slot, order.slot)):
            break
        found[index] = order.slot.side
        before = order
    return found


def _follows(before: Slot, after: Slot) -> bool:
    if before.side is not after.side:
        return after.side is Side.BUY
    return before.name < after.name if after.side is Side.SELL else before.name > after.name


def _start_price(config: GridConfig, levels: Sequence[Price], vacant: int, ask: Price | None) -> Price:
    """A price at which that level is the vacant one; the level itself is, under every rule."""
    if ask is not None and vacant_level(levels, ask, config.vacant) == vacant:
        return ask
    return levels[vacant]


def _amounts(plan: GridPlan, orders: Sequence[SeenOrder]) -> tuple[Amount, ...]:
    """What each interval buys: as its first buy says, else as computed."""
    amounts = list(plan.interval_amounts)
    seen: set[int] = set()
    for order in orders:
        index = int(order.slot.name)
        if order.slot.side is Side.BUY and index not in seen:
            seen.add(index)
            if abs(order.amount - amounts[index]) <= amounts[index] * _NEAR:
                amounts[index] = order.amount
    return tuple(amounts)
