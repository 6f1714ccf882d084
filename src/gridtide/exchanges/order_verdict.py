"""What an answer to an order or a cancel proves, for Binance: order-safety part 2 as pure functions.

Accepted only with our client id echoed and an order id (R4), refused only by the allow-list (R5); everything
else is unconfirmed. CCXT's exception classes are never looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.events import (
    CancelAccepted,
    CancelFoundNothing,
    CancelUnconfirmed,
    OrderAccepted,
    OrderNotSent,
    OrderRefused,
    OrderUnconfirmed,
    RefusalReason,
)
from gridtide.exchanges.binance_refusals import DUPLICATE_ORDER, UNKNOWN_ORDER, refusal_reason
from gridtide.exchanges.binance_wire import (
    order_id_or_none,
    placement_fills,
    placement_update,
    resting_update,
)
from gridtide.exchanges.http_outcome import (
    HttpAnswer,
    Outcome,
    Silence,
    described,
    error_body,
    retry_after_seconds,
)
from gridtide.exchanges.rows import UNREADABLE

if TYPE_CHECKING:
    from gridtide.domain.commands import CancelOrder, SubmitOrder
    from gridtide.domain.events import CancelReply, SubmitReply
    from gridtide.domain.market import Market


def submit_verdict(command: SubmitOrder, market: Market, outcome: Outcome) -> SubmitReply:
    """What came of one transmitted order."""
    client_order_id = command.client_order_id
    if isinstance(outcome, Silence):
        if outcome.proves_nothing_left:
            return OrderNotSent(client_order_id, outcome.value)
        return OrderUnconfirmed(client_order_id, outcome.value)
    if outcome.status == 200:
        accepted = _acceptance(command, market, outcome)
        return accepted or OrderUnconfirmed(client_order_id, "HTTP 200 that does not show our order")
    return _refusal(command, outcome) or OrderUnconfirmed(client_order_id, described(outcome))


def cancel_verdict(command: CancelOrder, market: Market, outcome: Outcome) -> CancelReply:
    """What came of one transmitted cancel. Anything but a clear answer says nothing about the order (T18)."""
    client_order_id = command.client_order_id
    unconfirmed = CancelUnconfirmed(client_order_id, described(outcome))
    if isinstance(outcome, Silence):
        return unconfirmed
    if outcome.status == 200:
        return _cancellation(command, market, outcome) or unconfirmed
    error = error_body(outcome)
    if (
        error is not None
        and 400 <= outcome.status < 500
        and (error.code, error.message) == (-2011, UNKNOWN_ORDER)
    ):
        return CancelFoundNothing(client_order_id)
    return unconfirmed


def _acceptance(command: SubmitOrder, market: Market, answer: HttpAnswer) -> OrderAccepted | None:
    row = answer.json()
    if not isinstance(row, dict) or row.get("clientOrderId") != command.client_order_id:
        return None
    try:
        update = placement_update(row, command, market)
    except UNREADABLE:
        return None
    return OrderAccepted(update, placement_fills(row, update, market))


def _refusal(command: SubmitOrder, answer: HttpAnswer) -> OrderRefused | None:
    error = error_body(answer)
    if error is None or error.message == DUPLICATE_ORDER:
        # The id is open at the exchange: an order of ours is there, and somebody has to look it up (F06).
        return None
    reason = refusal_reason(answer.status, error)
    if reason is None:
        return None
    wait = 0.0
    if reason is RefusalReason.RATE_LIMIT:
        wait = retry_after_seconds(answer, command.signed_at)
    return OrderRefused(command.client_order_id, reason, str(error), wait)


def _cancellation(command: CancelOrder, market: Market, answer: HttpAnswer) -> CancelAccepted | None:
    row = answer.json()
    if not isinstance(row, dict):
        return None
    own_id = command.order_id != "" and order_id_or_none(row.get("orderId")) == command.order_id
    if not own_id and row.get("origClientOrderId") != command.client_order_id:
        return None
    try:
        # `clientOrderId` names the cancel request; the order's own id is `origClientOrderId`.
        return CancelAccepted(resting_update(row, market, client_order_id=command.client_order_id))
    except UNREADABLE:
        return None
