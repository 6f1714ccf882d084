"""An order list inside the venue: which orders depend on each other, and the funds they lock together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import OrderStatus
from gridtide.venue.messages import VenueOrderList

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.venue.account import Account
    from gridtide.venue.working_order import WorkingOrder


class OrderList:
    """Mutable state of one list: an OCO pair of legs, or a working order with one or two legs that wait for it."""

    __slots__ = (
        "account",
        "is_done",
        "is_ending",
        "legs",
        "list_client_order_id",
        "list_id",
        "locked",
        "pays",
        "symbol",
        "transaction_time",
        "working",
    )

    def __init__(
        self,
        account: Account,
        symbol: Symbol,
        list_id: int,
        list_client_order_id: str,
        *,
        pays: bool,
        now: Timestamp,
    ) -> None:
        self.account = account
        self.symbol = symbol
        self.list_id = list_id
        self.list_client_order_id = list_client_order_id
        self.pays = pays
        self.working: WorkingOrder | None = None
        self.legs: tuple[WorkingOrder, ...] = ()
        """In the order they were placed: of a pair the stop-loss first, as the exchange's samples show."""
        self.locked = ZERO
        """The lock of a live OCO pair, or what an OPO's working order has bought for its legs so far."""
        self.is_done = False
        self.is_ending = False
        """Set while the venue closes its orders, so that their end does not close the list again."""
        self.transaction_time = now

    @property
    def orders(self) -> tuple[WorkingOrder, ...]:
        """All orders, in the order they were placed."""
        return self.legs if self.working is None else (self.working, *self.legs)

    @property
    def is_live_pair(self) -> bool:
        """Whether both legs of a pair are placed and neither has traded or triggered: then they share one lock."""
        if len(self.legs) != 2:
            return False
        return all(leg.status is OrderStatus.NEW for leg in self.legs)

    def shared_need(self) -> Decimal:
        """What a live pair keeps locked: the larger need of the two."""
        return max(leg.lock_needed() for leg in self.legs)

    def view(self, status_type: str = "") -> VenueOrderList:
        """The list at this moment, under the word given or that which follows from its state."""
        return VenueOrderList(
            self.account.account_id,
            self.symbol,
            self.list_id,
            self.list_client_order_id,
            "OCO" if self.working is None else "OTO",
            status_type or ("ALL_DONE" if self.is_done else "EXEC_STARTED"),
            "ALL_DONE" if self.is_done else "EXECUTING",
            tuple((order.order_id, order.client_order_id) for order in self.orders),
            self.transaction_time,
        )
