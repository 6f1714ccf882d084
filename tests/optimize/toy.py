"""A market that knows its answers: figures by a formula, so that a search can be held to what it should find."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from gridtide.optimize.cluster import folder_here
from gridtide.optimize.evaluation import Evaluated, Rows, Window
from gridtide.optimize.objectives import objectives_named
from gridtide.optimize.problem import Problem
from gridtide.optimize.space import ParameterSet, parse_space

DAY = 86_400_000
CAPITAL = 1000.0


@dataclass
class Toy:
    """Best at x = 7, y = 3: final equity 1000 + 200 - (x-7)² - (y-3)²; what is best drifts by `drift` a day.

    Drawdown grows with x alone. Sets with x = 13 are refused. `calls` has the number of sets of each call.
    """

    days: int = 90
    drift: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.calls: list[int] = []

    @property
    def span(self) -> Window:
        return Window(0, self.days * DAY)

    @property
    def appetite(self) -> int:
        return 1

    def start_price(self, window: Window) -> Decimal:
        return Decimal(100 + window.start // DAY)

    def evaluate(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        self.calls.append(len(sets))
        time.sleep(self.seconds * len(sets))
        rows = Rows()
        middle = (window.start + window.stop) / 2 / DAY
        for each in sets:
            x, y = float(str(each["x"])), float(str(each["y"]))
            if x == 13:
                rows.refused("x is unlucky")
                continue
            gain = 200 - (x - 7 - self.drift * middle) ** 2 - (y - 3) ** 2
            final = CAPITAL + gain * (window.stop - window.start) / DAY / self.days
            figures = {"final_equity": final, "max_drawdown": x / 100, "fills": 1.0, "sharpe": gain / 100}
            length = (window.stop - window.start) // DAY
            rows.played(figures, np.linspace(CAPITAL, final, length + 1))
        return rows.evaluated(by_engine=True, daily=daily)


def toy_problem(evaluator: Any, *objectives: str, **space: Any) -> Problem:
    """A search over x and y from 0 to 20."""
    whole = {"from": "0", "to": "20"}
    found = parse_space({"x": whole, "y": whole, **space}, "space.yaml")
    return Problem(found, {}, evaluator, objectives_named(objectives or ("final_equity",)), CAPITAL, 2)


def build_toy(values: Mapping[str, Any]) -> Toy:
    """What a worker makes of a recipe."""
    return Toy(**values)


@dataclass
class Fragile(Toy):
    """Kills its own process the first time it meets x = 5, and says what its process has imported."""

    folder: str = ""

    def evaluate(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        place = Path(self.folder)
        (place / f"{os.getpid()}.modules").write_text("\n".join(sorted(sys.modules)))
        if any(each["x"] == 5 for each in sets) and not (place / "died").exists():
            (place / "died").touch()
            os._exit(9)
        return super().evaluate(sets, window, daily=daily)


def build_fragile(values: Mapping[str, Any]) -> Fragile:
    (Path(values["folder"]) / f"{os.getpid()}.built").touch()
    return Fragile(**values)


def build_from_files(values: Mapping[str, Any]) -> Fragile:
    """Reads what was sent to its worker, and says where it found it."""
    place = folder_here(values["sent"], values["key"])
    days = int((place / "days.txt").read_text())
    folder = Path(values["folder"])
    (folder / f"{os.getpid()}.place").write_text(str(place))
    return Fragile(days=days, folder=str(folder), seconds=0.01)


def imported() -> list[str]:
    """What the process that runs it has imported."""
    return sorted(sys.modules)
