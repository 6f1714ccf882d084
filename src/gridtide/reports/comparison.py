"""Several results side by side: every figure in a row, the best of it, and which settings differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.reports.shown_figures import BASELINES, FIGURES, Figure, Unit, Value, figure_text, settings_rows

if TYPE_CHECKING:
    from gridtide.reports.backtest_result import BacktestResult

_MISSING = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of every run. `best` are the columns with the best value; none where all are equal."""

    key: str
    label: str
    texts: tuple[str, ...]
    best: frozenset[int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differences`: a setting, or what the runs were made from, and its value in each run."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    differences: tuple[tuple[str, tuple[str, ...]], ...]
    results: tuple[BacktestResult, ...]

    def values(self) -> dict[str, Any]:
        """As JSON: each run's figures as its own `--json` had them, the names of the best, and what differs."""
        return {
            "runs": [
                {"name": name, **result.summary()}
                for name, result in zip(self.names, self.results, strict=True)
            ],
            "best": {row.key: [self.names[at] for at in sorted(row.best)] for row in self.rows if row.best},
            "differences": {
                key: dict(zip(self.names, texts, strict=True)) for key, texts in self.differences
            },
        }


def compare(runs: Sequence[tuple[str, BacktestResult]]) -> Comparison:
    """Put runs beside each other; each has a name of its own."""
    results = tuple(result for _, result in runs)
    figures = [*FIGURES, *(_baseline_figure(name, label) for name, label in BASELINES.items())]
    return Comparison(
        tuple(name for name, _ in runs),
        tuple(_row(figure, results) for figure in figures),
        tuple(_differences(results)),
        results,
    )


def _row(figure: Figure, results: Sequence[BacktestResult]) -> Row:
    values = [figure.value(result) for result in results]
    texts = tuple(
        figure_text(figure, value, result.initial_equity)
        for value, result in zip(values, results, strict=True)
    )
    return Row(figure.key, figure.label, texts, _best(figure, values))


def _best(figure: Figure, values: Sequence[Value]) -> frozenset[int]:
    known = {at: value * figure.better for at, value in enumerate(values) if value is not None}
    if not figure.better or len(set(known.values())) < 2:
        return frozenset()
    top = max(known.values())
    return frozenset(at for at, value in known.items() if value == top)


def _baseline_figure(name: str, label: str) -> Figure:
    def final_equity(result: BacktestResult) -> Decimal | None:
        return next((each.final_equity for each in result.baselines if each.name == name), None)

    return Figure(f"baseline_{name}", f"instead: {label}", Unit.MONEY, 0, final_equity)


def _differences(results: Sequence[BacktestResult]) -> list[tuple[str, tuple[str, ...]]]:
    told = [dict(_origin(result)) | dict(settings_rows(result.settings)) for result in results]
    keys = dict.fromkeys(key for each in told for key in each)
    rows = [(key, tuple(each.get(key, _MISSING) for each in told)) for key in keys]
    return [(key, texts) for key, texts in rows if len(set(texts)) > 1]


def _origin(result: BacktestResult) -> list[tuple[str, str]]:
    """What makes runs incomparable if it differs, before any setting."""
    return [
        ("data", f"{', '.join(market.data for market in result.markets)} ({result.data_checksum[:12]})"),
        ("gridtide", result.version),
    ]
