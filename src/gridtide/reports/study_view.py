"""What a report shows of a search for parameters: plain values, because reports know nothing of how it was searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class ShownObjective(NamedTuple):
    """A column of `StudyView.figures` that the search tried to make good."""

    name: str
    label: str
    is_more_better: bool


class ShownWindow(NamedTuple):
    """A step of a walk-forward. Times are ms UTC; `inside` and `outside` are the first objective's values, NaN where
    there is none."""

    inside_start: int
    inside_stop: int
    outside_start: int
    outside_stop: int
    trials: int
    chosen: str
    """The parameters in words, or why none could be chosen."""
    inside: float
    outside: float
    outside_return: float
    """As a fraction; NaN where nothing was played."""


class ShownStatistic(NamedTuple):
    """A figure with its value in words and what it means to somebody who never heard of it."""

    label: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class StudyView:
    """A whole study: `parameters` and `figures` are columns with one row a trial, NaN or "" where it was refused."""

    title: str
    start: int
    stop: int
    """The data's first and last moment, ms UTC."""
    verdict: str
    verdict_level: str
    """overfitted, fragile, not shown or holds; it colours the sentence."""
    cards: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    objectives: tuple[ShownObjective, ...]
    parameters: Mapping[str, NDArray[Any]]
    figures: Mapping[str, Floats]
    front: tuple[int, ...]
    """Rows of the trials that no other one beats in every objective."""
    windows: tuple[ShownWindow, ...]
    times: NDArray[np.int64]
    """Of the chained equity of the walk-forward, ms UTC; empty without one."""
    equity: Floats
    hold: Floats | None
    """Holding over the same times with the same money."""
    statistics: tuple[ShownStatistic, ...]
    settings: tuple[tuple[str, str], ...]
    origin: tuple[tuple[str, str], ...]
