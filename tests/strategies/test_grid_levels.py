"""Level prices: the published examples, exactness and refusals (grid-semantics 1)."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import PlanRefused
from gridtide.strategies.grid import GridSpacing, PriceRounding, calculate_grid_levels
from tests.strategies.markets import D, grid

GEOMETRIC = GridSpacing.GEOMETRIC


def texts(*prices: str) -> list[Decimal]:
    return [D(price) for price in prices]


def test_at_1_kucoin_arithmetic() -> None:
    """AT-1: 8000 to 12000 in 4 intervals."""
    assert calculate_grid_levels(grid("8000", "12000", 5)) == texts("8000", "9000", "10000", "11000", "12000")


@pytest.mark.parametrize("lower, upper", [("45000", "65000"), ("25000", "45000")])
def test_at_2_bybit_and_binance_arithmetic(lower: str, upper: str) -> None:
    """AT-2: 5 intervals of 4000 each."""
    levels = calculate_grid_levels(grid(lower, upper, 6), D("0.01"))
    assert [high - low for low, high in pairwise(levels)] == [4000] * 5
    assert (levels[0], levels[-1]) == (D(lower), D(upper))


@pytest.mark.parametrize("tick", [None, "1", "0.01", "0.00000001"])
@pytest.mark.parametrize("rounding", PriceRounding)
def test_at_3_pionex_both_spacings_exactly(tick: str | None, rounding: PriceRounding) -> None:
    """AT-3: 1300 and exactly 1200 in the middle, rounded or truncated: the root does not fall short of itself."""
    size = None if tick is None else D(tick)
    arithmetic = grid("800", "1800", 3, rounding=rounding)
    geometric = grid("800", "1800", 3, rounding=rounding, spacing=GEOMETRIC)
    assert calculate_grid_levels(arithmetic, size) == texts("800", "1300", "1800")
    assert calculate_grid_levels(geometric, size) == texts("800", "1200", "1800")


def test_at_4_bbgo_rounding_down() -> None:
    """AT-4: 0.1 to 0.9 with 7 levels, truncated to a tick of 0.01."""
    levels = calculate_grid_levels(grid("0.1", "0.9", 7, rounding=PriceRounding.DOWN), D("0.01"))
    assert levels == texts("0.10", "0.23", "0.36", "0.50", "0.63", "0.76", "0.90")


@pytest.mark.parametrize("tick", [None, "0.01", "0.0001"])
def test_at_5_opentrader_exact_where_floats_fail(tick: str | None) -> None:
    """AT-5: 1.11, 1.12, 1.13, 1.14, to the last digit; their text is what a person would write."""
    levels = calculate_grid_levels(grid("1.11", "1.14", 4), None if tick is None else D(tick))
    assert [str(level) for level in levels] == ["1.11", "1.12", "1.13", "1.14"]


def test_without_a_tick_small_prices_keep_eight_significant_digits() -> None:
    levels = calculate_grid_levels(grid("0.00001", "0.00002", 4))
    assert levels == texts("0.00001", "0.000013333333", "0.000016666667", "0.00002")


def test_levels_on_one_price_are_refused_with_their_numbers() -> None:
    with pytest.raises(PlanRefused, match=r"levels 0 and 1 both fall on 100 at a tick of 1"):
        calculate_grid_levels(grid("100", "101", 4), D("1"))


def test_a_level_on_zero_is_refused() -> None:
    with pytest.raises(PlanRefused, match="level 0 falls on zero"):
        calculate_grid_levels(grid("0.4", "100", 4), D("1"))


@given(
    lower=st.decimals("0.00000100", "90000", places=8),
    factor=st.decimals("1.05", "20", places=4),
    count=st.integers(2, 60),
    exponent=st.integers(-10, 0),
    geometric=st.booleans(),
    down=st.booleans(),
)
def test_levels_are_on_the_tick_and_next_to_the_true_price(
    lower: Decimal, factor: Decimal, count: int, exponent: int, geometric: bool, down: bool
) -> None:
    """Each level is a multiple of the tick, at most half a tick (truncated: a tick) from the exact formula."""
    upper, tick = lower * factor, D(1).scaleb(exponent)
    config = grid(
        str(lower),
        str(upper),
        count,
        spacing=GEOMETRIC if geometric else GridSpacing.ARITHMETIC,
        rounding=PriceRounding.DOWN if down else PriceRounding.NEAREST,
    )
    try:
        levels = calculate_grid_levels(config, tick)
    except PlanRefused:
        return
    assert len(levels) == count
    assert all(low < high for low, high in pairwise(levels))
    n = count - 1
    for index, level in enumerate(levels):
        assert level % tick == 0
        if geometric:
            # P^n compared with L^(n-i)·U^i: the definition, without roots.
            low_side, high_side = (level, level + tick) if down else (level - tick / 2, level + tick / 2)
            exact = lower ** (n - index) * upper**index
            slack = D("1e-24")
            assert max(low_side, D(0)) ** n <= exact * (1 + slack)
            assert high_side**n >= exact * (1 - slack)
        else:
            off = level * n - (lower * (n - index) + upper * index)
            assert -tick * n < off <= 0 if down else abs(off) * 2 <= tick * n
