"""Funds: no order may cost more than the ledger holds free, worst-case fee included (F39, F44, I11)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.money import ONE, multiply_exact, notional, tidy
from gridtide.domain.order import OrderType, Side
from gridtide.domain.parking import ParkReason
from gridtide.risk.rule import Refusal

if TYPE_CHECKING:
    from gridtide.domain.market import Asset
    from gridtide.domain.order import OrderIntent
    from gridtide.risk.rule import AccountView

MARKET_ORDER_MARGIN = Decimal("0.01")
"""A market buy reserves this fraction above the ask; it cannot know its price."""


def reservation(intent: OrderIntent, account: AccountView) -> tuple[Asset, Decimal] | None:
    """Asset and amount an order can cost at worst; None for a market buy without a price to go by."""
    if intent.slot.side is Side.SELL:
        amount: Decimal = intent.amount
        asset = account.market.base
    else:
        price = intent.price
        if intent.type is OrderType.MARKET:
            best = account.book.ask or account.book.last
            if best is None:
                return None
            price = account.market.rules.ceil_price(multiply_exact(best, ONE + MARKET_ORDER_MARGIN))
        if price is None:
            return None
        amount = notional(price, intent.amount)
        asset = account.market.quote
    if account.fees.asset == asset:
        amount = multiply_exact(amount, ONE + max(account.fees.maker, account.fees.taker))
    return asset, amount


@dataclass(frozen=True, slots=True)
class Funds:
    """Refuses what the ledger cannot pay."""

    def review(self, intent: OrderIntent, account: AccountView) -> Refusal | None:
        need = reservation(intent, account)
        if need is None:
            return Refusal(ParkReason.MARKET_CLOSED, "there is no price to go by")
        asset, amount = need
        available = account.available(asset)
        if amount <= available:
            return None
        reason = ParkReason.NO_INVENTORY if intent.side is Side.SELL else ParkReason.INSUFFICIENT_FUNDS
        detail = f"needs {tidy(amount)} {asset}, {tidy(available)} are free"
        return Refusal(reason, detail, need)
