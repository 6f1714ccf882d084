"""Reads a study's folder for its report: what was tried, what came after each choice, and the verdict.

Nothing is played or judged again: the page says what the folder says.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.optimize.evaluation import FIGURES
from gridtide.optimize.objectives import objectives_named
from gridtide.optimize.overfitting.cost_sensitivity import FEE_MULTIPLES
from gridtide.optimize.overfitting.verdict import Verdict
from gridtide.optimize.overfitting.wording import NAMES, Level, percent
from gridtide.optimize.study import WHOLE
from gridtide.optimize.study_folder import ANSWER, EQUITY, TRIALS, read_study
from gridtide.reports.shown_figures import percent_text
from gridtide.reports.study_view import ShownObjective, ShownStatistic, ShownWindow, StudyView
from gridtide.reports.table_files import database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

_MEANINGS = {
    "trials": "sets tried for this choice, ever: the more, the better the best one looks by luck alone",
    "overfitting": "how often the best of one half of the time was below the middle in the other half",
    "deflated": "the chance that the Sharpe ratio is above what the best of so many tries shows without any skill",
    "luck": "the chance that the best of sets without any edge looks as good as this one",
    "walk_forward_efficiency": "what was earned on unseen data, as a share of what was earned where it was chosen",
    "profitable_windows": "windows of the walk-forward that earned anything",
    "plateau": "how good the neighbours are: a lonely peak is luck, a plateau is not",
    "break_even_fees": "fees may rise by this factor before nothing is left",
    "leaves_in_30_days": "the chance that price leaves the range within 30 days, from how it moved before",
}
_FACTORS = frozenset({"break_even_fees"})
_COUNTS = frozenset({"trials"})
_HIDDEN = frozenset({"window", "reason", "by_engine", *FIGURES})


def is_study(folder: Path) -> bool:
    """Whether the folder holds a study, and not a saved run."""
    return (folder / ANSWER).exists()


def study_view(folder: Path) -> StudyView:
    """The study in `folder`. Raises `InvalidInput` for one that has not come to an end, `DataUnusable` for damage."""
    told = read_study(folder)
    if told.get("state") != "done":
        raise InvalidInput(
            f"the study in {folder} has not come to an end: run its command again, and it goes on where it stopped"
        )
    trials, equity = _rows(folder / TRIALS), _rows(folder / EQUITY)
    rows = np.flatnonzero(trials["window"] == WHOLE)
    of_all = {name: values[rows] for name, values in trials.items()}
    objectives = objectives_named(told["question"]["objectives"])
    figures = {name: of_all[name].astype(float) for name in FIGURES}
    figures |= {each.name: each.values(figures, told["capital"]) for each in objectives}
    verdict = Verdict.from_json(told["verdict"]) if "verdict" in told else None
    return StudyView(
        title=f"{told['market']}: {sum(told['trials'].values()):,} trials",
        start=told["time"][0],
        stop=told["time"][1],
        verdict=_sentence(verdict),
        verdict_level="not judged" if verdict is None else verdict.level.value,
        cards=tuple(_cards(told)),
        notes=tuple(_notes(told, verdict)),
        objectives=tuple(
            ShownObjective(each.name, each.name.replace("_", " "), each.is_larger_better)
            for each in objectives
        ),
        parameters={name: values for name, values in of_all.items() if name not in _HIDDEN},
        figures=figures,
        front=tuple(_front(told, of_all)),
        windows=tuple(_window(each, told) for each in told["walk_forward"]["windows"]),
        times=equity["time"].astype(np.int64),
        equity=equity["equity"].astype(float),
        hold=equity["hold"].astype(float) if "hold" in equity else None,
        statistics=() if verdict is None else tuple(_statistics(verdict)),
        settings=tuple((name, _text(value)) for name, value in told["question"].items()),
        origin=tuple(_origin(told)),
    )


def _rows(path: Path) -> Arrays:
    try:
        with database() as connection:
            found: Arrays = connection.read_parquet(str(path)).fetchnumpy()
            return {name: _plain(values) for name, values in found.items()}
    except (OSError, duckdb.Error) as error:
        raise DataUnusable(
            f"{path} cannot be read ({str(error).splitlines()[0]}): it was left as it is; run the search again"
        ) from None


def _plain(values: Any) -> NDArray[Any]:
    """Without a mask: DuckDB gives one where a column has gaps."""
    if isinstance(values, np.ma.MaskedArray):
        return np.asarray(values.filled(np.nan if values.dtype.kind == "f" else values.fill_value))
    return np.asarray(values)


def _sentence(verdict: Verdict | None) -> str:
    return "Not judged: nothing was chosen to be traded." if verdict is None else verdict.sentence


def _cards(told: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    walk = told["walk_forward"]
    cards = [
        ("sets played", f"{told['played']:,}"),
        ("walk-forward return", _share(walk["last_equity"] / walk["first_equity"] - 1)),
    ]
    if "chosen" in told:
        inside = told["chosen"]["in_sample"]
        cards += [
            ("in-sample return of the choice", _share(inside["final_equity"] / told["capital"] - 1)),
            ("in-sample Sharpe", "-" if inside["sharpe"] is None else f"{inside['sharpe']:.2f}"),
        ]
    return cards


def _notes(told: Mapping[str, Any], verdict: Verdict | None) -> Sequence[str]:
    notes = [f"{count:,} sets were refused: {reason}" for reason, count in told.get("refused", {}).items()]
    if verdict is not None:
        notes = [*verdict.reasons, *(f"not known: {missing}" for missing in verdict.missing), *notes]
    if "chosen" in told:
        is_backed = verdict is not None and verdict.level in {Level.HOLDS, Level.FRAGILE}
        title = "the set to trade now" if is_backed else "the best that was tried, and no advice to trade it"
        notes.insert(0, f"{title}: {_words(told['chosen']['now'])}")
    return notes


def _front(told: Mapping[str, Any], columns: Arrays) -> Sequence[int]:
    """Rows of the front's sets, by their parameters."""
    found = []
    for each in told.get("front", []):
        same = np.ones(len(columns["window"]), dtype=bool)
        for name, value in each["set"].items():
            column = columns.get(f"strategy.{name}", columns.get(name))
            if column is not None:
                same &= np.array([_same(cell, value) for cell in column.tolist()])
        rows = np.flatnonzero(same)
        if len(rows):
            found.append(int(rows[0]))
    return found


