"""Public trades joined: those of one taker order at one price and time are one aggregate (rest-api.md).

An aggregate has the id of its first trade, so ids grow but are not without gaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from gridtide.venue.messages import TradePrinted


@dataclass(slots=True)
class AggregateTrade:
    """One or more trades of one taker order at one price."""

    first: TradePrinted
    amount: Decimal
    last_id: int

    @property
    def aggregate_id(self) -> int:
        return self.first.trade.trade_id

    def join(self, printed: TradePrinted) -> bool:
        """Take in the next trade if it belongs here."""
        ours, theirs = self.first.trade, printed.trade
        taker = _taker_order_id(printed)
        if not taker or taker != _taker_order_id(self.first):
            return False
        if (ours.price, ours.timestamp) != (theirs.price, theirs.timestamp):
            return False
        self.amount += theirs.amount
        self.last_id = theirs.trade_id
        return True


def begin(printed: TradePrinted) -> AggregateTrade:
    """An aggregate of one trade, so far."""
    return AggregateTrade(printed, printed.trade.amount, printed.trade.trade_id)


def aggregated(trades: Iterable[TradePrinted]) -> list[AggregateTrade]:
    """All trades, joined."""
    found: list[AggregateTrade] = []
    for printed in trades:
        if not (found and found[-1].join(printed)):
            found.append(begin(printed))
    return found


def _taker_order_id(printed: TradePrinted) -> int:
    """The taker's order; 0 where it is none of an account."""
    return printed.seller_order_id if printed.buyer_is_maker else printed.buyer_order_id
