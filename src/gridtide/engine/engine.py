"""The engine: one bot's step function. Event and time in, effects out; it asks to be woken.

It never awaits, logs, reads a clock or draws a random number. Same events, same effects, in every world.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, assert_never

from gridtide.domain import events as ev
from gridtide.domain.commands import Pause, RefreshMarket, Resume, Stop, StopPolicy
from gridtide.domain.errors import Defect
from gridtide.domain.journal import BotState, PauseReason
from gridtide.domain.ledger import Ledger
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import MarketStatus, Timestamp
from gridtide.domain.money import ZERO, Price, tidy
from gridtide.engine import (
    exchange_health,
    liquidation,
    lost_history,
    order_ids,
    outcomes,
    placing,
    reconciling,
    resolving,
    whose_fill,
)
from gridtide.engine.adoption import take_in
from gridtide.engine.order_tracker import OrderTracker
from gridtide.engine.schedule import Schedule, is_due
from gridtide.engine.slot_book import SlotBook
from gridtide.engine.state import EngineState
from gridtide.engine.strategy_desk import StrategyDesk, own_parts

if TYPE_CHECKING:
    from gridtide.domain.commands import OperatorCommand
    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import BotSnapshot
    from gridtide.domain.market import Asset, FeeSchedule, Market, TopOfBook
    from gridtide.domain.order import OrderUpdate
    from gridtide.engine.effects import Effects
    from gridtide.engine.settings import EngineSettings
    from gridtide.risk.gate import RiskGate
    from gridtide.strategies.protocol import Strategy


def stored_strategy_state(snapshot: BotSnapshot) -> Mapping[str, Any] | None:
    """The strategy's own part of a snapshot; None for a bot whose strategy never started."""
    return own_parts(snapshot.strategy_state)


UNSTABLE_ROUNDS = 3
"""Rounds of reads that found the account in motion before its owner is told."""


