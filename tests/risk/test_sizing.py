"""Sizing: published figures, stated edge cases, and never more than there is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gridtide
from gridtide.domain.errors import InvalidValue
from gridtide.risk.sizing import (
    fixed_fractional_size,
    grid_capital,
    kelly_fraction,
    kelly_fraction_of,
    volatility_target_share,
)

SHARES = st.decimals(0, 1, places=4)
MONEY = st.decimals(0, 10_000_000, places=8)


def test_kelly_of_a_biased_coin() -> None:
    """Kelly 1956: at even money the full share is p - q: 0.2 for a coin that wins 60 %."""
    assert kelly_fraction("0.6", 1, 1, fraction=1) == Decimal("0.2")
    assert kelly_fraction("0.6", 1, 1) == Decimal("0.1")
    assert kelly_fraction("0.6", 1, 1, fraction="0.25") == Decimal("0.05")


def test_kelly_with_unequal_stakes() -> None:
    """Thorp 1997: f* = (b p - q) / b; two to one at even chances is a quarter."""
    assert kelly_fraction("0.5", 2, 1, fraction=1) == Decimal("0.25")


@pytest.mark.parametrize("wins", [("0.5", 1, 1), ("0.4", 1, 1), ("0.9", 0, 1), ("0.9", 1, 0), (0, 1, 1)])
def test_kelly_puts_nothing_at_stake_without_an_edge_or_without_a_loss(
    wins: tuple[str | int, int, int],
) -> None:
    """Negative edge, none, no wins, and no losses yet: 0."""
    assert kelly_fraction(*wins) == 0


@given(rate=SHARES, win=MONEY, loss=MONEY, fraction=SHARES)
def test_kelly_is_a_share_and_grows_with_its_fraction(
    rate: Decimal, win: Decimal, loss: Decimal, fraction: Decimal
) -> None:
    found, full = kelly_fraction(rate, win, loss, fraction), kelly_fraction(rate, win, loss, 1)
    assert 0 <= found <= full <= 1


@pytest.mark.parametrize(
    "wrong", [("1.1", 1, 1, 1), ("0.5", -1, 1, 1), ("0.5", 1, -1, 1), ("0.5", 1, 1, "1.5"), ("NaN", 1, 1, 1)]
)
def test_kelly_refuses_what_is_no_bet(wrong: tuple[str, int, int, str]) -> None:
    """Never over the full share, and a loss is a size."""
    with pytest.raises(InvalidValue):
        kelly_fraction(*wrong)


def test_kelly_refuses_floats() -> None:
    """0.1 + 0.2 is no amount of money."""
    with pytest.raises(InvalidValue, match="never a float"):
        kelly_fraction(0.6, 1, 1)  # type: ignore[arg-type]  # the mistake itself


def test_kelly_of_a_record() -> None:
    """Three wins of 2 against two losses of 1: p = 0.6, full share 0.6 - 0.4 / 2 = 0.4."""
    record = [Decimal(2), Decimal(-1), Decimal(2), Decimal(0), Decimal(2), Decimal(-1)]
    assert kelly_fraction_of(record, 1) == Decimal("0.4")
    assert kelly_fraction_of([Decimal(1)]) == kelly_fraction_of([Decimal(-1)]) == kelly_fraction_of([]) == 0


def test_fixed_fractional_loses_what_was_allowed() -> None:
    """1 % of 10,000 between 50,000 and 48,000 is 0.05: 0.05 * 2,000 = 100."""
    assert fixed_fractional_size(10_000, "0.01", 50_000, 48_000) == Decimal("0.05")
    assert fixed_fractional_size(10_000, "0.01", 50_000, 48_001, "0.001") == Decimal("0.05")


def test_fixed_fractional_never_borrows() -> None:
    """A stop one tick below the entry would ask for far more than the account buys."""
    assert fixed_fractional_size(1_000, "0.02", 100, "99.99") == 10


@pytest.mark.parametrize("stop", [100, 101])
def test_fixed_fractional_without_price_risk_is_nothing(stop: int) -> None:
    assert fixed_fractional_size(1_000, "0.02", 100, stop) == 0


@given(
    equity=MONEY, share=SHARES, entry=st.decimals("0.01", 1000, places=2), stop=st.decimals(0, 1000, places=2)
)
def test_fixed_fractional_keeps_both_bounds(
    equity: Decimal, share: Decimal, entry: Decimal, stop: Decimal
) -> None:
    size = fixed_fractional_size(equity, share, entry, stop)
    assert size * entry <= equity
    assert size * max(Decimal(0), entry - stop) <= equity * share


@pytest.mark.parametrize("wrong", [(-1, "0.1", 1, 0), (1, "1.1", 1, 0), (1, "0.1", 0, 0), (1, "0.1", 1, -1)])
def test_fixed_fractional_refuses_impossible_facts(wrong: tuple[int, str, int, int]) -> None:
    with pytest.raises(InvalidValue):
        fixed_fractional_size(*wrong)


def test_volatility_target_never_leverages() -> None:
    """A target of 20 % in a market of 80 % is a quarter; in a market of 10 % it is all, not twice all."""
    assert volatility_target_share("0.2", "0.8") == Decimal("0.25")
    assert volatility_target_share("0.2", "0.1") == 1
    assert volatility_target_share("0.2", 0) == 0


def test_grids_get_three_quarters_and_the_rest_is_reserve() -> None:
    assert grid_capital(10_000) == 7_500
    assert grid_capital(10_000, already=7_000) == 500
    assert grid_capital(10_000, already=9_000) == 0


def test_the_public_names() -> None:
    """The mission names them: `gridtide.kelly_fraction`, `gridtide.fixed_fractional_size`."""
    assert gridtide.kelly_fraction is kelly_fraction
    assert gridtide.fixed_fractional_size is fixed_fractional_size
