"""A bot's life once more, from the exchange's records: the way back from a lost database (F46).

The engine and its strategy live through it as they did, but place nothing: each wish waits until the records show the
order it became. What the records do not show is still a wish at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import Defect
from gridtide.domain.events import BookUpdated, FillsRead, OrderFound, RunStarted, SnapshotTaken
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
    StrategyStatePut,
)
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Timestamp, TopOfBook
from gridtide.domain.money import Price, tidy
from gridtide.domain.order import OrderStatus
from gridtide.domain.parking import ParkReason
from gridtide.engine import invariants, liquidation, order_ids
from gridtide.risk.gate import RiskGate
from gridtide.risk.rule import Refusal

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import JournalEntry
    from gridtide.domain.market import Asset
    from gridtide.domain.order import OrderIntent, OrderUpdate
    from gridtide.engine.engine import Engine
    from gridtide.risk.rule import AccountView


@dataclass(frozen=True, slots=True)
class _NothingNew:
    """Lets no wish become an order: the orders there were are the exchange's to tell."""

    def review(self, intent: OrderIntent, account: AccountView) -> Refusal:
        return Refusal(ParkReason.HALTED, "the exchange shows no order of this level; the next run places it")


REPLAY_GATE = RiskGate((_NothingNew(),))
"""The gate of an engine that only replays."""


@dataclass(frozen=True, slots=True)
class Records:
    """What the exchange has of one bot: its own orders and fills, and the whole account at that moment."""

    orders: tuple[OrderUpdate, ...]
    """In the order they were placed."""
    fills: tuple[Fill, ...]
    """By trade id."""
    balances: Mapping[Asset, Balance]
    newest_trade_id: int
    """Of the account on the market, other people's executions included."""
    safe_trade_id: int
    """Newest one old enough that none before it can still turn up."""

    def shortfalls(self) -> list[str]:
        """Orders whose fills do not add up to them (I3): the records are not complete yet."""
        executed: dict[str, Decimal] = {}
        for fill in self.fills:
            executed[fill.order_id] = executed.get(fill.order_id, Decimal(0)) + fill.amount
        return [
            f"{update.client_order_id} executed {tidy(update.executed_amount)}, its fills are "
            f"{tidy(executed.get(update.order_id, Decimal(0)))}"
            for update in self.orders
            if executed.get(update.order_id, Decimal(0)) != update.executed_amount
        ]


def replay(engine: Engine, records: Records, first_price: Decimal, now: Timestamp) -> list[JournalEntry]:
    """Let a fresh `engine` (with `REPLAY_GATE`) live through `records`; the entries to commit, each row once.

    `first_price` is the market's at the start. Raises `Defect` where the books or a slot cannot take what the records
    say; `engine.state` tells whether the strategy took it (a pause for `PauseReason.STRATEGY`).
    """
    return _Replay(engine, records).run(first_price, now)


