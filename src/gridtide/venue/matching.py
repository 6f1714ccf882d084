"""What a new order would meet in the book, best price first: a plan that changes nothing.

At one price the orders of accounts come before ambient liquidity, the oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.money import ONE, ZERO, ceil_to_step, floor_to_step, multiply_exact, notional
from gridtide.domain.order import Side
from gridtide.venue.rounding import UNIT, cut_to_precision, divide_cut, largest_multiple
from gridtide.venue.settings import SelfTradePrevention

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.order_book import Level
    from gridtide.venue.working_order import WorkingOrder

_EXPIRES_MAKER = (SelfTradePrevention.EXPIRE_MAKER, SelfTradePrevention.EXPIRE_BOTH)
_EXPIRES_TAKER = (SelfTradePrevention.EXPIRE_TAKER, SelfTradePrevention.EXPIRE_BOTH)


class Match(NamedTuple):
    """One execution to come. `maker` is None for ambient liquidity, whose level stands at `level_price`."""

    maker: WorkingOrder | None
    level_price: Decimal
    price: Decimal
    amount: Decimal


@dataclass(slots=True)
class Plan:
    """Everything an order would meet."""

    matches: list[Match] = field(default_factory=list)
    prevented: list[WorkingOrder] = field(default_factory=list)
    """Own orders in the way that expire instead of trading."""
    amount: Decimal = ZERO
    quote: Decimal = ZERO
    taker_expires: bool = False
    """An own order in the way ends the taker."""
    is_exhausted: bool = False
    """The book ended before the demand did."""

    @property
    def meets_anything(self) -> bool:
        return bool(self.matches or self.prevented or self.taker_expires)


@dataclass(slots=True)
class Demand:
    """What a taker wants: `amount` of base, or as many lots as `budget` of quote pays for, up to `limit`."""

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
    for price, level, ambient in desk.levels(demand.side.opposite):
        if not demand.accepts(price):
            return planner.plan
        if level is not None and not planner.meet_orders(level):
            return planner.plan
        if ambient and not planner.meet_ambient(price, ambient):
            return planner.plan
    planner.plan.is_exhausted = True
    return planner.plan


class _Planner:
    """The methods return whether the walk goes on."""

    def __init__(self, desk: Desk, demand: Demand) -> None:
        self.plan = Plan()
        self._demand = demand
        self._rules = desk.market.rules
        self._slippage = desk.settings.slippage if demand.limit is None else ZERO
        self._amount_left = demand.amount
        self._budget_left = demand.budget

    def meet_orders(self, level: Level) -> bool:
        demand = self._demand
        for maker in level.orders.values():
            if maker.account is demand.account and demand.mode is not SelfTradePrevention.NONE:
                if demand.mode in _EXPIRES_MAKER:
                    self.plan.prevented.append(maker)
                if demand.mode in _EXPIRES_TAKER:
                    self.plan.taker_expires = True
                    return False
            elif not self._take(maker, level.price, level.price, maker.remaining):
                return False
        return True

    def meet_ambient(self, price: Decimal, available: Decimal) -> bool:
        return self._take(None, price, self._slipped(price), available)

    def _slipped(self, price: Decimal) -> Decimal:
        """The ambient price a market order really gets, on the tick, never better than without slippage."""
        if not self._slippage:
            return price
        tick = self._rules.tick_size
        if self._demand.side is Side.BUY:
            return ceil_to_step(multiply_exact(price, ONE + self._slippage), tick)
        worse = floor_to_step(multiply_exact(price, ONE - self._slippage), tick)
        return worse if worse > 0 else price

    def _take(
        self, maker: WorkingOrder | None, level_price: Decimal, price: Decimal, available: Decimal
    ) -> bool:
        wanted = self._wanted(price)
        amount = min(wanted, available)
        if amount <= 0:
            return False
        quote = cut_to_precision(notional(price, amount))
        self.plan.matches.append(Match(maker, level_price, price, amount))
        self.plan.amount += amount
        self.plan.quote += quote
        if self._amount_left is not None:
            self._amount_left -= amount
        if self._budget_left is not None:
            self._budget_left -= quote
        return wanted > available

    def _wanted(self, price: Decimal) -> Decimal:
        if self._amount_left is not None:
            return self._amount_left
        affordable = divide_cut(self._budget_left or ZERO, price)
        return largest_multiple(affordable, self._rules.lot_size or UNIT)