class Engine:
    """One bot on one market: strategy, gate, orders, books.

    `strategy` is fresh, or already rebuilt from `stored_strategy_state(snapshot)`.
    """

    def __init__(
        self,
        settings: EngineSettings,
        market: Market,
        fees: FeeSchedule,
        strategy: Strategy,
        gate: RiskGate,
        snapshot: BotSnapshot,
    ) -> None:
        identity = settings.identity
        code = order_ids.bot_code(identity.account_id, identity.symbol, identity.name, identity.generation)
        rows = (*snapshot.recent_orders, *snapshot.orders)
        self.state = EngineState(
            settings=settings,
            market=market,
            fees=fees,
            gate=gate,
            ledger=Ledger(market.base, market.quote, snapshot.ledger, is_stored=settings.is_resumable),
            orders=OrderTracker(code, rows, snapshot.fills),
            slots=SlotBook(snapshot.slots, market.symbol),
            **_restored_pause(snapshot),
            cursor=snapshot.cursor,
            baseline=dict(snapshot.baseline),
            fill_count=snapshot.fill_count,
            foreign_fills=set(snapshot.foreign_fills),
            safe_candidates=deque(sorted(snapshot.recent_executions, key=lambda item: item[1])),
        )
        self._desk = StrategyDesk(self.state, strategy, snapshot.strategy_state)
        self._schedule = Schedule()
        self._is_fresh = not snapshot.is_resume
        self._rounds = 0
        """Rounds of reads in a row that did not lead to RUNNING."""
        self._run_started = False
        self._attach_orders_to_slots()

    # --- the step function ---------------------------------------------------------------------------

    def handle(self, event: ev.Event, now: Timestamp) -> Effects:
        """Take one event at exchange time `now` (ms). Time never goes back: an earlier `now` counts as the last."""
        state, desk = self.state, self._desk
        state.begin(now)
        self._dispatch(event)
        if state.reports:
            desk.tell()
        if desk.wake_if_due():
            desk.tell()
        if state.slots.has_waiting and self._should_retry(event):
            placing.retry_parked(state)
        if state.bot_state is BotState.STOPPING:
            liquidation.advance(state)
        if state.wants_snapshot:
            state.wants_snapshot = False
            self._ask_for_snapshot(full=True)
        if state.slots.has_waiting or self._schedule.retry is not None:
            self._plan_retry()
        if desk.was_called:
            desk.store()
        return state.finish()

    def take_in(self, update: OrderUpdate, now: Timestamp) -> Effects:
        """In a rebuild: one order of the exchange's records, in the order they were placed; see `adoption.take_in`."""
        state = self.state
        state.begin(now)
        decoded = order_ids.decode(update.client_order_id)
        if decoded is not None:
            self._desk.record(decoded.slot)
        take_in(state, update)
        self._desk.store()
        return state.finish()

    def see_book(self, book: TopOfBook) -> None:
        """The book as it stands where nothing reacts to it: what a runner passed over; see `prices_of_interest`."""
        self.state.book = book

    def next_timer(self) -> Timestamp | None:
        """When `TimerFired` is due at the latest; None if nothing waits for time."""
        state, moments = self.state, self._schedule.moments()
        if (due := state.orders.next_due()) is not None:
            moments.append(due)
        if state.unattributed and (question := whose_fill.next_question(state)) is not None:
            moments.append(question)
        if (wake := self._desk.wakes_at) is not None:
            moments.append(wake)
        return min(moments, default=None)

    def prices_of_interest(self) -> tuple[Price | None, Price | None]:
        """Until the price is at or below the first, or at or above the second, a new price changes nothing here; None:
        on that side none does. Asked for by runners that can pass over what is in between."""
        wake = self._desk.context.wake
        below, above = wake.below, wake.above
        if self.state.slots.has_waiting:
            lower, upper = placing.prices_to_retry(self.state)
            below = lower if below is None or (lower is not None and lower > below) else below
            above = upper if above is None or (upper is not None and upper < above) else above
        return below, above

    @property
    def timeframe(self) -> str | None:
        """Of which candles the strategy wants to be told, by `CandleClosed`; None: of none."""
        return self._desk.timeframe

    @property
    def wants_to_send(self) -> bool:
        """Whether a `SendWindowOpened` would find something to transmit."""
        return self.state.orders.has_planned and placing.may_send(self.state)

    @property
    def strategy(self) -> Strategy:
        return self._desk.strategy

    # --- events --------------------------------------------------------------------------------------

    def _dispatch(self, event: ev.Event) -> None:
        match event:  # the most frequent first
            case ev.BookUpdated():
                self.state.book = event.book
                if not self._desk.is_started:
                    self._desk.start_if_ready()
            case ev.OrderUpdated():
                self._see(event.update, () if event.fill is None else (event.fill,), "stream")
            case ev.OrderAccepted():
                self._see(event.update, event.fills, "reply")
            case ev.SendWindowOpened():
                placing.open_send_window(self.state, event.capacity)
            case ev.TimerFired():
                self._on_timer()
            case ev.CandleClosed() | ev.AssetPriced() | ev.MarketChanged():
                self._on_market(event)
            case ev.OrderFound(update) | ev.CancelAccepted(update):
                self._see(update, (), "query")
                outcomes.attribute_fills(self.state, update.order_id, update.client_order_id)
            case (
                ev.OrderRefused()
                | ev.OrderUnconfirmed()
                | ev.OrderNotSent()
                | ev.OrderNotFound()
                | ev.CancelFoundNothing()
                | ev.CancelUnconfirmed()
                | ev.ReadFailed()
            ):
                self._on_reply(event)
            case ev.FillsRead(_, fills):
                reconciling.apply_fills(self.state, fills)
            case ev.SnapshotTaken():
                exchange_health.round_succeeded(self.state)
                reconciling.apply_snapshot(self.state, event)
                self._after_snapshot(event)
            case ev.BalancesUpdated():
                pass  # balances are compared when a full reconciliation reads them together with the fills
            case ev.FundsMoved(asset, amount):
                self._move_funds(asset, amount)
            case ev.StreamInterrupted(reason):
                self._interrupted(reason)
            case ev.StreamRestored():
                if self._run_started:  # else the start is about to read everything
                    self._ask_for_snapshot(full=True)
            case ev.RunStarted():
                self._start_run(event)
            case ev.TroubleFound(reason, detail):
                self.state.pause(reason, detail)
            case ev.TroubleOver(reason):
                self._end_trouble(reason)
            case ev.OperatorCommanded(command):
                self._obey(command)
            case _:
                assert_never(event)

    def _on_market(self, event: ev.CandleClosed | ev.AssetPriced | ev.MarketChanged) -> None:
        state = self.state
        match event:
            case ev.CandleClosed(_, timeframe, candle):
                self._desk.candle(timeframe, candle)
            case ev.AssetPriced(asset, price):
                state.third_prices[asset] = price
            case ev.MarketChanged(market):
                if market != state.market:
                    state.market = market
                    self._schedule.market_refresh = Timestamp(state.now + state.settings.times.parked_retry)
                    state.notice(
                        "warning", "market.changed", f"{market.symbol} is {market.status}; rules re-read"
                    )
                state.funds_changed = True
            case _:
                assert_never(event)

    def _on_reply(
        self,
        event: ev.OrderRefused
        | ev.OrderUnconfirmed
        | ev.OrderNotSent
        | ev.OrderNotFound
        | ev.CancelFoundNothing
        | ev.CancelUnconfirmed
        | ev.ReadFailed,
    ) -> None:
        state = self.state
        order = state.orders.find(event.client_order_id)
        if isinstance(event, ev.ReadFailed):
            self._on_failed_read(event)
        if order is None:
            return
        match event:
            case ev.OrderRefused():
                placing.refused(state, order, event)
            case ev.OrderUnconfirmed(_, message):
                resolving.unconfirmed(state, order, message)
            case ev.OrderNotSent(_, message):
                placing.not_sent(state, order, message)
            case ev.OrderNotFound():
                resolving.not_found(state, order)
            case ev.CancelFoundNothing():
                resolving.cancel_found_nothing(state, order)
            case ev.CancelUnconfirmed():
                resolving.cancel_unconfirmed(state, order)
            case ev.ReadFailed():
                resolving.read_failed(state, order)
            case _:
                assert_never(event)

    def _on_failed_read(self, event: ev.ReadFailed) -> None:
        if event.what == "snapshot":
            wait = exchange_health.round_failed(self.state, event.message)
            self._schedule.full_reconciliation = Timestamp(self.state.now + wait)
            self._schedule.light_reconciliation = None
        if event.not_permitted:
            self.state.pause(PauseReason.AUTH, event.message)

    def _see(self, update: OrderUpdate, fills: tuple[Fill, ...], source: str) -> None:
        """Apply a sighting and the executions it carries, in one step (R10)."""
        state = self.state
        order = outcomes.see_order(state, update)
        for fill in fills:
            outcomes.see_fill(state, fill, source)
        if order is not None:
            outcomes.ask_for_missing_fills(state, order)
            outcomes.settle(state, order)

    # --- run, time, operator -------------------------------------------------------------------------

    def _start_run(self, event: ev.RunStarted) -> None:
        state = self.state
        if self._is_fresh:
            self._allocate(event)
            state.move_cursor(event.newest_trade_id, event.newest_trade_id + 1)
            self._is_fresh = False
        lost_history.see_start(state, event.newest_trade_id)
        self._run_started = True
        resolving.ask_about_all(state)
        if state.bot_state is not BotState.PAUSED:
            state.enter(BotState.RECONCILING)
        self._schedule.market_refresh = Timestamp(state.now + state.settings.times.market_refresh)
        self._ask_for_snapshot(full=True)

    def _allocate(self, event: ev.RunStarted) -> None:
        """Bring the allocation in as contributions; what else the account holds is the baseline (I6)."""
        state, allocation = self.state, self.state.settings.allocation
        base, quote = state.market.base, state.market.quote
        contributions = [(quote, allocation.quote, allocation.quote)]
        contributions.append((base, allocation.base, allocation.base_cost))
        contributions += [(asset, amount, amount * price) for asset, amount, price in allocation.third]
        for asset, amount, value in contributions:
            if amount:
                entry_id = f"contribution:{asset}:start"
                owner = allocation.base_owner
                change = state.ledger.contribute(asset, amount, value, state.now, entry_id, owner)
                state.book_change(change)
        state.set_baseline(
            {asset: balance.total - state.ledger.holding(asset) for asset, balance in event.balances.items()}
        )

    def _move_funds(self, asset: Asset, amount: Decimal) -> None:
        """A deposit or withdrawal belongs to the account, not to the bot: a named adjustment of the baseline."""
        baseline = dict(self.state.baseline)
        baseline[asset] = baseline.get(asset, ZERO) + amount
        self.state.set_baseline(baseline)
        self.state.notice("warning", "funds.moved", f"{tidy(amount)} {asset} came to or left the account")

    def _interrupted(self, reason: str) -> None:
        if self.state.bot_state is BotState.RUNNING:
            self.state.enter(BotState.RECONCILING, PauseReason.NONE, reason)

    def _end_trouble(self, reason: PauseReason) -> None:
        """What was paused for `reason` alone goes on, once everything has been compared."""
        if (self.state.bot_state, self.state.pause_reason) == (BotState.PAUSED, reason):
            self.state.enter(BotState.RECONCILING)
            self._ask_for_snapshot(full=True)

    def _ask_for_snapshot(self, *, full: bool) -> None:
        state, times = self.state, self.state.settings.times
        self._schedule.light_reconciliation = Timestamp(state.now + times.light_reconciliation)
        if full:
            self._schedule.full_reconciliation = Timestamp(state.now + times.full_reconciliation)
        state.order(resolving.full_snapshot(state, full=full))

    def _after_snapshot(self, event: ev.SnapshotTaken) -> None:
        """A round that did not lead to RUNNING is repeated soon; one that did lets the strategy start."""
        state = self.state
        if state.bot_state is BotState.RECONCILING:
            self._rounds += 1
            times = state.settings.times
            wait = min(times.longest_wait, times.poll * 2 ** min(self._rounds // 5, 5))
            self._schedule.full_reconciliation = Timestamp(state.now + wait)
            if not event.stable and self._rounds == UNSTABLE_ROUNDS:
                state.notice(
                    "alarm", "reconciliation.unstable", "the account keeps changing while it is read"
                )
        else:
            self._rounds = 0
        self._desk.start_if_ready()

    def _on_timer(self) -> None:
        state = self.state
        for order in state.orders.due(state.now):
            resolving.look_after(state, order)
        whose_fill.ask_again(state)
        if is_due(self._schedule.full_reconciliation, state.now):
            self._ask_for_snapshot(full=True)
        elif is_due(self._schedule.light_reconciliation, state.now):
            self._ask_for_snapshot(full=bool(state.increase_halted))
        if is_due(self._schedule.market_refresh, state.now):
            self._refresh_market()

    def _refresh_market(self) -> None:
        """F42, F49: rules change unannounced, and a market that halted opens again sooner than that."""
        state, times = self.state, self.state.settings.times
        is_trading = state.market.status is MarketStatus.TRADING
        self._schedule.market_refresh = Timestamp(
            state.now + (times.market_refresh if is_trading else times.parked_retry)
        )
        state.order(RefreshMarket(state.market.symbol))

    def _obey(self, command: OperatorCommand) -> None:
        state = self.state
        match command:
            case Pause():
                state.enter(BotState.PAUSED, PauseReason.OPERATOR, "paused by its owner")
            case Resume():
                state.accept_account = bool(state.increase_halted) or resolving.waits_for_account(state)
                state.increase_halted = ""
                state.enter(BotState.RECONCILING)
                placing.retry_after_resume(state)
                self._ask_for_snapshot(full=True)
            case Stop(policy):
                self._stop(policy)
            case _:
                assert_never(command)

    def _stop(self, policy: StopPolicy) -> None:
        """KEEP leaves everything as it is; otherwise every order that may exist is cancelled. Orders never sent
        and parked wishes stay: a later start goes on with them."""
        self.state.enter(BotState.STOPPING, self.state.pause_reason, policy.value)
        if policy is not StopPolicy.KEEP:
            for order in self.state.orders:
                if order.state is not IntentState.PLANNED:
                    placing.request_cancel(self.state, order)

    # --- parked wishes -------------------------------------------------------------------------------

    def _should_retry(self, event: ev.Event) -> bool:
        state = self.state
        return (
            is_due(self._schedule.retry, state.now)
            or state.funds_changed
            or isinstance(event, ev.BookUpdated)
        )

    def _plan_retry(self) -> None:
        """What waits for a price or for a person has no timer, but for the pause behind a refusal: the newer book may
        come within it, and be the last for a long time. No timer may stand in the past."""
        if not self.state.slots.has_waiting:
            self._schedule.retry = None
            return
        retries = [
            slot.retry_at
            for slot in self.state.slots.waiting()
            if slot.retry_at is not None
            and slot.wish is not None
            and (slot.waits_for_time or slot.retry_at > self.state.now)
            and placing.may_place(self.state, slot.wish)
            and not placing.awaits_reading(self.state, slot)
        ]
        self._schedule.retry = min(retries, default=None)

    def _attach_orders_to_slots(self) -> None:
        for order in self.state.orders:
            slot = self.state.slots.get(order.slot)
            if order.state is IntentState.ZOMBIE:
                slot.zombies += 1
            elif slot.live is not None:
                raise Defect(f"two live orders are stored for slot {order.slot}")
            else:
                slot.live = order


def _restored_pause(snapshot: BotSnapshot) -> dict[str, Any]:
    """A pause outlives the process, a stop included; all else begins at STARTING, where nothing leaves (I16)."""
    ended = (BotState.STOPPING, BotState.STOPPED, BotState.STORAGE_FAILED, BotState.FENCED)
    if snapshot.state is BotState.PAUSED:
        detail = snapshot.pause_detail
    elif snapshot.state in ended and snapshot.pause_reason:
        detail = "it was paused when it was stopped"
    else:
        return {}
    return {"bot_state": BotState.PAUSED, "pause_reason": snapshot.pause_reason, "pause_detail": detail}