def _same(cell: Any, value: Any) -> bool:
    if str(cell) == str(value):
        return True
    try:
        return float(cell) == float(value)
    except (TypeError, ValueError):
        return False


def _window(each: Mapping[str, Any], told: Mapping[str, Any]) -> ShownWindow:
    (first, *_) = objectives_named(told["question"]["objectives"])

    def value(figures: Mapping[str, Any], capital: float) -> float:
        arrays = {name: np.array([math.nan if figures[name] is None else figures[name]]) for name in FIGURES}
        return float(first.values(arrays, capital)[0])

    # Studies of an older version have one capital for all windows.
    before, between = (
        each.get(f"{part}_capital", told["capital"]) for part in ("in_sample", "out_of_sample")
    )
    after = each["out_of_sample"]["final_equity"]
    begin, end = each["in_sample_time"]
    after_begin, after_end = each["out_of_sample_time"]
    return ShownWindow(
        inside_start=begin,
        inside_stop=end,
        outside_start=after_begin,
        outside_stop=after_end,
        trials=each["trials"],
        chosen=_choice(each),
        inside=value(each["in_sample"], before),
        outside=value(each["out_of_sample"], between),
        outside_return=math.nan if after is None else after / between - 1,
    )


def _choice(each: Mapping[str, Any]) -> str:
    if each["chosen"] is None:
        return "every set was refused"
    words = _words(each["played"])
    return f"{words} (not played: {each['reason']})" if each["reason"] else words


def _statistics(verdict: Verdict) -> Sequence[ShownStatistic]:
    figures = verdict.evidence.to_json()
    return [
        ShownStatistic(NAMES[name], shown_figure(name, figures.get(name)), meaning)
        for name, meaning in _MEANINGS.items()
    ]


def shown_figure(name: str, value: float | None) -> str:
    """A figure of the evidence in words."""
    if value is None:
        return "not known"
    if name in _COUNTS:
        return f"{value:,.0f}"
    if name in _FACTORS:
        most = max(FEE_MULTIPLES)
        return f"beyond {most:g} times" if value >= most else f"{value:.2f} times"
    return percent(value)


def _origin(told: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    question = told["question"]
    return [
        ("study", told["key"]),
        ("data checksum", question["data_checksum"]),
        ("config hash", question["config_hash"]),
        ("version", told["version"]),
        ("seconds", str(told["seconds"])),
    ]


def _words(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_text(part)}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _share(fraction: float) -> str:
    return percent_text(fraction, sign=True)
