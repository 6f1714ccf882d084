"""Numbers, lengths of time and plans as a person reads them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.cli import wording
from gridtide.cli.durations import parse_duration
from gridtide.domain.errors import InvalidInput
from tests.cli.views import MARKET


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("60s", 60),
        ("10m", 600),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1.5s", 1.5),
        ("1D2H3M4S", 93_784),
        (" 5m ", 300),
    ],
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "10", "x", "0s", "-5s", "5 m", "m", "1m1h", "1e3s", "nan", "infs"])
def test_what_is_no_length_of_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="write 60s, 10m, 1h30m or 2d"):
        parse_duration(text)


@pytest.mark.parametrize(
    "value, places, sign, text",
    [
        ("1234567.891", 2, False, "1,234,567.89"),
        ("0.005", 2, False, "0.01"),
        ("-0.005", 2, True, "-0.01"),
        ("12.1", 4, True, "+12.1000"),
        ("0.00001", 2, True, "0.00"),
        ("-0.00001", 2, True, "0.00"),
        ("1E-9", 8, False, "0.00000000"),
    ],
)
def test_numbers(value: str, places: int, sign: bool, text: str) -> None:
    assert wording.number(Decimal(value), places, sign=sign) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=10))
def test_a_shown_number_is_never_off_by_more_than_half_its_last_place(value: Decimal) -> None:
    assert abs(Decimal(wording.number(value, 4).replace(",", "")) - value) <= Decimal("0.00005")


@pytest.mark.parametrize(
    "step, places", [("0.01", 2), ("0.0100", 2), ("1", 0), ("10", 0), ("0.00000001", 8), ("0", 0)]
)
def test_places_follow_the_markets_step(step: str, places: int) -> None:
    assert wording.places_of(Decimal(step)) == places


def test_prices_and_amounts_follow_the_market() -> None:
    assert wording.price_text(MARKET, Decimal("50000.1")) == "50,000.10"
    assert wording.price_text(MARKET, None) == "-"
    assert wording.amount_text(MARKET, Decimal("0.1")) == "0.10000"


def test_lengths_and_moments() -> None:
    assert wording.duration_text(3_723_999) == "1:02:03"
    assert wording.duration_text(-5) == "0:00:00"
    assert wording.market_time_text(1_609_646_400_000) == "2021-01-03 04:00"
