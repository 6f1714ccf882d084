"""From a study to its verdict: its sets' equity by day, what walk-forward kept, the neighbours, the fees, the range.

Everything is measured on what the study played; what cannot be measured is missing, and the verdict says so.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.bootstrap.bots import grid_config
from gridtide.domain.errors import GridtideError
from gridtide.optimize.overfitting.choice_statistics import CHOICE_STATISTICS
from gridtide.optimize.overfitting.cost_sensitivity import FEE_MULTIPLES, CostPoint, costs_compared
from gridtide.optimize.overfitting.evidence import Evidence, evidence_of_returns
from gridtide.optimize.overfitting.plateau import plateau
from gridtide.optimize.overfitting.range_survival import range_survival
from gridtide.optimize.overfitting.verdict import Verdict, judge
from gridtide.optimize.overfitting.walk_forward_figures import WindowReturns, walk_forward_figures
from gridtide.optimize.trials import parameter_column
from gridtide.optimize.walk_forward import DAY_MS
from gridtide.price_path.columns import CandleColumns
from gridtide.strategies.grid.levels import calculate_grid_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.config.settings import AppSettings
    from gridtide.optimize.overfitting.cost_sensitivity import CostSensitivity
    from gridtide.optimize.overfitting.plateau import Plateau
    from gridtide.optimize.overfitting.range_survival import RangeSurvival
    from gridtide.optimize.problem import Problem
    from gridtide.optimize.space import ParameterSet
    from gridtide.optimize.study import Searched
    from gridtide.optimize.trials import Trials
    from gridtide.optimize.walk_forward import PlayedStep, WalkForward
    from gridtide.price_path.columns import TradeColumns

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MOST_SETS = 20_000
"""Sets whose daily equity is looked at: all, or this many by lot, the chosen one among them."""
MOST_DAYS = 8_000_000
"""The same in sets times days: 64 MB a copy."""
MOST_ENGINE_SETS = 200
"""The same where the engine plays them, a moment each."""
MOST_NEIGHBOURS = 5_000
"""Sets among which the chosen one's neighbours are looked for, by lot too."""
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and the figures behind it that are worth showing by themselves."""

    verdict: Verdict
    neighbours: Plateau | None
    costs: CostSensitivity | None
    survival: RangeSurvival | None


def judge_study(
    problem: Problem,
    searched: Searched,
    row: int,
    *,
    tried: int,
    seed: int,
    trading: AppSettings,
    columns: CandleColumns | TradeColumns,
) -> Judged:
    """The verdict on trial `row` of the search over all data.

    `tried`: all sets ever tried for it; `trading`: the config that would be traded now.
    """
    whole = searched.whole
    assert whole is not None
    evidence = evidence_of_trials(problem, whole, row, tried, seed)
    near = neighbours_of(problem, whole, row, seed)
    costs = costs_of(problem, whole.sets[row])
    survival = survival_of(trading, columns, seed)
    evidence = replace(
        evidence,
        **({} if searched.walk is None else figures_of_walk(problem, searched.walk)),
        plateau=None if near is None else near.score,
        break_even_fees=None if costs is None else _break_even(costs),
        leaves_in_30_days=None if survival is None else _leaves(survival),
    )
    return Judged(judge(evidence), near, costs, survival)


def _lot(rows: Integers, row: int, most: int, seed: int) -> Integers:
    """All `rows`, or so many by lot with `row` among them, in order."""
    if len(rows) <= most:
        return rows
    others = [each for each in rows.tolist() if each != row]
    drawn = random.Random(seed).sample(others, most - 1)  # noqa: S311  a sample, no secret
    return np.array(sorted([row, *drawn]))


def _most(problem: Problem, whole: Trials, played: Integers) -> int:
    if whole.answers.by_engine[played].any():
        return MOST_ENGINE_SETS
    start, stop = problem.evaluator.span
    return min(MOST_SETS, MOST_DAYS // ((stop - start) // DAY_MS + 1))


def evidence_of_trials(problem: Problem, whole: Trials, row: int, tried: int, seed: int) -> Evidence:
    """What the daily returns of the sets tell of trial `row`, which was played; of many sets those of a lot."""
    played = np.flatnonzero([not reason for reason in whole.answers.reasons])
    rows = _lot(played, row, _most(problem, whole, played), seed)
    answer = problem.play([whole.sets[each] for each in rows.tolist()], problem.evaluator.span, daily=True)
    assert answer.daily is not None
    daily = answer.daily
    chosen = int(np.searchsorted(rows, row))
    profit = float(daily[chosen, -1] / daily[chosen, 0] - 1) if daily.shape[1] else None
    known = Evidence(trials=tried, periods=max(daily.shape[1] - 1, 0), profit=profit)
    is_whole: NDArray[np.bool_] = np.asarray(np.isfinite(daily).all(axis=1))
    if not is_whole[chosen]:
        return known
    returns = np.diff(daily[is_whole], axis=1) / daily[is_whole, :-1]
    place = int(is_whole[:chosen].sum())
    found = evidence_of_returns(
        returns.T,
        np.random.default_rng(seed),
        trials=tried,
        chosen=place,
        statistic=CHOICE_STATISTICS.get(problem.objectives[0].name),
        drawn_from=None if len(rows) == len(played) else len(played),
    )
    return replace(found, profit=profit)


def figures_of_walk(problem: Problem, walk: WalkForward) -> dict[str, Any]:
    """Of all windows, as `Evidence` names them: those in which every set was refused too, which earned nothing."""
    found = walk_forward_figures([_window_figures(problem, each) for each in walk.steps])
    return {
        "walk_forward_efficiency": found.efficiency,
        "profitable_windows": found.profitable,
        "windows": found.windows,
    }


def _window_figures(problem: Problem, each: PlayedStep) -> WindowReturns:
    """A window without a choice earned nothing in it and after it; one whose choice could not be played after it
    earned nothing there."""
    inside, outside = each.step
    return WindowReturns(
        0.0 if each.chosen is None else each.inside["final_equity"] / problem.within(inside).capital - 1,
        (inside.stop - inside.start) / DAY_MS,
        float(each.equity[-1] / each.equity[0] - 1),
        (outside.stop - outside.start) / DAY_MS,
    )


def neighbours_of(problem: Problem, whole: Trials, row: int, seed: int) -> Plateau | None:
    """The surroundings of trial `row` among all that were tried, refused ones too."""
    rows = _lot(np.arange(len(whole)), row, MOST_NEIGHBOURS, seed)
    sets = [whole.sets[each] for each in rows.tolist()]
    columns = {name: _axis([each[name] for each in sets]) for name in problem.space.domains}
    scores = problem.objectives[0].scores(whole.answers.figures, problem.capital)[rows]
    try:
        return plateau(columns, scores, int(np.searchsorted(rows, row)))
    except ValueError:
        return None


def _axis(values: Sequence[Any]) -> NDArray[Any]:
    """Percentages as the numbers they are."""
    if all(isinstance(value, str) and value.endswith("%") for value in values):
        return np.array([float(value[:-1]) for value in values])
    return parameter_column(values)


def costs_of(problem: Problem, chosen: ParameterSet) -> CostSensitivity | None:
    """The same set with fees at multiples of its own, or of the config's; None where there are none."""
    fees = {name: chosen.get(name, problem.base.get(name)) for name in ("fees.maker", "fees.taker")}
    if any(not isinstance(fee, Decimal | int) for fee in fees.values()) or not any(fees.values()):
        return None
    sets = [
        {**chosen, **{name: Decimal(str(fee)) * Decimal(str(multiple)) for name, fee in fees.items()}}
        for multiple in FEE_MULTIPLES
    ]
    answer = problem.play(sets, problem.evaluator.span)
    if any(answer.reasons):  # dearer fees make some grids lose on every step, and those are refused
        sets = [{**each, "allow_below_break_even": True} for each in sets]
        answer = problem.play(sets, problem.evaluator.span)
    results = answer.figures["final_equity"] - problem.capital
    if np.isnan(results).any():
        return None
    return costs_compared(
        CostPoint(multiple, 0.0, float(result))
        for multiple, result in zip(FEE_MULTIPLES, results, strict=True)
    )


