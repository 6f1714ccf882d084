"""Levels and amounts of a grid, compiled, equal to those of `strategies.grid` to the tick and the lot.

Arithmetic that floats might round the other way is noticed and left to the exact decimals of the strategy itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridtide.domain.errors import PlanRefused
from gridtide.domain.market import FeeSchedule, TopOfBook
from gridtide.domain.money import Price
from gridtide.optimize.kernel_sets import FeeAsset, Status, decimal_of, grid_of, units
from gridtide.price_path.compiled import compiled
from gridtide.strategies.grid.plan import make_plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.domain.market import Asset, Market
    from gridtide.optimize.kernel_sets import Rows
    from gridtide.strategies.grid.plan import GridPlan

    Integers = NDArray[np.int64]

ONE_UNIT = 10**8
DOUBTFUL = 100
"""A status on the way: decimals have to decide."""


class Rules(NamedTuple):
    """A market's rules in whole numbers: prices in ticks, amounts in lots, money and steps in units of 1e-8; 0 where
    there is no such rule."""

    tick: int
    lot: int
    min_price: int
    max_price: int
    min_amount: int
    max_amount: int
    min_notional: int
    max_notional: int
    max_open_orders: int
    band_down: float
    band_up: float

    @classmethod
    def of(cls, market: Market) -> Rules:
        """Raises `Inexpressible` for rules with more than 8 decimals."""
        rules = market.rules
        tick = units("tick", rules.tick_size)
        lot = units("lot", rules.lot_size) or 10 ** (8 - rules.base_precision)
        band = rules.price_band
        return cls(
            tick=tick,
            lot=lot,
            min_price=-(-units("min_price", rules.min_price) // tick),
            max_price=units("max_price", rules.max_price) // tick,
            min_amount=-(-units("min_amount", rules.min_amount) // lot),
            max_amount=units("max_amount", rules.max_amount) // lot,
            min_notional=units("min_notional", rules.min_notional),
            max_notional=units("max_notional", rules.max_notional),
            max_open_orders=rules.max_open_orders,
            band_down=float(max(band.bid_down, band.ask_down)) if band else 0.0,
            band_up=float(min(band.bid_up, band.ask_up)) if band else math.inf,
        )


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of a block of sets; row i is valid up to its number of levels, where its status is OK."""

    status: NDArray[np.int64]
    vacant: Integers
    purchase: Integers
    """Lots to buy at the start."""
    limit: Integers
    """The most that they may cost, in ticks."""
    levels: Integers
    """Ticks."""
    amounts: Integers
    """Lots that interval k buys in each round trip."""
    sells: Integers
    """Lots that the levels above the vacant one sell at first, before the purchase's fee."""

    @classmethod
    def empty(cls, sets: int, most_levels: int) -> Plans:
        wide = (sets, most_levels)
        narrow = [np.zeros(sets, np.int64) for _ in range(4)]
        return cls(*narrow, *(np.zeros(wide, np.int64) for _ in range(3)))


def plan_sets(rows: Rows, market: Market, rules: Rules, price: int) -> Plans:
    """The plans of `rows` at a start price in ticks."""
    plans = Plans.empty(len(rows), int(rows["num_grids"].max(initial=2)))
    _plan_rows(
        rows,
        rules,
        price,
        plans.status,
        plans.vacant,
        plans.purchase,
        plans.limit,
        plans.levels,
        plans.amounts,
        plans.sells,
    )
    for number in np.flatnonzero(plans.status == DOUBTFUL):
        _plan_exactly(plans, int(number), rows[number], market, rules, price)
    return plans


def refusal(row: np.void, market: Market, price: Decimal) -> str:
    """The sentence with which the engine refuses the plan of a set at a start price; empty where it does not."""
    try:
        exact_plan(row, market, price)
    except PlanRefused as error:
        return str(error)
    return ""


def exact_plan(row: np.void, market: Market, price: Decimal) -> GridPlan:
    """The strategy's own plan of a set at a start price of a backtest; raises `PlanRefused`."""
    tick = market.rules.tick_size
    bid = Price(price - tick) if price > tick else None
    book = TopOfBook(bid, Price(price + tick), Price(price))
    return make_plan(grid_of(row, market.symbol), market, _fees(row, market), book)


def _fees(row: np.void, market: Market) -> FeeSchedule:
    asset: Asset | None = None
    if row["fee_asset"] == FeeAsset.QUOTE:
        asset = market.quote
    elif row["fee_asset"] == FeeAsset.THIRD:
        asset = type(market.quote)("third asset")
    return FeeSchedule(_rate(row["maker"]), _rate(row["taker"]), asset)


def _rate(count: int) -> Any:
    return decimal_of(count)


