"""The venue's orders and executions as the bot's own values: the in-process twin of the wire parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.events import BalancesUpdated, OrderUpdated
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import OrderUpdate
from gridtide.venue.messages import BalancesChanged, OrderChanged

if TYPE_CHECKING:
    from gridtide.domain.events import StreamEvent
    from gridtide.venue.messages import VenueEvent, VenueFill, VenueOrder


def order_update(order: VenueOrder) -> OrderUpdate:
    """A sighting of an order; a cancel's answer names the order by its own id, not by the cancel's."""
    return OrderUpdate(
        order.symbol,
        order.original_client_order_id or order.client_order_id,
        str(order.order_id),
        order.side,
        order.type,
        order.price,
        order.amount,
        order.status,
        order.executed_amount,
        order.executed_quote,
        order.updated_at,
        order.expiry_reason,
        status_text=str(order.status),
    )


def own_fill(fill: VenueFill, *, named: bool) -> Fill:
    """An execution; trade records, unlike events, do not name the client order id."""
    return Fill(
        symbol=fill.symbol,
        trade_id=fill.trade_id,
        order_id=str(fill.order_id),
        side=fill.side,
        price=Price(fill.price),
        amount=Amount(fill.amount),
        quote_amount=Money(fill.quote_amount),
        fee=Fee(Amount(fill.fee), fill.fee_asset),
        is_maker=fill.is_maker,
        timestamp=fill.timestamp,
        client_order_id=fill.client_order_id if named else "",
    )


def user_event(event: VenueEvent, account_id: str) -> StreamEvent | None:
    """What the account's user stream says of an event; None where it says nothing."""
    match event:
        case OrderChanged(order=order, fill=fill) if order.account_id == account_id:
            return OrderUpdated(order_update(order), None if fill is None else own_fill(fill, named=True))
        case BalancesChanged(account_id=owner, balances=balances) if owner == account_id:
            return BalancesUpdated(dict(balances))
        case _:
            return None
