"""Equity, its curve, daily values and time in range are those of the loop over every point."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import InvalidValue
from gridtide.performance.days import DAY_MS
from gridtide.performance.equity import Equity, Holding
from gridtide.performance.figures import figures_of, time_in_range
from tests.performance.builders import run, runs, values


def holding(index: int, cash: int, base: str) -> Holding:
    return Holding(index, Decimal(cash), Decimal(base))


@given(equity=runs(120))
def test_equity_at_every_point(equity: Equity) -> None:
    """Cash + base × price, with what is held after the fills at that point; the closing value is exact."""
    wanted = list(values(equity))[1:]
    found = equity.at(np.arange(equity.start, equity.stop))
    assert found.tolist() == pytest.approx([float(value) for value in wanted], rel=1e-12)
    assert equity.closing() == wanted[-1]


@given(equity=runs(120))
def test_daily_equity_is_the_last_of_each_utc_day(equity: Equity) -> None:
    """The opening, then for each day the value of its last point; a day without points repeats the one before."""
    path, stood = equity.scan.path, list(values(equity))[1:]
    days = {}
    for index in range(equity.start, equity.stop):
        days[path.time(index) // DAY_MS] = float(stood[index - equity.start])
    wanted = [float(equity.opening)]
    for day in range(min(days), max(days) + 1):
        wanted.append(days.get(day, wanted[-1]))
    assert equity.daily().tolist() == pytest.approx(wanted, rel=1e-12)


@given(equity=runs(120), samples=st.integers(1, 50))
def test_the_curve_has_every_fill(equity: Equity, samples: int) -> None:
    """Points in order, first and last among them where there is room, each with its time and equity."""
    curve = equity.curve(samples)
    path, stood = equity.scan.path, list(values(equity))[1:]
    indices = curve.indices.tolist()
    assert indices == sorted(set(indices))
    assert {each.from_index for each in equity.holdings} <= set(indices)
    assert samples == 1 or indices[-1] == equity.stop - 1
    assert curve.times.tolist() == [path.time(index) for index in indices]
    assert curve.equity.tolist() == pytest.approx(
        [float(stood[index - equity.start]) for index in indices], rel=1e-12
    )
    assert ((curve.exposure >= 0) & (curve.exposure <= 1 + 1e-12)).all()


@given(equity=runs(120), bounds=st.tuples(st.integers(1, 300), st.integers(1, 300)))
def test_time_in_range_is_that_of_the_loop(equity: Equity, bounds: tuple[int, int]) -> None:
    """A price stands until the next point; the last one stands for no time."""
    path = equity.scan.path
    low, high = (Decimal(bound).scaleb(-path.places) for bound in sorted(bounds))
    steps = [
        (path.time(index + 1) - path.time(index), low <= path.price(index) <= high)
        for index in range(equity.start, equity.stop - 1)
    ]
    if not steps:
        assert time_in_range(equity, low, high) == (low <= path.price(equity.start) <= high)
        return
    inside = sum(time for time, is_inside in steps if is_inside)
    assert time_in_range(equity, low, high) == pytest.approx(inside / sum(time for time, _ in steps))


def test_figures_of_a_run_by_hand() -> None:
    """100 quote, half of it in base from the start; the price doubles and comes back, a step a day."""
    prices = [10, 20, 10, 10, 10, 10, 10]
    figures = figures_of(run(prices, [holding(0, 50, "5")], step_ms=DAY_MS))
    assert figures.initial_equity == figures.final_equity == 100
    assert figures.max_drawdown == Decimal("0.333333333333")
    assert figures.drawdown_trough - figures.drawdown_peak == DAY_MS
    assert figures.annual_return == pytest.approx(0)
    returns = np.array([0, 0.5, -1 / 3, 0, 0, 0, 0])
    assert figures.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * 365**0.5)
    assert figures.volatility == pytest.approx(returns.std(ddof=1) * 365**0.5)
    assert figures.sortino == pytest.approx(returns.mean() / (1 / 3 / 7**0.5) * 365**0.5)
    assert figures.calmar == pytest.approx(0)
    assert figures.mean_exposure == pytest.approx((1 / 2 * 5 + 2 / 3) / 6, abs=0.001)


def test_a_few_days_say_nothing_of_a_year() -> None:
    """Six daily returns: money and drawdown stand, nothing is scaled up to a year."""
    figures = figures_of(run([10, 20, 10, 30, 10, 40], [holding(0, 50, "5")], step_ms=DAY_MS))
    yearly = (figures.annual_return, figures.volatility, figures.sharpe, figures.sortino, figures.calmar)
    assert yearly == (None,) * 5
    assert figures.max_drawdown > 0


@pytest.mark.parametrize("points", [[], [1, 0], [-1], [2]])
def test_holdings_out_of_order_are_refused(points: list[int]) -> None:
    with pytest.raises(InvalidValue, match="follow one another"):
        run([10, 20], [holding(point, 1, "1") for point in points])
