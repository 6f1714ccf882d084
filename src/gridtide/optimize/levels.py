"""Levels and amounts of a grid, compiled, equal to those of `strategies.grid` to the tick and the lot."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from gridtide.optimize.swept_path import SweptPath


def refusal(path: SweptPath, row: np.void) -> str:
    """The sentence with which the engine refuses the plan of a set; empty where it does not."""
    raise NotImplementedError
