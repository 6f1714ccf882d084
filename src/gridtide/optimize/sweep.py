"""Plays sets: the kernel what it can express, the engine the rest, and says which and why.

Whoever asks gets the engine's numbers: a winner can be confirmed, and a difference is a defect.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from gridtide.domain.errors import InvalidInput
from gridtide.optimize.engine_sets import EngineFill
from gridtide.optimize.kernel import BLOCK, play_sets, traced_fills
from gridtide.optimize.kernel_rows import obstacles, rows_of
from gridtide.optimize.kernel_sets import Status
from gridtide.optimize.levels import plan_sets, refusal
from gridtide.optimize.parameter_sets import sets_of
from gridtide.optimize.set_rules import refusals
from gridtide.optimize.sweep_board import FOR_ENGINE, Board
from gridtide.optimize.sweep_result import SweepResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.engine_sets import EngineBacktest, EngineRun, Window
    from gridtide.optimize.parameter_sets import ParameterSets
    from gridtide.optimize.parameters import Parameters
    from gridtide.optimize.set_rules import Account
    from gridtide.optimize.sweep_board import Progress
    from gridtide.optimize.sweep_result import Origin
    from gridtide.optimize.swept_path import SweptPath

    Floats = NDArray[np.float64]
    Rows = NDArray[Any]

BATCH: Final = 16_384
"""Sets that the kernel is given at once: a few MB of rows, and a second of work between two signs of life."""


class PathSource(Protocol):
    """The price's path over all data, or over the candles and trades of a window: one, or for `pessimistic` both orders
    of the extremes, of which the worse counts. Raises `InvalidInput` for a window without data."""

    def __call__(self, window: Window | None) -> Sequence[SweptPath]: ...


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One config and one market's data, ready to play any sets; `gridtide.bootstrap.sweep` makes it."""

    parameters: Parameters
    account: Account
    paths: PathSource
    engine: EngineBacktest
    origin: Origin
    is_grid: bool
    has_gaps: bool
    obstacle: str = ""
    """What of the market itself the kernel cannot play; empty where there is nothing."""

    def play(
        self,
        sets: Any,
        *,
        threads: int | None = None,
        window: Window | None = None,
        daily: bool = False,
        use_engine: bool = True,
        progress: Progress | None = None,
    ) -> SweepResult:
        """A row for each of `sets` (see `sets_of`), over all data or those of a window, on `threads` (None: all cores).

        Without `use_engine` what the kernel cannot play is refused, which of a million sets may be the wiser choice:
        the engine takes some ten thousand times as long.

        Raises `InvalidInput` for values that no config may have, and for a window without data.
        """
        begun = time.perf_counter()
        found = sets_of(self.parameters, sets)
        board = Board(found, progress, daily=daily)
        board.refuse(refusals(found, self.account, is_grid=self.is_grid))
        board.leave_to_engine(
            obstacles(
                found, self.account, is_grid=self.is_grid, has_gaps=self.has_gaps, obstacle=self.obstacle
            )
        )
        self._play_kernel(board, threads or _cores(), window)
        if use_engine:
            self._play_engine(board, window)
        else:
            board.refuse_the_rest()
        return SweepResult(
            sets=found,
            figures=board.figures,
            reason_codes=board.reason_codes,
            reasons=board.reasons,
            is_refused=board.is_refused,
            engine=board.by_engine,
            notes=board.notes(),
            origin=self.origin,
            seconds=time.perf_counter() - begun,
            daily=board.daily,
            world=PlayedWorld(self, window),
        )

    def _play_kernel(self, board: Board, threads: int, window: Window | None) -> None:
        open_rows = np.flatnonzero(board.is_open)
        if not len(open_rows):
            return
        paths = self.paths(window)
        for start in range(0, len(open_rows), BATCH):
            rows = open_rows[start : start + BATCH]
            sets = rows_of(board.sets.take(rows), self.account)
            board.put(
                rows, *_worse([_played(path, sets, threads, daily=board.wants_daily) for path in paths])
            )

    def _play_engine(self, board: Board, window: Window | None) -> None:
        for row in np.flatnonzero(board.for_engine).tolist():
            board.put_run(row, run_of(self.engine, board.sets, row, window))


@dataclass(frozen=True, slots=True)
class PlayedWorld:
    """A `World` of one sweep: asked again for a single set."""

    sweeper: Sweeper
    window: Window | None

    def run(self, sets: ParameterSets, row: int) -> EngineRun:
        """The engine's run of a set. Raises `InvalidInput` where the engine refuses it."""
        return self.sweeper.engine(sets.overrides(row), self.window)

    def fills(self, sets: ParameterSets, row: int, walk: int) -> list[EngineFill] | None:
        """The kernel's executions of a set; None where it does not play it."""
        path = self.sweeper.paths(self.window)[walk]
        rules = path.market.rules
        try:
            traced = traced_fills(path, rows_of(sets.take(np.array([row])), self.sweeper.account)[0])
        except ValueError:
            return None
        return [
            EngineFill(
                fill.point,
                fill.level,
                not fill.is_sell,
                fill.price * rules.tick_size,
                fill.lots * rules.lot_size,
            )
            for fill in traced
        ]

    def explain(self, sets: ParameterSets, row: int) -> str:
        """Why a grid could not be placed, in the engine's words."""
        (one,) = rows_of(sets.take(np.array([row])), self.sweeper.account)
        path = self.sweeper.paths(self.window)[0]
        return refusal(one, path.market, path.market.rules.tick_size * int(path.prices[0]))


def run_of(engine: EngineBacktest, sets: ParameterSets, row: int, window: Window | None) -> EngineRun | str:
    """What the engine makes of a set; a text where it refuses it."""
    try:
        return engine(sets.overrides(row), window)
    except InvalidInput as error:
        return str(error)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _played(path: SweptPath, sets: Rows, threads: int, *, daily: bool) -> tuple[Rows, Floats | None]:
    """Results, and equity at the beginning and at each day's end."""
    played = play_sets(path, sets, threads, daily=daily)
    _mark_refused(path, sets, played.results["status"])
    if played.daily_equity is None:
        return played.results, None
    return played.results, np.column_stack((played.results["initial_equity"], played.daily_equity))


def _mark_refused(path: SweptPath, sets: Rows, status: NDArray[np.int8]) -> None:
    """A grid that cannot be placed on an account with base is handed back for the value of that base, which is no
    result of a sweep: such sets are refused here instead of being played one by one."""
    rows = np.flatnonzero((status == Status.NEEDS_ENGINE) & (sets["balance_base"] > 0))
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        plans = plan_sets(sets[part], path.market, path.rules, int(path.prices[0]))
        status[part[plans.status == Status.REFUSED]] = Status.REFUSED


def _worse(runs: Sequence[tuple[Rows, Floats | None]]) -> tuple[Rows, Floats | None]:
    """Of two runs of each set the one that ends with less, as a backtest takes it; one that needs the engine wins."""
    results, daily = runs[0]
    for other, other_daily in runs[1:]:
        needs_engine = np.isin(other["status"], list(FOR_ENGINE))
        is_worse = needs_engine | (other["final_equity"] < results["final_equity"])
        results = np.where(is_worse, other, results)
        if daily is not None and other_daily is not None:
            daily = np.where(is_worse[:, np.newaxis], other_daily, daily)
    return results, daily
