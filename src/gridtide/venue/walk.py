"""The market walks from where it is to a new price and meets, in order, the resting orders on its way.

An order fills at its own price, so the walk needs only the ends of the segment: everything between is visited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.market import MarketStatus
from gridtide.domain.money import ZERO, multiply_exact
from gridtide.domain.order import Side
from gridtide.venue.rounding import UNIT, largest_multiple
from gridtide.venue.settings import FillModel
from gridtide.venue.settlement import fill_resting

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import PriceMoved
    from gridtide.venue.step import Step


def walk(step: Step, move: PriceMoved) -> None:
    """Fill what the segment reaches, print the move's own trade and form the ambient book around its end."""
    desk = step.desk
    former = desk.price if desk.price is not None else move.price
    if desk.market.status is MarketStatus.TRADING:
        filled = _fill_on_the_way(step, former, move)
        _print_own_trade(step, former, move, filled)
        desk.average.add(move.market_time, move.price, move.volume)
    desk.price = desk.last_price = move.price
    _form_ambient(step, move.price)


def _fill_on_the_way(step: Step, former: Decimal, move: PriceMoved) -> Decimal:
    """Returns the amount filled. First come orders that a volume cap or a closed market left on the wrong side of
    the former price (they are met at once), then those ahead, nearest first."""
    cap = step.desk.settings.volume_cap
    budget = None if cap is None else _whole_lots(step.desk, multiply_exact(move.volume, cap))
    sides = (Side.BUY, Side.SELL) if move.price >= former else (Side.SELL, Side.BUY)
    filled = _fill_side(step, sides[0], former, move.price, budget)
    if budget is not None:
        budget -= filled
    return filled + _fill_side(step, sides[1], former, move.price, budget)


def _fill_side(step: Step, side: Side, former: Decimal, target: Decimal, budget: Decimal | None) -> Decimal:
    """Fill orders of one side, best price first, while the segment reaches them and the budget lasts."""
    book_side = step.desk.book.side(side)
    filled = ZERO
    while (price := book_side.best_price()) is not None and _reaches(step.desk, side, price, former, target):
        order = book_side.levels[price].first()
        amount = order.remaining if budget is None else min(order.remaining, budget - filled)
        if amount <= 0:
            break
        fill_resting(step, order, amount)
        filled += amount
    return filled


def _reaches(desk: Desk, side: Side, price: Decimal, former: Decimal, target: Decimal) -> bool:
    if side is Side.BUY:
        return price > former or target <= _fill_price(desk, side, price)
    return price < former or target >= _fill_price(desk, side, price)


def _fill_price(desk: Desk, side: Side, price: Decimal) -> Decimal:
    """Where the market must go to fill an order at `price`: there, or one tick beyond."""
    if desk.settings.fill_model is FillModel.TOUCH:
        return price
    tick = desk.market.rules.tick_size or UNIT
    return price - tick if side is Side.BUY else price + tick


def _print_own_trade(step: Step, former: Decimal, move: PriceMoved, filled: Decimal) -> None:
    """The market's own trade at the end of the segment, with the volume that accounts' orders did not take."""
    desk = step.desk
    if not move.volume or not desk.settings.publishes:
        return
    lot = desk.market.rules.lot_size or UNIT
    amount = max(_whole_lots(desk, move.volume - filled) if move.volume > filled else ZERO, lot)
    taker = move.taker or (Side.BUY if move.price >= former else Side.SELL)
    step.print_trade(desk.next_trade_id(), move.price, amount, taker)


def _whole_lots(desk: Desk, amount: Decimal) -> Decimal:
    return largest_multiple(amount, desk.market.rules.lot_size or UNIT)


def _form_ambient(step: Step, price: Decimal) -> None:
    """Around the price; where an order was left beyond it, only beyond that order, or the book would be crossed."""
    desk = step.desk
    bid, ask = desk.book.bids.best_price(), desk.book.asks.best_price()
    publishes = desk.settings.publishes
    if publishes:
        step.touch_ambient()
    desk.ambient.form(
        bid_from=price if ask is None or ask > price else ask,
        ask_from=price if bid is None or bid < price else bid,
    )
    if publishes:
        step.touch_ambient()


def nearest_prices(desk: Desk) -> tuple[Decimal | None, Decimal | None]:
    """The prices nearest to the market's that a move must reach to fill a buy (below) or a sell (above)."""
    return _nearest(desk, Side.BUY), _nearest(desk, Side.SELL)


def _nearest(desk: Desk, side: Side) -> Decimal | None:
    price = desk.book.side(side).best_price()
    if price is None or (desk.price is not None and _reaches(desk, side, price, desk.price, desk.price)):
        return price
    return _fill_price(desk, side, price)
