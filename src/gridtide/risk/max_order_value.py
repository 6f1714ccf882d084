"""Maximum order value: no single order may be worth more than its owner allows (F65)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.money import tidy
from gridtide.domain.parking import ParkReason
from gridtide.risk.rule import Refusal

if TYPE_CHECKING:
    from gridtide.domain.order import OrderIntent
    from gridtide.risk.rule import AccountView


@dataclass(frozen=True, slots=True)
class MaxOrderValue:
    """Refuses orders worth more than `limit` quote; an emergency exit may be larger."""

    limit: Decimal

    def review(self, intent: OrderIntent, account: AccountView) -> Refusal | None:
        price = intent.price or account.book.ask or account.book.last
        if intent.emergency or price is None or intent.value(price) <= self.limit:
            return None
        quote = account.market.quote
        detail = f"worth {tidy(intent.value(price))} {quote}, {tidy(self.limit)} is allowed"
        return Refusal(ParkReason.MAX_ORDER_VALUE, detail)
