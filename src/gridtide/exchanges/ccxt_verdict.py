"""What an answer proves on an exchange known only through CCXT: coarser than Binance's table, on the same rules.

A refusal needs a 4xx answer that parsed as an error and one of a few CCXT classes; an acceptance needs our client
id echoed and an order id (R4). Everything else is unconfirmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.errors import GridtideError, Transient
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
from gridtide.exchanges.ccxt_values import update_of
from gridtide.exchanges.http_outcome import HttpAnswer, Silence, described, retry_after_seconds
from gridtide.exchanges.read_errors import ClockRefused, NoSuchOrder, not_permitted, rate_limited
from gridtide.exchanges.rows import UNREADABLE

if TYPE_CHECKING:
    from gridtide.domain.commands import CancelOrder, SubmitOrder
    from gridtide.domain.events import CancelReply, SubmitReply
    from gridtide.exchanges.transmission import Transmission

_UNPROVING_STATUSES = frozenset({408, 409, 418, 425, 429})


def submit_verdict(command: SubmitOrder, sent: Transmission) -> SubmitReply:
    """What came of one transmitted order."""
    name, outcome = command.client_order_id, sent.outcome
    if isinstance(outcome, Silence):
        unsent = outcome.proves_nothing_left
        return OrderNotSent(name, outcome.value) if unsent else OrderUnconfirmed(name, outcome.value)
    if sent.error is not None:
        reason = _refusal(outcome, sent.error)
        if reason is None:
            return OrderUnconfirmed(name, _seen(sent))
        return OrderRefused(name, reason, _seen(sent))
    try:
        update = update_of(_filled_in(sent, command), command.approved.intent.symbol)
    except UNREADABLE:
        return OrderUnconfirmed(name, "an answer that does not show our order")
    if update.client_order_id != name or not update.order_id:
        return OrderUnconfirmed(name, "an answer that does not show our order")
    return OrderAccepted(update)


def cancel_verdict(command: CancelOrder, sent: Transmission) -> CancelReply:
    """What came of one transmitted cancel. An answer without the order's final state leaves it to a query."""
    from ccxt import OrderNotFound

    name = command.client_order_id
    if isinstance(sent.error, OrderNotFound) and isinstance(sent.outcome, HttpAnswer):
        return CancelFoundNothing(name)
    if sent.error is not None:
        return CancelUnconfirmed(name, _seen(sent))
    try:
        update = update_of({**sent.result, "clientOrderId": name}, command.symbol)
        is_told = sent.result["filled"] is not None and update.status.is_final
    except UNREADABLE:
        is_told = False
        update = None
    if update is None or not is_told or (command.order_id and update.order_id != command.order_id):
        return CancelUnconfirmed(name, "the exchange took the cancel but did not show the order's end")
    return CancelAccepted(update)


def read_error(exchange: str, what: str, sent: Transmission, now_ms: int) -> GridtideError | None:
    """The error of a transmitted read, or None where it succeeded."""
    import ccxt

    error, outcome = sent.error, sent.outcome
    if error is None:
        return None
    if isinstance(outcome, HttpAnswer) and outcome.status in {418, 429}:
        return rate_limited(exchange, outcome.status, retry_after_seconds(outcome, now_ms))
    if isinstance(error, ccxt.OrderNotFound):
        return NoSuchOrder(f"{exchange} knows no such order")
    if isinstance(error, ccxt.InvalidNonce):
        return ClockRefused(f"{exchange} did not give {what}: its clock and ours differ.")
    if isinstance(error, ccxt.AuthenticationError):
        return not_permitted(exchange, _seen(sent))
    return Transient(f"{exchange} did not give {what} ({_seen(sent)}).")


def _refusal(answer: HttpAnswer, error: Exception) -> RefusalReason | None:
    """Why there is certainly no order, or None. Lookalikes that mean "an order is there" come first."""
    import ccxt

    proves = 400 <= answer.status < 500 and answer.status not in _UNPROVING_STATUSES
    if not proves or not isinstance(answer.json(), dict | list):
        return None
    if isinstance(error, ccxt.DuplicateOrderId | ccxt.OrderNotFound) or "duplicate" in answer.body.lower():
        return None
    reasons = (
        (ccxt.InsufficientFunds, RefusalReason.INSUFFICIENT_FUNDS),
        (ccxt.OrderImmediatelyFillable, RefusalReason.WOULD_TAKE),
        (ccxt.InvalidOrder, RefusalReason.MARKET_RULE),
        (ccxt.BadSymbol, RefusalReason.OTHER),
        (ccxt.BadRequest, RefusalReason.OTHER),
        (ccxt.AuthenticationError, RefusalReason.NOT_PERMITTED),
    )
    return next((reason for kind, reason in reasons if isinstance(error, kind)), None)


def _filled_in(sent: Transmission, command: SubmitOrder) -> dict[str, object]:
    """The answer, with what it leaves out as the order was sent; its ids are never filled in."""
    intent = command.approved.intent
    asked = {"side": intent.side.value, "amount": intent.amount, "price": intent.price, "status": "open"}
    told = {key: value for key, value in sent.result.items() if value is not None}
    return {"filled": None, "id": None} | asked | told


def _seen(sent: Transmission) -> str:
    kind = type(sent.error).__name__ if sent.error is not None else "no error"
    return f"{kind}, {described(sent.outcome)}"
