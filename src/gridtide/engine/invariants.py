"""What must hold between our books and the exchange's, and inside our own; checked in production, never asserted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.lifecycle import IntentState
from gridtide.domain.money import ZERO, Amount, Price, multiply_exact, tidy
from gridtide.domain.order import Side
from gridtide.engine import whose_fill

if TYPE_CHECKING:
    from gridtide.domain.events import SnapshotTaken
    from gridtide.domain.market import Asset
    from gridtide.engine.state import EngineState

_UNQUIET = frozenset(
    {
        IntentState.SENDING,
        IntentState.UNKNOWN,
        IntentState.CANCELLING,
        IntentState.CLOSING,
        IntentState.ZOMBIE,
    }
)


def is_quiet(state: EngineState) -> bool:
    """Whether nothing is in flight, so that exact comparisons mean something."""
    return not whose_fill.holds_up_everything(state) and all(
        order.state not in _UNQUIET for order in state.orders
    )


def own_breaches(state: EngineState) -> list[str]:
    """I9, I10, the lots one by one, and the identity of the books: breaches inside our own records."""
    found = []
    ledger, base, quote = state.ledger, state.market.base, state.market.quote
    for asset in (base, quote):
        free = ledger.holding(asset) - state.orders.reserved(asset)
        if ledger.holding(asset) < 0 or free < 0:
            found.append(f"I9: {tidy(free)} {asset} are free of {tidy(ledger.holding(asset))} held")
    lots = sum((lot.amount for lot in ledger.lots()), ZERO)
    if lots != ledger.holding(base):
        found.append(f"I10: the lots hold {tidy(lots)} {base}, the ledger {tidy(ledger.holding(base))}")
    found += ledger.lot_breaches()
    statement = state.statement()
    if statement is not None and not statement.is_balanced:
        found.append("the books do not balance")
    return found


def exchange_differences(state: EngineState, snapshot: SnapshotTaken) -> list[str]:
    """I3, I6, I7, I8 and the fills themselves, to the last unit. Meaningful only while nothing is in flight."""
    return [
        *_order_differences(state, snapshot),
        *_fill_differences(state, snapshot),
        *total_differences(state, snapshot),
        *_lock_differences(state, snapshot),
    ]


def _order_differences(state: EngineState, snapshot: SnapshotTaken) -> list[str]:
    ours = {order.client_order_id: order for order in state.orders if order.state.rests_at_exchange}
    theirs = {
        update.client_order_id: update
        for update in snapshot.open_orders
        if state.orders.find(update.client_order_id) is not None
    }
    found = [f"I8: {name} rests here but not at the exchange" for name in sorted(ours.keys() - theirs.keys())]
    found += [
        f"I8: {name} rests at the exchange but not here" for name in sorted(theirs.keys() - ours.keys())
    ]
    for name in sorted(ours.keys() & theirs.keys()):
        if ours[name].executed_amount != theirs[name].executed_amount:
            found.append(
                f"I3: {name} executed {ours[name].executed_amount}, {theirs[name].executed_amount} there"
            )
    return found


def _fill_differences(state: EngineState, snapshot: SnapshotTaken) -> list[str]:
    found = []
    for fill in snapshot.fills:
        order = state.orders.find(fill.client_order_id, fill.order_id)
        if order is not None and fill.key not in order.fills:
            found.append(f"I4: fill {fill.trade_id} of {order.client_order_id} is not booked")
    return found


def total_differences(state: EngineState, snapshot: SnapshotTaken) -> list[str]:
    """I6: for base and quote, what the account holds against baseline and books."""
    if snapshot.balances is None or not state.settings.exclusive_account:
        return []
    found = []
    for asset in (state.market.base, state.market.quote):
        balance = snapshot.balances.get(asset)
        total = balance.total if balance is not None else ZERO
        expected = state.baseline.get(asset, Decimal(ZERO)) + state.ledger.holding(asset)
        if total != expected:
            found.append(f"I6: the exchange holds {tidy(total)} {asset}, the books {tidy(expected)}")
    return found


def _lock_differences(state: EngineState, snapshot: SnapshotTaken) -> list[str]:
    """I7: what the exchange locks against what rests there, ours and other people's."""
    if snapshot.balances is None or not state.settings.exclusive_account:
        return []
    found = []
    for asset, expected in _expected_locks(state, snapshot).items():
        balance = snapshot.balances.get(asset)
        locked = balance.locked if balance is not None else ZERO
        if locked != expected:
            found.append(f"I7: {tidy(locked)} {asset} are locked there, {tidy(expected)} by resting orders")
    return found


def _expected_locks(state: EngineState, snapshot: SnapshotTaken) -> dict[Asset, Decimal]:
    resting = [
        (order.side, order.intent.price, order.intent.amount - order.filled_amount)
        for order in state.orders
        if order.state.rests_at_exchange
    ]
    resting += [
        (update.side, Price(update.price), Amount(update.amount - update.executed_amount))
        for update in snapshot.open_orders
        if state.orders.find(update.client_order_id) is None
    ]
    base, quote = state.market.base, state.market.quote
    locked = {base: ZERO, quote: ZERO}
    for side, price, rest in resting:
        if side is Side.SELL:
            locked[base] += rest
        elif price is not None:
            locked[quote] += multiply_exact(price, rest)
    return locked
