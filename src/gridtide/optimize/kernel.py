"""Plays parameter sets on a swept path, fill by fill as the engine trades them.

A set is only played as far as its result is the engine's; where something would happen that the kernel does not know,
its status says so and no figure is given.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import starmap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridtide.optimize import kernel_loop
from gridtide.optimize.kernel_sets import OFF, RESULT_DTYPE, SET_DTYPE, Played, Status
from gridtide.optimize.levels import plan_sets
from gridtide.optimize.swept_path import compression_keys
from gridtide.performance.figures import LEAST_RETURNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.kernel_sets import Rows
    from gridtide.optimize.levels import Plans
    from gridtide.optimize.swept_path import SweptPath

    Integers = NDArray[np.int64]

BLOCK = 512
"""Sets that are planned and played together: their plans stay in the processor's cache."""
_NO_TRACE = np.zeros((0, 5), np.int64)


class TracedFill(NamedTuple):
    """One execution, for comparisons with the engine."""

    point: int
    """Raw index at which it happened."""
    level: int
    """-1: the initial purchase."""
    is_sell: bool
    price: int
    """Ticks."""
    lots: int


def play_sets(path: SweptPath, sets: Rows, threads: int = 1, *, daily: bool = False) -> Played:
    """Play every row of `sets` (SET_DTYPE) on `path`; results are in the order of the sets.

    `threads`: how many parts are played at once; the numbers do not depend on it. `daily`: also give the equity of each
    day, 8 bytes a set and day.
    """
    # Machine code is made for rows that may be written to: shared ones are copied.
    sets = np.require(sets, SET_DTYPE, ["C", "W"])
    results = np.zeros(len(sets), RESULT_DTYPE)
    equity = np.full((len(sets), len(path.day_places)), np.nan) if daily else None
    blocks = [
        (path, sets[start : start + BLOCK], results[start : start + BLOCK], _part(equity, start))
        for start in range(0, len(sets), BLOCK)
    ]
    if threads > 1 and len(sets) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda block: _play_block(*block), blocks))
    else:
        list(starmap(_play_block, blocks))
    return Played(results, equity)


def traced_fills(path: SweptPath, row: np.void, most: int = 1_000_000) -> list[TracedFill]:
    """Every execution of one set, in order. Raises `ValueError` for a set that the kernel does not play."""
    trace = np.zeros((most, 5), np.int64)
    sets, results = np.array([row], SET_DTYPE), np.zeros(1, RESULT_DTYPE)
    count = _play_block(path, sets, results, None, trace)
    if results["status"][0] not in (Status.OK, Status.REFUSED):
        raise ValueError(f"the kernel cannot play this set: {Status(results['status'][0]).name}")
    return [TracedFill(int(p), int(k), bool(s), int(x), int(n)) for p, k, s, x, n in trace[:count]]


def _part(equity: NDArray[np.float64] | None, start: int) -> NDArray[np.float64] | None:
    return None if equity is None else equity[start : start + BLOCK]


def _play_block(
    path: SweptPath,
    rows: Rows,
    results: Rows,
    equity: NDArray[np.float64] | None,
    trace: Integers = _NO_TRACE,
) -> int:
    plans = plan_sets(rows, path.market, path.rules, int(path.prices[0]))
    _leave_risk_to_engine(rows, plans)
    _check_band(path, rows, plans)
    found = np.zeros((len(rows), kernel_loop.FOUND_SIZE))
    daily = np.zeros((1, len(path.day_places))) if equity is None else equity
    starts = np.column_stack((plans.vacant, plans.purchase, plans.limit))
    work = Workspace(plans.levels.shape[1])
    for key, chosen in _by_compression(rows, plans):
        compression = path.compression(key)
        done = 0
        while done < len(chosen):
            done = kernel_loop.play_rows(
                rows,
                chosen,
                path.rules,
                path.prices,
                path.pause,
                compression.prices,
                compression.places,
                compression.day_legs,
                compression.day_extremes,
                path.day_places,
                path.day_prices,
                np.array([compression.absolute, compression.relative]),
                starts,
                plans.levels,
                plans.amounts,
                plans.sells,
                plans.status,
                found,
                daily,
                work.ints,
                work.floats,
                work.cells,
                work.values,
                work.log,
                work.dust,
                work.pending,
                trace,
                done,
            )
            if done < len(chosen):
                work.grow()
    traced = int(work.ints[kernel_loop.TRACED])
    _write(path, rows, plans, found, results, equity)
    return traced


