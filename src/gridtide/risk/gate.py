"""The gate: every order of every kind passes `review`, and only what it approves can become a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.commands import Approved
from gridtide.domain.errors import Defect
from gridtide.risk.funds import Funds, reservation
from gridtide.risk.kill_switch import KillSwitch
from gridtide.risk.market_rules import MarketRulesObeyed
from gridtide.risk.max_open_orders import MaxOpenOrders
from gridtide.risk.max_order_value import MaxOrderValue

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.order import OrderIntent
    from gridtide.risk.rule import AccountView, Refusal, Rule


@dataclass(frozen=True, slots=True)
class RiskGate:
    """Asks its rules in order; the first refusal stands."""

    rules: Sequence[Rule]

    def review(self, intent: OrderIntent, account: AccountView) -> Approved | Refusal:
        for rule in self.rules:
            refusal = rule.review(intent, account)
            if refusal is not None:
                return refusal
        reserved = reservation(intent, account)
        if reserved is None:
            raise Defect("an intent without a reservation passed the funds rule")
        return Approved(intent, *reserved)


def default_gate(max_open_orders: int = 200, max_order_value: Decimal | None = None) -> RiskGate:
    """The rules that always hold, and the owner's own limits."""
    rules: list[Rule] = [KillSwitch(), MarketRulesObeyed(), MaxOpenOrders(max_open_orders)]
    if max_order_value is not None:
        rules.append(MaxOrderValue(max_order_value))
    return RiskGate((*rules, Funds()))
