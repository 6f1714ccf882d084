"""Plateau score: does the winner stand on high ground, or on a spike that the next sample of prices will move?

Parameters are compared by their ranks, so units and scales do not matter, and sets may be a full grid, a random
sample or what an optimiser left behind. Neighbours are taken on both sides along every parameter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SHARE = 0.01
"""Of all sets, wanted as neighbours."""
_MOST = 200
_EDGE = 0.02
"""A rank this close to the end of a parameter's ranks is at its edge."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """The winner's neighbourhood. Objectives that are not numbers (refused sets) count as the worst."""

    score: float
    """What the median neighbour keeps of the winner's lead over the median of all played sets: 0 (a spike) to 1 (a
    plateau)."""
    neighbours: int
    neighbour_median: float
    """Median objective of the neighbours, in its unit; −inf if most of them were refused."""
    field_median: float
    winner: float
    """The winner's objective."""
    rank: float
    """Mean rank of the neighbours among all sets: 0 the worst, 0.5 like any set, 1 the best."""
    positive: float
    """Share of the neighbours whose objective is above zero."""
    reach: float
    """How far away neighbours are: mean difference of a parameter's ranks, as a share of all its ranks."""
    edges: tuple[str, ...]
    """Parameters whose best value is the lowest or highest tried: the search should go on beyond."""


def plateau(
    parameters: Mapping[str, Sequence[Any] | NDArray[Any]],
    objective: Sequence[float] | NDArray[Any],
    winner: int | None = None,
) -> Plateau | None:
    """Looks around the set with the highest objective (or around `winner`, its place).

    `parameters`: name to one value a set, numbers or categories (texts, booleans). `objective`: one figure a set,
    more is better, NaN for a refused set. None where fewer than three sets, or no parameter that varies, leave
    nothing to look at. ValueError for columns of different lengths and for a winner without an objective.
    """
    figures = np.asarray(objective, np.float64)
    figures = np.where(np.isnan(figures), -np.inf, figures)
    if any(len(column) != len(figures) for column in parameters.values()):
        raise ValueError("Every parameter needs one value for each objective.")
    axes, kinds = _axes(parameters, len(figures))
    if len(figures) < 3 or axes.shape[1] + kinds.shape[1] == 0:
        return None
    best = int(figures.argmax()) if winner is None else winner
    if not math.isfinite(figures[best]):
        raise ValueError("The winner has no objective: every set was refused.")
    near = _neighbours(axes, kinds, best)
    return _score(figures, best, near, _reach(axes, near, best), _edges(parameters, axes, best))


def _score(
    figures: Floats, best: int, near: NDArray[np.int64], reach: float, edges: tuple[str, ...]
) -> Plateau:
    field = float(np.median(figures[np.isfinite(figures)]))  # refused sets would only enlarge the lead
    middle = float(np.median(figures[near]))
    lead = float(figures[best]) - field
    kept = (middle - field) / lead if lead > 0 and math.isfinite(lead) else float(middle >= figures[best])
    ranks = _middle_ranks(figures)
    return Plateau(
        score=min(1.0, max(0.0, kept)) if math.isfinite(kept) else 0.0,
        neighbours=len(near),
        neighbour_median=middle,
        field_median=field,
        winner=float(figures[best]),
        rank=float(ranks[near].mean()),
        positive=float((figures[near] > 0).mean()),
        reach=reach,
        edges=edges,
    )


def _axes(
    parameters: Mapping[str, Sequence[Any] | NDArray[Any]], sets: int
) -> tuple[Floats, NDArray[np.int64]]:
    """Ranks from 0 to 1 of the numeric parameters, and numbers of the categories; only of what varies."""
    axes, kinds = [], []
    for column in parameters.values():
        values = _numbers(column)
        _, codes = np.unique(
            [str(value) for value in column] if values is None else values, return_inverse=True
        )
        if codes.max(initial=0) == 0:
            continue
        if values is None:
            kinds.append(codes)
        else:
            axes.append(codes / codes.max())
    return (
        np.array(axes, np.float64).T.reshape(sets, len(axes)),
        np.array(kinds, np.int64).T.reshape(sets, len(kinds)),
    )


def _numbers(column: Sequence[Any] | NDArray[Any]) -> Floats | None:
    """The column as floats, or None if it holds categories."""
    values = list(column)
    if all(isinstance(value, (int, float, Decimal, np.integer, np.floating)) for value in values) and not any(
        isinstance(value, bool) for value in values
    ):
        return np.array([float(value) for value in values])
    return None


def _neighbours(axes: Floats, kinds: NDArray[np.int64], best: int) -> NDArray[np.int64]:
    """On each side of the winner along each axis the nearest few; without axes the nearest few at all.

    A category that differs counts as much as the whole of an axis.
    """
    away = np.square(axes - axes[best]).sum(axis=1) + (kinds != kinds[best]).sum(axis=1)
    sides = [np.arange(len(away)) != best] if axes.shape[1] == 0 else []
    for axis in axes.T:
        sides += [axis < axis[best], axis > axis[best]]
    wanted = min(_MOST, max(len(sides), round(len(away) * _SHARE)))
    each = -(-wanted // len(sides))
    near = [np.flatnonzero(side)[_nearest(away[side], each)] for side in sides]
    return np.unique(np.concatenate(near))


def _nearest(away: Floats, count: int) -> NDArray[np.int64]:
    """Places of the `count` smallest, and of those level with the last of them, so that order plays no part."""
    if len(away) <= count:
        return np.arange(len(away))
    limit = np.partition(away, count - 1)[count - 1]
    return np.flatnonzero(away <= limit + 1e-12)


def _reach(axes: Floats, near: NDArray[np.int64], best: int) -> float:
    return float(np.abs(axes[near] - axes[best]).mean()) if axes.shape[1] else 0.0


def _edges(
    parameters: Mapping[str, Sequence[Any] | NDArray[Any]], axes: Floats, best: int
) -> tuple[str, ...]:
    numeric = [
        name
        for name, column in parameters.items()
        if (values := _numbers(column)) is not None and len(np.unique(values)) > 1
    ]
    return tuple(
        name for name, rank in zip(numeric, axes[best], strict=True) if rank <= _EDGE or rank >= 1 - _EDGE
    )


def _middle_ranks(figures: Floats) -> Floats:
    """Ranks from 0 to 1, equal figures at their middle."""
    order = np.sort(figures)
    below, up_to = np.searchsorted(order, figures, "left"), np.searchsorted(order, figures, "right")
    ranks: Floats = (below + up_to - 1) / 2 / (len(figures) - 1)
    return ranks
