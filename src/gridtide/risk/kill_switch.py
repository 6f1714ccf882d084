"""Kill switch: while it is on nothing is bought; selling what is held stays possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.order import Side
from gridtide.domain.parking import ParkReason
from gridtide.risk.rule import Refusal

if TYPE_CHECKING:
    from gridtide.domain.order import OrderIntent
    from gridtide.risk.rule import AccountView


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """Refuses buys while the account says that increasing is halted."""

    def review(self, intent: OrderIntent, account: AccountView) -> Refusal | None:
        if not account.increase_halted or intent.side is Side.SELL:
            return None
        return Refusal(ParkReason.HALTED, account.increase_halted)
