"""Plays sets: the kernel what it can express, the engine the rest, and says which and why."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gridtide.optimize.engine_sets import FIGURES, figures_of, play_in_engine
from gridtide.optimize.parameter_sets import sets_of
from gridtide.optimize.set_rules import refusals
from gridtide.optimize.sweep_result import SweepResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.engine_sets import EngineBacktest, EngineRun, Window
    from gridtide.optimize.parameter_sets import ParameterSets
    from gridtide.optimize.parameters import Parameters
    from gridtide.optimize.set_rules import Account
    from gridtide.optimize.sweep_result import Origin

    Integers = NDArray[np.int64]

Progress = Callable[[int, int], None]
"""Told how many sets of how many are done."""


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One config and one market's data, ready to play any sets; made by `gridtide.bootstrap.sweep`."""

    parameters: Parameters
    account: Account
    engine: EngineBacktest
    origin: Origin
    is_grid: bool

    def play(
        self,
        sets: Any,
        *,
        threads: int | None = None,
        window: Window | None = None,
        daily: bool = False,
        progress: Progress | None = None,
    ) -> SweepResult:
        """A row for each of `sets` (see `sets_of`), over all data or those of a window, on `threads` (None: all cores).

        Raises `InvalidInput` for values that no config may have, and for a window without data.
        """
        begun = time.perf_counter()
        found = sets_of(self.parameters, sets)
        board = Board(found, refusals(found, self.account, is_grid=self.is_grid))
        ...
