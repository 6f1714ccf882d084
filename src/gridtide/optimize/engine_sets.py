"""Sets that only the engine can play, one after the other, through a backtest that is handed in from above."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from gridtide.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridtide.optimize.parameter_sets import ParameterSets

    Floats = NDArray[np.float64]

Overrides = Mapping[tuple[str, ...], Any]
"""Values in the place of the config's own, by where they stand: ``("strategy", "lower_price")``."""


class Window(NamedTuple):
    """From `start` up to and without `stop`, ms UTC."""

    start: int
    stop: int


class EngineFill(NamedTuple):
    """An execution: where on the path, which level (-1: none, as the purchase at the start), and how much."""

    point: int
    level: int
    is_buy: bool
    price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class EngineRun:
    """What the engine made of one set; exact, and as `gridtide.backtest` has it."""

    final_equity: Decimal
    grid_profit: Decimal
    floating_profit: Decimal
    fees: Decimal
    max_drawdown: Decimal
    time_in_range: float
    sharpe: float | None
    fills: Sequence[EngineFill]
    daily: Floats
    """Equity at the beginning, right before each UTC midnight, and at the end."""
    stopped: str
    """Why the bot stood still at the end; empty where it was running."""
    walk: int
    """Which walk through the candles this is: 1 where the second of `pessimistic` was the worse one, else 0."""


class EngineBacktest(Protocol):
    """Plays one set over the data, or over a part of their time.

    Raises `InvalidInput` where the set makes no config, or its grid cannot be placed.
    """

    def __call__(self, overrides: Overrides, window: Window | None = None) -> EngineRun: ...


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
"""Of each set, in quote where they are money; `max_drawdown` is a positive fraction of the peak, `time_in_range` a
share, `sharpe` on daily UTC equity with √365 and a riskless rate of zero."""


def figures_of(run: EngineRun) -> dict[str, float]:
    """`FIGURES` of a run, as floats."""
    return {
        "final_equity": float(run.final_equity),
        "grid_profit": float(run.grid_profit),
        "floating_profit": float(run.floating_profit),
        "fees": float(run.fees),
        "fills": float(len(run.fills)),
        "max_drawdown": float(run.max_drawdown),
        "time_in_range": run.time_in_range,
        "sharpe": float("nan") if run.sharpe is None else run.sharpe,
    }


def play_in_engine(
    sets: ParameterSets,
    engine: EngineBacktest,
    *,
    window: Window | None = None,
    told: Callable[[int], None] | None = None,
) -> list[EngineRun | str]:
    """What became of each set: its run, or why it was refused. `told` hears how many are done."""
    found: list[EngineRun | str] = []
    for row in range(len(sets)):
        try:
            found.append(engine(sets.overrides(row), window))
        except InvalidInput as error:
            found.append(str(error))
        if told is not None:
            told(row + 1)
    return found
