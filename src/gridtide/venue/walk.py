"""The market walks from where it is to a new price and meets, in order, the resting orders on its way.

An order fills at its own price, so the walk needs only the ends of the segment: everything between is visited. Only
where orders wait for a price or stand in lists does it go from one price that matters to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO, multiply_exact
from gridtide.domain.order import Side
from gridtide.venue.aftermath import hear_price, settle_aftermath
from gridtide.venue.rounding import UNIT, largest_multiple
from gridtide.venue.settlement import fill_resting

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import PriceMoved
    from gridtide.venue.step import Step
    from gridtide.venue.working_order import WorkingOrder


def walk(step: Step, move: PriceMoved) -> None:
    """Fill what the segment reaches, print the move's own trade and form the ambient book around its end."""
    desk, price = step.desk, move.price
    former = desk.price if desk.price is not None else price
    if desk.is_trading:
        filled = ZERO
        if desk.waiting.any or desk.open_lists:
            filled = _go_by_stages(step, former, move)
        elif touched := _touched_sides(desk, former, price):
            filled = _fill_on_the_way(step, touched, former, move)
        if desk.publishes:
            _print_own_trade(step, former, move, filled)
        desk.average.add(move.market_time, price, move.volume)
    desk.price = desk.last_price = price
    if desk.publishes:
        _form_ambient(step, price)
    else:
        form_around(desk, price)


_BIDS, _ASKS = (Side.BUY,), (Side.SELL,)
_RISING, _FALLING = (Side.BUY, Side.SELL), (Side.SELL, Side.BUY)


def _touched_sides(desk: Desk, former: Decimal, target: Decimal) -> tuple[Side, ...]:
    """The sides of which anything rests on the way or was left behind; most moves touch nothing, so this must be
    cheap."""
    bid, ask = desk.book.bids.best, desk.book.asks.best
    bids = bid is not None and (bid > former or target <= bid)
    if ask is not None and (ask < former or target >= ask):
        return _sides(target, former) if bids else _ASKS
    return _BIDS if bids else ()


def _budget(desk: Desk, move: PriceMoved) -> Decimal | None:
    """What resting orders may take of the move together; None: no cap."""
    cap = desk.settings.volume_cap
    return None if cap is None else _whole_lots(desk, multiply_exact(move.volume, cap))


def _sides(target: Decimal, former: Decimal) -> tuple[Side, Side]:
    """First come orders that a volume cap or a closed market left on the wrong side of the former price (they are met
    at once), then those ahead."""
    return _RISING if target >= former else _FALLING


def _fill_on_the_way(step: Step, sides: tuple[Side, ...], former: Decimal, move: PriceMoved) -> Decimal:
    """Fill whatever of `sides` rests on the way, nearest first; returns the amount filled."""
    budget = _budget(step.desk, move)
    total = ZERO
    for side in sides:
        filled = _fill_side(step, side, former, move.price, budget)
        total += filled
        if budget is not None:
            budget -= filled
    return total


def _fill_side(step: Step, side: Side, former: Decimal, target: Decimal, budget: Decimal | None) -> Decimal:
    """Fill orders of one side, best price first, while the segment reaches them and the budget lasts."""
    desk = step.desk
    book_side = desk.book.side(side)
    filled = ZERO
    while (price := book_side.best) is not None:
        if not _reaches(desk, side, price, former, target) and not (
            desk.has_luck and _is_lucky(desk, side, price, target)
        ):
            break
        order = book_side.levels[price].first()
        amount = order.remaining if budget is None else min(order.remaining, budget - filled)
        if amount <= 0:
            break
        fill_resting(step, order, amount)
        filled += amount
    return filled


# --- where orders wait for a price or stand in lists -------------------------------------------------


def _go_by_stages(step: Step, former: Decimal, move: PriceMoved) -> Decimal:
    """Go to the next price that fills, triggers or starts something, see to all that follows from it, and so on: what
    that places may be met further on. At one price resting orders come before triggers."""
    desk = step.desk
    budget = _budget(desk, move)
    tick = desk.market.rules.tick_size or UNIT
    filled, position = ZERO, former
    luck: dict[int, bool] = {}
    while True:
        left = None if budget is None else budget - filled
        order = _next_resting(desk, position, move, luck) if left is None or left > 0 else None
        trigger = desk.waiting.next_price(position, move.price, tick)
        met_at = None if order is None else _met_at(desk, order, position, move.price)
        if order is not None and met_at is not None and not _is_behind(met_at, trigger, position, move.price):
            position = _arrive(step, position, met_at)
            amount = order.remaining if left is None else min(order.remaining, left)
            fill_resting(step, order, amount)
            filled += amount
        elif trigger is not None:
            position = _arrive(step, position, trigger)
            desk.last_price = trigger
            hear_price(step, trigger)
        else:
            desk.waiting.follow(move.price)
            return filled
        settle_aftermath(step)


