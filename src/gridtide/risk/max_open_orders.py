"""Maximum open orders: a ceiling of our own, below the exchange's (F14, F65)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.parking import ParkReason
from gridtide.risk.rule import Refusal

if TYPE_CHECKING:
    from gridtide.domain.order import OrderIntent
    from gridtide.risk.rule import AccountView


@dataclass(frozen=True, slots=True)
class MaxOpenOrders:
    """Refuses an order that would make the bot hold more than `limit` live orders, or more than the market allows."""

    limit: int = 200

    def review(self, intent: OrderIntent, account: AccountView) -> Refusal | None:
        exchange_limit = account.market.rules.max_open_orders
        limit = min(self.limit, exchange_limit) if exchange_limit else self.limit
        if intent.emergency or account.live_orders < limit:
            return None
        return Refusal(
            ParkReason.MAX_OPEN_ORDERS, f"{account.live_orders} orders are live, {limit} are allowed"
        )