class _Replay:
    def __init__(self, engine: Engine, records: Records) -> None:
        self._engine = engine
        self._records = records
        self._updates = {update.order_id: update for update in records.orders}
        self._waiting = list(reversed(records.orders))
        self._taken_in: set[str] = set()
        self._entries: list[JournalEntry] = []

    def run(self, first_price: Decimal, now: Timestamp) -> list[JournalEntry]:
        moments = list(self._moments())
        self._start(first_price, moments[0][0] if moments else now)
        for moment, fill, update in moments:
            if fill is not None:
                self._take_in_up_to(fill.order_id, moment)
                self._fill(fill, moment)
            else:
                self._end(update, moment)
        while self._waiting:
            self._take_in(self._waiting.pop(), now)
        self._finish(now)
        return _collapsed(self._entries)

    def _moments(self) -> Iterator[tuple[Timestamp, Fill | None, OrderUpdate]]:
        """Executions, and ends that were no execution, in the order they happened."""
        moments: list[tuple[Timestamp, int, Fill | None, OrderUpdate]] = []
        last: dict[str, Timestamp] = {}
        for fill in self._records.fills:
            moments.append((fill.timestamp, 0, fill, self._updates[fill.order_id]))
            last[fill.order_id] = fill.timestamp
        moments += [
            (Timestamp(max(update.timestamp, last[update.order_id])), 1, None, update)
            for update in self._records.orders
            if update.order_id in last and _was_cut_short(update)
        ]
        moments.sort(key=lambda item: item[:2])  # executions of one moment stay in the order of their ids
        return ((moment, fill, update) for moment, _, fill, update in moments)

    def _start(self, price: Decimal, moment: Timestamp) -> None:
        """The books are opened, and the strategy starts at the price of that day."""
        symbol = self._engine.state.market.symbol
        self._handle(BookUpdated(symbol, _book(price)), moment)
        self._handle(RunStarted({}, 0), moment)
        self._handle(SnapshotTaken(symbol, (), (), (), (), None, stable=True), moment)

    def _take_in_up_to(self, order_id: str, moment: Timestamp) -> None:
        """An order that executes was placed by then, and so was every order before it."""
        while order_id not in self._taken_in:
            self._take_in(self._waiting.pop(), moment)

    def _take_in(self, update: OrderUpdate, moment: Timestamp) -> None:
        self._make_room(update, moment)
        self._taken_in.add(update.order_id)
        self._entries += self._engine.take_in(update, moment).entries
        if not update.status.is_final and not update.executed_amount:
            self._handle(OrderFound(update), moment)

    def _make_room(self, update: OrderUpdate, moment: Timestamp) -> None:
        """The order before it in its slot was over by then, even if its end is told of the same moment."""
        decoded = order_ids.decode(update.client_order_id)
        before = None if decoded is None else self._engine.state.slots.get(decoded.slot).live
        if before is not None and _was_cut_short(self._updates[before.order_id]):
            self._end(self._updates[before.order_id], moment)

    def _fill(self, fill: Fill, moment: Timestamp) -> None:
        state = self._engine.state
        self._handle(BookUpdated(fill.symbol, _book(fill.price)), moment)
        self._handle(FillsRead(fill.symbol, (fill,)), moment)
        order = state.orders.find("", fill.order_id)
        if order is None or fill.key not in order.fills:
            raise Defect(
                f"fill {fill.trade_id} cannot be booked: {state.pause_detail or 'its order is unknown'}"
            )
        update = self._updates[fill.order_id]
        if order.filled_amount == update.executed_amount and (
            update.status is OrderStatus.FILLED or not update.status.is_final
        ):
            self._handle(OrderFound(update), moment)

    def _end(self, update: OrderUpdate, moment: Timestamp) -> None:
        order = self._engine.state.orders.find("", update.order_id)
        if order is not None:
            # Who cancelled it, we or a person by hand, is not on record: the strategy goes on as after its own cancel.
            order.cancel_requested = update.status is OrderStatus.CANCELED
        self._handle(OrderFound(update), moment)

    def _finish(self, now: Timestamp) -> None:
        """What rests goes on resting; what waits may be placed at once by the next run; the rest is the account's."""
        engine, state, records = self._engine, self._engine.state, self._records
        state.begin(now)
        for order in state.orders:
            if (
                order.state is IntentState.CANCELLING
            ):  # it wanted to go on without the rest, and will say so again
                order.state = IntentState.PART if order.executed_amount else IntentState.OPEN
                state.orders.touch(order)
        for slot in state.slots.parked():
            slot.retry_at = now
            state.slots.touch(slot)
        breaches = invariants.own_breaches(state)
        if breaches:
            raise Defect("; ".join(breaches))
        totals = {asset: balance.total for asset, balance in records.balances.items()}
        state.set_baseline({asset: total - state.ledger.holding(asset) for asset, total in totals.items()})
        state.move_cursor(records.newest_trade_id, records.safe_trade_id)
        sold_out = any(slot.slot == liquidation.SLOT for slot in state.slots) and not list(state.orders)
        if state.bot_state is not BotState.PAUSED:
            policy = StopPolicy.LIQUIDATE if sold_out else StopPolicy.KEEP
            state.enter(BotState.STOPPED, PauseReason.NONE, policy.value)
        self._entries += engine.state.finish().entries

    def _handle(
        self, event: BookUpdated | RunStarted | SnapshotTaken | FillsRead | OrderFound, moment: Timestamp
    ) -> None:
        self._entries += self._engine.handle(event, moment).entries


def _was_cut_short(update: OrderUpdate) -> bool:
    return update.status.is_final and update.status is not OrderStatus.FILLED


def _book(price: Decimal) -> TopOfBook:
    return TopOfBook(Price(price), Price(price), Price(price))


_LAST_WORD = (BotStatePut, CursorPut, BaselinePut)


def _collapsed(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Each row once, as it ended; money and fills as they happened; what was told on the way is old news."""
    orders: dict[str, OrderPut] = {}
    slots: dict[str, SlotPut] = {}
    last: dict[type, JournalEntry] = {}
    parts: dict[str, object] = {}
    kept: list[JournalEntry] = []
    for entry in entries:
        match entry:
            case OrderPut(row):
                orders[row.client_order_id] = entry
            case SlotPut(row):
                slots[row.slot] = entry
            case StrategyStatePut(state):
                parts.update(state)
            case NoticeAdded():
                pass
            case _ if isinstance(entry, _LAST_WORD):
                last[type(entry)] = entry
            case _:
                kept.append(entry)
    booked = [entry for entry in kept if isinstance(entry, LedgerBooked)]
    others = [entry for entry in kept if not isinstance(entry, LedgerBooked)]
    found: list[JournalEntry] = [*orders.values(), *slots.values(), *others, *booked]
    if parts:
        found.append(StrategyStatePut(parts))
    return [*found, *sorted(last.values(), key=lambda entry: type(entry).__name__)]
