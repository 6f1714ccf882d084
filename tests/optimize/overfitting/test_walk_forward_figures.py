"""Walk-forward efficiency is a ratio of yearly sums, and consistency is counted."""

from __future__ import annotations

import pytest

from gridtide.optimize.overfitting.walk_forward_figures import WindowReturns, walk_forward_figures


def test_efficiency_of_an_example_by_hand() -> None:
    """Three windows of 90 days in and 30 out: 18 % in 270 days is 24.33 % a year, 3 % in 90 days 12.17 %; half is
    kept."""
    windows = [
        WindowReturns(0.08, 90, 0.03, 30),
        WindowReturns(0.06, 90, -0.01, 30),
        WindowReturns(0.04, 90, 0.01, 30),
    ]
    found = walk_forward_figures(windows)
    assert found.in_sample_yearly == pytest.approx(0.18 / 270 * 365)
    assert found.out_of_sample_yearly == pytest.approx(0.03 / 90 * 365)
    assert found.efficiency == pytest.approx(0.5)
    assert found.profitable == pytest.approx(2 / 3)
    assert found.worst == -0.01
    assert found.longest_losing == 1
    assert found.largest_share == pytest.approx(0.75)


def test_longer_windows_weigh_more() -> None:
    """An anchored walk-forward has windows of unequal length in-sample; sums over all time, not means of ratios."""
    windows = [WindowReturns(0.10, 100, 0.02, 50), WindowReturns(0.20, 300, 0.02, 50)]
    assert walk_forward_figures(windows).efficiency == pytest.approx((0.04 / 100) / (0.30 / 400))


def test_losses_in_a_row_are_counted() -> None:
    outcomes = [0.01, -0.01, 0, -0.02, 0.01, -0.01]
    found = walk_forward_figures(WindowReturns(0.1, 30, outcome, 10) for outcome in outcomes)
    assert found.longest_losing == 3


def test_nothing_earned_in_sample_leaves_no_share() -> None:
    found = walk_forward_figures([WindowReturns(-0.01, 30, 0.02, 10)])
    assert found.efficiency is None
    assert walk_forward_figures([WindowReturns(0.01, 30, -0.02, 10)]).largest_share is None


def test_windows_without_days_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one window"):
        walk_forward_figures([])
    with pytest.raises(ValueError, match="needs days"):
        walk_forward_figures([WindowReturns(0.1, 30, 0.1, 0)])
