"""The maximum drawdown is exact: that of the loop over every point, in decimals."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given

from gridtide.domain.errors import InvalidValue
from gridtide.performance.drawdown import max_drawdown
from gridtide.performance.equity import Equity, Holding
from tests.performance.builders import run, runs, values


def plain_drawdown(equity: Equity) -> Fraction:
    """Over every point, in exact fractions."""
    peak, worst = Fraction(equity.opening), Fraction(0)
    for value in map(Fraction, values(equity)):
        peak = max(peak, value)
        worst = max(worst, 1 - value / peak)
    return worst


def holding(index: int, cash: str, base: str) -> Holding:
    return Holding(index, Decimal(cash), Decimal(base))


@given(equity=runs())
@example(run([100, 50, 100, 40, 200, 90], [holding(0, "0", "1")]))
@example(run([10, 30, 10, 31, 10, 32, 11], [holding(0, "0.1", "0.00000001")], places=4))
@example(run([100, 99, 98], [holding(0, "1000000000000", "0.00000001")], places=4))
def test_it_is_that_of_the_loop_over_every_point(equity: Equity) -> None:
    """For any walk and any holdings the pair found falls exactly as deep as the deepest."""
    drawdown = max_drawdown(equity)
    found = 1 - Fraction(drawdown.trough) / Fraction(drawdown.peak)
    assert found == plain_drawdown(equity)
    assert drawdown.fraction == Decimal(int(found * 10**12)).scaleb(-12)


@given(equity=runs())
def test_peak_and_trough_stand_where_it_says(equity: Equity) -> None:
    """Peak before trough, and their equity is that of their points (or the opening)."""
    drawdown = max_drawdown(equity)
    assert drawdown.peak_index <= drawdown.trough_index
    stood = list(values(equity))
    at_peak = {stood[drawdown.peak_index - equity.start + 1]}
    at_trough = {stood[drawdown.trough_index - equity.start + 1]}
    if drawdown.peak_index == equity.start:
        at_peak.add(equity.opening)
    if drawdown.trough_index == equity.start:
        at_trough.add(equity.opening)
    assert drawdown.peak in at_peak
    assert drawdown.trough in at_trough


def test_a_published_example() -> None:
    """YCharts, glossary, "Max Drawdown": 100,000, 150,000, 90,000, 120,000, 80,000 and 200,000 make 46.67 %."""
    drawdown = max_drawdown(run([100, 150, 90, 120, 80, 200], [holding(0, "0", "1000")]))
    assert round(drawdown.fraction, 4) == Decimal("0.4667")
    assert drawdown.peak == 150_000
    assert drawdown.trough == 80_000
    assert (drawdown.peak_index, drawdown.trough_index) == (1, 4)


def test_the_fee_of_the_first_purchase_is_a_fall() -> None:
    """Equity begins with what was there before anything was bought."""
    drawdown = max_drawdown(run([100, 100], [holding(0, "100", "0"), holding(0, "0", "0.999")]))
    assert drawdown.fraction == Decimal("0.001")
    assert (drawdown.peak_index, drawdown.trough_index) == (0, 0)


def test_cash_never_falls() -> None:
    drawdown = max_drawdown(run([100, 50], [holding(0, "100", "0")]))
    assert drawdown.fraction == 0
    assert drawdown.peak == drawdown.trough == 100


def test_no_money_no_drawdown() -> None:
    with pytest.raises(InvalidValue, match="without money"):
        max_drawdown(run([100, 50], [holding(0, "0", "0")]))
