"""R1, R2, R3, R11 broken: rows too late or not at all, two orders in a slot, orders sent twice or signed too late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alembic.operations import Operations

from gridtide.domain.commands import Command, SubmitOrder
from gridtide.domain.events import OrderUnconfirmed
from gridtide.domain.lifecycle import IntentEvent, IntentState
from gridtide.domain.market import Timestamp
from gridtide.engine import placing, resolving
from gridtide.engine.order_tracker import OrderTracker
from gridtide.exchanges import binance, transmission
from gridtide.exchanges.venue_exchange import VenueExchange
from gridtide.runners.dispatch import Dispatcher
from gridtide.runners.latency import Reaction
from gridtide.runners.session import Session
from gridtide.storage import memory_journal
from tests.mutation.patching import STORAGE, WIRE, Mutation, replace, wrap

if TYPE_CHECKING:
    import pytest

    from gridtide.domain.events import Event
    from gridtide.domain.journal import JournalEntry, OrderRow
    from gridtide.domain.order import OrderIntent
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder


def hand_on_first(patch: pytest.MonkeyPatch) -> None:
    async def react(self: Any, batch: list[tuple[float, Event]]) -> None:
        now = Timestamp(self._exchange.now())
        entries: list[JournalEntry] = []
        commands: list[Command] = []
        self._reacting = True
        for _, event in batch:
            effects = self.engine.handle(event, now)
            entries += effects.entries
            commands += effects.commands
        self._open_send_window(now, entries, commands)
        self._hand_on(commands, Reaction(batch[0][0], self._monotonic(), self._monotonic(), None))
        try:
            await asyncio.sleep(0)
            if entries:
                await self._commit(entries, now)
        finally:
            self._reacting = False

    replace(patch, Session, "_react", react)


def keep_no_row_of_what_is_sent(patch: pytest.MonkeyPatch) -> None:
    unsure = (IntentState.PLANNED, IntentState.SENDING, IntentState.UNKNOWN)

    def around(
        original: Callable[[OrderTracker], list[OrderRow]],
    ) -> Callable[[OrderTracker], list[OrderRow]]:
        return lambda self: [row for row in original(self) if row.state not in unsure]

    wrap(patch, OrderTracker, "take_changed", around)


def drop_the_unique_index(patch: pytest.MonkeyPatch) -> None:
    def live_slots(tables: Any, batch: Any) -> dict[str, str]:
        rows = [row for _, row in batch.orders.values() if row.state.is_live]
        live: dict[str, str] = tables.live
        return live | {row.slot: row.client_order_id for row in rows}

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_index(self: Operations, name: str, *rest: Any, **options: Any) -> Any:
            return None if name == "uq_orders_live_slot" else original(self, name, *rest, **options)

        return create_index

    replace(patch, memory_journal, "_live_slots", live_slots)
    patch.setattr(Operations, "create_index", around(Operations.create_index))


def take_a_wish_for_a_taken_slot(patch: pytest.MonkeyPatch) -> None:
    def around(
        original: Callable[[EngineState, OrderIntent], None],
    ) -> Callable[[EngineState, OrderIntent], None]:
        def place(state: EngineState, intent: OrderIntent) -> None:
            slot = state.slots.get(intent.slot)
            slot.live = None
            state.slots.unpark(slot)
            original(state, intent)

        return place

    wrap(patch, placing, "place", around)


def send_again_when_unanswered(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        async def execute(self: Any, command: Command) -> None:
            if not isinstance(command, SubmitOrder):
                await original(self, command)
                return
            try:
                reply = await self._exchange.submit(command)
                if isinstance(reply, OrderUnconfirmed):
                    reply = await self._exchange.submit(command)
            finally:
                self._submissions -= 1
            self._deliver(reply)

        return execute

    wrap(patch, Dispatcher, "_execute", around)


def send_the_unknown_again(patch: pytest.MonkeyPatch) -> None:
    def around(
        original: Callable[[EngineState, TrackedOrder], None],
    ) -> Callable[[EngineState, TrackedOrder], None]:
        def resolve(state: EngineState, order: TrackedOrder) -> None:
            original(state, order)
            if order.approved is not None:
                state.order(SubmitOrder(order.approved, order.client_order_id, state.now))

        return resolve

    wrap(patch, resolving, "_resolve_unknown", around)


def count_no_transmission(patch: pytest.MonkeyPatch) -> None:
    def transmit(self: OrderTracker, order: TrackedOrder, now: Timestamp) -> SubmitOrder:
        assert order.approved is not None
        self.move(order, IntentEvent.SENT, now)
        order.signed_at = now
        return SubmitOrder(order.approved, order.client_order_id, now)

    replace(patch, OrderTracker, "transmit", transmit)


def let_the_library_repeat(patch: pytest.MonkeyPatch) -> None:
    async def pass_on(request: Any, handler: Callable[[Any], Any]) -> Any:
        return await handler(request)

    replace(patch, transmission, "_send_once", pass_on)


def sign_when_sending_in_process(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        async def over_line(self: VenueExchange, what: str, act: Any, signed_at: int | None) -> Any:
            return await original(self, what, act, None if signed_at is None else self.now())

        return over_line

    wrap(patch, VenueExchange, "_exchange_over_line", around)


def sign_when_sending(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        return lambda *given: original(*given) | {"timestamp": int(time.time() * 1000)}

    wrap(patch, binance, "order_params", around)


MUTATIONS = [
    Mutation(
        "handed_on_first",
        "R1",
        "Orders are handed on while their rows are still being committed.",
        hand_on_first,
    ),
    Mutation(
        "no_row_before_the_answer",
        "R1",
        "An order has its row only once the exchange has confirmed it.",
        keep_no_row_of_what_is_sent,
    ),
    Mutation(
        "no_unique_index",
        "R2",
        "Neither database nor memory journal refuses a second live order of a slot.",
        drop_the_unique_index,
        STORAGE,
    ),
    Mutation(
        "slot_not_checked",
        "R2",
        "A wish for a slot that has an order already is taken as if it were free.",
        take_a_wish_for_a_taken_slot,
    ),
    Mutation(
        "sent_again_when_unanswered",
        "R3",
        "A submission without an answer is sent a second time.",
        send_again_when_unanswered,
    ),
    Mutation(
        "unknown_sent_again",
        "R3",
        "An UNKNOWN order is sent again under its id at each look.",
        send_the_unknown_again,
    ),
    Mutation("not_counted", "R3", "The transmissions of an order are not counted.", count_no_transmission),
    Mutation(
        "repeated_by_the_library",
        "R3",
        "The HTTP library may repeat a request on a dropped connection.",
        let_the_library_repeat,
        WIRE,
        in_simulation=False,
    ),
    Mutation(
        "signed_when_sent_in_process",
        "R11",
        "The in-process exchange gets the time of sending as the signed time.",
        sign_when_sending_in_process,
    ),
    Mutation(
        "signed_when_sent",
        "R11",
        "The signed timestamp is the time of sending, not of the commit.",
        sign_when_sending,
        WIRE,
        in_simulation=False,
    ),
]
