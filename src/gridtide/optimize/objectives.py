"""What a search makes as large or as small as it can: figures of a set, or ratios of them, each with its direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridtide.domain.errors import InvalidInput
from gridtide.optimize.near_names import unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Figures = Mapping[str, Floats]

_LEAST_FALL = 1e-4
"""A drawdown below this counts as this: a set that hardly traded is no wonder of risk."""


@dataclass(frozen=True, slots=True)
class Objective:
    """`values` gives a number each set from its figures and the equity it began with; NaN where there is none."""

    name: str
    meaning: str
    is_larger_better: bool
    values: Callable[[Figures, float], Floats]

    def scores(self, figures: Figures, capital: float) -> Floats:
        """The same with the sign by which larger is always better."""
        found = self.values(figures, capital)
        return found if self.is_larger_better else -found


def _figure(name: str) -> Callable[[Figures, float], Floats]:
    return lambda figures, capital: figures[name]


def _gain_over_fall(figures: Figures, capital: float) -> Floats:
    """A loss is multiplied by the fall: divided by it, the deeper fall would be the better one."""
    gain, fall = figures["final_equity"] / capital - 1, np.maximum(figures["max_drawdown"], _LEAST_FALL)
    return np.where(gain < 0, gain * fall, gain / fall)


_ALL = (
    Objective("sharpe", "Sharpe ratio on daily equity", True, _figure("sharpe")),
    Objective("final_equity", "equity at the end", True, _figure("final_equity")),
    Objective("grid_profit", "profit of closed round trips", True, _figure("grid_profit")),
    Objective("max_drawdown", "deepest fall from a peak", False, _figure("max_drawdown")),
    Objective("gain_over_fall", "return over the deepest fall, a loss times it", True, _gain_over_fall),
    Objective("fees", "fees paid", False, _figure("fees")),
    Objective("fills", "executions", True, _figure("fills")),
    Objective("time_in_range", "share of time inside the range", True, _figure("time_in_range")),
)
OBJECTIVES: Mapping[str, Objective] = {each.name: each for each in _ALL}


def objectives_named(names: Sequence[str]) -> tuple[Objective, ...]:
    """Raises `InvalidInput` for a name that is none, or one given twice."""
    for name in names:
        if name not in OBJECTIVES:
            raise InvalidInput(unknown("objective", name, OBJECTIVES))
    if len(set(names)) < len(names):
        raise InvalidInput("an objective is named twice: name each once")
    return tuple(OBJECTIVES[name] for name in names)


def best_first(scores: Sequence[Floats]) -> NDArray[np.int64]:
    """Rows that have every score, by the first score, equal ones by the next and then as they came."""
    rows = np.flatnonzero(~np.any(np.isnan(scores), axis=0))
    keys = [-score[rows] for score in reversed(scores)]
    return rows[np.lexsort(keys)]


def pareto_front(scores: Sequence[Floats]) -> NDArray[np.int64]:
    """The rows that no other beats in one score without being beaten in another, best first by the first score.

    `scores`: larger is better; a row with a NaN is on no front. Of equal rows the first stands for all.
    """
    order = best_first(scores)
    points = (
        np.stack([score[order] for score in scores], axis=1) if len(order) else np.empty((0, len(scores)))
    )
    front: list[int] = []
    kept = np.empty((0, len(scores)))
    for row, point in enumerate(points):
        if not np.any(np.all(kept >= point, axis=1)):
            front.append(row)
            kept = np.vstack([kept, point])
    return order[front]
