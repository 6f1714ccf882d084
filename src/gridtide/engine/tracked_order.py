"""One order as the engine tracks it, from wish to settlement; every move goes through the lifecycle table."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.journal import OrderRow
from gridtide.domain.lifecycle import IntentEvent, IntentState, next_state
from gridtide.domain.money import ZERO, Amount, Price, multiply_exact
from gridtide.domain.order import OrderIntent, OrderStatus, Side, Slot

if TYPE_CHECKING:
    from gridtide.domain.commands import Approved
    from gridtide.domain.fill import Fill, FillKey
    from gridtide.domain.market import Asset, Timestamp


@dataclass(slots=True)
class AbsenceProof:
    """What was observed about an UNKNOWN order after it could no longer take effect (T11)."""

    probed_at: Timestamp | None = None
    """When the cancel probe was answered "unknown order"."""
    first_not_found: Timestamp | None = None
    last_not_found: Timestamp | None = None
    not_found_count: int = 0
    complete_at: Timestamp | None = None
    """When the reads were enough: what is left is a round of reads asked for since."""

    def see_not_found(self, now: Timestamp) -> None:
        self.first_not_found = self.first_not_found or now
        self.last_not_found = now
        self.not_found_count += 1

    def reset(self) -> None:
        """An error within the read lag makes the reads worthless (f)."""
        self.first_not_found = self.last_not_found = None
        self.not_found_count = 0
        self.complete_at = None


@dataclass(slots=True, eq=False)
class TrackedOrder:
    """The engine's own record of an intent; `row` is what the journal stores of it."""

    client_order_id: str
    intent: OrderIntent
    cycle: int
    attempt: int
    state: IntentState
    reserved_asset: Asset
    reserved: Decimal
    """What it can still cost at worst (I11)."""
    created_at: Timestamp
    updated_at: Timestamp
    approved: Approved | None = None
    """None for an order planned before a restart: the gate has to look again."""
    tx_count: int = 0
    signed_at: Timestamp | None = None
    cancel_at: Timestamp | None = None
    order_id: str = ""
    status: OrderStatus | None = None
    executed_amount: Decimal = ZERO
    executed_quote: Decimal = ZERO
    filled_amount: Decimal = ZERO
    filled_quote: Decimal = ZERO
    received: Decimal = ZERO
    """Net of fees: base of a buy, quote of a sell."""
    cancel_requested: bool = False
    reason: str = ""
    fills: dict[FillKey, Fill] = field(default_factory=dict)
    """What is booked for it."""
    proof: AbsenceProof = field(default_factory=AbsenceProof)
    numbers_before: int = 0
    """The newest of the exchange's numbers that was known when it was sent: its own is greater (F47)."""
    due_at: Timestamp | None = None
    """When the engine looks after it again."""
    cancel_again_at: Timestamp | None = None
    """When another DELETE may follow; None: at the next look."""
    alarmed: bool = False

    @property
    def slot(self) -> Slot:
        return self.intent.slot

    @property
    def side(self) -> Side:
        return self.intent.slot.side

    @property
    def is_live(self) -> bool:
        return self.state.is_live

    @property
    def fills_add_up(self) -> bool:
        """I3: the fills booked are the order's executed amount, and its executed quote where that is known."""
        if self.filled_amount != self.executed_amount:
            return False
        return self.executed_quote < 0 or self.filled_quote == self.executed_quote

    def move(self, event: IntentEvent, now: Timestamp) -> None:
        """Take `event`; raises `Defect` where the table has no such row."""
        self.state = next_state(self.state, event)
        self.updated_at = now

    def release_for(self, fill: Fill) -> Decimal:
        """What `fill` frees of the reservation; a margin for fees stays reserved until the order is settled."""
        return min(self.reserved, self.used_by(fill))

    def used_by(self, fill: Fill) -> Decimal:
        """What of the reservation was for `fill`."""
        if self.intent.slot.side is Side.SELL:
            return fill.amount
        if self.intent.price is None:
            return fill.quote_amount
        return multiply_exact(self.intent.price, fill.amount)

    def row(self) -> OrderRow:
        intent = self.intent
        return OrderRow(
            client_order_id=self.client_order_id,
            slot=intent.slot.key,
            cycle=self.cycle,
            attempt=self.attempt,
            symbol=intent.symbol,
            side=intent.side,
            type=intent.type,
            time_in_force=intent.time_in_force,
            price=intent.price,
            amount=intent.amount,
            state=self.state,
            reserved_asset=self.reserved_asset,
            reserved_amount=self.reserved,
            created_at=self.created_at,
            updated_at=self.updated_at,
            tx_count=self.tx_count,
            signed_at=self.signed_at,
            cancel_at=self.cancel_at,
            order_id=self.order_id,
            status=self.status.value if self.status is not None else "",
            executed_amount=self.executed_amount,
            executed_quote=self.executed_quote,
            filled_amount=self.filled_amount,
            filled_quote=self.filled_quote,
            received=self.received,
            cancel_requested=self.cancel_requested,
            reason=self.reason,
            emergency=intent.emergency,
        )


def planned(
    approved: Approved, client_order_id: str, cycle: int, attempt: int, now: Timestamp
) -> TrackedOrder:
    """A fresh intent (T1)."""
    return TrackedOrder(
        client_order_id=client_order_id,
        intent=approved.intent,
        cycle=cycle,
        attempt=attempt,
        state=IntentState.PLANNED,
        reserved_asset=approved.reserved_asset,
        reserved=approved.reserved_amount,
        created_at=now,
        updated_at=now,
        approved=approved,
    )


def restored(row: OrderRow, fills: dict[FillKey, Fill]) -> TrackedOrder:
    """The order as the journal stored it."""
    intent = OrderIntent(
        Slot.parse(row.slot),
        row.symbol,
        row.type,
        None if row.price is None else Price(row.price),
        Amount(row.amount),
        row.time_in_force,
        row.emergency,
    )
    return TrackedOrder(
        client_order_id=row.client_order_id,
        intent=intent,
        cycle=row.cycle,
        attempt=row.attempt,
        state=row.state,
        reserved_asset=row.reserved_asset,
        reserved=row.reserved_amount,
        created_at=row.created_at,
        updated_at=row.updated_at,
        tx_count=row.tx_count,
        signed_at=row.signed_at,
        cancel_at=row.cancel_at,
        order_id=row.order_id,
        status=OrderStatus.parse(row.status) if row.status else None,
        executed_amount=row.executed_amount,
        executed_quote=row.executed_quote,
        filled_amount=row.filled_amount,
        filled_quote=row.filled_quote,
        received=row.received,
        cancel_requested=row.cancel_requested,
        reason=row.reason,
        fills=fills,
    )