def _break_even(costs: CostSensitivity) -> float:
    """Where the profit is gone; the highest multiple tried if it never was."""
    return costs.survives if costs.break_even is None else costs.break_even


def survival_of(
    trading: AppSettings, columns: CandleColumns | TradeColumns, seed: int
) -> RangeSurvival | None:
    """The card of the grid that would be traded now, from the prices of the study."""
    (bot,) = trading.bots
    if not bot.is_grid or not isinstance(columns, CandleColumns):
        return None
    step = max(columns.timeframe_ms, _HOUR_MS)
    hours = columns.timestamps // step
    ends = np.append(np.flatnonzero(np.diff(hours)), len(hours) - 1)
    starts = np.append(0, ends[:-1] + 1)
    unit = 10.0**-columns.price_places
    try:
        levels = np.array([float(level) for level in calculate_grid_levels(grid_config(bot))])
        return range_survival(
            columns.close[ends] * unit,
            levels,
            np.random.default_rng(seed),
            step_ms=step,
            lows=np.minimum.reduceat(columns.low, starts) * unit,
            highs=np.maximum.reduceat(columns.high, starts) * unit,
        )
    except (GridtideError, ValueError):
        return None


def _leaves(survival: RangeSurvival) -> float | None:
    return next((each.leaves for each in survival.horizons if each.days == 30), None)
