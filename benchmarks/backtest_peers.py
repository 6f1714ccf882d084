"""The same grid where others trade it: VectorBT's compiled `from_order_func`, and a plain compiled loop of sums.

Both know the plan of ours (levels, amount, purchase, vacant level) and the walk of the price, point by point, before
their time begins, and count in floats. A grid without waiting or parked orders is one number: its vacant level.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from benchmarks.backtest_turns import Found
from benchmarks.backtest_worlds import CASH
from gridtide.price_path.columns import CandleColumns
from gridtide.price_path.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.price_path.columns import TradeColumns
    from gridtide.price_path.path import PricePath
    from gridtide.reports.backtest_result import BacktestResult

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

POINTS = 4
FEE = 0.001
MOST_ORDERS = 100_000
VECTORBT = "vectorbt"


@dataclass(frozen=True, slots=True)
class GridPlan:
    """The plan of our grid as numbers."""

    levels: Floats
    amount: float
    purchase: float
    vacant: int


def plan_of(result: BacktestResult) -> GridPlan:
    """What the strategy planned at its start."""
    market = result.markets[0]
    plan = json.loads(market.strategy_state["plan"])
    amounts = {float(amount) for _, _, amount in plan["levels"]} - {0.0}
    levels = np.array([float(price) for price in market.levels])
    return GridPlan(levels, max(amounts), float(plan["purchase_amount"]), plan["vacant"])


def plain_loop(path: PricePath, plan: GridPlan) -> Callable[[], Found]:
    """Every point looked at once: the floor under whatever trades this grid."""
    levels = np.rint(plan.levels * 10.0**path.places).astype(np.int64)
    unit = 10.0**-path.places

    def run() -> Found:
        return Found(
            *trade_all(path.prices, levels, unit, plan.amount, plan.purchase, plan.vacant, CASH, FEE)
        )

    return run


@compiled
def trade_all(
    prices: NDArray[Any],
    levels: Integers,
    unit: float,
    amount: float,
    purchase: float,
    vacant: int,
    cash: float,
    fee: float,
) -> tuple[int, float]:
    """Fills, the initial purchase among them, and the final value."""
    fills, base = 1, purchase
    cash -= purchase * prices[0] * unit * (1 + fee)
    for price in prices:
        while vacant > 0 and price <= levels[vacant - 1]:
            vacant -= 1
            fills += 1
            cash -= amount * levels[vacant] * unit * (1 + fee)
            base += amount
        while vacant + 1 < levels.size and price >= levels[vacant + 1]:
            vacant += 1
            fills += 1
            cash += amount * levels[vacant] * unit * (1 - fee)
            base -= amount
    return fills, cash + base * prices[-1] * unit


# --- VectorBT ----------------------------------------------------------------------------------------


def has_vectorbt() -> bool:
    return find_spec(VECTORBT) is not None


def vectorbt_run(
    columns: CandleColumns | TradeColumns, path: PricePath, plan: GridPlan, *, figures: bool
) -> Callable[[], Found]:
    """Bar by bar in VectorBT's compiled loop; with `figures` its `stats()` too, as everybody asks for who runs it."""
    assert isinstance(columns, CandleColumns)
    vbt, pandas = import_module(VECTORBT), import_module("pandas")
    points = path.prices.reshape(-1, POINTS) / 10.0**path.places
    close = pandas.Series(points[:, -1], pandas.to_datetime(columns.timestamps, unit="ms"))
    order_func = order_function()

    def run() -> Found:
        state = np.array([plan.vacant, 0, 0], np.int64)
        given = (points, plan.levels, plan.amount, plan.purchase, FEE, state)
        portfolio = vbt.Portfolio.from_order_func(
            close, order_func, *given, flexible=True, init_cash=CASH, max_orders=MOST_ORDERS, freq="1min"
        )
        if figures:
            portfolio.stats()
        return Found(len(portfolio.order_records), float(_final_value(portfolio, close)))

    return run


def _final_value(portfolio: Any, close: Any) -> float:
    """From the orders alone: VectorBT's own `final_value` first makes the value of every bar."""
    orders = portfolio.order_records
    signed = np.where(orders["side"] == 0, orders["size"], -orders["size"])
    cash = CASH - (signed * orders["price"]).sum() - orders["fees"].sum()
    return float(cash + signed.sum() * close.iloc[-1])


@cache
def order_function() -> Any:
    """The callback that VectorBT asks for orders of a bar until there are no more; one, so that it compiles once."""
    kernels = import_module(VECTORBT).portfolio.nb
    order_nb, nothing_nb, step = kernels.order_nb, kernels.order_nothing_nb, next_trade

    @numba.njit
    def order_func(
        context: Any, points: Any, levels: Any, amount: float, purchase: float, fee: float, state: Any
    ) -> Any:
        if state[2] == 0:
            state[2] = 1
            return 0, order_nb(size=purchase, price=points[0, 0], fees=fee)
        direction = step(points[context.i], levels, state)
        if direction == 0:
            return -1, nothing_nb()
        return 0, order_nb(size=direction * amount, price=levels[state[0]], fees=fee)

    return order_func


@compiled
def next_trade(points: Floats, levels: Floats, state: Integers) -> int:
    """1 for a buy, -1 for a sell at the level that is vacant now; 0 when the bar's points are used up.

    `state`: the vacant level and the point of the bar to go on from, both changed here.
    """
    while state[1] < points.size:
        price, vacant = points[state[1]], state[0]
        if vacant > 0 and price <= levels[vacant - 1]:
            state[0] -= 1
            return 1
        if vacant + 1 < levels.size and price >= levels[vacant + 1]:
            state[0] += 1
            return -1
        state[1] += 1
    state[1] = 0
    return 0