def _next_resting(
    desk: Desk, position: Decimal, move: PriceMoved, luck: dict[int, bool]
) -> WorkingOrder | None:
    """The next order that the rest of the move fills; `luck` keeps what was drawn for each during the move."""
    for side in _sides(move.price, position):
        price = desk.book.side(side).best
        if price is None:
            continue
        order = desk.book.side(side).levels[price].first()
        if _reaches(desk, side, price, position, move.price):
            return order
        if desk.has_luck:
            if order.order_id not in luck:
                luck[order.order_id] = _is_lucky(desk, side, price, move.price)
            if luck[order.order_id]:
                return order
    return None


def _met_at(desk: Desk, order: WorkingOrder, position: Decimal, target: Decimal) -> Decimal:
    """Where on the way the market meets the order: at once if it was left on the wrong side."""
    if order.price > position if order.side is Side.BUY else order.price < position:
        return position
    low, high = min(position, target), max(position, target)
    return min(max(_fill_price(desk, order.side, order.price), low), high)


def _is_behind(met_at: Decimal, trigger: Decimal | None, position: Decimal, target: Decimal) -> bool:
    """Whether a trigger comes first."""
    if trigger is None:
        return False
    return met_at > trigger if target >= position else met_at < trigger


def _arrive(step: Step, position: Decimal, price: Decimal) -> Decimal:
    """The market stands at `price` now, everybody else's orders around it."""
    desk = step.desk
    desk.waiting.follow(price)
    desk.price = price
    if price != position:
        _form_ambient(step, price)
    return price


# --- what is reached ---------------------------------------------------------------------------------


def _reaches(desk: Desk, side: Side, price: Decimal, former: Decimal, target: Decimal) -> bool:
    if side is Side.BUY:
        return price > former or target <= price - desk.beyond
    return price < former or target >= price + desk.beyond


def _fill_price(desk: Desk, side: Side, price: Decimal) -> Decimal:
    """Where the market must go to fill an order at `price` for sure: there, or one tick beyond."""
    return price - desk.beyond if side is Side.BUY else price + desk.beyond


def _is_lucky(desk: Desk, side: Side, price: Decimal, target: Decimal) -> bool:
    """Whether a move that ends at the order's price, not beyond, fills it: nobody recorded the queue there, so by the
    queue model it is a draw. Whoever stands behind an order that lost waits with it."""
    touches = target <= price if side is Side.BUY else target >= price
    return touches and desk.settings.queue_probability > desk.rng.random()


def _print_own_trade(step: Step, former: Decimal, move: PriceMoved, filled: Decimal) -> None:
    """The market's own trade at the end of the segment, with the volume that accounts' orders did not take."""
    desk = step.desk
    if not move.volume:
        return
    lot = desk.market.rules.lot_size or UNIT
    amount = max(_whole_lots(desk, move.volume - filled) if move.volume > filled else ZERO, lot)
    taker = move.taker or (Side.BUY if move.price >= former else Side.SELL)
    step.print_trade(desk.next_trade_id(move.trade_id), move.price, amount, taker)


def _whole_lots(desk: Desk, amount: Decimal) -> Decimal:
    return largest_multiple(amount, desk.market.rules.lot_size or UNIT)


def _form_ambient(step: Step, price: Decimal) -> None:
    step.touch_ambient()
    form_around(step.desk, price)
    step.touch_ambient()


def form_around(desk: Desk, price: Decimal) -> None:
    """The ambient book stands around the price; where an order was left beyond it, only beyond that order, or the book
    would be crossed."""
    bid, ask = desk.book.bids.best, desk.book.asks.best
    desk.ambient.form(
        price if ask is None or ask > price else ask,
        price if bid is None or bid < price else bid,
    )


def nearest_prices(desk: Desk) -> tuple[Decimal | None, Decimal | None]:
    """The prices nearest to the market's that a move must reach to fill a buy or trigger something (below), or to fill
    a sell or trigger something (above). A trailing order that follows the market must hear of every move."""
    below, above = _nearest(desk, Side.BUY), _nearest(desk, Side.SELL)
    if not desk.waiting.any:
        return below, above
    if desk.waiting.following:
        return desk.price, desk.price
    stop_below, stop_above = desk.waiting.levels()
    return (
        max((price for price in (below, stop_below) if price is not None), default=None),
        min((price for price in (above, stop_above) if price is not None), default=None),
    )


def _nearest(desk: Desk, side: Side) -> Decimal | None:
    price = desk.book.side(side).best
    if price is None or (desk.price is not None and _reaches(desk, side, price, desk.price, desk.price)):
        return price
    return price if desk.has_luck else _fill_price(desk, side, price)
