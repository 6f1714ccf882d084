"""The orders of a bot: opens approved intents, marks them sent, and finds them again by either id.

Keeps the sum of reservations and the list of changed orders, so that a step stores each order once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.commands import SubmitOrder
from gridtide.domain.errors import Defect
from gridtide.domain.lifecycle import IntentEvent, IntentState
from gridtide.domain.money import ZERO
from gridtide.engine.order_ids import client_order_id
from gridtide.engine.tracked_order import TrackedOrder, planned, restored

if TYPE_CHECKING:
    from gridtide.domain.commands import Approved
    from gridtide.domain.fill import Fill, FillKey
    from gridtide.domain.journal import OrderRow
    from gridtide.domain.market import Asset, Timestamp

KEPT_SETTLED = 2_000
"""Terminal orders remembered in memory, so that late and repeated messages about them are recognised."""


class OrderTracker:
    """Live orders, zombies and the latest terminal ones, by our id and by the exchange's."""

    def __init__(self, bot_code: str, rows: Iterable[OrderRow], fills: Iterable[Fill]) -> None:
        self.bot_code = bot_code
        self._orders: dict[str, TrackedOrder] = {}
        self._by_order_id: dict[str, TrackedOrder] = {}
        self._live: dict[str, TrackedOrder] = {}
        self._planned: dict[str, TrackedOrder] = {}
        self._reserved: dict[Asset, Decimal] = {}
        self.changed: dict[str, TrackedOrder] = {}
        """Those that the step under way changed."""
        self._timed: dict[str, TrackedOrder] = {}
        """Orders to be looked after at a moment: few, while hundreds rest (the engine asks at each step)."""
        self._newest_number = 0
        booked: dict[str, dict[FillKey, Fill]] = {}
        for fill in fills:
            booked.setdefault(fill.order_id, {})[fill.key] = fill
        rows = tuple(rows)
        for row in rows:
            order = restored(row, booked.get(row.order_id, {}))
            order.numbers_before = _numbers_before(row, rows)
            self._add(order)

    # --- reading -------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[TrackedOrder]:
        """Live orders and zombies, oldest first."""
        return iter(tuple(self._live.values()))

    def find(self, client_order_id: str, order_id: str = "") -> TrackedOrder | None:
        """An order by our id, else by the exchange's."""
        order = self._orders.get(client_order_id) if client_order_id else None
        return order if order is not None else self._by_order_id.get(order_id)

    def reserved(self, asset: Asset) -> Decimal:
        """What all live orders can cost in `asset` (I11)."""
        return self._reserved.get(asset, ZERO)

    @property
    def live_count(self) -> int:
        return len(self._live)

    @property
    def has_planned(self) -> bool:
        return bool(self._planned)

    def planned(self) -> list[TrackedOrder]:
        """Orders never sent, in the order they were wished for."""
        return list(self._planned.values())

    def next_due(self) -> Timestamp | None:
        """When the first order has to be looked after."""
        if not self._timed:
            return None
        return min([order.due_at for order in self._timed.values() if order.due_at is not None], default=None)

    def due(self, now: Timestamp) -> list[TrackedOrder]:
        """Orders whose moment has come, in the order they were given one."""
        return [order for order in self._timed.values() if order.due_at is not None and now >= order.due_at]

    # --- the life of an order ------------------------------------------------------------------------

    def open(self, approved: Approved, cycle: int, attempt: int, now: Timestamp) -> TrackedOrder:
        """T1: a row for one wish, with its derived id and its reservation."""
        client_id = client_order_id(self.bot_code, approved.intent.slot, cycle, attempt)
        if client_id in self._orders:
            raise Defect(f"the client order id {client_id} exists already")
        order = planned(approved, client_id, cycle, attempt, now)
        self._add(order)
        self.changed[client_id] = order
        return order

    def transmit(self, order: TrackedOrder, now: Timestamp) -> SubmitOrder:
        """T2: from here on the order may exist; its one transmission is counted (R3)."""
        self.move(order, IntentEvent.SENT, now)
        order.signed_at = now
        order.numbers_before = self._newest_number
        order.tx_count += 1
        if order.tx_count > 1:
            raise Defect(f"{order.client_order_id} would be sent twice")
        if order.approved is None:
            raise Defect(f"{order.client_order_id} would be sent without the gate's approval")
        return SubmitOrder(order.approved, order.client_order_id, now)

    def approve_again(self, order: TrackedOrder, approved: Approved) -> None:
        """Renew the approval of an order planned before a restart."""
        self.release(order, order.reserved)
        order.approved, order.reserved = approved, approved.reserved_amount
        self._reserved[order.reserved_asset] = self.reserved(order.reserved_asset) + order.reserved

    def move(self, order: TrackedOrder, event: IntentEvent, now: Timestamp) -> None:
        """Move `order` along the table and keep the indexes true."""
        name, before = order.client_order_id, order.state
        order.move(event, now)
        if before is IntentState.PLANNED:
            self._planned.pop(name, None)
        if order.state.is_terminal:
            self.release(order, order.reserved)
            self._live.pop(name, None)
            self.look_again(order, None)
            order.approved = None
            self._orders[name] = self._orders.pop(name)
            if len(self._orders) >= 2 * KEPT_SETTLED:
                self._forget_old()
        elif before.is_terminal:
            self._live[name] = order
        self.changed[name] = order

    def learn_order_id(self, order: TrackedOrder, order_id: str) -> None:
        """Note the exchange's id; a second one for the same wish breaks I2."""
        if not order_id or order.order_id == order_id:
            return
        if order.order_id:
            raise Defect(f"{order.client_order_id} has two exchange ids: {order.order_id} and {order_id}")
        order.order_id = order_id
        self._by_order_id[order_id] = order
        self._newest_number = max(self._newest_number, _number(order_id))
        self.changed[order.client_order_id] = order

    def release(self, order: TrackedOrder, amount: Decimal) -> None:
        """Free `amount` of the order's reservation."""
        if not amount:
            return
        order.reserved -= amount
        self._reserved[order.reserved_asset] = self._reserved.get(order.reserved_asset, ZERO) - amount
        self.changed[order.client_order_id] = order

    def look_again(self, order: TrackedOrder, moment: Timestamp | None) -> None:
        """Have `order` looked after at `moment`; None: when something happens to it."""
        if moment is None:
            if order.due_at is not None:
                self._timed.pop(order.client_order_id, None)
                order.due_at = None
        else:
            order.due_at = moment
            self._timed[order.client_order_id] = order

    def touch(self, order: TrackedOrder) -> None:
        self.changed[order.client_order_id] = order

    def adopt(self, order: TrackedOrder) -> None:
        """T22: an order of ours that no row knew."""
        self._add(order)
        self.changed[order.client_order_id] = order

    def take_changed(self) -> list[OrderRow]:
        """Rows of all orders changed since the last call, in the order of their first change: an ended order
        comes before the one that takes its slot, as the unique index wants it (R2)."""
        if not self.changed:
            return []
        rows = [order.row() for order in self.changed.values()]
        self.changed.clear()
        return rows

    def _add(self, order: TrackedOrder) -> None:
        self._orders[order.client_order_id] = order
        if order.order_id:
            self._by_order_id[order.order_id] = order
            self._newest_number = max(self._newest_number, _number(order.order_id))
        if order.is_live or order.state is IntentState.ZOMBIE:
            self._live[order.client_order_id] = order
            self._reserved[order.reserved_asset] = (
                self._reserved.get(order.reserved_asset, ZERO) + order.reserved
            )
        if order.state is IntentState.PLANNED:
            self._planned[order.client_order_id] = order
        if order.due_at is not None:
            self._timed[order.client_order_id] = order

    def _forget_old(self) -> None:
        """Forget those that ended first: the records of the others are still being read again."""
        ended = [order for order in self._orders.values() if order.client_order_id not in self._live]
        for order in ended[:-KEPT_SETTLED]:
            del self._orders[order.client_order_id]
            self._by_order_id.pop(order.order_id, None)


_NUMBERED = frozenset({IntentState.OPEN, IntentState.PART, IntentState.CLOSING, IntentState.SETTLED})
"""States that an order comes to with its number, at the latest; others may have learned it long after."""


def _number(order_id: str) -> int:
    """The exchange's id as a number; 0 where it numbers nothing."""
    return int(order_id) if order_id.isdigit() else 0


def _numbers_before(row: OrderRow, rows: Iterable[OrderRow]) -> int:
    """For an order whose number nobody told yet: the newest that was known when it was sent."""
    sent = row.signed_at
    if sent is None or row.order_id or row.state.is_terminal:
        return 0
    known = (row for row in rows if row.state in _NUMBERED and row.updated_at < sent)
    return max((_number(other.order_id) for other in known), default=0)
