"""The event loop of the backtest world: jumps from one moment that matters to the next, over engine and venue.

The same engine, strategy and gate as live; what a session does there after an event (decide, commit, hand on) is done
here at once, in the same order.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, assert_never

from gridtide.domain.commands import (
    CancelOrder,
    QueryOrder,
    ReadFills,
    RefreshMarket,
    SubmitOrder,
    TakeSnapshot,
)
from gridtide.domain.errors import Defect
from gridtide.domain.events import FillsRead, MarketChanged, RunStarted, SendWindowOpened, TimerFired
from gridtide.domain.market import Timestamp
from gridtide.runners.backtest_lane import START, Lane, Stop

if TYPE_CHECKING:
    from gridtide.domain.commands import Command
    from gridtide.domain.events import Event
    from gridtide.domain.journal import JournalEntry
    from gridtide.domain.market import Symbol
    from gridtide.ports.direct_exchange import DirectExchange
    from gridtide.runners.arrivals import Arrival, Arrivals
    from gridtide.venue.schedule import MarketSchedule

BEFORE_ALL = Timestamp(-1)
SEND_CAPACITY = 10_000
"""Orders that may leave in one step: a backtest has no rate budget."""
MAX_EXCHANGES = 10_000
"""Rounds of questions and answers within one moment after which a bot is taken to run in circles (F65)."""

Latency = Callable[[], int]
"""How long the next request takes to the exchange, ms."""


class Seen(NamedTuple):
    """What a listener is told: entries that one bot committed, and at which point of its path it stood."""

    lane: Lane
    entries: Sequence[JournalEntry]
    now: Timestamp


class BacktestRun:
    """Several bots on one account, each on its market. `run` plays everything to the end of the data."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        exchange: DirectExchange,
        *,
        schedules: Mapping[Symbol, MarketSchedule] | None = None,
        latency: Latency | None = None,
        arrivals: Arrivals | None = None,
        listener: Callable[[Seen], None] | None = None,
    ) -> None:
        """`latency`: without one, requests arrive at once; or, with `arrivals`, when those of a recorded session on
        the only lane's market did. `schedules`: what is known in advance of the markets."""
        self.lanes = tuple(lanes)
        self.steps = 0
        """Moments at which something was looked at."""
        self._exchange = exchange
        self._schedules = dict(schedules or {})
        self._obeyed: Timestamp | None = None
        """Up to when the schedules were obeyed; None: not at all."""
        self._latency = latency
        self._arrivals = arrivals
        self._listener = listener
        self._under_way: list[tuple[int, int, Lane, Command]] = []
        """Requests on their way to the exchange: a heap by arrival."""
        self._recorded: list[tuple[Arrival, Command]] = []
        """Requests on their way until a point of the path: a heap by arrival."""
        self._sent = 0
        self._by_symbol = {lane.symbol: lane for lane in self.lanes}

    def run(self, progress: Callable[[Timestamp], None] | None = None) -> None:
        """Play to the end; `progress` is told the market's time now and then."""
        repeated, before = 0, None
        while (following := self._next()) is not None:
            lane, stop = following
            repeated = repeated + 1 if stop == before else 0
            if repeated > MAX_EXCHANGES:
                raise Defect(f"{lane.symbol}: something is due at {stop.time} again and again")
            before = stop
            self._go(lane, stop)
            if self._arrivals is not None:
                self._let_arrive(lane, stop.time)
            self.steps += 1
            if progress is not None and not self.steps % 64:
                progress(stop.time)
        for lane in self.lanes:
            self._stand_at(lane, len(lane.path) - 1)

    def _next(self) -> tuple[Lane, Stop] | None:
        """The lane whose next stop comes first; of equal times the first lane."""
        moment = self._next_moment()
        best: tuple[Lane, Stop] | None = None
        for lane in self.lanes:
            stop = lane.next_stop(self._exchange, moment)
            if stop is not None and (best is None or stop.time < best[1].time):
                best = lane, stop
        return best

    def _next_moment(self) -> Timestamp | None:
        """When a request arrives or a market changes."""
        if not self._under_way and not self._schedules:
            return None
        moments = [Timestamp(self._under_way[0][0])] if self._under_way else []
        for schedule in self._schedules.values():
            change = schedule.next_after(BEFORE_ALL if self._obeyed is None else self._obeyed)
            if change is not None:
                moments.append(change)
        return min(moments, default=None)

    def _go(self, lane: Lane, stop: Stop) -> None:
        if stop.is_time:
            self._stand_at(lane, stop.point - 1)
            self._pass_time(lane, stop.time)
            return
        self._stand_at(lane, stop.point - 1)
        is_first = lane.position == START
        self._exchange.move(lane.symbol, lane.path.point(stop.point))
        lane.position = stop.point
        lane.forget_stop()
        self._hear(stop.time, moved=lane)
        if is_first:
            self._deliver(lane, [*lane.opening, RunStarted(self._exchange.balances())], stop.time)

    def _stand_at(self, lane: Lane, index: int) -> None:
        """Pass over the points up to `index`, at which nothing happens: only the price moves."""
        if index <= lane.position:
            return
        self._exchange.pass_over(lane.symbol, lane.path, lane.position + 1, index + 1)
        lane.position = index
        lane.engine.see_book(self._exchange.book(lane.symbol))

    def _pass_time(self, lane: Lane, now: Timestamp) -> None:
        """What is due at `now`: market changes, arriving requests, candles that close, the bot's own timers."""
        for each in self.lanes:
            if each is not lane:  # a request may be for any market, and must meet it as it stands now
                self._stand_at(each, each.path.first_at(now) - 1)
            each.forget_stop()
        self._obey_schedules(now)
        while self._under_way and self._under_way[0][0] <= now:
            _, _, sender, command = heapq.heappop(self._under_way)
            self._deliver(sender, self._carry_out(command, now), now)
            self._hear(now)
        while (close := lane.next_close()) is not None and close <= now:
            if (candle := lane.next_candle()) is not None:
                self._deliver(lane, [candle], now)
        timer = lane.engine.next_timer()
        if timer is not None and timer <= now:
            self._deliver(lane, [TimerFired()], now)

    def _let_arrive(self, lane: Lane, now: Timestamp) -> None:
        """What was recorded to arrive before the next point; then where to stop for the next of them."""
        while self._recorded and self._recorded[0][0].after <= lane.position:
            _, command = heapq.heappop(self._recorded)
            self._deliver(lane, self._carry_out(command, now), now)
            self._hear(now)
        lane.stop_at(self._recorded[0][0].after if self._recorded else None)

    def _obey_schedules(self, now: Timestamp) -> None:
        before = BEFORE_ALL if self._obeyed is None else self._obeyed
        self._obeyed = now
        for symbol, schedule in self._schedules.items():
            change = schedule.next_after(before)
            if change is not None and change <= now:
                market = self._exchange.obey(symbol, schedule, now)
                self._deliver(self._by_symbol[symbol], [MarketChanged(market)], now)
                self._hear(now)

    # --- one reaction --------------------------------------------------------------------------------

    def _hear(self, now: Timestamp, moved: Lane | None = None) -> None:
        """Tell each bot what the account's stream says, and the one whose market `moved` its new book behind that."""
        heard = self._exchange.heard()
        if moved is not None and (len(self.lanes) == 1 or all(symbol == moved.symbol for symbol, _ in heard)):
            events: list[Event] = [event for _, event in heard]
            events.append(moved.book(self._exchange))
            self._deliver(moved, events, now)
            return
        for symbol, event in heard:
            self._deliver(self._by_symbol[symbol], [event], now)
        if moved is not None:
            self._deliver(moved, [moved.book(self._exchange)], now)

    def _deliver(self, lane: Lane, events: Sequence[Event], now: Timestamp) -> None:
        """Decide, commit, hand on, until nothing follows any more."""
        engine = lane.engine
        for _ in range(MAX_EXCHANGES):
            entries: list[JournalEntry] = []
            commands: list[Command] = []
            for event in events:
                effects = engine.handle(event, now)
                entries += effects.entries
                commands += effects.commands
            if engine.wants_to_send:
                effects = engine.handle(SendWindowOpened(SEND_CAPACITY), now)
                entries += effects.entries
                commands += effects.commands
            if entries:
                lane.forget_stop()
                if lane.journal is not None:
                    lane.journal.commit(entries, now)
                if self._listener is not None:
                    self._listener(Seen(lane, entries, now))
            if not commands:
                return
            lane.forget_stop()
            events = self._hand_on(lane, commands, now)
            if not events:
                return
        raise Defect(f"{lane.symbol}: the bot and the exchange never come to an end at {now}")

    def _hand_on(self, lane: Lane, commands: Sequence[Command], now: Timestamp) -> list[Event]:
        """Carry `commands` out, and what the account's stream says of it; with a latency, requests leave instead."""
        if self._latency is not None or self._arrivals is not None:
            return [event for command in commands for event in self._send(lane, command, now)]
        events: list[Event] = []
        for command in commands:
            events += self._carry_out(command, now)
            for symbol, event in self._exchange.heard():
                if symbol == lane.symbol:
                    events.append(event)
                else:
                    self._deliver(self._by_symbol[symbol], [event], now)
        return events

    def _send(self, lane: Lane, command: Command, now: Timestamp) -> list[Event]:
        if not isinstance(command, SubmitOrder | CancelOrder):
            return self._carry_out(command, now)
        if self._arrivals is not None:
            arrival = self._arrivals.take(command)
            if arrival is not None:
                heapq.heappush(self._recorded, (arrival, command))
            return []
        if self._latency is None:
            return self._carry_out(command, now)
        self._sent += 1
        heapq.heappush(self._under_way, (now + self._latency(), self._sent, lane, command))
        return []

    def _carry_out(self, command: Command, now: Timestamp) -> list[Event]:
        exchange = self._exchange
        match command:
            case SubmitOrder():
                return [exchange.submit(command, now)]
            case CancelOrder():
                return [exchange.cancel(command, now)]
            case QueryOrder():
                return [exchange.query(command)]
            case ReadFills(symbol, from_trade_id):
                return [FillsRead(symbol, exchange.fills(symbol, from_trade_id))]
            case TakeSnapshot():
                return [exchange.snapshot(command)]
            case RefreshMarket(symbol):
                return [MarketChanged(exchange.market(symbol))]
            case _:
                assert_never(command)
