"""Builds the `BotView` of a live run: one look at the engine between two steps."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gridtide.domain.journal import BotState
from gridtide.domain.money import ZERO, Price
from gridtide.domain.order import Side, Slot
from gridtide.runners.view import BotView, LevelView, ParkedView

if TYPE_CHECKING:
    from gridtide.engine.engine import Engine
    from gridtide.engine.state import EngineState
    from gridtide.runners.live import LiveRun


@runtime_checkable
class ShowsLevels(Protocol):
    """A strategy with price levels to show."""

    @property
    def levels(self) -> Sequence[Price]: ...

    @property
    def vacant_level(self) -> int | None: ...

    @property
    def is_out_of_range(self) -> bool: ...

    @property
    def round_trips(self) -> int: ...


def build_view(run: LiveRun, *, name: str, mode: str, market_time: int | None = None) -> BotView:
    """The bot as it stands now."""
    engine, state = run.engine, run.engine.state
    strategy = engine.strategy
    shows = strategy if isinstance(strategy, ShowsLevels) else None
    resting = sum(order.state.rests_at_exchange for order in state.orders)
    unsent = len(state.orders.planned())
    return BotView(
        name=name,
        mode=mode,
        exchange=run.exchange.name,
        run_id=run.run_id,
        market=state.market,
        state=run.ended_as.value if run.ended_as is not None else _state_text(engine, shows),
        state_detail=state.pause_detail,
        now=run.exchange.now(),
        market_time=market_time,
        price=state.price,
        bid=state.book.bid,
        ask=state.book.ask,
        levels=_levels(state, shows) if shows is not None else (),
        parked=tuple(
            ParkedView(slot.slot.key, slot.wish.price, slot.parked.value, slot.detail)
            for slot in state.slots.parked()
            if slot.wish is not None and slot.parked is not None
        ),
        open_orders=resting,
        in_flight=state.orders.live_count - resting - unsent,
        fills=state.fill_count,
        round_trips=shows.round_trips if shows is not None else 0,
        recent_fills=tuple(run.recent_fills),
        base_held=state.ledger.holding(state.market.base),
        quote_held=state.ledger.holding(state.market.quote),
        statement=state.statement(),
        fees_by_asset=state.ledger.fees_paid(),
        notices=tuple(run.notices),
        connected=state.bot_state is not BotState.RECONCILING,
        started_at=run.started_at,
    )


def _state_text(engine: Engine, shows: ShowsLevels | None) -> str:
    state = engine.state
    if state.bot_state is BotState.PAUSED:
        return f"PAUSED ({state.pause_reason.value})"
    if state.bot_state is BotState.RUNNING and state.increase_halted:
        return "RUNNING (buying halted)"
    if state.bot_state is BotState.RUNNING and shows is not None and shows.is_out_of_range:
        return "OUT_OF_RANGE"
    return state.bot_state.value


def _levels(state: EngineState, shows: ShowsLevels) -> tuple[LevelView, ...]:
    vacant = shows.vacant_level
    found = []
    for index, price in enumerate(shows.levels):
        buy, buy_amount = _slot_text(state, Slot.level(index, Side.BUY))
        sell, sell_amount = _slot_text(state, Slot.level(index, Side.SELL))
        is_vacant = index == vacant and not buy and not sell
        found.append(LevelView(index, price, buy, buy_amount, sell, sell_amount, is_vacant))
    return tuple(found)


def _slot_text(state: EngineState, name: Slot) -> tuple[str, Decimal]:
    slot = state.slots.get(name)
    if slot.live is not None:
        return slot.live.state.value, slot.live.intent.amount - slot.live.filled_amount
    if slot.wish is not None and slot.parked is not None:
        return f"parked: {slot.parked.value}", Decimal(slot.wish.amount)
    return "", ZERO
