"""What a risk rule sees and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gridtide.domain.market import Asset, FeeSchedule, Market, TopOfBook
    from gridtide.domain.order import OrderIntent
    from gridtide.domain.parking import ParkReason


@dataclass(frozen=True, slots=True)
class Refusal:
    """An intent the gate did not let pass, with the reason in words and numbers."""

    reason: ParkReason
    detail: str
    needs: tuple[Asset, Decimal] | None = None
    """What has to be free before it is worth asking again; None where money is not the reason."""


class AccountView(Protocol):
    """The bot's own account as the gate sees it; intents in flight and unknown ones count as filled (R6)."""

    @property
    def market(self) -> Market: ...

    @property
    def book(self) -> TopOfBook: ...

    @property
    def fees(self) -> FeeSchedule: ...

    @property
    def live_orders(self) -> int:
        """Intents that occupy a slot."""

    @property
    def increase_halted(self) -> str:
        """Why nothing may be bought at the moment; empty if it may."""

    def available(self, asset: Asset) -> Decimal:
        """What the ledger holds of `asset`, less all reservations."""


class Rule(Protocol):
    """One rule: None lets the intent pass."""

    def review(self, intent: OrderIntent, account: AccountView) -> Refusal | None: ...
