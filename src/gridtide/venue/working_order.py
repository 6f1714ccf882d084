"""An order inside the venue: the one place where it changes. What leaves the venue are frozen views of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.venue.market_filters import ALGO_TYPES
from gridtide.venue.messages import NewOrder, VenueOrder
from gridtide.venue.rounding import multiply_ceil
from gridtide.venue.settings import SelfTradePrevention

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.venue.account import Account
    from gridtide.venue.messages import VenueFill
    from gridtide.venue.order_list import OrderList

_TEXTS = {mode: mode.value for mode in SelfTradePrevention}
"""An enumeration's own `value` is a function call."""
_OPEN = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_NEW)


class WorkingOrder:
    """Mutable state of one order and its fills. `price` is zero for orders that execute at the market."""

    __slots__ = (
        "_view",
        "account",
        "amount",
        "client_order_id",
        "created_at",
        "executed_amount",
        "executed_quote",
        "expiry_reason",
        "extreme",
        "fills",
        "iceberg_amount",
        "lock_price",
        "locked",
        "order_id",
        "order_list",
        "prevented_amount",
        "prevented_match_id",
        "price",
        "quote_amount",
        "remaining",
        "self_trade_prevention",
        "side",
        "status",
        "stop_price",
        "strategy_id",
        "strategy_type",
        "symbol",
        "time_in_force",
        "trailing_at",
        "trailing_delta",
        "type",
        "updated_at",
        "working_at",
    )

    def __init__(
        self,
        account: Account,
        request: NewOrder,
        order_id: int,
        client_order_id: str,
        self_trade_prevention: SelfTradePrevention,
        now: Timestamp,
    ) -> None:
        self.account = account
        self.symbol: Symbol = request.symbol
        self.order_id = order_id
        self.client_order_id = client_order_id
        self.side = request.side
        self.type = request.type
        self.time_in_force = request.time_in_force or TimeInForce.GTC
        self.price = request.price or ZERO
        self.amount = request.amount or ZERO
        self.quote_amount = request.quote_amount or ZERO
        self.stop_price = request.stop_price or ZERO
        self.iceberg_amount = request.iceberg_amount or ZERO
        self.trailing_delta = request.trailing_delta
        self.strategy_id = request.strategy_id
        self.strategy_type = request.strategy_type
        self.self_trade_prevention = self_trade_prevention
        self.created_at = now
        self.updated_at = now
        self.working_at: int = now
        """-1 while it waits for its trigger or its list."""
        self.status = OrderStatus.NEW
        self.expiry_reason = ""
        self.executed_amount = ZERO
        self.executed_quote = ZERO
        self.prevented_amount = ZERO
        self.prevented_match_id: int | None = None
        self.remaining = self.amount
        self.locked = ZERO
        """What this order alone keeps locked; the legs of an OCO pair share their list's lock."""
        self.lock_price = self.price
        """The price by which a buy's lock is reckoned."""
        self.trailing_at: Timestamp | None = None
        self.extreme = ZERO
        """The best price since a trailing order began to follow the market."""
        self.order_list: OrderList | None = None
        self.fills: list[VenueFill] = []
        self._view: VenueOrder | None = None

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN

    @property
    def is_waiting(self) -> bool:
        """Whether it stands before its trigger, funds locked."""
        return self.working_at < 0 and self.status is OrderStatus.NEW

    @property
    def is_pending(self) -> bool:
        """Whether it has not been placed yet, because the working order of its list is not filled."""
        return self.status is OrderStatus.PENDING_NEW

    @property
    def is_conditional(self) -> bool:
        """Whether its type waits for a trigger (or did)."""
        return self.type in ALGO_TYPES

    @property
    def triggers_above(self) -> bool:
        """Whether its stop price is met by a price at or above it (protocol document, 6.3)."""
        return (self.side is Side.BUY) == self.type.startswith("STOP_LOSS")

    def lock_needed(self) -> Decimal:
        """What the rest of the order must keep locked: quote at `lock_price` for a buy, base for a sell.

        Rounded up, because the quote paid by each fill is cut: so the lock always covers what is still to pay.
        """
        if self.side is Side.SELL:
            return self.remaining
        return multiply_ceil(self.lock_price, self.remaining)

    def as_request(self, amount: Decimal | None = None) -> NewOrder:
        """What would ask for this order, or for one over another amount: for filters."""
        return NewOrder(
            self.account.account_id,
            self.symbol,
            self.side,
            self.type,
            self.amount if amount is None else amount,
            price=self.price or None,
            stop_price=self.stop_price or None,
        )

    def execute(self, amount: Decimal, quote: Decimal, now: Timestamp) -> None:
        """Count an execution; the order is FILLED with its last unit."""
        self.executed_amount += amount
        self.executed_quote += quote
        self.remaining -= amount
        self.status = OrderStatus.PARTIALLY_FILLED if self.remaining else OrderStatus.FILLED
        self.updated_at = now
        self._view = None

    def prevent(self, amount: Decimal, match_id: int, now: Timestamp) -> None:
        """Self-trade prevention takes `amount` of what is left."""
        self.prevented_amount += amount
        self.prevented_match_id = match_id
        self.remaining -= amount
        self.updated_at = now
        self._view = None

    def resize(self, amount: Decimal) -> None:
        """The order is over `amount` from the start, of which what was executed and prevented is gone."""
        self.amount = amount
        self.remaining = amount - self.executed_amount - self.prevented_amount
        self._view = None

    def amend(self, amount: Decimal, client_order_id: str, now: Timestamp) -> None:
        """A smaller amount, and another name."""
        self.client_order_id = client_order_id
        self.updated_at = now
        self.resize(amount)

    def wait(self, status: OrderStatus = OrderStatus.NEW) -> None:
        """Stand outside the book: for a trigger, or (PENDING_NEW) for the list's working order."""
        self.status = status
        self.working_at = -1
        self._view = None

    def start_working(self, now: Timestamp) -> None:
        """Go to the book."""
        self.status = OrderStatus.NEW
        self.working_at = now
        self.updated_at = now
        self._view = None

    def follow(self, price: Decimal, now: Timestamp) -> None:
        """A trailing order begins to follow the market at `price`."""
        self.extreme = price
        self.trailing_at = now
        self.updated_at = now
        self._view = None

    def end(self, status: OrderStatus, now: Timestamp, expiry_reason: str = "") -> None:
        """Close the order with what it has."""
        self.status = status
        self.expiry_reason = expiry_reason
        self.updated_at = now
        self._view = None

    def view(self) -> VenueOrder:
        """The order at this moment."""
        if self._view is None:
            self._view = self._snapshot(self.client_order_id, "")
        return self._view

    def view_of_cancel(self, cancel_id: str) -> VenueOrder:
        """The order as a cancel's answer and event show it: under the cancel's id, its own beside it."""
        return self._snapshot(cancel_id, self.client_order_id)

    def view_of_amend(self, former_id: str) -> VenueOrder:
        """The order as an amendment's answer and event show it: under its new id, the former one beside it."""
        return self._snapshot(self.client_order_id, former_id)

    def _snapshot(self, client_order_id: str, original_client_order_id: str) -> VenueOrder:
        return VenueOrder(
            self.account.account_id,
            self.symbol,
            self.order_id,
            client_order_id,
            original_client_order_id,
            self.side,
            self.type,
            self.time_in_force,
            self.price,
            self.amount,
            self.quote_amount,
            self.executed_amount,
            self.executed_quote,
            self.status,
            self.created_at,
            self.updated_at,
            self.working_at,
            _TEXTS[self.self_trade_prevention],
            self.expiry_reason,
            self.stop_price,
            self.trailing_delta,
            self.trailing_at,
            ZERO,
            -1 if self.order_list is None else self.order_list.list_id,
            self.prevented_amount,
            self.prevented_match_id,
            self.strategy_id,
            self.strategy_type,
        )
