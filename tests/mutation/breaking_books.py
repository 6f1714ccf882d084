"""R9 and R10 broken: money from statuses, orders settled without their fills, one decision in two transactions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.fill import Fee, Fill
from gridtide.domain.journal import CursorPut, FillAdded, LedgerBooked, StrategyStatePut
from gridtide.domain.money import Amount, Money, Price
from gridtide.engine import outcomes, reconciling
from gridtide.engine.tracked_order import TrackedOrder
from gridtide.runners.session import Session
from gridtide.storage import memory_journal
from tests.mutation.patching import STORAGE, Mutation, replace, wrap

if TYPE_CHECKING:
    import pytest

    from gridtide.domain.journal import JournalEntry
    from gridtide.domain.market import Timestamp
    from gridtide.domain.order import OrderUpdate
    from gridtide.engine.state import EngineState


def settle_without_fills(patch: pytest.MonkeyPatch) -> None:
    replace(patch, TrackedOrder, "fills_add_up", property(lambda _order: True))


def make_fills_of_quantities(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., TrackedOrder | None]) -> Callable[..., TrackedOrder | None]:
        def see_order(state: EngineState, update: OrderUpdate) -> TrackedOrder | None:
            order = original(state, update)
            if order is not None and order.is_live and update.executed_amount > order.filled_amount:
                outcomes.see_fill(state, _invented(state, order, update), "status")
            return order

        return see_order

    wrap(patch, outcomes, "see_order", around)


def _invented(state: EngineState, order: TrackedOrder, update: OrderUpdate) -> Fill:
    """The missing quantity as an execution, with a number of its own and the price the order has."""
    amount = update.executed_amount - order.filled_amount
    return Fill(
        update.symbol,
        10**12 + int(update.order_id) * 1000 + len(order.fills),
        update.order_id,
        update.side,
        Price(update.price),
        Amount(amount),
        Money(update.price * amount),
        Fee(Amount(Decimal(0)), state.market.quote),
        is_maker=True,
        timestamp=state.now,
        client_order_id=order.client_order_id,
    )


def commit_fills_before_what_follows(patch: pytest.MonkeyPatch) -> None:
    _commit_in_two(patch, lambda entry: isinstance(entry, FillAdded | LedgerBooked | CursorPut))


def commit_the_strategy_apart(patch: pytest.MonkeyPatch) -> None:
    _commit_in_two(patch, lambda entry: not isinstance(entry, StrategyStatePut))


def _commit_in_two(patch: pytest.MonkeyPatch, is_first: Callable[[JournalEntry], bool]) -> None:
    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        async def commit(self: Session, entries: list[JournalEntry], now: Timestamp) -> None:
            first = [entry for entry in entries if is_first(entry)]
            rest = [entry for entry in entries if not is_first(entry)]
            for part in (first, rest):
                if part:
                    await original(self, part, now)

        return commit

    wrap(patch, Session, "_commit", around)


def forget_the_fill_key(patch: pytest.MonkeyPatch) -> None:
    """Not one of the eleven rules, but what R9 stands on (I4)."""

    class NoFills(dict[Any, Any]):
        def get(self, key: object, default: object = None) -> None:
            return None

    def around(original: Callable[..., bool]) -> Callable[..., bool]:
        def see_fill(state: EngineState, fill: Fill, source: str) -> bool:
            order = state.orders.find(fill.client_order_id, fill.order_id)
            if order is not None:
                order.fills = NoFills(order.fills)
            return original(state, fill, source)

        return see_fill

    def nothing(_tables: Any, _batch: Any) -> None:
        return

    wrap(patch, outcomes, "see_fill", around)
    replace(patch, memory_journal, "_check_additions", nothing)


def read_without_overlap(patch: pytest.MonkeyPatch) -> None:
    """As if no record could come late: the records are read from the newest one applied."""
    replace(patch, reconciling, "_safe_cursor", lambda _state, applied: applied)


MUTATIONS = [
    Mutation(
        "settled_without_fills",
        "R9",
        "A final status settles an order before its fills are here.",
        settle_without_fills,
    ),
    Mutation(
        "fills_from_quantities",
        "R9",
        "A cumulative quantity books a fill of its own.",
        make_fills_of_quantities,
    ),
    Mutation(
        "fills_without_key",
        "R9",
        "Executions are booked as often as they are told (I4).",
        forget_the_fill_key,
    ),
    Mutation(
        "no_unique_fill",
        "R9",
        "The journal takes an execution twice (I4).",
        lambda patch: replace(patch, memory_journal, "_check_additions", lambda _tables, _batch: None),
        STORAGE,
    ),
    Mutation(
        "fill_apart_from_what_follows",
        "R10",
        "Fill and postings are one transaction, what follows from them another.",
        commit_fills_before_what_follows,
    ),
    Mutation(
        "strategy_apart",
        "R10",
        "The strategy's state is stored in a transaction of its own, after the rest.",
        commit_the_strategy_apart,
    ),
]
