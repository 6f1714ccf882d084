"""A small exchange and engine in memory, to drive one strategy: real books, naive matching, every rule checked.

It keeps the promises of `ExecutionContext` and nothing more. After every booking it checks the books, after
every event what a grid must never break.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from gridtide.domain.errors import Defect
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.ledger import Account, Ledger
from gridtide.domain.market import Asset, FeeSchedule, Market, Symbol, Timestamp, TopOfBook
from gridtide.domain.money import Amount, Money, Price, multiply_exact
from gridtide.domain.order import OrderType, Side, Slot, TimeInForce
from gridtide.strategies.protocol import Ending, OwnOrder, SettledOrder, Strategy
from tests.strategies.markets import BASE, QUOTE, SYMBOL, THIRD, D

Split = Callable[[Decimal], list[Decimal]]
"""Cuts an execution into parts that add up to it."""


def whole(amount: Decimal) -> list[Decimal]:
    return [amount]


@dataclass(slots=True)
class SimulatedOrder:
    """A wish of the strategy; it rests unless `parked` says why not."""

    slot: Slot
    price: Price | None
    amount: Amount
    type: OrderType
    time_in_force: TimeInForce
    order_id: str
    parked: str = ""
    executed: Decimal = Decimal(0)
    executed_quote: Decimal = Decimal(0)
    received: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        return self.amount - self.executed


@dataclass(slots=True)
class Wakes:
    at: Timestamp | None = None
    below: Price | None = None
    above: Price | None = None


class World:
    """One strategy on one market at one price; `context` of the strategy and its exchange in one."""

    def __init__(
        self,
        strategy: Strategy,
        market: Market,
        fees: FeeSchedule,
        price: str | Decimal,
        quote: str | Decimal,
        *,
        base: str | Decimal = "0",
        base_cost: str | Decimal = "0",
        third: str | Decimal = "0",
    ) -> None:
        self.strategy: Any = strategy
        self.market = market
        self.fees = fees
        self.third_price = D(400)
        self.now = Timestamp(1_000)
        self.price = Price(D(price))
        self.orders_by_slot: dict[Slot, SimulatedOrder] = {}
        self.held: set[Slot] = set()
        self.wakes = Wakes()
        self.notices: list[tuple[str, str]] = []
        self.placed: list[tuple[str, OrderType]] = []
        self.fills: list[Fill] = []
        self.reports: deque[Fill | SettledOrder] = deque()
        self.taker_liquidity: Decimal | None = None
        """Base that takers find at the ask in one go; None: enough."""
        self.is_offline = False
        self.restarts_always = False
        self.check_books_every = 1
        self._bookings = 0
        self.ledger = Ledger(BASE, QUOTE)
        for asset, amount, value in (
            (QUOTE, D(quote), D(quote)),
            (BASE, D(base), D(base_cost)),
            (THIRD, D(third), D(third) * self.third_price),
        ):
            if amount:
                self.ledger.contribute(asset, amount, value, self.now, f"start:{asset}", "INIB")

    # --- ExecutionContext ----------------------------------------------------------------------------

    @property
    def book(self) -> TopOfBook:
        tick = self.market.rules.tick_size
        return TopOfBook(Price(self.price - tick), Price(self.price + tick), self.price)

    def current_price(self, symbol: Symbol | None = None) -> Price:
        return self.price

    def balance(self, asset: Asset) -> Amount:
        return Amount(self.ledger.holding(asset))

    def available(self, asset: Asset) -> Amount:
        resting = [order for order in self.orders_by_slot.values() if not order.parked]
        return Amount(
            self.ledger.holding(asset) - sum((self._reserved(order, asset) for order in resting), D(0))
        )

    def order(self, slot: Slot) -> OwnOrder | None:
        found = self.orders_by_slot.get(slot)
        if found is None:
            return None
        return OwnOrder(slot, found.price, found.amount, Amount(found.executed), found.parked)

    def order_of(self, fill: Fill) -> OwnOrder | None:
        found = (slot for slot, order in self.orders_by_slot.items() if order.order_id == fill.order_id)
        slot = next(found, None)
        return None if slot is None else self.order(slot)

    def orders(self) -> tuple[OwnOrder, ...]:
        found = (self.order(slot) for slot in sorted(self.orders_by_slot))
        return tuple(order for order in found if order is not None)

    def place_order(
        self,
        slot: Slot,
        price: Price | None,
        amount: Amount,
        order_type: OrderType = OrderType.LIMIT_MAKER,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> None:
        if slot in self.orders_by_slot:
            raise Defect(f"{slot} is taken")
        order_id = f"{slot}-{len(self.fills)}-{self.now}-{len(self.reports)}"
        order = SimulatedOrder(slot, price, amount, order_type, time_in_force, order_id)
        order.parked = "cancelled_outside" if slot in self.held else self._refusal(order)
        self.orders_by_slot[slot] = order
        self.placed.append((slot.key, order_type))

    def cancel_order(self, slot: Slot) -> None:
        order = self.orders_by_slot.get(slot)
        if order is None:
            return
        if order.parked:
            del self.orders_by_slot[slot]
        else:
            self._settle(order, Ending.CANCELLED)

    def lot_amount(self, owner: str) -> Amount:
        return self.ledger.owned(owner)

    def assign_lots(self, source: str, target: str, amount: Amount) -> None:
        self.ledger.assign(source, target, amount, f"assign:{self.ledger.totals.next_lot_id}", self.now)
        self._check_books()

    def wake_when(
        self, *, price_at_or_below: Price | None = None, price_at_or_above: Price | None = None
    ) -> None:
        self.wakes.below, self.wakes.above = price_at_or_below, price_at_or_above

    def wake_at(self, moment: Timestamp | None) -> None:
        self.wakes.at = moment

    def notice(self, kind: str, text: str, *, level: str = "info") -> None:
        self.notices.append((kind, text))

    # --- what happens outside --------------------------------------------------------------------------

    def start(self) -> World:
        self.strategy.on_start(self)
        self._after_event()
        return self

    def move(self, target: str | Decimal, split: Split = whole, last: Decimal = Decimal(1)) -> None:
        """Walk the price to `target`, filling what rests on the way; at `target` itself the part `last`."""
        self.now = Timestamp(self.now + 1000)
        goal = Price(D(target))
        while (order := self._next_crossed(goal)) is not None:
            assert order.price is not None
            share = last if order.price == goal else Decimal(1)
            amount = self.market.rules.floor_amount(order.left * share)
            self.price = order.price
            for part in split(amount) if amount else ():
                self._execute(order, part, order.price)
            self._after_event()
            if order.price == goal and share < 1:
                break
        self.price = goal
        self._after_event()

    def wait(self, seconds: int) -> None:
        self.now = Timestamp(self.now + seconds * 1000)
        self._after_event()

    def end(self, slot: Slot, ending: Ending) -> None:
        """The exchange or somebody else ends a resting order."""
        if ending is Ending.CANCELLED_OUTSIDE:
            self.held.add(slot)
        self._settle(self.orders_by_slot[slot], ending)
        self._after_event()

    def resume(self) -> None:
        """A person looked: held slots may try again."""
        self.held.clear()
        self._after_event()

    def move_quote(self, amount: Decimal) -> None:
        """Quote comes to the bot or leaves it."""
        self.ledger.contribute(QUOTE, amount, amount, self.now, f"move:{len(self.fills)}:{amount}")

    def go_online(self) -> None:
        """Everything that happened meanwhile reaches the strategy at once."""
        self.is_offline = False
        self._after_event()

    def restart(self) -> None:
        """Only the state survives, as text."""
        stored = json.dumps(self.strategy.get_state())
        self.strategy = type(self.strategy).from_state(json.loads(stored))
        assert json.dumps(self.strategy.get_state()) == stored

    # --- what can be seen ------------------------------------------------------------------------------

    def resting(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Slot key → price (0 for a market order) and amount left of every order in the book."""
        return {
            slot.key: (order.price or D(0), order.left)
            for slot, order in sorted(self.orders_by_slot.items())
            if not order.parked
        }

    def parked(self) -> dict[str, str]:
        return {slot.key: order.parked for slot, order in sorted(self.orders_by_slot.items()) if order.parked}

    # --- the exchange ----------------------------------------------------------------------------------

    def _next_crossed(self, goal: Price) -> SimulatedOrder | None:
        crossed = [
            order
            for order in self.orders_by_slot.values()
            if not order.parked
            and order.price is not None
            and (
                order.price >= goal
                if order.slot.side is Side.BUY and goal <= self.price
                else order.price <= goal and order.slot.side is Side.SELL and goal >= self.price
            )
        ]
        return min(crossed, key=lambda order: abs((order.price or 0) - self.price), default=None)

    def _take(self) -> None:
        """Whatever crosses the book on arrival takes: IOC orders, market orders, limits that may."""
        for order in list(self.orders_by_slot.values()):
            buys = order.slot.side is Side.BUY
            best = self.book.ask if buys else self.book.bid
            if order.parked or order.type is OrderType.LIMIT_MAKER or best is None:
                continue
            crosses = order.price is None or (order.price >= best if buys else order.price <= best)
            if crosses:
                liquidity = order.left if self.taker_liquidity is None else self.taker_liquidity
                amount = self.market.rules.floor_amount(min(order.left, liquidity))
                if amount:
                    self._execute(order, amount, best, is_maker=False)
            still_there = self.orders_by_slot.get(order.slot) is order
            if still_there and (order.time_in_force is TimeInForce.IOC or order.price is None):
                self._settle(order, Ending.EXPIRED)

    def _execute(
        self, order: SimulatedOrder, amount: Decimal, price: Price, *, is_maker: bool = True
    ) -> None:
        side = order.slot.side
        quote = multiply_exact(amount, price)
        fee = self._fee(side, amount, quote, is_maker)
        fill = Fill(
            SYMBOL,
            len(self.fills) + 1,
            order.order_id,
            side,
            price,
            Amount(amount),
            Money(quote),
            fee,
            is_maker,
            self.now,
        )
        self.fills.append(fill)
        self.ledger.book(fill, order.slot.key, self.third_price if fee.asset == THIRD else None)
        self._check_books()
        order.executed += amount
        order.executed_quote += quote
        gross, asset = (amount, BASE) if side is Side.BUY else (quote, QUOTE)
        order.received += gross - fee.amount if fee.asset == asset else gross
        self.reports.append(fill)
        if not order.left:
            self._settle(order, Ending.FILLED)

    def _fee(self, side: Side, amount: Decimal, quote: Decimal, is_maker: bool) -> Fee:
        rate = self.fees.maker if is_maker else self.fees.taker
        if self.fees.asset == THIRD:
            return Fee(Amount((quote * rate / self.third_price).quantize(D("1e-8"))), THIRD)
        if self.fees.asset == QUOTE or side is Side.SELL:
            return Fee(Amount(quote * rate), QUOTE)
        return Fee(Amount(amount * rate), BASE)

    def _settle(self, order: SimulatedOrder, ending: Ending) -> None:
        del self.orders_by_slot[order.slot]
        self.reports.append(
            SettledOrder(
                order.slot,
                order.price,
                order.amount,
                Amount(order.executed),
                order.executed_quote,
                order.received,
                ending,
            )
        )

    # --- the engine ------------------------------------------------------------------------------------

    def _after_event(self) -> None:
        if self.is_offline:
            return
        self._tell()
        self._wake()
        self._retry()
        self._tell()
        self.check()

    def _tell(self) -> None:
        self._take()
        while self.reports:
            report = self.reports.popleft()
            if self.restarts_always:
                self.restart()
            if isinstance(report, Fill):
                self.strategy.on_fill(report, self)
            else:
                self.strategy.on_order_settled(report, self)
            self._take()

    def _wake(self) -> None:
        wakes = self.wakes
        due = (
            (wakes.at is not None and self.now >= wakes.at)
            or (wakes.below is not None and self.price <= wakes.below)
            or (wakes.above is not None and self.price >= wakes.above)
        )
        if due:
            self.wakes = Wakes()
            if self.restarts_always:
                self.restart()
            self.strategy.on_wake(self)
            self._tell()

    def _retry(self) -> None:
        for slot in sorted(self.orders_by_slot, key=lambda slot: (slot.side is Side.BUY, slot.name)):
            order = self.orders_by_slot[slot]
            if order.parked and slot not in self.held:
                order.parked = self._refusal(order)

    def _refusal(self, order: SimulatedOrder) -> str:
        buys, book = order.slot.side is Side.BUY, self.book
        price = order.price if order.price is not None else book.ask
        assert price is not None
        assert book.ask is not None
        assert book.bid is not None
        if self.market.rules.violation(order.slot.side, order.type, order.price, order.amount, price):
            return "market_rule"
        if order.type is OrderType.LIMIT_MAKER and (price >= book.ask if buys else price <= book.bid):
            return "would_take"
        asset = QUOTE if buys else BASE
        resting = replace(order, parked="", price=price)
        already = (
            D(0) if order.parked or order.slot not in self.orders_by_slot else self._reserved(order, asset)
        )
        if self._reserved(resting, asset) > self.available(asset) + already:
            return "insufficient_funds" if buys else "no_inventory"
        return ""

    def _reserved(self, order: SimulatedOrder, asset: Asset) -> Decimal:
        if order.slot.side is Side.SELL:
            return order.left if asset == BASE else D(0)
        if asset != QUOTE:
            return D(0)
        value = multiply_exact(order.left, order.price if order.price is not None else self.book.ask or D(0))
        worst = max(self.fees.maker, self.fees.taker, D(0)) if self.fees.asset == QUOTE else D(0)
        return value * (1 + worst)

    # --- what must hold --------------------------------------------------------------------------------

    def _check_books(self) -> None:
        """I5, I9, I10 and the identity of grid-semantics 6, after every booking."""
        self._bookings += 1
        if self._bookings % self.check_books_every:
            return
        statement = self.ledger.statement(self.price, {THIRD: self.third_price + 7})
        assert statement.is_balanced
        lots = self.ledger.lots()
        assert sum((lot.amount for lot in lots), D(0)) == self.ledger.holding(BASE)
        assert all(lot.amount > 0 for lot in lots)
        balances = self.ledger.state().balances
        assert all(item.balance >= 0 for item in balances if item.account is Account.HOLDINGS)

    def check(self) -> None:
        """Never more offered than held, never more ordered than paid for (F39, F44, I11)."""
        for asset in (BASE, QUOTE):
            assert self.available(asset) >= 0
