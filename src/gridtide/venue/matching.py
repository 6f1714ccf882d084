"""What a new order would meet in the book, best price first: a plan that changes nothing.

At one price the orders of accounts come before ambient liquidity, the oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.money import ONE, ZERO, ceil_to_step, floor_to_step, multiply_exact
from gridtide.domain.order import Side
from gridtide.venue.prevention import DECREMENTS, EXPIRES_TAKER
from gridtide.venue.rounding import UNIT, divide_cut, largest_multiple, multiply_cut
from gridtide.venue.settings import SelfTradePrevention

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.order_book import Level
    from gridtide.venue.working_order import WorkingOrder


class Match(NamedTuple):
    """One execution to come. `maker` is None for ambient liquidity, whose level stands at `level_price`."""

    maker: WorkingOrder | None
    level_price: Decimal
    price: Decimal
    amount: Decimal


class Prevention(NamedTuple):
    """A self-trade that will not happen; `amount` is what it would have been over."""

    maker: WorkingOrder
    amount: Decimal


@dataclass(slots=True)
class Plan:
    """Everything an order would meet, in turn."""

    steps: list[Match | Prevention] = field(default_factory=list)
    amount: Decimal = ZERO
    quote: Decimal = ZERO
    prevented: Decimal = ZERO
    """What self-trade prevention will take from the taker."""
    is_exhausted: bool = False
    """The book ended before the demand did."""

    @property
    def meets_anything(self) -> bool:
        return bool(self.steps)


@dataclass(slots=True)
class Demand:
    """What a taker wants, up to `limit`: `amount` of base, or as many lots as `budget` of quote pays for; with both,
    the less of the two."""

    account: Account
    side: Side
    mode: SelfTradePrevention
    limit: Decimal | None
    amount: Decimal | None
    budget: Decimal | None = None

    def accepts(self, price: Decimal) -> bool:
        if self.limit is None:
            return True
        return price <= self.limit if self.side is Side.BUY else price >= self.limit


def plan_matches(desk: Desk, demand: Demand) -> Plan:
    """Walk the opposite side as far as `demand` goes."""
    planner = _Planner(desk, demand)
    for price, level, ambient in desk.levels_in_turn(demand.side.opposite):
        if not demand.accepts(price):
            return planner.plan
        if level is not None and not planner.meet_orders(level):
            return planner.plan
        if ambient and not planner.meet_ambient(price, ambient):
            return planner.plan
    planner.plan.is_exhausted = True
    return planner.plan


def _slippage(desk: Desk, demand: Demand) -> Decimal:
    """The fraction by which a taker trades worse: fixed, and by its share in what traded of late."""
    fixed, by_volume = desk.settings.slippage, desk.settings.volume_slippage
    if not by_volume:
        return fixed
    traded = desk.average.volume()
    amount = demand.amount
    if amount is None and demand.budget is not None and desk.price is not None:
        amount = divide_cut(demand.budget, desk.price)
    if amount is None or amount >= traded:
        return fixed + by_volume
    return fixed + divide_cut(multiply_exact(by_volume, amount), traded)


class _Planner:
    """The methods return whether the walk goes on."""

    def __init__(self, desk: Desk, demand: Demand) -> None:
        self.plan = Plan()
        self._demand = demand
        self._rules = desk.market.rules
        self._slippage = _slippage(desk, demand)
        self._amount_left = demand.amount
        self._budget_left = demand.budget

    def meet_orders(self, level: Level) -> bool:
        demand = self._demand
        for maker in level.orders.values():
            if maker.account is demand.account and demand.mode is not SelfTradePrevention.NONE:
                if not self._prevent(maker):
                    return False
            elif not self._take(maker, level.price, level.price, maker.remaining):
                return False
        return True

    def _prevent(self, maker: WorkingOrder) -> bool:
        wanted = self._wanted(maker.price)
        if wanted <= 0:
            return False
        mode = self._demand.mode
        amount = min(wanted, maker.remaining)
        self.plan.steps.append(Prevention(maker, amount))
        if mode in EXPIRES_TAKER:
            self.plan.prevented += wanted
            return False
        if mode in DECREMENTS:
            self.plan.prevented += amount
            self._spend(amount, multiply_cut(maker.price, amount))
            return wanted > maker.remaining
        return True

    def meet_ambient(self, price: Decimal, available: Decimal) -> bool:
        return self._take(None, price, self._slipped(price), available)

    def _slipped(self, price: Decimal) -> Decimal:
        """The ambient price a taker really gets, on the tick: never better than without slippage, never beyond its
        limit."""
        if not self._slippage:
            return price
        tick, limit = self._rules.tick_size, self._demand.limit
        if self._demand.side is Side.BUY:
            worse = ceil_to_step(multiply_exact(price, ONE + self._slippage), tick)
            return worse if limit is None else min(worse, limit)
        worse = floor_to_step(multiply_exact(price, ONE - self._slippage), tick)
        if limit is not None:
            return max(worse, limit)
        return worse if worse > 0 else price

    def _take(
        self, maker: WorkingOrder | None, level_price: Decimal, price: Decimal, available: Decimal
    ) -> bool:
        wanted = self._wanted(price)
        amount = min(wanted, available)
        if amount <= 0:
            return False
        quote = multiply_cut(price, amount)
        self.plan.steps.append(Match(maker, level_price, price, amount))
        self.plan.amount += amount
        self.plan.quote += quote
        self._spend(amount, quote)
        return wanted > available

    def _spend(self, amount: Decimal, quote: Decimal) -> None:
        if self._amount_left is not None:
            self._amount_left -= amount
        if self._budget_left is not None:
            self._budget_left -= quote

    def _wanted(self, price: Decimal) -> Decimal:
        if self._budget_left is None:
            return self._amount_left or ZERO
        lot = self._rules.lot_size or UNIT
        affordable = largest_multiple(divide_cut(self._budget_left, price), lot)
        return affordable if self._amount_left is None else min(affordable, self._amount_left)