class Workspace:
    """What machine code needs to remember while it plays one set; used again for each."""

    def __init__(self, levels: int) -> None:
        self.ints = np.zeros(kernel_loop.INTS_SIZE, np.int64)
        self.floats = np.zeros(kernel_loop.FLOATS_SIZE)
        self.cells = np.zeros((levels, kernel_loop.CELL_SIZE), np.int64)
        self.values = np.zeros((levels, kernel_loop.VALUE_SIZE))
        self.log, self.dust = np.zeros((1024, 4)), np.zeros(4096)
        self.pending = np.zeros((64, 3), np.int64)

    def grow(self) -> None:
        """Twice as much room where a set may need any amount of it."""
        self.log, self.dust = np.zeros((2 * len(self.log), 4)), np.zeros(2 * len(self.dust))
        self.pending = np.zeros((2 * len(self.pending), 3), np.int64)


def _by_compression(rows: Rows, plans: Plans) -> list[tuple[int, Integers]]:
    """The playable rows, by the compression they are played on; finer ones first, from which coarser ones are made."""
    playable = np.flatnonzero(plans.status == Status.OK)
    keys = compression_keys(rows[playable], plans.levels[playable])
    return [(int(key), playable[keys == key]) for key in sorted(set(keys.tolist()), key=abs)]


_RISK = ("stop_loss", "take_profit", "daily_loss", "drawdown", "losing_streak")


def _leave_risk_to_engine(rows: Rows, plans: Plans) -> None:
    """Stops and circuit breakers are not played here."""
    is_on = np.logical_or.reduce([rows[name] != OFF for name in _RISK])
    plans.status[(plans.status == Status.OK) & is_on] = Status.NEEDS_ENGINE


def _check_band(path: SweptPath, rows: Rows, plans: Plans) -> None:
    """Where the market's moving price band could keep an order back, only the engine knows when."""
    rules, rough = path.rules, path.roughness
    tops = np.take_along_axis(plans.levels, rows["num_grids"].astype(np.int64)[:, None] - 1, 1)[:, 0]
    bottoms = plans.levels[:, 0]
    start, (lowest, highest) = int(path.prices[0]), path.extremes
    most = np.maximum(np.minimum(highest, tops * rough), start)
    least = np.minimum(np.maximum(lowest, bottoms / rough), start)
    waits = (bottoms < rules.band_down * most) | (tops > rules.band_up * least)
    plans.status[(plans.status == Status.OK) & waits] = Status.NEEDS_ENGINE


def _write(
    path: SweptPath,
    rows: Rows,
    plans: Plans,
    found: NDArray[np.float64],
    results: Rows,
    equity: NDArray[np.float64] | None,
) -> None:
    # What the account holds in base goes with the price even where nothing trades: the engine values that.
    plans.status[(plans.status == Status.REFUSED) & (rows["balance_base"] > 0)] = Status.NEEDS_ENGINE
    results["status"] = plans.status
    played, refused = plans.status == Status.OK, plans.status == Status.REFUSED
    columns = {
        "final_equity": kernel_loop.FINAL,
        "initial_equity": kernel_loop.INITIAL,
        "grid_profit": kernel_loop.PROFITS,
        "floating_profit": kernel_loop.FLOATING,
        "fees": kernel_loop.FEES_PAID,
        "max_drawdown": kernel_loop.DRAWDOWN,
        "sharpe": kernel_loop.SHARPE,
    }
    for name, place in columns.items():
        results[name] = np.where(played, found[:, place], np.where(refused, 0.0, np.nan))
    for name, place in (("fills", kernel_loop.FILLS_COUNT), ("round_trips", kernel_loop.TRIPS_COUNT)):
        results[name][played] = found[played, place].astype(np.int64)
    tops = np.take_along_axis(plans.levels, rows["num_grids"].astype(np.int64)[:, None] - 1, 1)[:, 0]
    in_range = path.time_in_range(plans.levels[:, 0], tops)
    results["time_in_range"] = np.where(played, in_range, np.where(refused, 0.0, np.nan))
    opening = rows["balance_quote"] * 1e-8 + rows["balance_third"] * 1e-16 * rows["fee_asset_price"]
    for name in ("initial_equity", "final_equity"):
        results[name][refused] = opening[refused]
    results["sharpe"][refused | (path.day_ends.size < LEAST_RETURNS)] = np.nan
    if equity is not None:
        equity[refused] = opening[refused, None]
        equity[~played & ~refused] = np.nan
