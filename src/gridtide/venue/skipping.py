"""Passing over prices at which nothing happens, which is what lets a backtest jump from one fill to the next.

Afterwards the venue is exactly as if the market had been moved to every point between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue import trailing
from gridtide.venue.walk import form_around

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Timestamp
    from gridtide.venue.desk import Desk
    from gridtide.venue.tape import Stretch

Bounds = tuple["Decimal | None", "Decimal | None"]

EVERY_POINT: Bounds = (None, ZERO)
"""Every price is at or above zero, so every point matters."""
_NO_POINT: Bounds = (None, None)


def prices_of_interest(desk: Desk) -> Bounds:
    """(at or below, at or above): a point between them changes nothing but the price.

    Not kept from one call to the next: a runner asks right after something has changed.
    """
    price = desk.price
    if price is None or desk.publishes or desk.recorded is not None:
        return EVERY_POINT
    if not desk.is_trading:
        return _NO_POINT
    below, above = desk.book.bids.best, desk.book.asks.best
    if (below is not None and below > price) or (above is not None and above < price):
        return EVERY_POINT  # a volume cap or a closed market left them behind: any move meets them
    if desk.waiting.any:
        return _with_waiting(desk, price, below, above)
    return below, above


def _with_waiting(desk: Desk, price: Decimal, below: Decimal | None, above: Decimal | None) -> Bounds:
    """Triggers matter as well, and for each trailing order that follows the market, prices it would note."""
    stop_below, stop_above = desk.waiting.levels()
    if (stop_below is not None and stop_below >= price) or (stop_above is not None and stop_above <= price):
        return EVERY_POINT
    below, above = _nearer(below, stop_below, above, stop_above)
    for order in desk.waiting.following.values():
        if trailing.is_due(order, price):
            return EVERY_POINT
        trigger = trailing.trigger_level(order)
        low, high = (order.extreme, trigger) if order.side is Side.BUY else (trigger, order.extreme)
        below, above = _nearer(below, low, above, high)
    return below, above


def _nearer(
    below: Decimal | None, low: Decimal | None, above: Decimal | None, high: Decimal | None
) -> Bounds:
    if low is not None and (below is None or low > below):
        below = low
    if high is not None and (above is None or high < above):
        above = high
    return below, above


def skip_to(desk: Desk, price: Decimal, market_time: Timestamp, passed: Stretch | None) -> None:
    """The market stands at `price`, after nothing but points between the prices of interest."""
    below, above = prices_of_interest(desk)
    if (below is not None and price <= below) or (above is not None and price >= above):
        raise Defect(
            f"{desk.market.symbol} cannot skip to {price}: something happens at or below {below}, at or above {above}"
        )
    if desk.is_trading:
        if passed is None:
            desk.average.add(market_time, price, ZERO)
        else:
            desk.average.skip(market_time, passed)
    desk.price = desk.last_price = price
    form_around(desk, price)
