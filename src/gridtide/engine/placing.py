"""From wish to order: through the gate into a slot, or parked with a reason and tried again later."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.commands import Approved, CancelOrder, RefreshMarket, SubmitOrder
from gridtide.domain.errors import Defect
from gridtide.domain.events import RefusalReason
from gridtide.domain.journal import BotState, PauseReason
from gridtide.domain.lifecycle import IntentEvent, IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, Amount, Price, divide_down
from gridtide.domain.order import OrderType, Side
from gridtide.domain.parking import ParkReason
from gridtide.engine.order_ids import LAST_ATTEMPT
from gridtide.strategies.protocol import Ending, SettledOrder

if TYPE_CHECKING:
    from gridtide.domain.events import OrderRefused
    from gridtide.domain.market import Asset, TopOfBook
    from gridtide.domain.order import OrderIntent, Slot
    from gridtide.engine.slot_book import SlotState
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder

SMALLEST = Decimal("1e-12")
"""Added to a quotient that was cut, so that a price is looked at rather once too often."""
_FUNDS = (ParkReason.NO_INVENTORY, ParkReason.INSUFFICIENT_FUNDS, ParkReason.MAX_OPEN_ORDERS)
_BY_REFUSAL = {
    RefusalReason.WOULD_TAKE: ParkReason.WOULD_TAKE,
    RefusalReason.INSUFFICIENT_FUNDS: ParkReason.INSUFFICIENT_FUNDS,
    RefusalReason.PRICE_BAND: ParkReason.PRICE_BAND,
    RefusalReason.MARKET_RULE: ParkReason.MARKET_RULE,
    RefusalReason.MARKET_CLOSED: ParkReason.MARKET_CLOSED,
    RefusalReason.MAX_OPEN_ORDERS: ParkReason.MAX_OPEN_ORDERS,
}


def place(state: EngineState, intent: OrderIntent) -> None:
    """A new purpose for a free slot (T1); raises `Defect` where the slot is taken (R2)."""
    slot = state.slots.get(intent.slot)
    if not slot.is_free:
        raise Defect(f"slot {intent.slot} has an order or a wish already")
    slot.cycle += 1
    slot.attempt = 0
    if slot.held:
        state.slots.park(slot, intent, ParkReason.CANCELLED_OUTSIDE, "waits for resume", None)
    else:
        _try_open(state, slot, intent)


def withdraw(state: EngineState, name: Slot) -> None:
    """Give up the wish of a slot; an order that may exist at the exchange is cancelled there."""
    slot = state.slots.get(name)
    if slot.wish is not None:
        state.slots.unpark(slot)
    elif slot.live is not None:
        request_cancel(state, slot.live)


def request_cancel(state: EngineState, order: TrackedOrder) -> None:
    """T15, T3; an order of unknown fate is cancelled as soon as it is seen."""
    order.cancel_requested = True
    state.orders.touch(order)
    if order.state is IntentState.PLANNED:
        drop(state, order)
        _report_cancelled(state, order)
    elif order.state.rests_at_exchange:
        state.orders.move(order, IntentEvent.CANCEL_REQUESTED, state.now)
        send_cancel(state, order)


def drop(state: EngineState, order: TrackedOrder) -> SlotState:
    """T3: an order never sent is not wanted any more."""
    state.orders.move(order, IntentEvent.DROPPED, state.now)
    return free_slot(state, order)


def gave_way(state: EngineState, order: TrackedOrder) -> bool:
    """Whether an attempt that ended without a fill has a late order beside it that executed: its wish then waits to be
    served by that one (T23)."""
    slot = state.slots.get(order.slot)
    if not slot.zombies or not any(
        other.state is IntentState.ZOMBIE
        and (other.slot, other.cycle) == (order.slot, order.cycle)
        and other.filled_amount
        for other in state.orders
    ):
        return False
    detail = "a late order of the level executed and counts for it"
    state.slots.park(slot, order.intent, ParkReason.REFUSED, detail, _later(state, state.settings.times.poll))
    return True


def _report_cancelled(state: EngineState, order: TrackedOrder) -> None:
    """What was to be cancelled never came to be: its strategy hears the same as of any cancelled order."""
    if gave_way(state, order):
        return
    intent = order.intent
    state.reports.append(
        SettledOrder(intent.slot, intent.price, intent.amount, Amount(ZERO), ZERO, ZERO, Ending.CANCELLED)
    )


def send_cancel(state: EngineState, order: TrackedOrder) -> None:
    """One DELETE; the answer or, failing that, polling tells what became of it."""
    times = state.settings.times
    order.cancel_at = state.now
    order.cancel_again_at = Timestamp(state.now + times.receive_window + times.skew)
    state.orders.look_again(order, order.cancel_again_at)
    state.orders.touch(order)
    state.order(CancelOrder(state.market.symbol, order.client_order_id, order.order_id))


def open_send_window(state: EngineState, capacity: int) -> None:
    """T2 for up to `capacity` planned orders, oldest wish first."""
    is_running = state.bot_state is BotState.RUNNING
    for order in state.orders.planned():
        if capacity <= 0:
            return
        if not is_running and not may_send(state, order):
            continue
        command = _transmit(state, order)
        if command is not None:
            state.order(command)
            capacity -= 1


def may_send(state: EngineState, order: TrackedOrder | None = None) -> bool:
    """I16: orders leave while RUNNING; while STOPPING only those that a stop itself needs."""
    if state.bot_state is BotState.STOPPING:
        return any(planned.intent.emergency for planned in ((order,) if order else state.orders.planned()))
    return state.bot_state is BotState.RUNNING


def refused(state: EngineState, order: TrackedOrder, event: OrderRefused) -> None:
    """T7: certainly no order; what follows depends on why."""
    if order.state is not IntentState.SENDING:
        return
    order.reason = f"{event.reason.value}: {event.message}"
    state.orders.move(order, IntentEvent.REFUSED, state.now)
    slot = free_slot(state, order)
    if order.cancel_requested:
        _report_cancelled(state, order)
        return
    reason = _BY_REFUSAL.get(event.reason, ParkReason.REFUSED)
    wait = max(int(event.retry_after_seconds * 1000), _retry_wait(state, event.reason))
    if event.reason is RefusalReason.INSUFFICIENT_FUNDS:
        wait = _note_missing_money(state, slot, wait)
    state.slots.park(slot, order.intent, reason, event.message, _later(state, wait))
    slot.refused_at_book = state.book
    if event.reason in (
        RefusalReason.MARKET_RULE,
        RefusalReason.MARKET_CLOSED,
        RefusalReason.MAX_OPEN_ORDERS,
    ):
        state.order(RefreshMarket(state.market.symbol))
    if event.reason is RefusalReason.NOT_PERMITTED:
        state.pause(PauseReason.AUTH, event.message)
    elif event.reason is RefusalReason.OTHER:
        state.notice("warning", "order.refused", f"{order.slot}: {event.message}")


def _note_missing_money(state: EngineState, slot: SlotState, wait: int) -> int:
    """F11: the books say there is enough. The account is read first, then comes one attempt, each time later."""
    slot.refusals += 1
    slot.refused_at = state.now
    state.wants_snapshot = True
    return min(wait << min(slot.refusals - 1, 10), state.settings.times.longest_refused_retry)


def not_sent(state: EngineState, order: TrackedOrder, message: str) -> None:
    """T4: our own side gave up before the transport was called; a new attempt follows, not at once (F65)."""
    if order.state is not IntentState.SENDING:
        return
    order.reason = message
    state.orders.move(order, IntentEvent.NOT_SENT, state.now)
    slot = free_slot(state, order)
    if order.cancel_requested:
        _report_cancelled(state, order)
    else:
        retry_at = _later(state, state.settings.times.poll)
        state.slots.park(slot, order.intent, ParkReason.REFUSED, message, retry_at)


def absent(state: EngineState, order: TrackedOrder) -> None:
    """T11: proved never to have become an order; a new attempt follows."""
    state.orders.move(order, IntentEvent.PROVED_ABSENT, state.now)
    state.notice("info", "order.absent", f"{order.client_order_id} never reached the exchange")
    slot = free_slot(state, order)
    if order.cancel_requested:
        _report_cancelled(state, order)
    else:
        _try_open(state, slot, order.intent)


def free_slot(state: EngineState, order: TrackedOrder) -> SlotState:
    """Take an ended order out of its slot."""
    slot = state.slots.get(order.intent.slot)
    if slot.live is order:
        slot.live = None
        state.slots.touch(slot)
    state.funds_changed = True
    return slot


def retry_parked(state: EngineState) -> None:
    """Try each parked wish whose condition has come true; sells from the lowest, buys from the highest."""
    parked = state.slots.parked()
    buys = [slot for slot in reversed(parked) if slot.slot.side is Side.BUY]
    for slot in [slot for slot in parked if slot.slot.side is Side.SELL] + buys:
        if slot.wish is not None and _may_retry(state, slot):
            _try_open(state, slot, slot.wish)


def retry_after_resume(state: EngineState) -> None:
    """A person looked: held and halted slots may try again."""
    for slot in state.slots:
        if slot.held:
            slot.held = False
            state.slots.touch(slot)
    for slot in state.slots.parked():
        slot.retry_at, slot.needs = state.now, None
        if slot.wish is not None and slot.parked in (
            ParkReason.CANCELLED_OUTSIDE,
            ParkReason.HALTED,
            ParkReason.REFUSED,
        ):
            _try_open(state, slot, slot.wish)


def would_take(intent: OrderIntent, book: TopOfBook) -> bool:
    """Whether a post-only order would be refused at this book."""
    if intent.type is not OrderType.LIMIT_MAKER or intent.price is None:
        return False
    if intent.slot.side is Side.BUY:
        return book.ask is not None and intent.price >= book.ask
    return book.bid is not None and intent.price <= book.bid


def _try_open(state: EngineState, slot: SlotState, wish: OrderIntent) -> None:
    if slot.zombies:
        detail = "an order that should not exist is being cleared up"
        state.slots.park(
            slot, wish, ParkReason.REFUSED, detail, _later(state, state.settings.times.refused_retry)
        )
        return
    verdict = state.gate.review(wish, state)
    if not isinstance(verdict, Approved):
        waits = verdict.reason in _FUNDS or verdict.reason is ParkReason.PRICE_BAND
        retry_at = None if waits else _later(state, state.settings.times.parked_retry)
        state.slots.park(slot, wish, verdict.reason, verdict.detail, retry_at)
        slot.needs = verdict.needs
        return
    if slot.wish is not None:
        state.slots.unpark(slot)
    slot.attempt += 1
    if slot.attempt > LAST_ATTEMPT:
        slot.cycle, slot.attempt = slot.cycle + 1, 1
    slot.live = state.orders.open(verdict, slot.cycle, slot.attempt, state.now)
    state.slots.touch(slot)


def _transmit(state: EngineState, order: TrackedOrder) -> SubmitOrder | None:
    if would_take(order.intent, state.book) or _meets_own(state, order.intent):
        slot = drop(state, order)
        detail = "the price, or an order of our own, is on the wrong side of the level"
        state.slots.park(slot, order.intent, ParkReason.WOULD_TAKE, detail, None)
        return None
    if order.approved is None and not _approve_again(state, order):
        return None
    state.orders.look_again(order, Timestamp(state.now + 2 * state.settings.times.read_lag))
    return state.orders.transmit(order, state.now)


def _approve_again(state: EngineState, order: TrackedOrder) -> bool:
    """An order planned before a restart passes the gate once more, its own reservation set aside."""
    own = order.reserved
    state.orders.release(order, own)
    verdict = state.gate.review(order.intent, state)
    state.orders.release(order, -own)
    if isinstance(verdict, Approved):
        state.orders.approve_again(order, verdict)
        return True
    slot = drop(state, order)
    state.slots.park(
        slot, order.intent, verdict.reason, verdict.detail, _later(state, state.settings.times.parked_retry)
    )
    return False


def may_place(state: EngineState, wish: OrderIntent) -> bool:
    """While RUNNING all wishes may become orders; while STOPPING only those that the stop itself needs."""
    if state.bot_state is BotState.STOPPING:
        return wish.emergency
    return state.bot_state is BotState.RUNNING


def _may_retry(state: EngineState, slot: SlotState) -> bool:
    wish = slot.wish
    if (
        slot.needs is not None
        and slot.retry_at is None
        and not (state.funds_changed and _is_affordable(state, slot.needs))
    ):
        return False
    if wish is None or not may_place(state, wish) or slot.held or slot.parked is ParkReason.CANCELLED_OUTSIDE:
        return False
    if slot.retry_at is not None and state.now < slot.retry_at:
        return False
    if awaits_reading(state, slot):
        return False
    if slot.parked is ParkReason.WOULD_TAKE:
        # The exchange refused at a book we had wrong: without a newer one the same would happen again, at once (F65).
        return state.book is not slot.refused_at_book and _is_clear(state, wish)
    if slot.retry_at is not None:
        return True
    if (
        slot.parked is ParkReason.PRICE_BAND
    ):  # our own rule said so, not the exchange: the price alone decides
        return _is_in_band(state, wish)
    return state.funds_changed and slot.parked in _FUNDS


def _is_affordable(state: EngineState, needs: tuple[Asset, Decimal]) -> bool:
    asset, amount = needs
    return state.available(asset) >= amount


def awaits_reading(state: EngineState, slot: SlotState) -> bool:
    """F11: whether the exchange refused for want of money and the account was not read since."""
    if slot.refused_at is None or slot.parked is not ParkReason.INSUFFICIENT_FUNDS:
        return False
    return state.read_at is None or state.read_at < slot.refused_at


def _is_clear(state: EngineState, wish: OrderIntent) -> bool:
    """F12: the opposite best price is at least one tick away."""
    return not would_take(wish, state.book) and not _meets_own(state, wish)


def _meets_own(state: EngineState, intent: OrderIntent) -> bool:
    """F22, F65: the exchange lets one of two crossing orders of an account expire, and we would place it again for
    ever. Post-only orders never meet anything."""
    if intent.type is OrderType.LIMIT_MAKER or intent.price is None:
        return False
    for order in state.orders:
        theirs = order.intent.price
        if order.side is intent.side or theirs is None or not order.tx_count:
            continue
        if theirs <= intent.price if intent.side is Side.BUY else theirs >= intent.price:
            return True
    return False


def prices_to_retry(state: EngineState) -> tuple[Price | None, Price | None]:
    """Until the price is at or below the first, or at or above the second, no newer book lets a wish be tried that
    waits for one; None: on that side no price does."""
    below: Price | None = None
    above: Price | None = None
    for slot in state.slots.waiting():
        wish = slot.wish
        if wish is None:
            continue
        if slot.parked is ParkReason.PRICE_BAND and slot.retry_at is None:
            lower, upper = _prices_of_band(state, wish)
            below = lower if below is None or (lower is not None and lower > below) else below
            above = upper if above is None or (upper is not None and upper < above) else above
        if slot.parked is not ParkReason.WOULD_TAKE:
            continue
        book, price = state.book, wish.price
        if (
            book.last is None
            or book.ask is None
            or book.bid is None
            or price is None
            or _is_clear(state, wish)
        ):
            price = None if state.price is None else Price(state.price)
            return price, price  # the next book, whatever it says
        if wish.side is Side.BUY:
            bound = Price(price - (book.ask - book.last))
            above = bound if above is None or bound < above else above
        else:
            bound = Price(price + (book.last - book.bid))
            below = bound if below is None or bound > below else below
    return below, above


def _is_in_band(state: EngineState, wish: OrderIntent) -> bool:
    band, average = state.market.rules.price_band, state.price
    if band is None or average is None or wish.price is None:
        return True
    low, high = band.bounds(wish.side, average)
    return low <= wish.price <= high


def _prices_of_band(state: EngineState, wish: OrderIntent) -> tuple[Price | None, Price | None]:
    """At or below, or at or above which price `wish` may be within the band of prices around the market's."""
    band, average = state.market.rules.price_band, state.price
    if band is None or average is None or wish.price is None or _is_in_band(state, wish):
        price = None if average is None else Price(average)
        return price, price
    down, up = band.multipliers(wish.side)
    if wish.price > average * up:
        return None, Price(divide_down(wish.price, up))
    return Price(divide_down(wish.price, down) + SMALLEST), None


def _retry_wait(state: EngineState, reason: RefusalReason) -> int:
    times = state.settings.times
    if reason is RefusalReason.WOULD_TAKE:
        return times.refused_post_only
    if reason in (RefusalReason.CLOCK, RefusalReason.RATE_LIMIT):
        return times.poll
    return times.refused_retry if reason is RefusalReason.INSUFFICIENT_FUNDS else times.parked_retry


def _later(state: EngineState, wait: int) -> Timestamp:
    return Timestamp(state.now + wait)
