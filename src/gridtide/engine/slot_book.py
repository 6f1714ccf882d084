"""The slots of a bot: their counters, which order stands in each, and the wishes parked without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect
from gridtide.domain.journal import SlotRow
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import OrderIntent, OrderType, Slot, TimeInForce
from gridtide.domain.parking import ParkReason

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Asset, Symbol, Timestamp, TopOfBook
    from gridtide.engine.tracked_order import TrackedOrder


@dataclass(slots=True, eq=False)
class SlotState:
    """One slot. At any moment it has a live order, a parked wish, or neither."""

    slot: Slot
    cycle: int = 0
    attempt: int = 0
    live: TrackedOrder | None = None
    zombies: int = 0
    """Orders of this slot that should not exist; they block new ones (T1)."""
    wish: OrderIntent | None = None
    parked: ParkReason | None = None
    detail: str = ""
    retry_at: Timestamp | None = None
    needs: tuple[Asset, Decimal] | None = None
    """What has to be free before its wish is tried again; not stored: after a restart it is simply tried."""
    held: bool = False
    refusals: int = 0
    """How often in a row the exchange refused its order for want of money (F11)."""
    refused_at: Timestamp | None = None
    """When it last did; nothing is tried before the account was read again."""
    refused_at_book: TopOfBook | None = None
    """The book we knew when the exchange refused to let the order rest: only a newer one says more."""

    @property
    def is_free(self) -> bool:
        return self.live is None and self.wish is None

    @property
    def waits_for_time(self) -> bool:
        """Whether its parked wish is tried again at `retry_at`, and not when a price or a person says so."""
        return not self.held and self.parked not in (ParkReason.WOULD_TAKE, ParkReason.CANCELLED_OUTSIDE)

    def row(self) -> SlotRow:
        wish = self.wish
        return SlotRow(
            slot=self.slot.key,
            cycle=self.cycle,
            attempt=self.attempt,
            parked_reason=self.parked.value if self.parked is not None else "",
            parked_detail=self.detail,
            retry_at=self.retry_at,
            wish_price=wish.price if wish is not None else None,
            wish_amount=wish.amount if wish is not None else None,
            wish_type=wish.type.value if wish is not None else "",
            wish_time_in_force=wish.time_in_force.value if wish is not None else "",
            held=self.held,
        )


class SlotBook:
    """All slots by key; remembers which changed so that a step stores each once."""

    def __init__(self, rows: Iterable[SlotRow], symbol: Symbol) -> None:
        self._slots: dict[str, SlotState] = {row.slot: _restored(row, symbol) for row in rows}
        self._waiting = {key: slot for key, slot in self._slots.items() if slot.wish is not None}
        self.has_waiting = bool(self._waiting)
        """Whether any wish is parked."""
        self.changed: dict[str, SlotState] = {}
        """Those that the step under way changed."""

    def __iter__(self) -> Iterator[SlotState]:
        return iter(self._slots.values())

    def get(self, slot: Slot) -> SlotState:
        """The slot's state, made on first use."""
        state = self._slots.get(slot.key)
        if state is None:
            state = self._slots[slot.key] = SlotState(slot)
        return state

    def parked(self) -> list[SlotState]:
        """Slots whose wish waits, in the order of their keys."""
        return sorted(self._waiting.values(), key=lambda slot: slot.slot.key)

    def waiting(self) -> Iterable[SlotState]:
        """The same in no order that means anything; asked for at each step."""
        return self._waiting.values()

    def park(
        self, state: SlotState, wish: OrderIntent, reason: ParkReason, detail: str, retry_at: Timestamp | None
    ) -> None:
        """Keep `wish` without an order, with the reason a trader sees."""
        if state.live is not None:
            raise Defect(f"slot {state.slot} cannot be parked while its order lives")
        state.wish, state.parked, state.detail, state.retry_at = wish, reason, detail, retry_at
        state.needs = None
        self._waiting[state.slot.key] = state
        self.has_waiting = True
        self.touch(state)

    def unpark(self, state: SlotState) -> None:
        """Forget the parked wish: it became an order, or nobody wants it any more."""
        state.wish = state.parked = state.retry_at = None
        self._waiting.pop(state.slot.key, None)
        self.has_waiting = bool(self._waiting)
        state.detail = ""
        self.touch(state)

    def touch(self, state: SlotState) -> None:
        self.changed[state.slot.key] = state

    def take_changed(self) -> list[SlotRow]:
        if not self.changed:
            return []
        rows = [state.row() for state in self.changed.values()]
        self.changed.clear()
        return rows


def _restored(row: SlotRow, symbol: Symbol) -> SlotState:
    slot = Slot.parse(row.slot)
    wish = None
    if row.wish_type and row.wish_amount is not None:
        price = None if row.wish_price is None else Price(row.wish_price)
        wish = OrderIntent(
            slot,
            symbol,
            OrderType(row.wish_type),
            price,
            Amount(row.wish_amount),
            TimeInForce(row.wish_time_in_force),
        )
    return SlotState(
        slot,
        row.cycle,
        row.attempt,
        wish=wish,
        parked=ParkReason(row.parked_reason) if row.parked_reason else None,
        detail=row.parked_detail,
        retry_at=row.retry_at,
        held=row.held,
    )
