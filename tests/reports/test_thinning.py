"""What is left out of a line is never its extremes; what is shown of months adds up to the run."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridtide.reports.backtest_result import EquityCurve
from gridtide.reports.months import years_of
from gridtide.reports.thinning import MOST_POINTS, thinned
from tests.reports.builders import DAY_MS, START


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=300), st.integers(4, 60))
def test_no_extreme_is_lost(found: list[int], most: int) -> None:
    """At most as many as asked for, in order, first and last and the extremes of the whole among them."""
    values = np.array(found, float)
    rows = thinned(values, most)
    assert len(rows) <= max(most, 0) or len(values) <= most
    assert (np.diff(rows) > 0).all()
    assert {0, len(values) - 1} <= set(rows.tolist())
    assert values[rows].min() == values.min()
    assert values[rows].max() == values.max()


def test_a_spike_in_two_million_points_stays() -> None:
    values = np.zeros(2_000_000)
    values[1_234_567] = -1
    rows = thinned(values)
    assert len(rows) <= MOST_POINTS
    assert 1_234_567 in rows


def curve_of(days: list[int], equity: list[float]) -> EquityCurve:
    times = np.array([START + day * DAY_MS for day in days], np.int64)
    nothing = np.zeros(len(days))
    return EquityCurve(times, np.array(equity, float), nothing, nothing)


def test_months_by_hand() -> None:
    """From 2021-01-20: a fee at once, +10 % by the end of January, back in February, then nothing; doubled in 2022."""
    years = years_of(curve_of([19, 30, 31, 58, 380], [99, 110, 110, 100, 200]), 100)
    assert [(year.year, len(year.months)) for year in years] == [(2021, 12), (2022, 1)]
    changes = [month.change for month in years[0].months]
    assert np.allclose(changes[:3], [0.1, -1 / 11, 0])
    assert np.isclose(years[0].change, 0)
    assert np.isclose(years[1].change, 1)


@given(st.lists(st.floats(1, 1000), min_size=2, max_size=60), st.integers(1, 40))
def test_months_multiply_to_the_whole(equity: list[float], step: int) -> None:
    """The months of any run together are its whole return."""
    years = years_of(curve_of([step * k for k in range(len(equity))], equity), 50)
    assert np.isclose(np.prod([1 + year.change for year in years]), equity[-1] / 50)
