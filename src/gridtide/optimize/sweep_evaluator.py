"""Sets for a search played as `gridtide.sweep` plays them: the kernel what it can express, the engine the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from gridtide.optimize.engine_sets import Window as SweepWindow
from gridtide.optimize.evaluation import FIGURES, Evaluated, Window
from gridtide.optimize.trials import nothing
from gridtide.optimize.walk_forward import DAY_MS
from gridtide.price_path.columns import CandleColumns
from gridtide.price_path.units import unit_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.space import ParameterSet
    from gridtide.optimize.sweep import Sweeper
    from gridtide.price_path.columns import TradeColumns


@dataclass(frozen=True, slots=True)
class SweepEvaluator:
    """An `Evaluator`. `threads`: of the kernel."""

    sweeper: Sweeper
    columns: CandleColumns | TradeColumns
    threads: int = 1

    @property
    def span(self) -> Window:
        times = self.columns.timestamps
        step = self.columns.timeframe_ms if isinstance(self.columns, CandleColumns) else 1
        return Window(int(times[0]), int(times[-1]) + step)

    @property
    def appetite(self) -> int:
        return self.threads

    @property
    def last_price(self) -> Decimal:
        """Where the data end."""
        columns = self.columns
        prices = columns.close if isinstance(columns, CandleColumns) else columns.prices
        return int(prices[-1]) * unit_of(columns.price_places)

    def start_price(self, window: Window) -> Decimal:
        columns = self.columns
        prices = columns.open if isinstance(columns, CandleColumns) else columns.prices
        row = min(int(np.searchsorted(columns.timestamps, window.start)), len(prices) - 1)
        return int(prices[row]) * unit_of(columns.price_places)

    def prices_at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """The last price before each time; before the first one the first."""
        columns = self.columns
        prices = columns.close if isinstance(columns, CandleColumns) else columns.prices
        rows = np.searchsorted(columns.timestamps, times) - 1
        first = columns.open[0] if isinstance(columns, CandleColumns) else columns.prices[0]
        found: NDArray[np.float64] = np.where(rows < 0, first, prices[np.maximum(rows, 0)]).astype(np.float64)
        return found * 10.0**-columns.price_places

    def evaluate(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        if not sets:
            return nothing()
        found = self.sweeper.play(list(sets), threads=self.threads, window=self._cut(window), daily=daily)
        figures = {name: np.asarray(found.figures[name], np.float64).copy() for name in FIGURES}
        for name in FIGURES:
            figures[name][found.is_refused] = np.nan
        reasons = tuple(
            found.reasons[code] if refused else ""
            for code, refused in zip(found.reason_codes.tolist(), found.is_refused.tolist(), strict=True)
        )
        days = None if found.daily is None or not daily else self._whole_days(found.daily, window)
        return Evaluated(figures, reasons, found.engine, days)

    def has_data(self, window: Window) -> bool:
        """Whether anything was traded in it."""
        first, after = np.searchsorted(self.columns.timestamps, list(window)).tolist()
        return bool(first < after)

    def _whole_days(self, daily: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
        """With a column for days at the window's edges that the data lack: equity stands still there."""
        missing = -(-(window.stop - window.start) // DAY_MS) + 1 - daily.shape[1]
        if window == self.span or missing <= 0 or not daily.shape[1]:
            return daily
        row = int(np.searchsorted(self.columns.timestamps, window.start))
        before = min(missing, (int(self.columns.timestamps[row]) - window.start) // DAY_MS)
        return np.pad(daily, ((0, 0), (before, missing - before)), mode="edge")

    def _cut(self, window: Window) -> SweepWindow | None:
        """None for all data, whose first and last day need no cut."""
        return None if window == self.span else SweepWindow(*window)
