"""The context a strategy acts through, over the engine's state: the same in every world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from gridtide.domain.errors import Defect
from gridtide.domain.money import Amount, Price, parse_decimal, plain
from gridtide.domain.order import OrderIntent, OrderType, TimeInForce
from gridtide.engine import placing
from gridtide.strategies.protocol import OwnOrder

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset, FeeSchedule, Market, Symbol, Timestamp, TopOfBook
    from gridtide.domain.order import Slot
    from gridtide.engine.slot_book import SlotState
    from gridtide.engine.state import EngineState


@dataclass(slots=True)
class WakeConditions:
    """When the strategy asked to be called."""

    at: Timestamp | None = None
    below: Price | None = None
    above: Price | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is stored with the strategy's state."""
        return {
            "at": self.at,
            "below": None if self.below is None else plain(self.below),
            "above": None if self.above is None else plain(self.above),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        below, above = stored["below"], stored["above"]
        return cls(
            stored["at"],
            None if below is None else Price(parse_decimal(below)),
            None if above is None else Price(parse_decimal(above)),
        )


class EngineContext:
    """`ExecutionContext` for the one strategy of an engine."""

    def __init__(self, state: EngineState) -> None:
        self._state = state
        self.wake = WakeConditions()

    @property
    def now(self) -> Timestamp:
        return self._state.now

    @property
    def market(self) -> Market:
        return self._state.market

    @property
    def book(self) -> TopOfBook:
        return self._state.book

    @property
    def fees(self) -> FeeSchedule:
        return self._state.fees

    def current_price(self, symbol: Symbol | None = None) -> Price:
        if symbol is not None and symbol != self._state.market.symbol:
            raise Defect(f"this bot does not follow {symbol}")
        if self._state.price is None:
            raise Defect("no price is known yet")
        return Price(self._state.price)

    def balance(self, asset: Asset) -> Amount:
        return Amount(self._state.ledger.holding(asset))

    def available(self, asset: Asset) -> Amount:
        return Amount(self._state.available(asset))

    def order(self, slot: Slot) -> OwnOrder | None:
        return _own_order(self._state.slots.get(slot))

    def order_of(self, fill: Fill) -> OwnOrder | None:
        order = self._state.orders.find(fill.client_order_id, fill.order_id)
        if order is None or not order.is_live:
            return None
        return _own_order(self._state.slots.get(order.slot))

    def orders(self) -> tuple[OwnOrder, ...]:
        found = (_own_order(slot) for slot in sorted(self._state.slots, key=lambda slot: slot.slot.key))
        return tuple(order for order in found if order is not None)

    def place_order(
        self,
        slot: Slot,
        price: Price | None,
        amount: Amount,
        order_type: OrderType = OrderType.LIMIT_MAKER,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> None:
        symbol = self._state.market.symbol
        placing.place(self._state, OrderIntent(slot, symbol, order_type, price, amount, time_in_force))

    def cancel_order(self, slot: Slot) -> None:
        placing.withdraw(self._state, slot)

    def lot_amount(self, owner: str) -> Amount:
        return self._state.ledger.owned(owner)

    def assign_lots(self, source: str, target: str, amount: Amount) -> None:
        state = self._state
        entry_id = f"assign:{source}:{target}:{state.ledger.totals.next_lot_id}:{plain(amount)}"
        state.book_change(state.ledger.assign(source, target, amount, entry_id, state.now))

    def wake_when(
        self, *, price_at_or_below: Price | None = None, price_at_or_above: Price | None = None
    ) -> None:
        self.wake.below, self.wake.above = price_at_or_below, price_at_or_above

    def wake_at(self, moment: Timestamp | None) -> None:
        self.wake.at = moment

    def notice(self, kind: str, text: str, *, level: str = "info") -> None:
        self._state.notice(level, kind, text)


BacktestContext = EngineContext
LiveContext = EngineContext
"""Both worlds have the very same one: what a strategy sees and does cannot differ between them."""


def _own_order(slot: SlotState) -> OwnOrder | None:
    if slot.live is not None:
        intent = slot.live.intent
        return OwnOrder(slot.slot, intent.price, intent.amount, Amount(slot.live.filled_amount), "")
    if slot.wish is not None and slot.parked is not None:
        return OwnOrder(
            slot.slot, slot.wish.price, slot.wish.amount, Amount(slot.wish.amount * 0), slot.parked.value
        )
    return None
