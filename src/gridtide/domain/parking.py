"""Why a slot has no order on purpose, and what would let it try again."""

from __future__ import annotations

from enum import StrEnum


class ParkReason(StrEnum):
    """The reasons a trader sees beside a parked level."""

    WOULD_TAKE = "would_take"
    """Post-only, and the price is on the wrong side: retried when the opposite best price is a tick away (F12)."""
    PRICE_BAND = "price_band"
    """Outside the exchange's moving price band: retried as the market moves."""
    NO_INVENTORY = "no_inventory"
    """The ledger holds too little base for this sell: retried when base comes in."""
    INSUFFICIENT_FUNDS = "insufficient_funds"
    """Too little quote, by our books or by the exchange's: retried when funds come free."""
    MARKET_RULE = "market_rule"
    """Breaks a fixed rule of the market: retried when the rules change."""
    MARKET_CLOSED = "market_closed"
    MAX_OPEN_ORDERS = "max_open_orders"
    MAX_ORDER_VALUE = "max_order_value"
    HALTED = "halted"
    """The kill switch or a pause forbids it."""
    CANCELLED_OUTSIDE = "cancelled_outside"
    """Somebody cancelled it behind our back: waits for a person (F21)."""
    REFUSED = "refused"
    """The exchange refused it for a reason of its own."""
