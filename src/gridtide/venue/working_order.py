"""An order inside the venue: the one place where it changes. What leaves the venue are frozen views of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO, notional
from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.venue.messages import VenueOrder
from gridtide.venue.rounding import ceil_to_precision

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.venue.account import Account
    from gridtide.venue.messages import VenueFill
    from gridtide.venue.settings import SelfTradePrevention

_OPEN = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


class WorkingOrder:
    """Mutable state of one order and its fills. `price` is zero for market orders."""

    __slots__ = (
        "_view",
        "account",
        "amount",
        "client_order_id",
        "created_at",
        "executed_amount",
        "executed_quote",
        "expiry_reason",
        "fills",
        "locked",
        "order_id",
        "price",
        "quote_amount",
        "remaining",
        "self_trade_prevention",
        "side",
        "status",
        "symbol",
        "time_in_force",
        "type",
        "updated_at",
    )

    def __init__(
        self,
        account: Account,
        symbol: Symbol,
        order_id: int,
        client_order_id: str,
        side: Side,
        order_type: str,
        time_in_force: TimeInForce,
        price: Decimal,
        amount: Decimal,
        quote_amount: Decimal,
        self_trade_prevention: SelfTradePrevention,
        now: Timestamp,
    ) -> None:
        self.account = account
        self.symbol = symbol
        self.order_id = order_id
        self.client_order_id = client_order_id
        self.side = side
        self.type = order_type
        self.time_in_force = time_in_force
        self.price = price
        self.amount = amount
        self.quote_amount = quote_amount
        self.self_trade_prevention = self_trade_prevention
        self.created_at = now
        self.updated_at = now
        self.status = OrderStatus.NEW
        self.expiry_reason = ""
        self.executed_amount = ZERO
        self.executed_quote = ZERO
        self.remaining = amount
        self.locked = ZERO
        self.fills: list[VenueFill] = []
        self._view: VenueOrder | None = None

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN

    def lock_needed(self) -> Decimal:
        """What the rest of a limit order must keep locked: quote at its own price for a buy, base for a sell.

        Rounded up, because the quote paid by each fill is cut: so the lock always covers what is still to pay.
        """
        if self.side is Side.SELL:
            return self.remaining
        return ceil_to_precision(notional(self.price, self.remaining))

    def execute(self, amount: Decimal, quote: Decimal, now: Timestamp) -> None:
        """Count an execution; the order is FILLED with its last unit."""
        self.executed_amount += amount
        self.executed_quote += quote
        self.remaining -= amount
        self.status = OrderStatus.PARTIALLY_FILLED if self.remaining else OrderStatus.FILLED
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
            self.created_at,
            self.self_trade_prevention.value,
            self.expiry_reason,
        )
