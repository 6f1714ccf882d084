"""Exact decimals: rounding says its direction and keeps it, over every tick down to 1e-8 (F15)."""

from __future__ import annotations

from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import (
    ceil_to_step,
    cut_to_places,
    divide_down,
    floor_to_step,
    multiply_exact,
    nearest_to_step,
    notional,
    parse_decimal,
    plain,
    round_half_up,
    tidy,
)

D = Decimal
STEPS = st.one_of(
    st.integers(-8, 3).map(lambda exponent: D(1).scaleb(exponent)),
    st.sampled_from([D("0.05"), D("0.25"), D("2.5"), D("0.00000003"), D("7")]),
)
VALUES = st.one_of(
    st.decimals("-1e6", "1e6", places=10),
    st.decimals("0", "1e15", places=8),
    st.decimals("0", "1e22", places=20),
)


@given(VALUES, STEPS)
def test_floor_is_the_largest_multiple_not_above(value: Decimal, step: Decimal) -> None:
    """F15: checked with fractions, which cannot round."""
    floored = floor_to_step(value, step)
    assert (Fraction(floored) / Fraction(step)).denominator == 1
    assert 0 <= Fraction(value) - Fraction(floored) < Fraction(step)


@given(VALUES, STEPS)
def test_ceil_is_the_smallest_multiple_not_below(value: Decimal, step: Decimal) -> None:
    raised = ceil_to_step(value, step)
    assert (Fraction(raised) / Fraction(step)).denominator == 1
    assert 0 <= Fraction(raised) - Fraction(value) < Fraction(step)


@given(VALUES, STEPS)
def test_nearest_is_at_most_half_a_step_away_and_a_tie_goes_up(value: Decimal, step: Decimal) -> None:
    nearest = nearest_to_step(value, step)
    assert (Fraction(nearest) / Fraction(step)).denominator == 1
    assert -Fraction(step) / 2 < Fraction(nearest) - Fraction(value) <= Fraction(step) / 2


def test_rounding_does_not_lose_digits_of_long_numbers() -> None:
    """Thirty digits and more, as roots and large supplies have them: Python's default of 28 would round silently."""
    large = D("9999999999999999999999.999999981")
    assert plain(ceil_to_step(large, D("1e-8"))) == "9999999999999999999999.99999999"
    just_below_a_tie = D("1.0000000049999999999999999999999999999999")
    assert nearest_to_step(just_below_a_tie, D("1e-8")) == 1


@given(st.integers(-(10**12), 10**12), STEPS)
def test_what_is_on_the_step_stays(count: int, step: Decimal) -> None:
    """F15: 33.8/0.01 loses a step in binary; here a multiple is its own floor, ceiling and nearest."""
    value = count * step
    assert floor_to_step(value, step) == ceil_to_step(value, step) == nearest_to_step(value, step) == value


def test_published_traps_of_rounding() -> None:
    """F15: 8.329e-05 is written out, 33.8 keeps its steps of 0.01, 100.005 goes the way its name says."""
    assert plain(D("8.329e-05")) == "0.00008329"
    assert floor_to_step(D("33.8"), D("0.01")) == D("33.80")
    assert floor_to_step(D("100.005"), D("0.01")) == D("100.00")
    assert ceil_to_step(D("100.005"), D("0.01")) == D("100.01")


@pytest.mark.parametrize("rounded", [floor_to_step, ceil_to_step, nearest_to_step])
def test_a_step_of_zero_is_no_rule(rounded: object) -> None:
    assert rounded(D("1.23456789"), D(0)) == D("1.23456789")  # type: ignore[operator]  # one of three functions


@given(st.decimals("-1e9", "1e9", places=8), st.decimals("1e-11", "1e9", places=11), st.integers(0, 20))
def test_division_cuts_towards_zero(numerator: Decimal, denominator: Decimal, places: int) -> None:
    exact = Fraction(numerator) / Fraction(denominator)
    result = divide_down(numerator, denominator, places)
    assert abs(Fraction(result)) <= abs(exact)
    assert abs(exact - Fraction(result)) < Fraction(1, 10**places)


def test_cutting_never_rounds_up() -> None:
    assert cut_to_places(D("1.999999"), 2) == D("1.99")
    assert cut_to_places(D("-1.999999"), 2) == D("-1.99")


def test_half_up_is_for_showing() -> None:
    assert [round_half_up(D(text), 2) for text in ("1.005", "1.0049", "-1.005")] == [
        D("1.01"),
        D("1.00"),
        D("-1.01"),
    ]


def test_a_product_that_sixty_digits_do_not_hold_raises() -> None:
    long = D("1." + "1" * 39)
    assert multiply_exact(D("0.00000001"), D("123456789.12345678")) == D("1.2345678912345678")
    with pytest.raises(Inexact):
        notional(long, long)


@given(st.decimals("-1e20", "1e20", places=12))
def test_texts_give_the_number_back(value: Decimal) -> None:
    """No exponent on any path out, and nothing lost on the way back in."""
    for text in (plain(value), tidy(value)):
        assert "e" not in text.lower()
        assert parse_decimal(text) == value
    assert tidy(value) == "0" or not tidy(value).endswith(".")
    if "." in tidy(value):
        assert not tidy(value).endswith("0")


@pytest.mark.parametrize("value", [1.5, 0.1, True, None, "NaN", "Infinity", "-inf", "", "1,5", "0x10"])
def test_floats_and_what_is_no_number_are_refused(value: object) -> None:
    """F63: NaN and its like stop at the border."""
    with pytest.raises(InvalidValue):
        parse_decimal(value)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("value, wanted", [("8.329e-05", D("0.00008329")), (7, D(7)), (" 1.5 ", D("1.5"))])
def test_texts_and_integers_are_taken_exactly(value: str | int, wanted: Decimal) -> None:
    assert parse_decimal(value) == wanted
