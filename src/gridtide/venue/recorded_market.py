"""A market that follows a recording: order book differences and market trades, as they once happened.

The recording does not know of our accounts: where its book or its trades go through a resting order, they fill it,
with no more than the recorded amount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import MarketStatus
from gridtide.domain.money import ZERO, multiply_exact
from gridtide.domain.order import Side
from gridtide.venue import queue
from gridtide.venue.aftermath import settle_aftermath
from gridtide.venue.messages import PriceMoved
from gridtide.venue.recorded_book import RecordedBook, changed_prices
from gridtide.venue.rounding import LARGEST, UNIT, largest_multiple
from gridtide.venue.settings import FillModel, QueueCancellations
from gridtide.venue.settlement import fill_resting
from gridtide.venue.walk import walk

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.candle import MarketTrade
    from gridtide.domain.depth import DepthUpdate
    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import MarketMove
    from gridtide.venue.step import Step


def move_market(step: Step, move: MarketMove) -> None:
    """Let everybody else do what `move` says; raises `InvalidInput` for what no market does."""
    match move:
        case PriceMoved():
            price, volume, desk = move.price, move.volume, step.desk
            if not (_is_positive(price) and volume.is_finite() and ZERO <= volume < LARGEST):
                raise InvalidInput(f"a market cannot move to {price} with volume {volume}")
            if desk.recorded is not None:
                raise InvalidInput(
                    f"{desk.market.symbol} follows a recorded order book, which alone moves it; nothing changed: "
                    "play a market without recorded depth to move it by hand"
                )
            walk(step, move)
        case DepthUpdate():
            follow_depth(step, move)
        case MarketTrade():
            if not (_is_positive(move.price) and _is_positive(move.amount)):
                raise InvalidInput(f"nobody trades {move.amount} at {move.price}")
            follow_trade(step, move)
        case _:
            assert_never(move)


def _is_positive(number: Decimal) -> bool:
    return number.is_finite() and ZERO < number < LARGEST


# --- the book ----------------------------------------------------------------------------------------


def follow_depth(step: Step, update: DepthUpdate) -> None:
    """Put the recorded levels in place; resting orders that they cross fill as makers at their own price.

    An update that is older than the book is passed over. Raises `InvalidInput` for one that leaves a gap.
    """
    desk = step.desk
    former_id = 0 if desk.recorded is None else desk.recorded.last_update_id
    if not update.is_snapshot and former_id and update.last_update_id <= former_id:
        return
    _check_update(desk, update, former_id)
    recorded = desk.recorded or _begin(step)
    for side, levels in ((Side.BUY, update.bids), (Side.SELL, update.asks)):
        _put_levels(step, recorded, side, levels, is_snapshot=update.is_snapshot)
    recorded.last_update_id = update.last_update_id
    desk.public.owe_ids(update.last_update_id - former_id)
    if desk.market.status is MarketStatus.TRADING and not desk.is_deserted:
        for side in Side:
            _fill_crossed(step, recorded, side)
        settle_aftermath(step)
    if desk.price is None:
        desk.price = desk.last_price = recorded.side(Side.BUY).best_price()


def _check_update(desk: Desk, update: DepthUpdate, former_id: int) -> None:
    if not update.is_snapshot and former_id and update.first_update_id > former_id + 1:
        raise InvalidInput(
            f"the recorded book of {desk.market.symbol} has a gap: update {former_id} is followed by "
            f"{update.first_update_id}; the market stays as it was: give it a snapshot"
        )
    for price, amount in (*update.bids, *update.asks):
        if not (_is_positive(price) and amount.is_finite() and amount >= 0):
            raise InvalidInput(
                f"a recorded level of {amount} at {price} cannot be; the book of {desk.market.symbol} stays as it was"
            )


def _begin(step: Step) -> RecordedBook:
    """From now on the recording is everybody else's liquidity: the ambient book goes."""
    if step.desk.settings.publishes and step.desk.price is not None:
        step.touch_ambient()
    recorded = step.desk.recorded = RecordedBook()
    return recorded


