"""The grid as a strategy: plan, initial purchase, trading, and what it tells its owner on the way.

The plan's price is fixed once; from then on only executions change what the grid wants.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from gridtide.domain.errors import Defect, PlanRefused
from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, Price, tidy
from gridtide.domain.order import OrderType, Side, Slot, TimeInForce
from gridtide.strategies.grid.config import GridConfig
from gridtide.strategies.grid.intervals import Intervals
from gridtide.strategies.grid.pairing import Pairing
from gridtide.strategies.grid.plan import GridPlan, make_plan
from gridtide.strategies.grid.purchase import (
    INITIAL,
    MAX_TRIES,
    RETRY_MILLISECONDS,
    distribute,
    next_try,
    uncovered,
)
from gridtide.strategies.grid.state import GridState, Phase, plan_from_text, plan_to_text

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import FeeSchedule, Market
    from gridtide.strategies.protocol import ExecutionContext, SettledOrder, StrategyState

STATE_VERSION: Final = 1
SMALLEST_STEP: Final = Decimal("1e-8")
"""Stands in for the tick of a market that has none."""


class GridTradingStrategy:
    """Trades a grid by grid-semantics 0 to 6: one order an interval, for as long as it runs."""

    name: Final = "grid"

    def __init__(self, config: GridConfig) -> None:
        self.config = config
        self.plan: GridPlan | None = None
        self._state = GridState()
        # What never changes is stored as text made once: the state is looked at after each fill.
        self._config_text = json.dumps(config.to_settings())
        self._plan_text = ""
        self._bounds = Price(ZERO), Price(ZERO)
        self._kept: tuple[Market, FeeSchedule, Intervals] | None = None
        """The intervals and what they were made of: that changes seldom, and each settled order asks."""

    @classmethod
    def from_settings(cls, symbol: str, settings: Mapping[str, Any]) -> Self:
        """A fresh grid from the settings of a configuration file; raises `InvalidConfig`."""
        return cls(GridConfig.from_settings(symbol, settings))

    @classmethod
    def with_plan(cls, config: GridConfig, plan: GridPlan) -> Self:
        """A fresh grid whose plan was made before; it starts with that one."""
        strategy = cls(config)
        strategy._fix_plan(plan)
        return strategy

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
        """Plan at the price of this moment, buy what the sells need, then place the grid; raises `PlanRefused`."""
        plan = self.plan or make_plan(self.config, context.market, context.fees, context.book)
        available = context.available(plan.quote)
        if available < min(plan.quote_needed, plan.total_investment):
            raise PlanRefused(
                f"the grid needs {tidy(plan.quote_needed)} {plan.quote}, only {tidy(available)} are free"
            )
        self._fix_plan(plan)
        context.notice("grid.planned", plan.describe())
        for warning in plan.warnings:
            context.notice("grid.warning", warning, level="warning")
        self._state.owe_all(
            [amount if index < plan.vacant else ZERO for index, amount in enumerate(plan.interval_amounts)]
        )
        self._state.phase = Phase.BUYING
        self._buy_base(context)
        self._arm(context)

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None:
        """A first partial fill starts the clock of its order; money is looked at when the order is settled."""
        if self._state.phase is not Phase.TRADING:
            return
        order = context.order_of(fill)
        if order is None or order.slot.key not in self._state.open_slots:
            return
        if order.executed_amount < order.amount:
            deadline = Timestamp(context.now + self.config.mirror_after_seconds * 1000)
            self._state.timers.setdefault(order.slot.key, deadline)
            self._arm(context)

    def on_order_settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        slot = order.slot
        self._state.open_slots.discard(slot.key)
        had_timer = self._state.timers.pop(slot.key, None) is not None
        if slot.key == INITIAL.key:
            self._purchase_settled(order, context)
            self._arm(context)
        elif slot.name.isdigit():  # else of somebody else on this bot, such as a liquidation
            intervals = self._intervals(context)
            if slot.side is Side.BUY:
                intervals.bought(order)
            else:
                intervals.sold(order)
            if had_timer:
                self._arm(context)

    def on_wake(self, context: ExecutionContext) -> None:
        """Look after what is due and after the range; a spurious call changes nothing."""
        if self._state.phase is Phase.TRADING:
            self._look_at_range(context)
            self._intervals(context).mend()
        due = sorted(key for key, moment in self._state.timers.items() if moment <= context.now)
        for key in due:
            del self._state.timers[key]
            if key == INITIAL.key:
                self._buy_base(context)
            else:
                # After mending: a slot that is free because its cancel was quick still has a report to come.
                self._intervals(context).mirror_part(Slot.parse(key))
        self._arm(context)

    def on_record(self, slot: Slot, context: ExecutionContext) -> None:
        """In a rebuild: levels are placed once the initial purchase is over, whatever it still lacked."""
        if self._state.phase is Phase.BUYING and slot.name.isdigit():
            context.cancel_order(INITIAL)
            self._state.open_slots.discard(INITIAL.key)
            self._state.timers.pop(INITIAL.key, None)
            self._place_grid(context)
            self._arm(context)

    # --- state ---------------------------------------------------------------------------------------

    def get_state(self) -> StrategyState:
        return {
            "version": STATE_VERSION,
            "symbol": self.config.symbol,
            "config": self._config_text,
            "plan": self._plan_text,
            **self._state.to_json(),
        }

    @classmethod
    def from_state(cls, state: StrategyState) -> Self:
        """The grid as it was; raises `Defect` for a state of another version."""
        if state["version"] != STATE_VERSION:
            raise Defect(
                f"the stored grid has version {state['version']}, this program reads {STATE_VERSION}"
            )
        strategy = cls(GridConfig.from_settings(state["symbol"], json.loads(state["config"])))
        if state["plan"]:
            strategy._fix_plan(plan_from_text(state["plan"]))
        strategy._state = GridState.from_json(state)
        return strategy

    # --- initial purchase ----------------------------------------------------------------------------

    def _buy_base(self, context: ExecutionContext) -> None:
        """The next try of the purchase; without one left the grid is placed with what there is."""
        state = self._state
        attempt = None
        if state.tries < MAX_TRIES:
            pairing = Pairing.of(self.config, context.market, context.fees)
            attempt = next_try(self._planned, state.bought, self.config.price_cap, pairing, context)
        if attempt is None:
            self._place_grid(context)
            return
        state.tries += 1
        state.open_slots.add(INITIAL.key)
        context.place_order(INITIAL, attempt.price, attempt.amount, OrderType.LIMIT, TimeInForce.IOC)

    def _purchase_settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        self._state.bought += order.executed_amount
        if self._state.bought < self._planned.purchase_amount and self._state.tries < MAX_TRIES:
            self._state.timers[INITIAL.key] = Timestamp(context.now + RETRY_MILLISECONDS)
        else:
            self._place_grid(context)

    def _place_grid(self, context: ExecutionContext) -> None:
        shares = distribute(self._planned, self.config.base_amount, self._state.bought, context)
        self._state.phase = Phase.TRADING
        self._intervals(context).place_first(shares)
        if waiting := uncovered(shares):
            text = (
                f"{len(waiting)} of {len(shares.wanted)} sells wait for base: the purchase did not cover them"
            )
            context.notice("grid.uncovered", text, level="warning")
        self._look_at_range(context)

    # --- care ----------------------------------------------------------------------------------------

    def _look_at_range(self, context: ExecutionContext) -> None:
        """Say once when the price leaves the range and once when it is back; orders stay either way."""
        (low, high), price = self._bounds, context.current_price()
        outside = not low <= price <= high
        if outside == self._state.is_out_of_range:
            return
        self._state.is_out_of_range = outside
        span = f"the range {tidy(low)} to {tidy(high)}"
        if outside:
            text = f"the price {tidy(price)} left {span}; all orders stay"
            context.notice("grid.out_of_range", text, level="warning")
        else:
            context.notice("grid.in_range", f"the price {tidy(price)} is back in {span}")

    def _arm(self, context: ExecutionContext) -> None:
        """Ask to be woken at the next deadline, and when the price crosses a bound."""
        context.wake_at(min(self._state.timers.values(), default=None))
        if self._state.phase is not Phase.TRADING:
            return
        low, high = self._bounds
        tick = context.market.rules.tick_size or SMALLEST_STEP
        if not self._state.is_out_of_range:
            context.wake_when(price_at_or_below=Price(low - tick), price_at_or_above=Price(high + tick))
        elif context.current_price() < low:
            context.wake_when(price_at_or_above=low)
        else:
            context.wake_when(price_at_or_below=high)

    # --- small things --------------------------------------------------------------------------------

    def _fix_plan(self, plan: GridPlan) -> None:
        self.plan, self._plan_text, self._kept = plan, plan_to_text(plan), None
        self._bounds = plan.levels[0].price, plan.levels[-1].price

    @property
    def _planned(self) -> GridPlan:
        if self.plan is None:
            raise Defect("the grid was asked to trade before it had a plan")
        return self.plan

    def _intervals(self, context: ExecutionContext) -> Intervals:
        market, fees, kept = context.market, context.fees, self._kept
        if kept is None or kept[0] is not market or kept[1] is not fees or kept[2].context is not context:
            pairing = Pairing.of(self.config, market, fees)
            kept = market, fees, Intervals(self.config, self._planned, self._state, context, pairing)
            self._kept = kept
        return kept[2]
