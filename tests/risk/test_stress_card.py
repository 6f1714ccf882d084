"""The stress card against sums done by hand, and what must hold for any grid."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import Amount, Money, Price
from gridtide.risk.stress_card import FALLS, Inventory, PlannedBuy, strain_at, stress_card, worst_inventory


def inventory(*, fee_in_base: bool = False, fee: str = "0.001", profit: str = "2") -> Inventory:
    """One coin held at 100, buys of one at 95, 85 and 75."""
    buys = [PlannedBuy(Price(Decimal(price)), Amount(Decimal(1))) for price in (75, 85, 95)]
    return Inventory(
        Price(Decimal(100)),
        Amount(Decimal(1)),
        Money(Decimal(100)),
        buys,
        Decimal(fee),
        fee_in_base,
        Money(Decimal(profit)),
    )


def test_a_fall_of_twenty_percent_by_hand() -> None:
    """At 80 the buys at 95 and 85 are filled: 3 coins for 100 + 180.18, worth 240."""
    row = stress_card(inventory(), [Decimal("0.2")])[0]
    assert [row.price, row.held, row.cost, row.loss] == [
        Decimal(each) for each in ("80", "3", "280.18", "40.18")
    ]
    assert row.break_even_price == Decimal("93.486820153486")  # 280.18 / (3 * 0.999)
    assert row.round_trips == 21  # 40.18 / 2, rounded up


def test_fees_in_base_leave_less_to_hold() -> None:
    """With the fee out of the base, the buys cost 180 and bring 1.998."""
    row = stress_card(inventory(fee_in_base=True), [Decimal("0.2")])[0]
    assert [row.held, row.cost] == [Decimal("2.998"), Decimal(280)]


def test_the_worst_inventory_is_at_the_lowest_buy() -> None:
    row = worst_inventory(inventory())
    assert [row.price, row.fall, row.held] == [Decimal(75), Decimal("0.25"), Decimal(4)]


def test_a_grid_that_earns_nothing_never_recovers() -> None:
    assert stress_card(inventory(profit="0"), [Decimal("0.2")])[0].round_trips == -1
    assert strain_at(inventory(), Price(Decimal(100))).round_trips == 0


def test_a_grid_that_waits_above_its_range_holds_nothing() -> None:
    """All buys, none filled: no cost, no loss, no price to break even at."""
    empty = replace(inventory(), base=Amount(Decimal(0)), base_cost=Money(Decimal(0)), buys=[])
    row = worst_inventory(empty)
    assert not any([row.held, row.cost, row.loss, row.break_even_price])


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 50)), max_size=8), st.booleans())
def test_a_deeper_fall_never_holds_or_loses_less(buys: list[tuple[int, int]], fee_in_base: bool) -> None:
    planned = [PlannedBuy(Price(Decimal(price)), Amount(Decimal(amount))) for price, amount in buys]
    held = replace(inventory(fee_in_base=fee_in_base), buys=planned)
    card = stress_card(held)
    assert [row.fall for row in card] == list(FALLS)
    assert all(low.held <= high.held and low.loss <= high.loss for low, high in pairwise(card))


@pytest.mark.parametrize("fall", [Decimal("-0.1"), Decimal(1)])
def test_a_fall_is_a_fraction(fall: Decimal) -> None:
    with pytest.raises(InvalidValue):
        stress_card(inventory(), [fall])
