"""R4 to R8 broken: verdicts from too little, UNKNOWN treated as nothing, absence concluded too early or for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gridtide.domain.events import OrderAccepted, OrderRefused, RefusalReason
from gridtide.domain.lifecycle import IntentEvent, IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.order import OrderStatus
from gridtide.domain.parking import ParkReason
from gridtide.engine import outcomes, placing, resolving
from gridtide.exchanges import binance_wire, order_verdict
from gridtide.exchanges.http_outcome import described, error_body
from gridtide.exchanges.rows import UNREADABLE
from tests.mutation.patching import WIRE, Mutation, replace, wrap

if TYPE_CHECKING:
    import pytest

    from gridtide.domain.commands import SubmitOrder
    from gridtide.domain.market import Market
    from gridtide.domain.order import OrderUpdate
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder
    from gridtide.exchanges.http_outcome import HttpAnswer

Verb = Callable[["EngineState", "TrackedOrder"], None]

# --- R4, R5: answers -----------------------------------------------------------------------------------


def accept_any_200(patch: pytest.MonkeyPatch) -> None:
    def acceptance(command: SubmitOrder, market: Market, answer: HttpAnswer) -> OrderAccepted | None:
        try:
            row = dict(answer.json())
            update = binance_wire.placement_update(row, command, market)
        except (*UNREADABLE, TypeError, ValueError):
            return None
        return OrderAccepted(update, binance_wire.placement_fills(row, update, market))

    replace(patch, order_verdict, "_acceptance", acceptance)


def accept_without_order_id(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., OrderUpdate]) -> Callable[..., OrderUpdate]:
        return lambda row, *rest: original({"orderId": ""} | dict(row), *rest)

    replace(patch, binance_wire, "order_id", binance_wire.order_id_or_none)
    wrap(patch, order_verdict, "placement_update", around)


def take_any_error_for_a_refusal(patch: pytest.MonkeyPatch) -> None:
    def refusal(command: SubmitOrder, answer: HttpAnswer) -> OrderRefused:
        return OrderRefused(command.client_order_id, RefusalReason.OTHER, described(answer))

    replace(patch, order_verdict, "_refusal", refusal)


def take_any_error_code_for_a_refusal(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., OrderRefused | None]) -> Callable[..., OrderRefused | None]:
        def refusal(command: SubmitOrder, answer: HttpAnswer) -> OrderRefused | None:
            found = original(command, answer)
            if found is None and error_body(answer) is not None and 400 <= answer.status < 500:
                return OrderRefused(command.client_order_id, RefusalReason.OTHER, described(answer))
            return found

        return refusal

    wrap(patch, order_verdict, "_refusal", around)


def take_a_duplicate_for_a_refusal(patch: pytest.MonkeyPatch) -> None:
    replace(patch, order_verdict, "DUPLICATE_ORDER", "")
    wrap(
        patch,
        order_verdict,
        "refusal_reason",
        lambda original: (
            lambda status, error: (
                RefusalReason.OTHER if error.message == "Duplicate order sent." else original(status, error)
            )
        ),
    )


def take_silence_for_a_refusal(patch: pytest.MonkeyPatch) -> None:
    def unconfirmed(state: EngineState, order: TrackedOrder, message: str) -> None:
        if order.state is IntentState.SENDING:
            placing.refused(state, order, OrderRefused(order.client_order_id, RefusalReason.OTHER, message))

    replace(patch, resolving, "unconfirmed", unconfirmed)


# --- R6: UNKNOWN keeps slot and funds ------------------------------------------------------------------


def free_the_slot_of_the_unknown(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., None]) -> Callable[..., None]:
        def unconfirmed(state: EngineState, order: TrackedOrder, message: str) -> None:
            original(state, order, message)
            slot = placing.free_slot(state, order)
            retry_at = Timestamp(state.now + state.settings.times.poll)
            state.slots.park(slot, order.intent, ParkReason.REFUSED, message, retry_at)

        return unconfirmed

    wrap(patch, resolving, "unconfirmed", around)


def free_the_funds_of_the_unknown(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., None]) -> Callable[..., None]:
        def unconfirmed(state: EngineState, order: TrackedOrder, message: str) -> None:
            original(state, order, message)
            state.orders.release(order, order.reserved)

        return unconfirmed

    wrap(patch, resolving, "unconfirmed", around)


# --- R7: absence ---------------------------------------------------------------------------------------


def bury_before_the_deadline(patch: pytest.MonkeyPatch) -> None:
    replace(patch, resolving, "_is_dead", lambda _state, order: order.signed_at is not None)


def count_errors_as_not_found(patch: pytest.MonkeyPatch) -> None:
    replace(patch, resolving, "read_failed", resolving.not_found)


def forgive_errors_between_reads(patch: pytest.MonkeyPatch) -> None:
    def nothing(_state: EngineState, _order: TrackedOrder) -> None:
        return

    replace(patch, resolving, "read_failed", nothing)


def believe_one_look(patch: pytest.MonkeyPatch) -> None:
    replace(patch, resolving, "_reads_complete", lambda _state, order: order.proof.not_found_count > 0)


def take_not_found_for_the_end(patch: pytest.MonkeyPatch) -> None:
    def around(original: Verb) -> Verb:
        def not_found(state: EngineState, order: TrackedOrder) -> None:
            original(state, order)
            if order.state.rests_at_exchange:
                order.status = OrderStatus.CANCELED
                state.orders.move(order, IntentEvent.SEEN_FINAL, state.now)
                outcomes.settle(state, order)

        return not_found

    wrap(patch, resolving, "not_found", around)


# --- R8: absence stays reversible ----------------------------------------------------------------------


def overlook_the_late_order(patch: pytest.MonkeyPatch) -> None:
    def nothing(_state: EngineState, _order: TrackedOrder, _update: OrderUpdate) -> None:
        return

    replace(patch, outcomes, "_contradiction", nothing)


def overlook_the_late_fill(patch: pytest.MonkeyPatch) -> None:
    ended = (IntentState.REJECTED, IntentState.ABSENT, IntentState.SETTLED)

    def around(original: Callable[..., bool]) -> Callable[..., bool]:
        def see_fill(state: EngineState, fill: Any, source: str) -> bool:
            order = state.orders.find(fill.client_order_id, fill.order_id)
            return True if order is not None and order.state in ended else original(state, fill, source)

        return see_fill

    wrap(patch, outcomes, "see_fill", around)


def overlook_the_order_without_a_row(patch: pytest.MonkeyPatch) -> None:
    replace(patch, outcomes, "adopt_unknown", lambda _state, _update: None)


MUTATIONS = [
    Mutation(
        "any_200_accepted",
        "R4",
        "A 200 with another client id counts as accepted.",
        accept_any_200,
        WIRE,
        in_simulation=False,
    ),
    Mutation(
        "accepted_without_order_id",
        "R4",
        "A 200 without an order id counts as accepted.",
        accept_without_order_id,
        WIRE,
        in_simulation=False,
    ),
    Mutation(
        "any_error_refuses",
        "R5",
        "Every answer but a 200 counts as a refusal, a 502 page too.",
        take_any_error_for_a_refusal,
        WIRE,
        in_simulation=False,
    ),
    Mutation(
        "any_error_code_refuses",
        "R5",
        "Every 4xx with a code counts as a refusal, listed or not.",
        take_any_error_code_for_a_refusal,
        WIRE,
        in_simulation=False,
    ),
    Mutation(
        "duplicate_refuses",
        "R5",
        "“Duplicate order sent.” counts as a refusal.",
        take_a_duplicate_for_a_refusal,
        WIRE,
        in_simulation=False,
    ),
    Mutation("silence_refuses", "R5", "No answer in time counts as a refusal.", take_silence_for_a_refusal),
    Mutation("unknown_frees_slot", "R6", "An UNKNOWN order gives up its slot.", free_the_slot_of_the_unknown),
    Mutation(
        "unknown_frees_funds", "R6", "An UNKNOWN order gives up its funds.", free_the_funds_of_the_unknown
    ),
    Mutation(
        "absent_before_deadline",
        "R7",
        "Absence is concluded while the request can still take effect.",
        bury_before_the_deadline,
    ),
    Mutation(
        "error_is_not_found", "R7", "A read that failed counts as “not found”.", count_errors_as_not_found
    ),
    Mutation(
        "errors_forgiven",
        "R7",
        "An error between the reads does not spoil them.",
        forgive_errors_between_reads,
    ),
    Mutation("one_look_enough", "R7", "One “not found” instead of five over the read lag.", believe_one_look),
    Mutation(
        "not_found_is_cancelled",
        "R7",
        "A resting order that a query does not know counts as cancelled.",
        take_not_found_for_the_end,
    ),
    Mutation(
        "late_order_overlooked",
        "R8",
        "An order seen after it was given up is not ours.",
        overlook_the_late_order,
    ),
    Mutation(
        "late_fill_overlooked",
        "R8",
        "A fill of an order that was given up is not ours.",
        overlook_the_late_fill,
    ),
    Mutation(
        "own_id_without_row_foreign",
        "R8",
        "An order with our id that no row knows is foreign.",
        overlook_the_order_without_a_row,
    ),
]