def _plan_exactly(plans: Plans, number: int, row: np.void, market: Market, rules: Rules, price: int) -> None:
    tick, lot = decimal_of(rules.tick), decimal_of(rules.lot)
    try:
        plan = exact_plan(row, market, price * tick)
    except PlanRefused:
        plans.status[number] = Status.REFUSED
        return
    size = len(plan.levels)
    plans.status[number] = Status.OK
    plans.vacant[number] = plan.vacant
    plans.purchase[number] = _count(plan.purchase_amount, lot)
    plans.limit[number] = _count(plan.purchase_limit, tick)
    plans.levels[number, :size] = [_count(level.price, tick) for level in plan.levels]
    plans.amounts[number, : size - 1] = [_count(amount, lot) for amount in plan.interval_amounts]
    plans.sells[number, :size] = 0
    for level in plan.sells:
        plans.sells[number, level.index] = _count(level.amount, lot)


def _count(value: Decimal, step: Decimal) -> int:
    count = value / step
    if count != count.to_integral_value():
        raise ValueError(f"{value} is no multiple of {step}")
    return int(count)


# --- machine code ------------------------------------------------------------------------------------

_REFUSED, _NO_MONEY, _NEEDS_ENGINE, _TOO_LARGE = 1, 2, 3, 4
_EQUAL_BASE, _EQUAL_QUOTE, _QUOTE_ONLY, _BASE_AND_QUOTE = range(4)
_UNIT = 10**8
_FULL = 2.0**62
_ALMOST = 1e-12
"""Relative error of a sum or a power in floats, with much room."""


