"""A strategy as small as can be, for tests of the engine: one buy, and after it a sell two higher."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from gridtide.domain.fill import Fill
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import OrderType, Side, Slot
from gridtide.strategies.protocol import Ending, ExecutionContext, SettledOrder

BUY, SELL = Slot("000", Side.BUY), Slot("001", Side.SELL)


class Ladder:
    """Buys `amount` at `price`; sells what it received at `price` + 2; and again."""

    def __init__(self, price: str = "98", amount: str = "1", order_type: str = "LIMIT_MAKER") -> None:
        self.price, self.amount = Decimal(price), Decimal(amount)
        self.order_type = OrderType(order_type)
        self.fills = 0
        self.settled: list[SettledOrder] = []

    def on_start(self, context: ExecutionContext) -> None:
        self._buy(context)

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None:
        self.fills += 1

    def on_order_settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        self.settled.append(order)
        if order.ending is not Ending.FILLED and not order.executed_amount:
            context.place_order(order.slot, order.price, order.amount, self.order_type)
        elif order.slot == BUY:
            amount = context.market.rules.floor_amount(
                context.lot_amount(BUY.key) + context.lot_amount("DUST")
            )
            own = min(context.lot_amount(BUY.key), amount)
            context.assign_lots(BUY.key, SELL.key, Amount(own))
            rest = context.lot_amount(BUY.key)
            if rest:
                context.assign_lots(BUY.key, "DUST", rest)
            context.place_order(SELL, Price(self.price + 2), amount, self.order_type)
        else:
            self._buy(context)

    def get_state(self) -> Mapping[str, Any]:
        return {
            "version": 1,
            "price": str(self.price),
            "amount": str(self.amount),
            "type": self.order_type.value,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        return cls(state["price"], state["amount"], state["type"])

    def _buy(self, context: ExecutionContext) -> None:
        context.place_order(BUY, Price(self.price), Amount(self.amount), self.order_type)
