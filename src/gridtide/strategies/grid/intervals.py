"""The intervals of a running grid: what each owes to buy and to sell, and how that becomes orders.

The rule kept here: an interval is never without an order or a parked wish, whatever is filled, refused, expired
or cut short (I13, F35).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from gridtide.domain.ledger import DUST, KEPT
from gridtide.domain.money import ZERO, Amount, Price
from gridtide.domain.order import OrderType, Side, Slot
from gridtide.strategies.grid.config import Sizing
from gridtide.strategies.grid.pairing import floor_to_lot
from gridtide.strategies.protocol import Ending

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.strategies.grid.config import GridConfig
    from gridtide.strategies.grid.pairing import Pairing
    from gridtide.strategies.grid.plan import GridPlan
    from gridtide.strategies.grid.purchase import Shares
    from gridtide.strategies.grid.state import GridState
    from gridtide.strategies.protocol import ExecutionContext, SettledOrder


@dataclass(frozen=True, slots=True)
class Intervals:
    """Interval k lies between levels k and k + 1 and owns two slots: the buy at level k, the sell at k + 1.

    `state.to_buy` says what it still wants to buy; the lots of the sell slot are what it has to sell.
    """

    config: GridConfig
    plan: GridPlan
    state: GridState
    context: ExecutionContext
    pairing: Pairing

    # --- what happens to orders ------------------------------------------------------------------------

    def place_first(self, shares: Shares) -> None:
        """Sells from the lowest upward, then buys from the highest downward (grid-semantics 0)."""
        for level, wanted, covered in zip(self.plan.sells, shares.wanted, shares.covered, strict=True):
            # What is not covered is wished for all the same and waits, parked, until base comes in.
            self._wish(Slot.level(level.index, Side.SELL), level.price, covered or wanted)
        for interval in reversed(range(self.plan.vacant)):
            self._place_buy(interval)

    def bought(self, order: SettledOrder) -> None:
        """The base received goes to the interval's sell, together with dust; see `Pairing.after_buy`."""
        interval = _interval(order.slot)
        self._owe(interval, max(self.state.to_buy[interval] - order.executed_amount, ZERO))
        received = self.context.lot_amount(order.slot.key)
        if received:
            sell, dust = _sell_slot(interval), self.context.lot_amount(DUST)
            price = self._level_price(interval + 1)
            moves = self.pairing.after_buy(received, dust, order.executed_quote, price)
            for source, target, amount in (
                (order.slot.key, sell.key, moves.bought_to_sell),
                (order.slot.key, DUST, moves.bought_to_dust),
                (order.slot.key, KEPT, moves.bought_to_kept),
                (DUST, sell.key, moves.dust_to_sell),
            ):
                if amount:
                    self.context.assign_lots(source, target, amount)
        self._refresh(interval)

    def sold(self, order: SettledOrder) -> None:
        """What was sold is to be bought again, as the profit mode says; see `Pairing.after_sell`."""
        interval, to_buy = _interval(order.slot), self.state.to_buy
        if order.executed_amount:
            again = self.pairing.after_sell(
                sold=order.executed_amount,
                left=self.context.lot_amount(order.slot.key),
                held_for=max(self.plan.interval_amounts[interval] - to_buy[interval], ZERO),
                received=order.received,
                price=self._level_price(interval),
            )
            self._owe(interval, to_buy[interval] + again)
        if order.ending is Ending.FILLED:
            self.state.round_trips += 1
        self._refresh(interval)

    def mirror_part(self, slot: Slot) -> None:
        """Cancel the rest of a partly filled order so that its part is mirrored (grid-semantics 4).

        A part too small for a counter-order stays where it is: cancelling would only lose its place in the
        queue (F41). The next fill starts the clock again.
        """
        order = self.context.order(slot)
        if order is None or order.parked_reason:
            return
        rules, interval = self.context.market.rules, _interval(slot)
        if slot.side is Side.BUY:
            counter, part = self._level_price(interval + 1), self.context.lot_amount(slot.key)
        else:
            counter, part = self._level_price(interval), order.executed_amount
        if rules.is_tradable(counter, floor_to_lot(rules, part)):
            self.context.cancel_order(slot)

    def mend(self) -> None:
        """Give each interval whose order vanished without a report a new one."""
        state, context = self.state, self.context
        state.open_slots = {key for key in state.open_slots if context.order(Slot.parse(key)) is not None}
        for interval in range(len(state.to_buy)):
            if state.to_buy[interval] or _sell_slot(interval).key not in state.open_slots:
                self._refresh(interval)

    # --- what is owed becomes orders -------------------------------------------------------------------

    def _refresh(self, interval: int) -> None:
        """Place what the interval owes and what can be traded; never leave it without an order."""
        sells, buys = self._place_sell(interval), self._place_buy(interval)
        if not sells and not buys:
            self._revive(interval)

    def _place_sell(self, interval: int) -> bool:
        """Whether the interval's sell stands, after placing it for all its lots where its slot is free."""
        slot = _sell_slot(interval)
        if slot.key in self.state.open_slots:
            return True
        lots = self.context.lot_amount(slot.key)
        if not lots:
            return False
        rules, price = self.pairing.rules, self._level_price(interval + 1)
        amount = floor_to_lot(rules, lots)
        if not rules.is_tradable(price, amount):
            return False
        self._wish(slot, price, amount)
        return True

    def _place_buy(self, interval: int) -> bool:
        """Whether the interval's buy stands, after placing it where its slot is free."""
        if _buy_slot(interval).key in self.state.open_slots:
            return True
        owed = self.state.to_buy[interval]
        if not owed:
            return False
        rules = self.pairing.rules
        amount = floor_to_lot(rules, owed)
        if not rules.is_tradable(self._level_price(interval), amount):
            return False
        self._buy(interval, amount)
        return True

    def _buy(self, interval: int, amount: Amount) -> None:
        """Wish for `amount`, or for the largest tradable amount that money allows (grid-semantics 4)."""
        price, pairing = self._level_price(interval), self.pairing
        available = self.context.available(self.plan.quote)
        if not pairing.suffices(available, price, amount):
            affordable = pairing.affordable(available, price)
            if affordable < amount and pairing.rules.is_tradable(price, affordable):
                # What money is missing for is not owed: the next round trip plans the full amount again.
                amount = affordable
                self._owe(interval, amount)
        self._wish(_buy_slot(interval), price, amount)

    def _revive(self, interval: int) -> None:
        """Neither side can be traded on its own: never block a level (F41).

        Remainders become dust that joins another sell, and the interval buys its planned amount again. An
        interval that never had base waits for it.
        """
        sell, planned = _sell_slot(interval), self.plan.interval_amounts[interval]
        lots = self.context.lot_amount(sell.key)
        if not lots and not self.state.to_buy[interval]:
            level = self.plan.levels[interval + 1]
            self._wish(sell, level.price, level.amount or planned)
            return
        if lots:
            self.context.assign_lots(sell.key, DUST, lots)
        self._owe(interval, planned)
        self._buy(interval, planned)

    def _wish(self, slot: Slot, price: Price, amount: Amount) -> None:
        self.context.place_order(slot, price, amount, self._order_type(slot.side, price))
        self.state.open_slots.add(slot.key)

    def _order_type(self, side: Side, price: Price) -> OrderType:
        """LIMIT only where the owner lets orders take. Buys of quote_only that wait above the price never do:
        they would be the purchase at the start that this sizing rules out."""
        if self.config.post_only:
            return OrderType.LIMIT_MAKER
        if side is Side.SELL or self.config.sizing is not Sizing.QUOTE_ONLY:
            return OrderType.LIMIT
        ask = self.context.book.ask
        return OrderType.LIMIT_MAKER if ask is not None and price >= ask else OrderType.LIMIT

    # --- small things ----------------------------------------------------------------------------------

    def _owe(self, interval: int, amount: Decimal) -> None:
        self.state.owe(interval, amount)

    def _level_price(self, level: int) -> Price:
        return self.plan.levels[level].price


def _interval(slot: Slot) -> int:
    return int(slot.name) - (slot.side is Side.SELL)


@lru_cache(maxsize=1000)
def _buy_slot(interval: int) -> Slot:
    return Slot.level(interval, Side.BUY)


@lru_cache(maxsize=1000)
def _sell_slot(interval: int) -> Slot:
    return Slot.level(interval + 1, Side.SELL)
