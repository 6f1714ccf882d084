"""The stress card: what a grid holds and has lost when its market falls and does not come back.

Pure arithmetic on what is planned; every figure assumes that no stop acts, because that is the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import EXACT, ONE, ZERO, Amount, Money, Price, divide_down

if TYPE_CHECKING:
    from collections.abc import Sequence

FALLS = tuple(Decimal(percent) / 100 for percent in range(10, 100, 10))
"""The falls a card shows, as fractions of the price: −10 % to −90 %."""

_PLACES = 12


@dataclass(frozen=True, slots=True)
class PlannedBuy:
    """A buy that a fall fills."""

    price: Price
    amount: Amount


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a grid holds before anything falls, and what waits below.

    `fee_rate` is paid on each buy: on top in quote (or a third asset, valued in quote), or out of the base bought where
    `fee_in_base`. `round_trip_profit` is what one round trip brings in the mean, net, in quote.
    """

    price: Price
    base: Amount
    """Base held at `price`, bought for it or before."""
    base_cost: Money
    buys: Sequence[PlannedBuy]
    fee_rate: Decimal
    fee_in_base: bool
    round_trip_profit: Money


@dataclass(frozen=True, slots=True)
class Strain:
    """The grid with its market at `price`, `fall` (a fraction) below where it stands now. Money is in quote."""

    fall: Decimal
    price: Price
    held: Amount
    cost: Money
    """What `held` cost, fees included."""
    loss: Money
    """Cost less value at `price`; positive is a loss."""
    break_even_price: Price
    """At this price `held` sells for its cost, the fee of the sale included; 0 where nothing is held."""
    round_trips: int
    """How many mean round trips earn the loss back; 0 for no loss, -1 where a round trip earns nothing."""


def stress_card(inventory: Inventory, falls: Sequence[Decimal] = FALLS) -> list[Strain]:
    """One row a fall, in the order given. Raises `InvalidValue` for a fall outside 0 to 1 and a price of zero."""
    if inventory.price <= 0:
        raise InvalidValue(f"the price is {inventory.price}: a card needs a positive one")
    return [strain_at(inventory, _fallen(inventory.price, fall), fall) for fall in falls]


def strain_at(inventory: Inventory, price: Price, fall: Decimal = ZERO) -> Strain:
    """The grid with its market at `price`: every buy at or above it is filled, none of their sells."""
    held, cost = Decimal(inventory.base), Decimal(inventory.base_cost)
    for buy in inventory.buys:
        if buy.price >= price:
            fee = ZERO if inventory.fee_in_base else inventory.fee_rate
            kept = ONE - inventory.fee_rate if inventory.fee_in_base else ONE
            held = EXACT.add(held, EXACT.multiply(buy.amount, kept))
            cost = EXACT.add(cost, EXACT.multiply(EXACT.multiply(buy.price, buy.amount), ONE + fee))
    loss = EXACT.subtract(cost, EXACT.multiply(price, held))
    return Strain(
        fall=fall,
        price=price,
        held=Amount(held),
        cost=Money(cost),
        loss=Money(loss),
        break_even_price=_break_even(cost, held, inventory.fee_rate),
        round_trips=_round_trips(loss, inventory.round_trip_profit),
    )


def worst_inventory(inventory: Inventory) -> Strain:
    """The grid at its lowest buy: it holds the most it ever will."""
    lowest = min((buy.price for buy in inventory.buys), default=inventory.price)
    price = min(lowest, inventory.price)
    return strain_at(inventory, price, divide_down(inventory.price - price, inventory.price, _PLACES))


def _fallen(price: Price, fall: Decimal) -> Price:
    if not 0 <= fall < 1:
        raise InvalidValue(f"a fall of {fall} is no fraction from 0 to below 1")
    return Price(EXACT.multiply(price, ONE - fall))


def _break_even(cost: Decimal, held: Decimal, fee_rate: Decimal) -> Price:
    if not held:
        return Price(ZERO)
    return Price(divide_down(cost, EXACT.multiply(held, ONE - fee_rate), _PLACES))


def _round_trips(loss: Decimal, profit: Decimal) -> int:
    if loss <= 0:
        return 0
    if profit <= 0:
        return -1
    return int(divide_down(loss, profit, _PLACES).to_integral_value(ROUND_CEILING))
