"""Where the results of a sweep are collected: arrays made once, a place for each set, and who plays what is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gridtide.optimize.engine_sets import FIGURES, EngineRun, figures_of
from gridtide.optimize.kernel_sets import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.kernel_rows import Obstacles
    from gridtide.optimize.parameter_sets import ParameterSets
    from gridtide.optimize.set_rules import Refusals

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

Progress = Callable[[int, int], None]
"""Told how many sets of how many are done."""

UNPLACED: Final = "the grid cannot be placed where the data begin"
NO_MONEY: Final = "the account has less than the grid is to use"
WITHOUT_ENGINE: Final = "only the engine can play it, and was not asked to"
FOR_ENGINE: Final = {
    Status.NEEDS_ENGINE: "something that the kernel does not play",
    Status.TOO_LARGE: "numbers too large for the kernel",
}
"""Why the kernel hands a set back."""


class Board:
    """Every set is open, left to the engine, or done."""

    def __init__(self, sets: ParameterSets, progress: Progress | None, *, daily: bool) -> None:
        count = len(sets)
        self.sets, self.wants_daily = sets, daily
        self.figures: dict[str, NDArray[Any]] = {name: np.full(count, np.nan) for name in FIGURES}
        self.figures["fills"] = np.zeros(count, np.int64)
        self.daily: Floats | None = None
        self._codes: dict[str, int] = {"": 0}
        self.reason_codes: Integers = np.zeros(count, np.int64)
        self.is_open = np.ones(count, np.bool_)
        self.for_engine = np.zeros(count, np.bool_)
        self.by_engine = np.zeros(count, np.bool_)
        self.is_refused = np.zeros(count, np.bool_)
        self._causes: Counter[str] = Counter()
        self._progress = progress

    def refuse(self, found: Refusals) -> None:
        """Sets that make no config."""
        for code, reason in enumerate(found.reasons):
            if code:
                self._refuse(np.flatnonzero(found.codes == code), reason)

    def leave_to_engine(self, found: Obstacles) -> None:
        """Of the open sets those that the kernel cannot play."""
        for code, why in enumerate(found.reasons):
            if code:
                self._hand_over(np.flatnonzero(self.is_open & (found.codes == code)), why)

    def refuse_the_rest(self) -> None:
        """Nobody plays what was left to the engine."""
        self._refuse(np.flatnonzero(self.for_engine), WITHOUT_ENGINE)
        self.for_engine[:] = False

    def put(self, rows: Integers, results: NDArray[Any], daily: Floats | None) -> None:
        """What the kernel made of some sets: rows of RESULT_DTYPE, and equity by day."""
        status = results["status"]
        for name in FIGURES:
            self.figures[name][rows] = results[name]
        if daily is not None:
            self._days(daily.shape[1])[rows] = daily
        self.is_open[rows] = False
        self._refuse(rows[status == Status.REFUSED], UNPLACED)
        self._refuse(rows[status == Status.NO_MONEY], NO_MONEY)
        for handed_back, why in FOR_ENGINE.items():
            self._hand_over(rows[status == handed_back], why)
        self._tell()

    def put_run(self, row: int, run: EngineRun | str) -> None:
        """What the engine made of a set; a text where it refused it."""
        self.for_engine[row], self.by_engine[row] = False, True
        if isinstance(run, str):
            self._refuse(np.array([row]), run)
        else:
            for name, value in figures_of(run).items():
                self.figures[name][row] = value
            self.reason_codes[row] = self._code(run.stopped)
            if self.wants_daily:
                self._days(len(run.daily))[row] = run.daily
        self._tell()

    @property
    def reasons(self) -> tuple[str, ...]:
        """What `reason_codes` are places in."""
        return tuple(self._codes)

    def notes(self) -> tuple[str, ...]:
        """What the reader has to know."""
        count, engine, refused = len(self.sets), sum(self._causes.values()), int(self.is_refused.sum())
        found = []
        if engine:
            causes = ", ".join(f"{why} ({number:,})" for why, number in self._causes.most_common())
            were = (
                "played by the engine" if self.by_engine.any() else "left to the engine, which was not asked"
            )
            found.append(
                f"{engine:,} of {count:,} sets were {were}, because the kernel cannot express: {causes}"
            )
        if refused:
            found.append(f"{refused:,} of {count:,} sets were refused; the column reason says why")
        return tuple(found)

    def _refuse(self, rows: Integers, reason: str) -> None:
        if len(rows):
            for name in FIGURES:
                self.figures[name][rows] = 0 if name == "fills" else np.nan
            if self.daily is not None:
                self.daily[rows] = np.nan
            self.is_open[rows], self.is_refused[rows] = False, True
            self.reason_codes[rows] = self._code(reason)

    def _hand_over(self, rows: Integers, why: str) -> None:
        if len(rows):
            self.is_open[rows], self.for_engine[rows] = False, True
            self._causes[why] += len(rows)

    def _code(self, reason: str) -> int:
        return self._codes.setdefault(reason, len(self._codes))

    def _days(self, width: int) -> Floats:
        if self.daily is None:
            self.daily = np.full((len(self.sets), width), np.nan)
        return self.daily

    def _tell(self) -> None:
        if self._progress is not None:
            waiting = int(self.is_open.sum() + self.for_engine.sum())
            self._progress(len(self.sets) - waiting, len(self.sets))