@compiled
def _plan_rows(
    rows: Rows,
    rules: Rules,
    price: int,
    status: Integers,
    vacant: Integers,
    purchase: Integers,
    limit: Integers,
    levels: Integers,
    amounts: Integers,
    sells: Integers,
) -> None:
    for number in range(rows.size):
        row = rows[number]
        if row.total_investment > row.balance_quote or row.base_amount > row.balance_base:
            status[number] = _NO_MONEY
            continue
        found = _lay_levels(row, rules, levels[number])
        if found == 0:
            found = _check_levels(row, rules, levels[number], price)
        if found == 0:
            vacant[number] = _vacant(row, levels[number], price)
            limit[number] = int((price + 1) * (_UNIT + row.price_cap) // _UNIT)
            found, purchase[number] = _size(
                row,
                rules,
                levels[number],
                vacant[number],
                price,
                limit[number],
                amounts[number],
                sells[number],
            )
        status[number] = found


@compiled
def _lay_levels(row: Any, rules: Rules, levels: Integers) -> int:
    """Level prices in ticks; 0, refused or doubtful."""
    count = row.num_grids - 1
    low, high, tick = row.lower_price, row.upper_price, rules.tick
    if float(high) * count * 2 >= _FULL:
        return DOUBTFUL
    up = row.rounding == 0
    levels[0] = (2 * low + tick) // (2 * tick) if up else low // tick
    levels[count] = (2 * high + tick) // (2 * tick) if up else high // tick
    if row.spacing == 0:
        for i in range(1, count):
            value, step = low * (count - i) + high * i, count * tick
            levels[i] = (2 * value + step) // (2 * step) if up else value // step
        return 0
    growth = math.log(high / low) / count
    first = low / tick
    for i in range(1, count):
        value = first * math.exp(growth * i)
        shifted = value + 0.5 if up else value
        rounded = math.floor(shifted)
        error = value * (count + 10.0) * 4e-16 + 1e-12
        if shifted - rounded < error or rounded + 1 - shifted < error:
            return DOUBTFUL
        levels[i] = rounded
    return 0


@compiled
def _check_levels(row: Any, rules: Rules, levels: Integers, price: int) -> int:
    count = row.num_grids - 1
    if levels[0] <= 0 or levels[0] < rules.min_price or (0 < rules.max_price < levels[count]):
        return _REFUSED
    tightest = math.inf
    for k in range(count):
        if levels[k] >= levels[k + 1]:
            return _REFUSED
        tightest = min(tightest, levels[k + 1] / levels[k])
    if row.start_outside == 0 and not levels[0] <= price <= levels[count]:
        return _REFUSED
    if not row.allow_below_break_even:
        rate = (row.maker if row.post_only else row.taker) / _UNIT
        kept = 1.0 - rate
        least = 1.0 / (kept * kept) if row.fee_asset == 0 else (1.0 + rate) / kept
        if abs(tightest - least) < 1e-12:
            return DOUBTFUL
        if tightest <= least:
            return _REFUSED
    return 0


@compiled
def _vacant(row: Any, levels: Integers, price: int) -> int:
    """As `strategies.grid.vacant`."""
    top: int = row.num_grids - 1
    if row.sizing == _QUOTE_ONLY:
        return top
    if price <= levels[0]:
        return 0
    if price >= levels[top]:
        return top
    above = int(np.searchsorted(levels[: top + 1], price))
    if levels[above] == price or row.vacant == 1:
        return above
    if row.vacant == 2:
        return above - 1
    return above if levels[above] - price <= price - levels[above - 1] else above - 1


@compiled
def _size(
    row: Any,
    rules: Rules,
    levels: Integers,
    vacant: int,
    price: int,
    limit: int,
    amounts: Integers,
    sells: Integers,
) -> tuple[int, int]:
    """Lots of every interval and of the first sells, as `strategies.grid.sizing`; status and lots to buy."""
    top = row.num_grids - 1
    quote, base = 0.0, 0.0
    if row.sizing == _EQUAL_QUOTE:
        quote = float(vacant)
        for k in range(vacant + 1, top + 1):
            base += 1.0 / levels[k]
    else:
        for k in range(vacant):
            quote += levels[k]
        base = float(top - vacant)
    # Money in ticks times lots: a lot at a price of one tick is one.
    money = _UNIT / (float(rules.tick) * rules.lot) * (1.0 - _reserve(row, quote, base, price, limit))
    spendable, held = row.total_investment * money, row.base_amount / rules.lot
    if row.sizing == _BASE_AND_QUOTE:
        unit = math.inf
        if base:
            unit = held / base
        if quote:
            unit = min(unit, spendable / quote)
    else:
        unit = (spendable + held * price) / (quote + base * price)
        if held:
            if abs(unit * base - held) < held * _ALMOST:
                return DOUBTFUL, 0
            if unit * base < held:
                unit = spendable / quote
    wanted = 0
    for k in range(top + 1):
        exact = unit / levels[k] if row.sizing == _EQUAL_QUOTE else unit
        lots = math.floor(exact)
        error = exact * _ALMOST + _ALMOST
        if exact - lots < error or lots + 1 - exact < error:
            return DOUBTFUL, 0
        if float(levels[top]) * lots * rules.tick * rules.lot >= _FULL * _UNIT:
            return _TOO_LARGE, 0
        if k < top:
            amounts[k] = lots
        sells[k] = lots if k > vacant else 0
        wanted += sells[k]
    bought = 0
    if row.sizing != _BASE_AND_QUOTE:
        bought = max(0, -(-(wanted * rules.lot - row.base_amount) // rules.lot))
    return _check_amounts(row, rules, levels, vacant, amounts, sells), bought


@compiled
def _reserve(row: Any, quote: float, base: float, price: int, limit: int) -> float:
    if row.reserve >= 0:
        return float(row.reserve / _UNIT)
    taker = row.taker / _UNIT
    maker = row.maker / _UNIT
    if row.fee_asset == 1:
        maker = max(maker, taker)
    if row.sizing in (_QUOTE_ONLY, _BASE_AND_QUOTE):
        return 1.0 - 1.0 / (1.0 + maker) if row.fee_asset == 1 else 0.0
    at_worst = quote * (1.0 + maker) + base * limit * (1.0 + taker)
    return float(max(1.0 - (quote + base * price) / at_worst, 0.0))


@compiled
def _check_amounts(
    row: Any, rules: Rules, levels: Integers, vacant: int, amounts: Integers, sells: Integers
) -> int:
    kept = _UNIT - max(row.maker, row.taker) if row.fee_asset == 0 else _UNIT
    rate = row.maker if row.post_only else row.taker
    paid = _UNIT + (max(row.maker, row.taker) if row.fee_asset == 1 else 0)
    returned = _UNIT if row.fee_asset == 2 else _UNIT - rate
    for k in range(row.num_grids - 1):
        if not _may_trade(rules, levels[k], amounts[k]):
            return _REFUSED
        sold = amounts[k] * kept // _UNIT
        if row.profit == 1:
            exact = levels[k] / levels[k + 1] * amounts[k] * paid / returned
            lots = math.floor(exact)
            error = exact * _ALMOST + _ALMOST
            if exact - lots < error or lots + 1 - exact < error:
                return DOUBTFUL
            sold = min(sold, lots)
        if not _may_trade(rules, levels[k + 1], sold):
            return _REFUSED
    for k in range(vacant + 1, row.num_grids):
        if not _may_trade(rules, levels[k], sells[k] * kept // _UNIT):
            return _REFUSED
    return 0


@compiled
def _may_trade(rules: Rules, price: int, lots: int) -> bool:
    """`MarketRules.violation` for a price that is fine."""
    if lots <= 0 or lots < rules.min_amount or (0 < rules.max_amount < lots):
        return False
    # In units of 1e-16, split so that 64 bits hold it: the product of tick and lot may be large.
    value = float(price) * lots * (float(rules.tick) * rules.lot)
    least, most = rules.min_notional * float(_UNIT), rules.max_notional * float(_UNIT)
    if abs(value - least) <= 1e-9 * least or (most and abs(value - most) <= 1e-9 * most):
        exact = price * lots * (rules.tick * rules.lot // math.gcd(rules.tick * rules.lot, _UNIT))
        scale = _UNIT // math.gcd(rules.tick * rules.lot, _UNIT)
        return exact >= rules.min_notional * scale and (not most or exact <= rules.max_notional * scale)
    return value >= least and (not most or value <= most)