def _put_levels(
    step: Step,
    recorded: RecordedBook,
    side: Side,
    levels: tuple[tuple[Decimal, Decimal], ...],
    *,
    is_snapshot: bool,
) -> None:
    desk = step.desk
    known = recorded.side(side)
    own = desk.book.side(side).levels if desk.settings.fill_model is FillModel.QUEUE else {}
    proportional = desk.settings.queue_cancellations is QueueCancellations.PROPORTIONAL
    for price, amount in changed_prices(known.amounts, levels, is_snapshot=is_snapshot).items():
        if price in own:
            former = recorded.amount_at(side, price)
            queue.level_told(own[price], former, amount, proportional=proportional)
        known.put(price, amount)
        step.touch_level(side, price)


def _fill_crossed(step: Step, recorded: RecordedBook, side: Side) -> None:
    """The recorded book went through orders of `side`: each crossing level fills as much as it holds."""
    own = step.desk.book.side(side)
    opposite = recorded.side(side.opposite)
    while (best := own.best) is not None:
        crossing = next(opposite.crossing(best), None)
        if crossing is None:
            return
        price, available = crossing
        order = own.levels[best].first()
        amount = min(order.remaining, available)
        opposite.put(price, available - amount)
        step.touch_level(side.opposite, price)
        fill_resting(step, order, amount)


# --- the trades --------------------------------------------------------------------------------------


def follow_trade(step: Step, trade: MarketTrade) -> None:
    """Fill what the trade reaches and print it, less what accounts' orders took of it.

    Without a recorded book the market walks to the trade's price, as for any other move.
    """
    desk = step.desk
    if desk.recorded is None:
        move_market(step, PriceMoved(trade.price, trade.amount, trade.timestamp, trade.side, trade.trade_id))
        return
    if desk.market.status is MarketStatus.TRADING:
        left = trade.amount - _fill_by_trade(step, trade)
        if left > 0:
            step.print_trade(desk.next_trade_id(trade.trade_id), trade.price, left, trade.side)
        desk.average.add(trade.timestamp, trade.price, trade.amount)
        settle_aftermath(step)
    desk.price = desk.last_price = trade.price


def _fill_by_trade(step: Step, trade: MarketTrade) -> Decimal:
    """Orders that the trade's price went through come first, then those at its price on the side it took from."""
    desk, side = step.desk, trade.side.opposite
    fillable = left = _fillable(desk, trade.amount)
    for beyond in (side, trade.side):
        left -= _fill_beyond(step, beyond, trade.price, left)
    resting = desk.book.side(side).levels.get(trade.price)
    if resting is None or desk.settings.fill_model is FillModel.TRADE_THROUGH:
        return fillable - left
    if desk.settings.fill_model is FillModel.TOUCH:
        return fillable - left + _fill_level(step, side, trade.price, left)
    outside = desk.amount_outside(side, trade.price)
    for order, amount in queue.trade_at(resting, outside, trade.amount, left):
        if order.is_open:  # the fill of another order of its list may have ended it
            fill_resting(step, order, amount)
            left -= amount
    return fillable - left


def _fillable(desk: Desk, amount: Decimal) -> Decimal:
    cap = desk.settings.volume_cap
    if cap is None:
        return amount
    return largest_multiple(multiply_exact(amount, cap), desk.market.rules.lot_size or UNIT)


def _fill_beyond(step: Step, side: Side, price: Decimal, fillable: Decimal) -> Decimal:
    """Orders of `side` that a trade at `price` has gone through, best first."""
    own = step.desk.book.side(side)
    filled = ZERO
    while (best := own.best) is not None and filled < fillable:
        if best <= price if side is Side.BUY else best >= price:
            break
        filled += _fill_level(step, side, best, fillable - filled)
    return filled


def _fill_level(step: Step, side: Side, price: Decimal, fillable: Decimal) -> Decimal:
    """Orders at one price, oldest first, until `fillable` is spent."""
    levels = step.desk.book.side(side).levels
    left = fillable
    while left > 0 and (level := levels.get(price)) is not None:
        order = level.first()
        amount = min(order.remaining, left)
        fill_resting(step, order, amount)
        left -= amount
    return fillable - left
