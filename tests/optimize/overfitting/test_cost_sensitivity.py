"""Costs are varied, break-evens found between results that were seen, and never beyond them."""

from __future__ import annotations

import math

import pytest

from gridtide.optimize.overfitting.cost_sensitivity import (
    CostPoint,
    break_even_fee_rate,
    cost_sensitivity,
    costs_compared,
)


def profit(fee_multiple: float, slippage: float) -> float:
    """90 before fees, fees of 40 as configured and growing a little faster than the multiple, 1000 traded by market
    order."""
    return 90 - 40 * math.pow(fee_multiple, 1.1) - 1000 * slippage


def test_the_break_even_is_where_the_profit_is_gone() -> None:
    calls = []

    def measured(fee_multiple: float, slippage: float) -> float:
        calls.append((fee_multiple, slippage))
        return profit(fee_multiple, slippage)

    found = cost_sensitivity(measured, slippages=(0.0, 0.01))
    assert found.break_even == pytest.approx((90 / 40) ** (1 / 1.1), rel=1e-5)
    assert found.survives == 2
    assert found.worst == pytest.approx(profit(3, 0.01))
    assert [point.fee_multiple for point in found.points] == [0.5, 1, 1.5, 2, 3] * 2
    assert len(calls) <= 30


def test_a_table_is_read_between_its_rows() -> None:
    """10 at twice the fees and −30 at three times: a straight line passes zero at 2.25."""
    table = [CostPoint(3, 0, -30), CostPoint(1, 0, 50), CostPoint(2, 0, 10), CostPoint(1, 0.01, -5)]
    found = costs_compared(table)
    assert (found.break_even, found.survives, found.worst) == (2.25, 2, -30)


@pytest.mark.parametrize("results, survives", [((9, 7, 5), 3.0), ((-1, -2, -3), 0.0), ((0, -1, -2), 0.0)])
def test_beyond_what_was_tried_nothing_is_claimed(results: tuple[float, ...], survives: float) -> None:
    found = costs_compared(CostPoint(fee, 0, result) for fee, result in zip((1, 2, 3), results, strict=True))
    assert found.break_even is None
    assert found.survives == survives


def test_the_first_loss_counts_even_if_gains_follow() -> None:
    """A cost that changes fills may by luck make a later result better."""
    found = costs_compared(CostPoint(fee, 0, result) for fee, result in ((1, 4), (2, -4), (3, 1)))
    assert (found.survives, found.break_even) == (1, 1.5)


def test_break_even_fee_of_given_fills() -> None:
    """AT-20's way round: 0.2002 per cent earned on what is bought pays 0.1 % on each side."""
    bought = 100.0
    sold = bought * 1.001 / 0.999
    assert break_even_fee_rate(sold - bought, sold + bought) == pytest.approx(0.001)
    with pytest.raises(ValueError, match="Without fills"):
        break_even_fee_rate(0, 0)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        costs_compared([])
    with pytest.raises(ValueError, match="twice"):
        costs_compared([CostPoint(1, 0, 2), CostPoint(1, 0, 3)])
    with pytest.raises(ValueError, match="finite"):
        costs_compared([CostPoint(1, 0, math.nan)])
