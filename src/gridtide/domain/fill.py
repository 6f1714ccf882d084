"""Fills: our executions, each with its fee in whatever asset the exchange took it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gridtide.domain.market import Asset, Symbol, Timestamp
    from gridtide.domain.money import Amount, Money, Price
    from gridtide.domain.order import Side


@dataclass(frozen=True, slots=True)
class Fee:
    """What the exchange took for an execution; negative for a rebate."""

    amount: Amount
    asset: Asset


class FillKey(NamedTuple):
    """What makes a fill one and the same, whichever way it reached us.

    The order id is part of it because a self-trade shows one trade id twice (F38); exchange and account are
    those of the bot, which trades on one of each.
    """

    symbol: Symbol
    trade_id: int
    order_id: str


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of ours, exact to the exchange's last digit."""

    symbol: Symbol
    trade_id: int
    order_id: str
    side: Side
    price: Price
    amount: Amount
    quote_amount: Money
    """Quote paid or received, as the exchange states it (price times amount, cut by its precision)."""
    fee: Fee
    is_maker: bool
    timestamp: Timestamp
    client_order_id: str = ""
    """Empty where the source does not carry it (trade records name the order id only)."""

    @property
    def key(self) -> FillKey:
        return FillKey(self.symbol, self.trade_id, self.order_id)

    def corrected_by(self, record: Fill) -> Fill:
        """This execution with price, amounts, fee and role as the trade record of the same key has them."""
        return replace(
            self,
            price=record.price,
            amount=record.amount,
            quote_amount=record.quote_amount,
            fee=record.fee,
            is_maker=record.is_maker,
        )
