"""A small world for engine tests: one engine, a real venue in process, a memory journal, and time that only we move.

Commands are carried out one by one; a `Fault` may lose requests or answers, repeat or hold back stream events.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal

from gridtide.domain import commands as cmd
from gridtide.domain import events as ev
from gridtide.domain.balance import Balance
from gridtide.domain.fill import Fill
from gridtide.domain.journal import JournalEntry
from gridtide.domain.market import Asset, FeeSchedule, Market, MarketRules, Symbol, Timestamp, TopOfBook
from gridtide.domain.money import FeeRate, Price
from gridtide.domain.order import OrderUpdate
from gridtide.engine.engine import Engine, stored_strategy_state
from gridtide.engine.settings import Allocation, BotIdentity, EngineSettings
from gridtide.exchanges.venue_values import order_update, own_fill, user_event
from gridtide.risk.gate import RiskGate, default_gate
from gridtide.storage.memory_journal import MemoryDatabase
from gridtide.strategies.protocol import Strategy
from gridtide.venue.messages import (
    NewOrder,
    PriceMoved,
    VenueEvent,
    VenueRefusal,
)
from gridtide.venue.settings import AccountFees, VenueSettings
from gridtide.venue.venue import Venue

update = order_update


class Killed(Exception):
    """The process died here; `World.restart` brings the bot back."""


ACCOUNT = "tester"
SYMBOL = Symbol("BTC/USDT")
BTC, USDT = Asset("BTC"), Asset("USDT")
RULES = MarketRules(
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
    min_notional=Decimal(5),
    min_price=Decimal("0.01"),
    max_price=Decimal(1000000),
    min_amount=Decimal("0.00001"),
    max_amount=Decimal(9000),
)
MARKET = Market(SYMBOL, BTC, USDT, RULES)
FEES = FeeSchedule(FeeRate(Decimal("0.001")), FeeRate(Decimal("0.001")))


class World:
    """Venue and engine, joined by commands and events that a test can look at and interfere with."""

    def __init__(
        self,
        strategy: Callable[[], Strategy],
        revive: Callable[[dict[str, object]], Strategy] | None = None,
        *,
        quote: str = "10000",
        allocation: str = "10000",
        start_price: str = "100",
        gate: RiskGate | None = None,
        venue: VenueSettings | None = None,
    ) -> None:
        self.now = 1_700_000_000_000
        self.venue = Venue([MARKET], venue or VenueSettings(), random.Random(7))
        self.venue.add_account(ACCOUNT, {USDT: Decimal(quote)}, AccountFees(FEES.maker, FEES.taker))
        self.database = MemoryDatabase()
        self.journal = self.database.open_bot()
        self.allocation = Allocation(quote=Decimal(allocation))
        self._strategy, self._revive, self._gate = strategy, revive, gate or default_gate()
        self.sent: list[cmd.Command] = []
        self.entries: list[JournalEntry] = []
        self.inbox: deque[ev.Event] = deque()
        self.lose_answer: Callable[[cmd.Command], bool] = lambda command: False
        self.lose_request: Callable[[cmd.Command], bool] = lambda command: False
        self.answer_instead: Callable[[cmd.Command], ev.Event | None] = lambda command: None
        self.dies: Callable[[], bool] = lambda: False
        """Asked before each commit and around each command: True kills the process there."""
        self.hold_stream = False
        self.held: list[ev.Event] = []
        self.move_venue(start_price)
        self.engine = self._build()

    # --- life of the bot -----------------------------------------------------------------------------

    def start(self) -> None:
        """Start (or restart) the bot and let everything happen that follows at once."""
        balances = self.venue.balances(ACCOUNT)
        self.inbox.append(ev.RunStarted(balances, self._newest_trade_id()))
        self.inbox.append(self.book_event())
        self.run()

    def restart(self) -> None:
        """As after kill -9: whatever was in memory or on its way is gone, the journal is what is left."""
        self.load()
        self.start()

    def load(self) -> None:
        """The moment of a restart before anything has happened."""
        self.inbox.clear()
        self.held.clear()
        self.journal = self.database.open_bot(resume=True)
        self.engine = self._build()

    def _build(self) -> Engine:
        snapshot = self.journal.load()
        stored = stored_strategy_state(snapshot)
        if stored is None:
            strategy = self._strategy()
        else:
            assert self._revive is not None
            strategy = self._revive(dict(stored))
        identity = BotIdentity("test", ACCOUNT, SYMBOL, snapshot.generation)
        settings = EngineSettings(identity, self.allocation)
        return Engine(settings, MARKET, FEES, strategy, self._gate, snapshot)

    # --- events --------------------------------------------------------------------------------------

    def move(self, *prices: str | Decimal, volume: str | Decimal = "1") -> None:
        """Walk the market over `prices`; the bot reacts after each."""
        for price in prices:
            self.move_venue(price, volume)
            self.inbox.append(self.book_event())
            self.run()

    def elapse(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.now + int(seconds * 1000)
        while (timer := self.engine.next_timer()) is not None and timer <= end:
            self.now = max(self.now, timer)
            self.feed(ev.TimerFired())
        self.now = end
        self.feed(ev.TimerFired())

    def feed(self, *events: ev.Event) -> None:
        """Give the engine `events`, then all that follows."""
        self.inbox.extend(events)
        self.run()

    def release_stream(self) -> None:
        """Deliver the stream events held back so far."""
        held, self.held = self.held, []
        self.hold_stream = False
        self.feed(*held)

    def run(self) -> None:
        """Step until nothing is left to do at this moment."""
        for _ in range(100_000):
            if self.inbox:
                self._step(self.inbox.popleft())
            elif self.engine.wants_to_send:
                self._step(ev.SendWindowOpened(8))
                if not self.inbox and self.engine.wants_to_send:
                    return
            else:
                return
        raise AssertionError("the world does not come to rest")

    def _step(self, event: ev.Event) -> None:
        self.now += 1
        effects = self.engine.handle(event, Timestamp(self.now))
        self._perhaps_die()
        if effects.entries:
            self.journal.commit(effects.entries, Timestamp(self.now))
        self.entries += effects.entries
        for command in effects.commands:
            self._perhaps_die()
            self.sent.append(command)
            self._carry_out(command)

    def _perhaps_die(self) -> None:
        if self.dies():
            raise Killed

    # --- the exchange's side ---------------------------------------------------------------------------

    def _carry_out(self, command: cmd.Command) -> None:
        if self.lose_request(command):
            self._lost(command)
            return
        if (other := self.answer_instead(command)) is not None:
            self.inbox.append(other)
            return
        answer = self.act(command)
        if self.lose_answer(command):
            self._lost(command)
        else:
            self.inbox.append(answer)

    def _lost(self, command: cmd.Command) -> None:
        match command:
            case cmd.SubmitOrder():
                self.inbox.append(ev.OrderUnconfirmed(command.client_order_id, "no answer"))
            case cmd.CancelOrder():
                self.inbox.append(ev.CancelUnconfirmed(command.client_order_id, "no answer"))
            case cmd.QueryOrder():
                self.inbox.append(ev.ReadFailed("query", "no answer", command.client_order_id))
            case _:
                self.inbox.append(ev.ReadFailed("snapshot", "no answer"))

    def act(self, command: cmd.Command) -> ev.Event:
        match command:
            case cmd.SubmitOrder():
                return self._submit(command)
            case cmd.CancelOrder():
                return self._cancel(command)
            case cmd.QueryOrder():
                return self._query(command)
            case cmd.ReadFills(_, from_id):
                return ev.FillsRead(SYMBOL, self.fills(from_id))
            case cmd.TakeSnapshot():
                return self._snapshot(command)
            case cmd.RefreshMarket():
                return ev.MarketChanged(self.venue.market(SYMBOL))

    def _submit(self, command: cmd.SubmitOrder) -> ev.Event:
        intent = command.approved.intent
        request = NewOrder(
            ACCOUNT,
            SYMBOL,
            intent.side,
            intent.type.value,
            intent.amount,
            price=intent.price,
            time_in_force=intent.time_in_force if intent.type.value == "LIMIT" else None,
            client_order_id=command.client_order_id,
        )
        try:
            placement = self.venue.place_order(request, Timestamp(self.now))
        except VenueRefusal as refusal:
            return ev.OrderRefused(command.client_order_id, _reason(refusal), refusal.message)
        self._stream(placement.events)
        return ev.OrderAccepted(
            order_update(placement.order), tuple(own_fill(item, named=True) for item in placement.fills)
        )

    def _cancel(self, command: cmd.CancelOrder) -> ev.Event:
        try:
            done = self.venue.cancel_order(
                ACCOUNT, SYMBOL, client_order_id=command.client_order_id, now=Timestamp(self.now)
            )
        except VenueRefusal:
            return ev.CancelFoundNothing(command.client_order_id)
        self._stream(done.events)
        return ev.CancelAccepted(order_update(done.order))

    def _query(self, command: cmd.QueryOrder) -> ev.Event:
        try:
            if command.client_order_id:
                found = self.venue.order(ACCOUNT, SYMBOL, client_order_id=command.client_order_id)
            else:
                found = self.venue.order(ACCOUNT, SYMBOL, order_id=int(command.order_id))
        except VenueRefusal:
            return ev.OrderNotFound(command.client_order_id)
        return ev.OrderFound(order_update(found))

    def _snapshot(self, command: cmd.TakeSnapshot) -> ev.Event:
        open_orders = tuple(order_update(order) for order in self.venue.open_orders(ACCOUNT, SYMBOL))
        listed = {order.client_order_id for order in open_orders}
        queried: list[OrderUpdate] = []
        missing: list[str] = []
        for client_order_id in command.client_order_ids:
            if client_order_id not in listed:
                answer = self._query(cmd.QueryOrder(SYMBOL, client_order_id))
                if isinstance(answer, ev.OrderFound):
                    queried.append(answer.update)
                else:
                    missing.append(client_order_id)
        balances = self.venue.balances(ACCOUNT) if command.full else None
        return ev.SnapshotTaken(
            SYMBOL,
            self.fills(command.from_trade_id),
            open_orders,
            tuple(queried),
            tuple(missing),
            balances,
            asked_at=command.asked_at,
        )

    def fills(self, from_id: int = 0) -> tuple[Fill, ...]:
        """Trade records as the exchange gives them: without client order ids."""
        found = self.venue.fills(ACCOUNT, SYMBOL, from_id=from_id, limit=1_000_000)
        return tuple(own_fill(item, named=False) for item in found)

    def balance(self, asset: Asset) -> Balance:
        return self.venue.balances(ACCOUNT)[asset]

    def place_by_hand(self, request: NewOrder) -> None:
        """Somebody trades on the account behind the bot's back."""
        self._stream(self.venue.place_order(request, Timestamp(self.now)).events)
        self.run()

    def cancel_by_hand(self, client_order_id: str) -> None:
        done = self.venue.cancel_order(
            ACCOUNT, SYMBOL, client_order_id=client_order_id, now=Timestamp(self.now)
        )
        self._stream(done.events)
        self.run()

    def move_venue(self, price: str | Decimal, volume: str | Decimal = "1") -> None:
        move = PriceMoved(Decimal(price), Decimal(volume), Timestamp(self.now))
        self._stream(self.venue.move_market(SYMBOL, move, Timestamp(self.now)))

    def _stream(self, events: Iterable[VenueEvent]) -> None:
        for event in events:
            translated = user_event(event, ACCOUNT)
            if translated is None:
                continue
            if self.hold_stream:
                self.held.append(translated)
            else:
                self.inbox.append(translated)

    def book_event(self) -> ev.BookUpdated:
        best = self.venue.best(SYMBOL)
        last = self.venue.last_price(SYMBOL)
        return ev.BookUpdated(SYMBOL, TopOfBook(best.bid, best.ask, None if last is None else Price(last)))

    def _newest_trade_id(self) -> int:
        found = self.venue.fills(ACCOUNT, SYMBOL, limit=1)
        return found[-1].trade_id if found else 0


def _reason(refusal: VenueRefusal) -> ev.RefusalReason:
    texts = {
        "insufficient balance": ev.RefusalReason.INSUFFICIENT_FUNDS,
        "immediately match": ev.RefusalReason.WOULD_TAKE,
        "Market is closed": ev.RefusalReason.MARKET_CLOSED,
        "PERCENT_PRICE": ev.RefusalReason.PRICE_BAND,
        "MAX_NUM_ORDERS": ev.RefusalReason.MAX_OPEN_ORDERS,
    }
    return next((reason for text, reason in texts.items() if text in refusal.message), ev.RefusalReason.OTHER)
