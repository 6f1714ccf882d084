"""Selling what is held when a bot is stopped for good: limit orders that take, capped in slippage, a few tries.

The orders pass the gate like all others, marked as emergencies; the strategy is not asked.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.commands import StopPolicy
from gridtide.domain.journal import BotState
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.money import ONE, multiply_exact
from gridtide.domain.order import OrderIntent, OrderType, Side, Slot, TimeInForce
from gridtide.engine import placing
from gridtide.strategies.protocol import SettledOrder

if TYPE_CHECKING:
    from gridtide.engine.state import EngineState

SLOT = Slot("LIQ", Side.SELL)
SLIPPAGE_CAP = Decimal("0.01")
"""Below the best bid, as a fraction (grid-semantics 8)."""
MAX_TRIES = 5


def concerns(report: SettledOrder) -> bool:
    """Whether a report is about a liquidation order, which is none of the strategy's."""
    return report.slot.key == SLOT.key


def advance(state: EngineState) -> None:
    """Place the next selling order once nothing rests any more; does nothing unless a liquidation is under way."""
    if state.bot_state is not BotState.STOPPING or state.pause_detail != StopPolicy.LIQUIDATE.value:
        return
    slot = state.slots.get(SLOT)
    in_flight = any(order.state is not IntentState.PLANNED for order in state.orders)
    if in_flight or not slot.is_free or slot.cycle >= MAX_TRIES or state.book.bid is None:
        return
    rules = state.market.rules
    amount = rules.floor_amount(state.ledger.holding(state.market.base))
    price = rules.ceil_price(multiply_exact(state.book.bid, ONE - SLIPPAGE_CAP))
    if rules.is_tradable(price, amount):
        _drop_planned_sells(state)
        placing.place(
            state,
            OrderIntent(
                SLOT, state.market.symbol, OrderType.LIMIT, price, amount, TimeInForce.IOC, emergency=True
            ),
        )


def is_finished(state: EngineState) -> bool:
    """Whether nothing tradable is left, or the tries are used up, and no order is live."""
    rules = state.market.rules
    amount = rules.floor_amount(state.ledger.holding(state.market.base))
    price = state.book.bid or state.price
    left = price is not None and rules.is_tradable(price, amount)
    slot = state.slots.get(SLOT)
    return slot.is_free and (not left or slot.cycle >= MAX_TRIES)


def _drop_planned_sells(state: EngineState) -> None:
    """Orders never sent reserve base that the liquidation needs."""
    for order in state.orders.planned():
        if order.side is Side.SELL and not order.intent.emergency:
            placing.drop(state, order)
