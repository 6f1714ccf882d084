"""What a search asks of whoever plays its sets: figures of many sets over one window, in one call.

The sweep kernel answers it, the engine's backtest does, and so do workers on other machines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from gridtide.optimize.space import ParameterSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

FIGURES = (
    "final_equity",
    "grid_profit",
    "floating_profit",
    "fees",
    "fills",
    "max_drawdown",
    "time_in_range",
    "sharpe",
)
"""Of every set, as float64: money in quote, drawdown a positive fraction of the peak, time in range a share, Sharpe on
daily UTC equity. NaN where a figure is not defined, and everywhere for a set that was refused."""


class Window(NamedTuple):
    """From `start` up to and without `stop`, ms UTC."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The answer, a row each set in the order they were given."""

    figures: Mapping[str, Floats]
    """Each of `FIGURES`."""
    reasons: Sequence[str]
    """Why a set was refused; empty where it was played."""
    by_engine: Flags
    """Which sets the engine played, because the kernel cannot."""
    daily: Floats | None = None
    """Sets x (1 + days): equity at the beginning, right before each UTC midnight, and at the end, as
    `performance.equity.Equity.daily` has it; NaN for refused sets. None where it was not asked for."""

    def __len__(self) -> int:
        return len(self.reasons)


class Evaluator(Protocol):
    """Plays sets. The same sets over the same window give the same answer, whoever asks and wherever it runs."""

    @property
    def span(self) -> Window:
        """The time of the data."""
        ...

    @property
    def appetite(self) -> int:
        """How many sets at once keep it busy."""
        ...

    def start_price(self, window: Window) -> Decimal:
        """The first price of a window, which relative values are relative to."""
        ...

    def evaluate(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        """Play `sets`, whose relative values are resolved already. A set that cannot be played is refused with a
        reason, never an error."""
        ...


@dataclass(slots=True)
class Rows:
    """Collects single answers into an `Evaluated`."""

    figures: list[Mapping[str, float]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    daily: list[Floats] = field(default_factory=list)

    def played(self, figures: Mapping[str, float], daily: Floats) -> None:
        self.figures.append(figures)
        self.reasons.append("")
        self.daily.append(daily)

    def refused(self, reason: str) -> None:
        self.figures.append({})
        self.reasons.append(reason)
        self.daily.append(np.empty(0))

    def evaluated(self, *, by_engine: bool, daily: bool) -> Evaluated:
        """All of them."""
        table = {name: np.array([row.get(name, np.nan) for row in self.figures]) for name in FIGURES}
        flags = np.array([by_engine and not reason for reason in self.reasons], dtype=np.bool_)
        return Evaluated(table, tuple(self.reasons), flags, self._matrix() if daily else None)

    def _matrix(self) -> Floats:
        width = max((len(row) for row in self.daily), default=0)
        matrix = np.full((len(self.daily), width), np.nan)
        for number, row in enumerate(self.daily):
            matrix[number, : len(row)] = row
        return matrix


def merged(parts: Sequence[Evaluated]) -> Evaluated:
    """Answers one after the other as one; they must be of one window."""
    figures = {name: np.concatenate([part.figures[name] for part in parts]) for name in FIGURES}
    reasons = tuple(reason for part in parts for reason in part.reasons)
    by_engine = np.concatenate([part.by_engine for part in parts])
    matrices = [part.daily for part in parts if part.daily is not None]
    return Evaluated(figures, reasons, by_engine, _stacked(matrices) if len(matrices) == len(parts) else None)


def _stacked(matrices: Sequence[Floats]) -> Floats:
    """Below each other; one of refused sets alone has no days and takes those of the others."""
    width = max(matrix.shape[1] for matrix in matrices)
    padded = [
        np.pad(matrix, ((0, 0), (0, width - matrix.shape[1])), constant_values=np.nan) for matrix in matrices
    ]
    return np.concatenate(padded)


def spread(answer: Evaluated, rows: Sequence[int], reasons: Sequence[str]) -> Evaluated:
    """The answer about some rows among all others, which were refused: `reasons` has one each row, of which those of
    `rows` are replaced by the answer's."""
    count, given = len(reasons), list(reasons)
    figures = {name: np.full(count, np.nan) for name in FIGURES}
    by_engine = np.zeros(count, dtype=np.bool_)
    daily = None if answer.daily is None else np.full((count, answer.daily.shape[1]), np.nan)
    places = np.array(rows, dtype=np.int64)
    for name in FIGURES:
        figures[name][places] = answer.figures[name]
    by_engine[places] = answer.by_engine
    if daily is not None:
        daily[places] = answer.daily
    for row, reason in zip(rows, answer.reasons, strict=True):
        given[row] = reason
    return Evaluated(figures, tuple(given), by_engine, daily)
