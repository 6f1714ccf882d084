"""The grid: one order an interval, a buy at its lower level or a sell at its upper one, for as long as it runs.

The rule it keeps: an interval is never without an order or a parked wish, whatever is filled, refused, expired
or cut short (I13, F35).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from gridtide.domain.errors import Defect, PlanRefused
from gridtide.domain.ledger import DUST, KEPT
from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, Amount, Price, tidy
from gridtide.domain.order import OrderType, Side, Slot, TimeInForce
from gridtide.strategies.grid.config import GridConfig, Sizing
from gridtide.strategies.grid.pairing import Pairing, floor_to_lot
from gridtide.strategies.grid.plan import GridPlan, make_plan
from gridtide.strategies.grid.purchase import (
    INITIAL,
    MAX_TRIES,
    RETRY_MILLISECONDS,
    Shares,
    distribute,
    next_try,
    uncovered,
)
from gridtide.strategies.grid.state import GridState, Phase, plan_from_json, plan_to_json
from gridtide.strategies.protocol import Ending

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.strategies.protocol import ExecutionContext, SettledOrder, StrategyState

STATE_VERSION: Final = 1
SMALLEST_STEP: Final = Decimal("1e-8")
"""Stands in for the tick of a market that has none."""


class GridTradingStrategy:
    """Trades a grid by grid-semantics 0 to 6.

    Interval k lies between levels k and k + 1 and owns two slots: the buy at level k and the sell at level
    k + 1. `to_buy` says what it still wants to buy; the lots of the sell slot are what it has to sell.
    """

    name: Final = "grid"

    def __init__(self, config: GridConfig) -> None:
        self.config = config
        self.plan: GridPlan | None = None
        self._state = GridState()

    @classmethod
    def from_settings(cls, symbol: str, settings: Mapping[str, Any]) -> Self:
        """A fresh grid from the settings of a configuration file; raises `InvalidConfig`."""
        return cls(GridConfig.from_settings(symbol, settings))

    # --- what views show -----------------------------------------------------------------------------

    @property
    def levels(self) -> Sequence[Price]:
        """Level prices, ascending; empty before the start."""
        return self.plan.prices if self.plan is not None else ()

    @property
    def vacant_level(self) -> int | None:
        """The level without an order or wish at this moment; the planned one until the grid stands."""
        if self.plan is None or self._state.phase is not Phase.TRADING:
            return self.plan.vacant if self.plan is not None else None
        taken = {Slot.parse(key).name for key in self._state.open_slots}
        return next((level.index for level in self.plan.levels if f"{level.index:03d}" not in taken), None)

    @property
    def is_out_of_range(self) -> bool:
        return self._state.is_out_of_range

    @property
    def round_trips(self) -> int:
        """Sells filled in full."""
        return self._state.round_trips

    # --- callbacks -----------------------------------------------------------------------------------

    def on_start(self, context: ExecutionContext) -> None:
        """Plan at the price of this moment, then buy what the sells need, then place the grid."""
        plan = make_plan(self.config, context.market, context.fees, context.book)
        available = context.available(plan.quote)
        if available < min(plan.quote_needed, plan.total_investment):
            raise PlanRefused(
                f"the grid needs {tidy(plan.quote_needed)} {plan.quote}, only {tidy(available)} are free"
            )
        self.plan = plan
        context.notice("grid.planned", plan.describe())
        for warning in plan.warnings:
            context.notice("grid.warning", warning, level="warning")
        self._state.to_buy = [
            amount if index < plan.vacant else ZERO for index, amount in enumerate(plan.interval_amounts)
        ]
        self._state.phase = Phase.BUYING
        self._buy_base(context)
        self._arm(context)

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None:
        """A first partial fill starts the clock of its order; money is looked at when the order is settled."""
        if self._state.phase is not Phase.TRADING:
            return
        deadline = Timestamp(context.now + self.config.mirror_after_seconds * 1000)
        for order in context.orders():
            if ZERO < order.executed_amount < order.amount and order.slot.key in self._state.open_slots:
                self._state.timers.setdefault(order.slot.key, deadline)
        self._arm(context)

    def on_order_settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        self._state.open_slots.discard(order.slot.key)
        self._state.timers.pop(order.slot.key, None)
        if order.slot == INITIAL:
            self._purchase_settled(order, context)
        elif not order.slot.name.isdigit():
            return  # an order of somebody else on this bot, such as a liquidation's
        elif order.slot.side is Side.BUY:
            self._bought(int(order.slot.name), order, context)
        else:
            self._sold(int(order.slot.name) - 1, order, context)
        self._arm(context)

    def on_wake(self, context: ExecutionContext) -> None:
        """Look after what is due and after the range; a spurious call changes nothing."""
        if self._state.phase is Phase.TRADING:
            self._look_at_range(context)
            self._mend(context)
        due = sorted(key for key, moment in self._state.timers.items() if moment <= context.now)
        for key in due:
            del self._state.timers[key]
            if key == INITIAL.key:
                self._buy_base(context)
            else:
                # After mending: a slot that is free because its cancel was quick still has a report to come.
                self._mirror_part(Slot.parse(key), context)
        self._arm(context)

    # --- state ---------------------------------------------------------------------------------------

    def get_state(self) -> StrategyState:
        return {
            "version": STATE_VERSION,
            "symbol": self.config.symbol,
            "config": self.config.to_settings(),
            "plan": None if self.plan is None else plan_to_json(self.plan),
            **self._state.to_json(),
        }

    @classmethod
    def from_state(cls, state: StrategyState) -> Self:
        """The grid as it was; raises `Defect` for a state of another version."""
        if state["version"] != STATE_VERSION:
            raise Defect(
                f"the stored grid has version {state['version']}, this program reads {STATE_VERSION}"
            )
        strategy = cls(GridConfig.from_settings(state["symbol"], state["config"]))
        strategy.plan = None if state["plan"] is None else plan_from_json(state["plan"])
        strategy._state = GridState.from_json(state)
        return strategy

    # --- initial purchase ----------------------------------------------------------------------------

    def _buy_base(self, context: ExecutionContext) -> None:
        state = self._state
        attempt = None
        if state.tries < MAX_TRIES:
            pairing = Pairing.of(self.config, context.market, context.fees)
            attempt = next_try(self._planned, state.bought, self.config.price_cap, pairing, context)
        if attempt is None:
            self._open_grid(context)
            return
        state.tries += 1
        self._wish(INITIAL, attempt.price, attempt.amount, context, OrderType.LIMIT, TimeInForce.IOC)

    def _purchase_settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        self._state.bought += order.executed_amount
        if self._state.bought < self._planned.purchase_amount and self._state.tries < MAX_TRIES:
            self._state.timers[INITIAL.key] = Timestamp(context.now + RETRY_MILLISECONDS)
        else:
            self._open_grid(context)

    def _open_grid(self, context: ExecutionContext) -> None:
        """Sells from the lowest upward, then buys from the highest downward."""
        plan, state = self._planned, self._state
        shares = distribute(plan, self.config.base_amount, state.bought, context)
        state.phase = Phase.TRADING
        for level, wanted, covered in zip(plan.sells, shares.wanted, shares.covered, strict=True):
            # What is not covered is wished for all the same and waits, parked, until base comes in.
            self._wish(Slot.level(level.index, Side.SELL), level.price, covered or wanted, context)
        for index in reversed(range(plan.vacant)):
            self._place_buy(index, context)
        self._tell_uncovered(shares, context)
        self._look_at_range(context)

    def _tell_uncovered(self, shares: Shares, context: ExecutionContext) -> None:
        waiting = uncovered(shares)
        if waiting:
            text = (
                f"{len(waiting)} of {len(shares.wanted)} sells wait for base: the purchase did not cover them"
            )
            context.notice("grid.uncovered", text, level="warning")

    # --- pairing -------------------------------------------------------------------------------------

    def _bought(self, interval: int, order: SettledOrder, context: ExecutionContext) -> None:
        """The base received goes to the interval's sell, together with dust; see `Pairing.after_buy`."""
        state, sell = self._state, self._sell_slot(interval)
        state.to_buy[interval] = max(state.to_buy[interval] - order.executed_amount, ZERO)
        received = context.lot_amount(order.slot.key)
        if received:
            pairing = Pairing.of(self.config, context.market, context.fees)
            dust = context.lot_amount(DUST)
            moves = pairing.after_buy(received, dust, order.executed_quote, self.levels[interval + 1])
            for source, target, amount in (
                (order.slot.key, sell.key, moves.bought_to_sell),
                (order.slot.key, DUST, moves.bought_to_dust),
                (order.slot.key, KEPT, moves.bought_to_kept),
                (DUST, sell.key, moves.dust_to_sell),
            ):
                if amount:
                    context.assign_lots(source, target, amount)
        self._refresh(interval, context)

    def _sold(self, interval: int, order: SettledOrder, context: ExecutionContext) -> None:
        """What was sold is to be bought again, as the profit mode says; see `Pairing.after_sell`."""
        state = self._state
        if order.executed_amount:
            pairing = Pairing.of(self.config, context.market, context.fees)
            state.to_buy[interval] += pairing.after_sell(
                sold=order.executed_amount,
                left=context.lot_amount(order.slot.key),
                held_for=max(self._planned.interval_amounts[interval] - state.to_buy[interval], ZERO),
                received=order.received,
                price=self.levels[interval],
            )
        if order.ending is Ending.FILLED:
            state.round_trips += 1
        self._refresh(interval, context)

    def _refresh(self, interval: int, context: ExecutionContext) -> None:
        """Place what the interval owes and what can be traded; never leave it without an order."""
        selling = self._place_sell(interval, context)
        buying = self._place_buy(interval, context)
        if not selling and not buying:
            self._revive(interval, context)

    def _place_sell(self, interval: int, context: ExecutionContext) -> bool:
        """Whether the interval's sell stands, after placing it for all its lots where its slot is free."""
        slot, price = self._sell_slot(interval), self.levels[interval + 1]
        if slot.key in self._state.open_slots:
            return True
        rules = context.market.rules
        amount = floor_to_lot(rules, context.lot_amount(slot.key))
        if not rules.is_tradable(price, amount):
            return False
        self._wish(slot, price, amount, context)
        return True

    def _place_buy(self, interval: int, context: ExecutionContext) -> bool:
        """Whether the interval's buy stands, after placing it where its slot is free."""
        slot, price = Slot.level(interval, Side.BUY), self.levels[interval]
        if slot.key in self._state.open_slots:
            return True
        rules = context.market.rules
        amount = floor_to_lot(rules, self._state.to_buy[interval])
        if not rules.is_tradable(price, amount):
            return False
        fitting = self._fitting(price, amount, context)
        if fitting < amount:
            # What money is missing for is not owed: the next round trip plans the full amount again.
            self._state.to_buy[interval] = fitting
        self._wish(slot, price, fitting, context)
        return True

    def _fitting(self, price: Price, amount: Amount, context: ExecutionContext) -> Amount:
        """The largest tradable amount that funds allow; all of it, to be parked, where none is."""
        pairing = Pairing.of(self.config, context.market, context.fees)
        affordable = pairing.affordable(context.available(context.market.quote), price)
        if affordable < amount and context.market.rules.is_tradable(price, affordable):
            return affordable
        return amount

    def _revive(self, interval: int, context: ExecutionContext) -> None:
        """Neither side can be traded on its own: never block a level (F41).

        Remainders become dust that joins another sell, and the interval buys its planned amount again. An
        interval that never had base waits for it.
        """
        sell, planned = self._sell_slot(interval), self._planned.interval_amounts[interval]
        lots = context.lot_amount(sell.key)
        if not lots and not self._state.to_buy[interval]:
            first = self._planned.levels[interval + 1].amount
            self._wish(sell, self.levels[interval + 1], first or planned, context)
            return
        if lots:
            context.assign_lots(sell.key, DUST, lots)
        price = self.levels[interval]
        self._state.to_buy[interval] = self._fitting(price, planned, context)
        self._wish(Slot.level(interval, Side.BUY), price, Amount(self._state.to_buy[interval]), context)

    def _mirror_part(self, slot: Slot, context: ExecutionContext) -> None:
        """Cancel the rest of a partly filled order so that its part is mirrored (grid-semantics 4).

        A part too small for a counter-order stays where it is: cancelling would only lose its place in the
        queue (F41). The next fill starts the clock again.
        """
        order = context.order(slot)
        if order is None or order.parked_reason:
            return
        level = int(slot.name)
        counter = self.levels[level + 1] if slot.side is Side.BUY else self.levels[level - 1]
        part = context.lot_amount(slot.key) if slot.side is Side.BUY else order.executed_amount
        rules = context.market.rules
        if rules.is_tradable(counter, floor_to_lot(rules, part)):
            context.cancel_order(slot)

    # --- care ----------------------------------------------------------------------------------------

    def _mend(self, context: ExecutionContext) -> None:
        """Give each interval whose order vanished without a report a new one."""
        state = self._state
        state.open_slots = {key for key in state.open_slots if context.order(Slot.parse(key)) is not None}
        for interval in range(len(state.to_buy)):
            self._refresh(interval, context)

    def _look_at_range(self, context: ExecutionContext) -> None:
        """Say once when the price leaves the range and once when it is back; orders stay either way."""
        low, high, price = self.levels[0], self.levels[-1], context.current_price()
        outside = not low <= price <= high
        if outside == self._state.is_out_of_range:
            return
        self._state.is_out_of_range = outside
        text = f"the price {tidy(price)} {{}} the range {tidy(low)} to {tidy(high)}"
        if outside:
            context.notice("grid.out_of_range", text.format("left") + "; all orders stay", level="warning")
        else:
            context.notice("grid.in_range", text.format("is back in"))

    def _arm(self, context: ExecutionContext) -> None:
        """Ask to be woken at the next deadline, and when the price crosses a bound."""
        context.wake_at(min(self._state.timers.values(), default=None))
        if self._state.phase is not Phase.TRADING:
            return
        low, high = self.levels[0], self.levels[-1]
        tick = context.market.rules.tick_size or SMALLEST_STEP
        if not self._state.is_out_of_range:
            context.wake_when(price_at_or_below=Price(low - tick), price_at_or_above=Price(high + tick))
        elif context.current_price() < low:
            context.wake_when(price_at_or_above=low)
        else:
            context.wake_when(price_at_or_below=high)

    # --- small things --------------------------------------------------------------------------------

    @property
    def _planned(self) -> GridPlan:
        if self.plan is None:
            raise Defect("the grid was asked to trade before it had a plan")
        return self.plan

    @staticmethod
    def _sell_slot(interval: int) -> Slot:
        return Slot.level(interval + 1, Side.SELL)

    def _wish(
        self,
        slot: Slot,
        price: Price,
        amount: Amount,
        context: ExecutionContext,
        order_type: OrderType | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> None:
        if order_type is None:
            order_type = self._resting_type(slot.side, price, context)
        context.place_order(slot, price, amount, order_type, time_in_force)
        self._state.open_slots.add(slot.key)

    def _resting_type(self, side: Side, price: Price, context: ExecutionContext) -> OrderType:
        """LIMIT only where the owner lets orders take. Buys of quote_only that wait above the price never do:
        they would be the purchase at the start that this sizing rules out."""
        ask = context.book.ask
        waits = (
            self.config.sizing is Sizing.QUOTE_ONLY and side is Side.BUY and ask is not None and price >= ask
        )
        return OrderType.LIMIT_MAKER if self.config.post_only or waits else OrderType.LIMIT
