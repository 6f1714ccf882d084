"""Returns by calendar month and year (UTC), from a curve of equity."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from gridtide.reports.backtest_result import EquityCurve


class Month(NamedTuple):
    """`change` is a fraction of the equity at the month's beginning; of the first and the last month as far as the run
    reached into them."""

    year: int
    month: int
    change: float


class Year(NamedTuple):
    """`change` is that of its months together."""

    year: int
    months: tuple[Month, ...]
    change: float


def years_of(curve: EquityCurve, opening: float) -> tuple[Year, ...]:
    """Every month of a run that began with `opening`; equity counts as the curve last had it before a month's end."""
    years = []
    for year, found in groupby(_months(curve, opening), key=lambda month: month.year):
        months = tuple(found)
        growth = float(np.prod([1 + month.change for month in months]))
        years.append(Year(year, months, growth - 1))
    return tuple(years)


def _months(curve: EquityCurve, opening: float) -> list[Month]:
    if not len(curve.times):
        return []
    first, last = (datetime.fromtimestamp(int(curve.times[at]) / 1000, UTC) for at in (0, -1))
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    ends = np.searchsorted(curve.times, [_beginning(number + 1) for number in numbers]) - 1
    equity = np.concatenate(([opening], curve.equity[ends]))
    changes = np.divide(equity[1:], equity[:-1], out=np.ones(len(ends)), where=equity[:-1] > 0) - 1
    return [
        Month(number // 12, number % 12 + 1, float(change))
        for number, change in zip(numbers, changes, strict=True)
    ]


def _beginning(number: int) -> int:
    """When a month, counted from year 0, begins: ms UTC."""
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)
