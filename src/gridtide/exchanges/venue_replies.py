"""Requests to a venue in this process and its answers, as the bot's own values; the same over every kind of line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.events import (
    CancelFoundNothing,
    CancelUnconfirmed,
    OrderAccepted,
    OrderRefused,
    OrderUnconfirmed,
)
from gridtide.domain.order import OrderType
from gridtide.exchanges.binance_refusals import UNKNOWN_ORDER, refusal_reason
from gridtide.exchanges.http_outcome import ErrorBody
from gridtide.exchanges.venue_values import order_update, own_fill
from gridtide.venue.messages import NewOrder

if TYPE_CHECKING:
    from gridtide.domain.commands import SubmitOrder
    from gridtide.venue.messages import Placement, VenueRefusal


def order_request(account_id: str, command: SubmitOrder) -> NewOrder:
    """What is sent for `command`."""
    intent = command.approved.intent
    return NewOrder(
        account_id=account_id,
        symbol=intent.symbol,
        side=intent.slot.side,
        type=str(intent.type),
        amount=intent.amount,
        price=intent.price,
        time_in_force=intent.time_in_force if intent.type is OrderType.LIMIT else None,
        client_order_id=command.client_order_id,
    )


def accepted(placement: Placement) -> OrderAccepted:
    """The answer to an order that the venue took."""
    fills = tuple([own_fill(fill, named=True) for fill in placement.fills]) if placement.fills else ()
    return OrderAccepted(order_update(placement.order), fills)


def not_accepted(client_order_id: str, refusal: VenueRefusal) -> OrderRefused | OrderUnconfirmed:
    """The answer to an order that the venue refused; a code off the allow-list proves nothing (R5)."""
    reason = refusal_reason(400, ErrorBody(refusal.code, refusal.message))
    if reason is None:
        return OrderUnconfirmed(client_order_id, str(refusal))
    return OrderRefused(client_order_id, reason, refusal.message)


def not_cancelled(client_order_id: str, refusal: VenueRefusal) -> CancelFoundNothing | CancelUnconfirmed:
    """The answer to a cancel that the venue refused."""
    if refusal.message == UNKNOWN_ORDER:
        return CancelFoundNothing(client_order_id)
    return CancelUnconfirmed(client_order_id, str(refusal))
