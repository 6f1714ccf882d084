"""What a strategy is and the context it acts through. A strategy needs no base class, only these methods."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from gridtide.domain.candle import Candle
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset, FeeSchedule, Market, Symbol, Timestamp, TopOfBook
    from gridtide.domain.money import Amount, Price
    from gridtide.domain.order import OrderType, Slot, TimeInForce

StrategyState = Mapping[str, Any]
"""JSON-compatible (decimals as text) and versioned by the strategy under the key ``version``."""


class Ending(StrEnum):
    """Why an order of a strategy is over."""

    FILLED = "filled"
    CANCELLED = "cancelled"
    """Because the strategy or an operator command asked for it."""
    CANCELLED_OUTSIDE = "cancelled_outside"
    """Somebody else cancelled it; the engine holds the slot until a person resumes (F21)."""
    EXPIRED = "expired"
    """The exchange ended it: IOC remainder, maintenance, self-trade prevention."""


class SettledOrder(NamedTuple):
    """An order that is over and whose fills add up to it."""

    slot: Slot
    price: Price | None
    amount: Amount
    executed_amount: Amount
    executed_quote: Decimal
    received: Decimal
    """Net of fees: base for a buy (amount less a fee in base), quote for a sell (less a fee in quote)."""
    ending: Ending

    @property
    def remaining(self) -> Decimal:
        return self.amount - self.executed_amount


class OwnOrder(NamedTuple):
    """A slot as its strategy sees it: resting or in flight, or parked with a reason."""

    slot: Slot
    price: Price | None
    amount: Amount
    executed_amount: Amount
    parked_reason: str
    """Empty where an order rests or is on its way."""


class ExecutionContext(Protocol):
    """What a strategy may see and do. The same in every world; all calls are immediate and exact.

    Orders are wishes by slot: the engine places them, keeps them alive, parks and retries them with a reason,
    and tells the strategy when they are settled.
    """

    @property
    def now(self) -> Timestamp:
        """Time of the event being handled, ms."""

    @property
    def market(self) -> Market: ...

    @property
    def book(self) -> TopOfBook: ...

    @property
    def fees(self) -> FeeSchedule:
        """What the account really pays, and in which asset."""

    def current_price(self, symbol: Symbol | None = None) -> Price:
        """Last market price seen (mid where none was); raises `Defect` before the first price."""

    def balance(self, asset: Asset) -> Amount:
        """What this bot's ledger holds of `asset`."""

    def available(self, asset: Asset) -> Amount:
        """`balance` less what live orders reserve."""

    def order(self, slot: Slot) -> OwnOrder | None:
        """The live order or parked wish of `slot`."""

    def order_of(self, fill: Fill) -> OwnOrder | None:
        """The live order that `fill` executed; None once it has ended."""

    def orders(self) -> tuple[OwnOrder, ...]:
        """All live orders and parked wishes of this strategy, by slot."""

    def place_order(
        self,
        slot: Slot,
        price: Price | None,
        amount: Amount,
        order_type: OrderType = ...,
        time_in_force: TimeInForce = ...,
    ) -> None:
        """Wish for an order in a free slot; price None means a market order.

        The wish stays until it is settled or cancelled: what cannot be placed now is parked with its reason
        and retried. Raises `Defect` if the slot still has a live order or wish.
        """

    def cancel_order(self, slot: Slot) -> None:
        """Withdraw the wish of `slot`; a live order is cancelled and then reported as settled."""

    def lot_amount(self, owner: str) -> Amount:
        """Base in the ledger's lots of `owner` (a slot key, ``DUST`` or ``KEPT``)."""

    def assign_lots(self, source: str, target: str, amount: Amount) -> None:
        """Move `amount` of base from the lots of `source` to `target`, with its share of cost.

        A buy's lots are first owned by its own slot; a sell closes the lots of its slot, then dust.
        """

    def wake_when(
        self, *, price_at_or_below: Price | None = None, price_at_or_above: Price | None = None
    ) -> None:
        """Call `on_wake` once, at the first event whose price is at or beyond a bound. Replaces the last call."""

    def wake_at(self, moment: Timestamp | None) -> None:
        """Call `on_wake` once at or after `moment` (None: never mind). Replaces the last call."""

    def notice(self, kind: str, text: str, *, level: str = "info") -> None:
        """Tell the owner something; `kind` is a constant such as ``grid.planned``."""


@runtime_checkable
class Strategy(Protocol):
    """A trading strategy. Found by its name in the registry or by entry point ``gridtide.strategies``.

    Beside these methods a strategy may have, and is then called for,
    ``on_order_settled(order: SettledOrder, context)``, ``on_wake(context)`` and
    ``on_candle(candle: Candle, context)`` with a class attribute ``timeframe``.
    """

    def on_start(self, context: ExecutionContext) -> None:
        """Called once in a bot's life, when the market is known and the books are open; not on a restart."""

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None:
        """Called for each execution, after it was booked."""

    def get_state(self) -> StrategyState:
        """Everything needed to go on after a restart."""

    @classmethod
    def from_state(cls, state: StrategyState) -> Self:
        """The strategy as it was."""


@runtime_checkable
class ReactsToSettlement(Protocol):
    def on_order_settled(self, order: SettledOrder, context: ExecutionContext) -> None: ...


@runtime_checkable
class ReactsToWake(Protocol):
    def on_wake(self, context: ExecutionContext) -> None: ...


@runtime_checkable
class ReactsToRecords(Protocol):
    def on_record(self, slot: Slot, context: ExecutionContext) -> None:
        """In a rebuild: the exchange's records go on with an order of `slot`. What waits for something that the
        records do not have waits in vain."""


@runtime_checkable
class ReactsToCandles(Protocol):
    timeframe: str

    def on_candle(self, candle: Candle, context: ExecutionContext) -> None: ...
