"""What the venue tells, checked against rules it must keep, without its code: a second set of books from its events.

Funds follow from deposits and fills alone; queues from who was told NEW when; filters from integer arithmetic.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from gridtide.domain.market import Asset, Market, Symbol
from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.messages import (
    BalancesChanged,
    BookChanged,
    OrderChanged,
    OrderListChanged,
    TradePrinted,
    VenueEvent,
    VenueFill,
    VenueOrder,
)

ZERO = Decimal(0)
_OPEN = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_NEW)
_UNITS = 10**8
Key = tuple[Symbol, int]


def units(value: Decimal) -> int:
    """Exact multiples of the smallest amount; refuses what is none."""
    scaled = value * _UNITS
    assert scaled == int(scaled), f"{value} has more than 8 decimals"
    return int(scaled)


@dataclass
class Resting:
    """An order in the ledger's own queue."""

    account: str
    price: Decimal
    left: Decimal


class Ledger:
    """Reads every event in turn and counts what breaks a rule, by rule."""

    def __init__(self, markets: Iterable[Market], *, slippage: Decimal = ZERO) -> None:
        self.markets = {market.symbol: market for market in markets}
        self.violations: Counter[str] = Counter()
        self.first: list[str] = []
        """The first few violations in words."""
        self.counts: Counter[str] = Counter()
        self.open: dict[str, dict[Key, VenueOrder]] = defaultdict(dict)
        """Open orders by account."""
        self.lists: dict[str, dict[int, Symbol]] = defaultdict(dict)
        """Open order lists by account."""
        self._slippage = slippage
        self._totals: dict[tuple[str, Asset], Decimal] = defaultdict(lambda: ZERO)
        self._queues: dict[tuple[Symbol, Side], dict[Decimal, dict[int, Resting]]] = defaultdict(dict)
        self._traded: dict[Key, Decimal] = {}
        self._last_execution: dict[Symbol, int] = defaultdict(int)

    # --- what goes in ------------------------------------------------------------------------------------

    def deposit(self, account: str, asset: Asset, amount: Decimal) -> None:
        self._totals[account, asset] += amount

    def read(self, events: Iterable[VenueEvent]) -> None:
        """Everything one call into the venue made happen."""
        touched: set[Symbol] = set()
        for event in events:
            match event:
                case OrderChanged():
                    touched.add(event.order.symbol)
                    self._read_order(event)
                case OrderListChanged():
                    self._read_list(event)
                case BalancesChanged():
                    self._read_balances(event)
                case BookChanged():
                    if event.best_bid and event.best_ask and event.best_bid.price >= event.best_ask.price:
                        self._blame("crossed", f"{event.best_bid} against {event.best_ask}")
                case TradePrinted():
                    pass
        for symbol in touched:
            self._check_not_crossed(symbol)

    def _blame(self, rule: str, words: str) -> None:
        self.violations[rule] += 1
        if len(self.first) < 5:
            self.first.append(f"{rule}: {words}")

    # --- orders --------------------------------------------------------------------------------------------

    def _read_order(self, event: OrderChanged) -> None:
        order = event.order
        self.counts[event.execution_type] += 1
        if event.execution_id <= self._last_execution[order.symbol]:
            self._blame("execution ids", f"{event.execution_id} after {self._last_execution[order.symbol]}")
        self._last_execution[order.symbol] = event.execution_id
        if event.execution_type in {"NEW", "REPLACED"}:
            self._check_filters(order)
        if event.fill is not None:
            self._read_fill(order, event.fill)
        self._follow(event)

    def _follow(self, event: OrderChanged) -> None:
        """Keep open orders and queues as the event tells them."""
        order = event.order
        key = (order.symbol, order.order_id)
        mine = self.open[order.account_id]
        if order.status not in _OPEN:
            mine.pop(key, None)
            self._leave_queue(order)
            return
        mine[key] = order
        if not order.is_working or not order.price:
            return
        left = order.amount - order.executed_amount - order.prevented_amount
        level = self._queues[order.symbol, order.side].setdefault(order.price, {})
        if event.execution_type == "NEW":
            level.pop(order.order_id, None)
        level[order.order_id] = Resting(order.account_id, order.price, left)

    def _leave_queue(self, order: VenueOrder) -> None:
        levels = self._queues[order.symbol, order.side]
        level = levels.get(order.price)
        if level is not None:
            level.pop(order.order_id, None)
            if not level:
                del levels[order.price]

    # --- fills -----------------------------------------------------------------------------------------------

    def _read_fill(self, order: VenueOrder, fill: VenueFill) -> None:
        market = self.markets[fill.symbol]
        self.counts["fills"] += 1
        sign = 1 if fill.side is Side.BUY else -1
        self._totals[fill.account_id, market.base] += sign * fill.amount
        self._totals[fill.account_id, market.quote] -= sign * fill.quote_amount
        self._totals[fill.account_id, fill.fee_asset] -= fill.fee
        if units(fill.quote_amount) != units(fill.price) * units(fill.amount) // _UNITS:
            self._blame("funds", f"{fill.amount} at {fill.price} cost {fill.quote_amount}")
        if order.price and (fill.price > order.price if fill.side is Side.BUY else fill.price < order.price):
            self._blame("price", f"{order.side} limited to {order.price} got {fill.price}")
        self._check_priority(order, fill)

    def _check_priority(self, order: VenueOrder, fill: VenueFill) -> None:
        """No fill passes over an order that stood at a better price, or at the same price for longer."""
        key = (fill.symbol, fill.trade_id)
        if fill.is_maker:
            self._traded[key] = fill.amount
            self._check_turn(order, fill)
            return
        met_account = self._traded.pop(key, None)
        if met_account is None:
            self._check_not_passed_over(order, fill)
        elif met_account != fill.amount:
            self._blame("funds", f"trade {fill.trade_id}: {met_account} against {fill.amount}")

    def _check_turn(self, order: VenueOrder, fill: VenueFill) -> None:
        levels = self._queues[fill.symbol, fill.side]
        best = (max if fill.side is Side.BUY else min)(levels, default=None)
        if best != order.price or next(iter(levels[best])) != order.order_id:
            self._blame("priority", f"order {order.order_id} at {order.price} filled before {best}")

    def _check_not_passed_over(self, order: VenueOrder, fill: VenueFill) -> None:
        """A fill against everybody else's liquidity: accounts at its price or better come first."""
        levels = self._queues[fill.symbol, fill.side.opposite]
        if self._slippage or not levels:
            return
        if fill.side is Side.BUY:
            is_passed = min(levels) <= fill.price
        else:
            is_passed = max(levels) >= fill.price
        if is_passed:
            self._blame("priority", f"order {order.order_id} took {fill.price} past {sorted(levels)[:3]}")

    # --- lists, balances, filters, books -----------------------------------------------------------------------

    def _read_list(self, event: OrderListChanged) -> None:
        told = event.order_list
        self.counts[f"list {told.status_type}"] += 1
        mine = self.lists[told.account_id]
        if told.status_type == "ALL_DONE":
            mine.pop(told.order_list_id)
            if any((told.symbol, order_id) in self.open[told.account_id] for order_id, _ in told.orders):
                self._blame("lists", f"list {told.order_list_id} is done with open orders")
        else:
            mine[told.order_list_id] = told.symbol

    def _read_balances(self, event: BalancesChanged) -> None:
        for asset, balance in event.balances:
            if balance.free < 0 or balance.locked < 0:
                self._blame("negative", f"{event.account_id}: {balance} {asset}")
            expected = self._totals[event.account_id, asset]
            if balance.free + balance.locked != expected:
                self._blame("funds", f"{event.account_id}: {balance} {asset} instead of {expected}")

    def _check_filters(self, order: VenueOrder) -> None:
        rules = self.markets[order.symbol].rules
        for price in (order.price, order.stop_price):
            if units(price) % units(rules.tick_size):
                self._blame("filters", f"{price} is off the tick")
        if order.status is OrderStatus.PENDING_NEW:
            return
        amount = units(order.amount)
        if amount % units(rules.lot_size) or amount < (0 if order.quote_amount else units(rules.min_amount)):
            self._blame("filters", f"{order.amount} is off the lot")
        if order.price and amount * units(order.price) < units(rules.min_notional) * _UNITS:
            self._blame("filters", f"{order.amount} at {order.price} is too little")

    def _check_not_crossed(self, symbol: Symbol) -> None:
        bids, asks = self._queues[symbol, Side.BUY], self._queues[symbol, Side.SELL]
        if bids and asks and max(bids) >= min(asks):
            self._blame("crossed", f"{symbol}: {max(bids)} against {min(asks)}")
