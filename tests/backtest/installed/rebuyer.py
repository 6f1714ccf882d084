"""A strategy of somebody else, as an installed package would bring it: it buys a step below a price, sells a step above
what it paid, and follows a price that runs away three steps. It needs no base class, only the methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side, Slot

if TYPE_CHECKING:
    from gridtide import ExecutionContext
    from gridtide.domain.fill import Fill
    from gridtide.strategies.protocol import SettledOrder

BUY, SELL = Slot("REB", Side.BUY), Slot("REB", Side.SELL)


class Rebuyer:
    """Settings: `step` (a fraction) and `amount` (base)."""

    def __init__(self, step: Decimal, amount: Decimal) -> None:
        self.step, self.amount = step, amount
        self.rounds = 0

    @classmethod
    def from_settings(cls, symbol: str, settings: Mapping[str, Any]) -> Rebuyer:
        return cls(Decimal(settings["step"]), Decimal(settings["amount"]))

    def on_start(self, context: ExecutionContext) -> None:
        self._buy_below(context.current_price(), context)

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None:
        context.notice("rebuyer.fill", f"{fill.amount} at {fill.price}")

    def on_order_settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        assert order.price is not None
        if order.slot == SELL:
            self.rounds += 1
            self._buy_below(order.price, context)
        elif order.executed_amount:
            self._sell(order, order.price, context)
        else:  # withdrawn to follow the price
            self._buy_below(context.current_price(), context)

    def on_wake(self, context: ExecutionContext) -> None:
        order = context.order(BUY)
        if order is not None and not order.executed_amount:
            context.cancel_order(BUY)

    def _buy_below(self, price: Price, context: ExecutionContext) -> None:
        below = context.market.rules.floor_price(price * (1 - self.step))
        context.place_order(BUY, below, Amount(self.amount))
        context.wake_when(price_at_or_above=Price(price * (1 + 3 * self.step)))

    def _sell(self, bought: SettledOrder, paid: Price, context: ExecutionContext) -> None:
        rules = context.market.rules
        amount = rules.floor_amount(bought.received)
        context.assign_lots(BUY.key, SELL.key, amount)
        context.place_order(SELL, rules.ceil_price(paid * (1 + self.step)), amount)
        context.wake_when()

    def get_state(self) -> Mapping[str, Any]:
        return {"version": 1, "step": str(self.step), "amount": str(self.amount), "rounds": self.rounds}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Rebuyer:
        strategy = cls(Decimal(state["step"]), Decimal(state["amount"]))
        strategy.rounds = state["rounds"]
        return strategy
