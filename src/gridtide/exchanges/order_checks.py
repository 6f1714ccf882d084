"""What is looked at before an order leaves: is it still wanted by its own clock, and does it fit the market's steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.events import OrderNotSent, OrderRefused, RefusalReason

if TYPE_CHECKING:
    from gridtide.domain.commands import SubmitOrder
    from gridtide.domain.market import Market
    from gridtide.exchanges.connection import ConnectionMode

LATEST_SEND_MS = 2_000
"""An order committed longer ago than this is not handed to the transport any more (T4)."""


def reason_not_to_send(
    command: SubmitOrder, market: Market, mode: ConnectionMode, now: int
) -> OrderNotSent | OrderRefused | None:
    """Why an order must not leave, or None.

    A price or amount off the market's steps is refused here, because CCXT would silently round it (F15).
    """
    if mode == "paper":
        return OrderNotSent(command.client_order_id, "paper trading sends no orders to a real exchange")
    late = now - command.signed_at
    if late > LATEST_SEND_MS:
        return OrderNotSent(command.client_order_id, f"committed {late} ms ago, too late to send")
    intent = command.approved.intent
    broken = market.rules.violation(intent.side, intent.type, intent.price, intent.amount)
    if broken is not None:
        return OrderRefused(
            command.client_order_id, RefusalReason.MARKET_RULE, f"not sent, {broken.rule}: {broken.detail}"
        )
    return None
