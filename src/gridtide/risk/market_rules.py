"""Market rules: what the exchange would refuse is not sent (F13); a moving band parks, a fixed rule says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.market import MarketStatus
from gridtide.domain.parking import ParkReason
from gridtide.risk.rule import Refusal

if TYPE_CHECKING:
    from gridtide.domain.order import OrderIntent
    from gridtide.risk.rule import AccountView


@dataclass(frozen=True, slots=True)
class MarketRulesObeyed:
    """Refuses orders that break a rule of the market, or any order while the market does not trade (F49)."""

    def review(self, intent: OrderIntent, account: AccountView) -> Refusal | None:
        market = account.market
        if market.status is not MarketStatus.TRADING:
            return Refusal(ParkReason.MARKET_CLOSED, f"{market.symbol} is {market.status}")
        average = account.book.last or account.book.mid()
        found = market.rules.violation(intent.side, intent.type, intent.price, intent.amount, average)
        if found is None:
            return None
        reason = ParkReason.PRICE_BAND if found.moving else ParkReason.MARKET_RULE
        return Refusal(reason, f"{found.rule}: {found.detail}")
