"""Everything an engine knows at one moment, and what the step under way has written so far.

The modules beside this one are its verbs; this one only remembers, adds up and collects.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.journal import (
    BaselinePut,
    BotState,
    BotStatePut,
    CursorPut,
    LedgerBooked,
    NoticeAdded,
    OrderPut,
    PauseReason,
    SlotPut,
)
from gridtide.domain.market import TopOfBook
from gridtide.engine.effects import Effects
from gridtide.engine.exchange_health import ExchangeHealth

if TYPE_CHECKING:
    from gridtide.domain.commands import Command
    from gridtide.domain.fill import Fill, FillKey
    from gridtide.domain.journal import JournalEntry
    from gridtide.domain.ledger import Ledger, LedgerChange, Statement
    from gridtide.domain.market import Asset, FeeSchedule, Market, Timestamp
    from gridtide.engine.order_tracker import OrderTracker
    from gridtide.engine.settings import EngineSettings
    from gridtide.engine.slot_book import SlotBook
    from gridtide.engine.whose_fill import WaitingFills
    from gridtide.risk.gate import RiskGate
    from gridtide.strategies.protocol import SettledOrder


PASSING = frozenset(
    {PauseReason.EXCHANGE, PauseReason.RATE, PauseReason.CLOCK, PauseReason.MARKET, PauseReason.AUTH}
)
"""Pauses that end when their cause is gone; all others wait for a person."""


@dataclass(slots=True, eq=False, repr=False)
class EngineState:
    """The engine's memory. It is also the `AccountView` that the risk gate sees."""

    settings: EngineSettings
    market: Market
    fees: FeeSchedule
    gate: RiskGate
    ledger: Ledger
    orders: OrderTracker
    slots: SlotBook
    bot_state: BotState = BotState.STARTING
    pause_reason: PauseReason = PauseReason.NONE
    pause_detail: str = ""
    increase_halted: str = ""
    accept_account: bool = False
    """A person resumed although the account differs: the next quiet reading becomes the new baseline."""
    book: TopOfBook = field(default_factory=lambda: TopOfBook(None, None))
    third_prices: dict[Asset, Decimal] = field(default_factory=dict)
    unpriced: set[Asset] = field(default_factory=set)
    """Fee assets whose price nobody told us."""
    cursor: CursorPut = field(default_factory=lambda: CursorPut(0, 0))
    baseline: dict[Asset, Decimal] = field(default_factory=dict)
    fill_count: int = 0
    health: ExchangeHealth = field(default_factory=ExchangeHealth)
    unattributed: dict[str, WaitingFills] = field(default_factory=dict)
    """Fills of orders nobody knows yet, by the exchange's order id: asked for, not booked."""
    foreign_orders: set[str] = field(default_factory=set)
    """Exchange ids of orders that turned out to be somebody else's."""
    foreign_fills: set[FillKey] = field(default_factory=set)
    """Executions of others that the baseline has in it, as far back as records are read again."""
    safe_candidates: deque[tuple[Timestamp, int]] = field(default_factory=deque)
    """The account's executions (time, trade id) not yet old enough for the safe cursor."""
    now: Timestamp = 0  # type: ignore[assignment]  # replaced by the first event's time
    reports: deque[Fill | SettledOrder] = field(default_factory=deque)
    """What the strategy has not been told yet, in the order it happened."""
    funds_changed: bool = False
    wants_snapshot: bool = False
    """A full round of reads is needed before something goes on."""
    read_at: Timestamp | None = None
    """When the last full round was asked for that came back whole."""
    reset_suspected: bool = False
    """At the start the exchange showed less than it had shown before (F47)."""
    last_activity: Timestamp = 0  # type: ignore[assignment]  # when an order or the ledger last changed
    _entries: list[JournalEntry] = field(default_factory=list)
    _commands: list[Command] = field(default_factory=list)

    # --- the account as the gate sees it ---------------------------------------------------------------

    @property
    def live_orders(self) -> int:
        return self.orders.live_count

    def available(self, asset: Asset) -> Decimal:
        return self.ledger.holding(asset) - self.orders.reserved(asset)

    @property
    def price(self) -> Decimal | None:
        """The one price of E, F and D: the last market price seen, else the mid (grid-semantics 6)."""
        last = self.book.last
        return last if last is not None else self.book.mid()

    def statement(self) -> Statement | None:
        """The books at the current price; None before the first price."""
        price = self.price
        return None if price is None else self.ledger.statement(price, self.third_prices)

    # --- writing -------------------------------------------------------------------------------------

    def begin(self, now: Timestamp) -> None:
        """A step at `now`; time never goes back."""
        self.now = max(self.now, now)
        self.funds_changed = False

    def write(self, entry: JournalEntry) -> None:
        self._entries.append(entry)

    def order(self, command: Command) -> None:
        """Hand `command` on once this step is durable; the same one twice is one."""
        if command not in self._commands:
            self._commands.append(command)

    def book_change(self, change: LedgerChange) -> None:
        self._entries.append(LedgerBooked(change))
        self.funds_changed = True

    def notice(self, level: str, kind: str, text: str) -> None:
        self.write(NoticeAdded(level, kind, text))

    def enter(self, state: BotState, reason: PauseReason = PauseReason.NONE, detail: str = "") -> None:
        """Change the bot's state; stored with its reason, so a restart does not clear a pause."""
        if (state, reason, detail) == (self.bot_state, self.pause_reason, self.pause_detail):
            return
        self.bot_state, self.pause_reason, self.pause_detail = state, reason, detail
        self.write(BotStatePut(state, reason, detail))

    def pause(self, reason: PauseReason, detail: str) -> None:
        """Place nothing until resumed. An integrity or risk pause is never replaced by a milder one, and one that a
        person has to end, or a stop, never by one that passes by itself."""
        if self.bot_state is BotState.PAUSED:
            is_weaker = reason in PASSING and self.pause_reason not in PASSING
            is_told = reason is self.pause_reason
            if is_weaker or is_told or self.pause_reason in (PauseReason.INTEGRITY, PauseReason.RISK):
                return
        if self.bot_state is BotState.STOPPING and reason in PASSING:
            return
        self.enter(BotState.PAUSED, reason, detail)
        self.notice("alarm", "bot.paused", f"{reason.value}: {detail}")

    def move_cursor(self, applied: int, safe: int) -> None:
        """Cursors never fall (I12)."""
        cursor = CursorPut(max(applied, self.cursor.applied), max(safe, self.cursor.safe))
        if cursor != self.cursor:
            self.cursor = cursor
            self.write(cursor)

    def set_baseline(self, baseline: dict[Asset, Decimal]) -> None:
        self.baseline = baseline
        self.write(BaselinePut(dict(baseline)))

    def _rows(self) -> list[JournalEntry]:
        """What the step changed of orders and slots, as it is stored."""
        rows: list[JournalEntry] = [OrderPut(row) for row in self.orders.take_changed()]
        rows += [SlotPut(row) for row in self.slots.take_changed()]
        return rows

    def finish(self) -> Effects:
        """The step's effects: rows first, so that whatever refers to an order finds it. A bot that is never resumed
        needs none."""
        orders, slots = self.orders, self.slots
        if orders.changed:
            self.last_activity = self.now
        if self.settings.is_resumable:
            self._entries = [*self._rows(), *self._entries]
        else:
            orders.changed.clear()
            slots.changed.clear()
        effects = Effects(self._entries, self._commands)
        self._entries, self._commands = [], []
        return effects
