"""Plays parameter sets on a swept path, fill by fill as the engine trades them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.optimize.kernel_sets import Played, Rows
    from gridtide.optimize.swept_path import SweptPath


def play_sets(path: SweptPath, sets: Rows, threads: int = 1, *, daily: bool = False) -> Played:
    """Play every row of `sets` (SET_DTYPE) on `path`; results are in the order of the sets.

    `threads`: how many parts are played at once; the numbers do not depend on it. `daily`: also give the equity of each
    day, 8 bytes a set and day.
    """
    raise NotImplementedError
