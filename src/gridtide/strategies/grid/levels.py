"""The prices of a grid, exact to the last digit: no binary float ever touches them (AT-5)."""

from __future__ import annotations

from decimal import Context, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final, assert_never

from gridtide.domain.errors import PlanRefused
from gridtide.domain.money import Price, floor_to_step, nearest_to_step, tidy
from gridtide.strategies.grid.config import GridSpacing, PriceRounding

if TYPE_CHECKING:
    from gridtide.strategies.grid.config import GridConfig

_WORKING: Final = Context(prec=80)
_SNAP: Final = Context(prec=60)
"""Roots carry errors near the 80th digit; cutting to 60 turns 1199.99… back into the 1200 it is."""


def calculate_grid_levels(config: GridConfig, tick_size: Decimal | None = None) -> list[Price]:
    """The level prices, ascending, both bounds included, rounded to `tick_size` as `config.rounding` says.

    Arithmetic: P_i = L + i·(U−L)/n; geometric: P_i = L·(U/L)^(i/n) (grid-semantics 1). Without a tick
    prices keep 8 decimals, more where a bound has more or where 8 significant digits of the lower bound need
    more. Raises `PlanRefused` where two levels fall on one price or one on zero.
    """
    step = tick_size or _finest_step(config)
    match config.rounding:
        case PriceRounding.NEAREST:
            round_price = nearest_to_step
        case PriceRounding.DOWN:
            round_price = floor_to_step
        case _:
            assert_never(config.rounding)
    levels = [Price(Decimal(tidy(round_price(price, step)))) for price in _exact_levels(config)]
    _check_distinct(levels, step)
    return levels


def _exact_levels(config: GridConfig) -> list[Decimal]:
    """Unrounded prices to 60 digits; the bounds are the config's own."""
    low, high, n = config.lower_price, config.upper_price, config.intervals
    match config.spacing:
        case GridSpacing.ARITHMETIC:
            inner = [_WORKING.divide(low * (n - i) + high * i, Decimal(n)) for i in range(1, n)]
        case GridSpacing.GEOMETRIC:
            growth = _WORKING.divide(_WORKING.ln(_WORKING.divide(high, low)), Decimal(n))
            inner = [
                _WORKING.multiply(low, _WORKING.exp(_WORKING.multiply(growth, Decimal(i))))
                for i in range(1, n)
            ]
        case _:
            assert_never(config.spacing)
    return [low, *map(_SNAP.plus, inner), high]


def _finest_step(config: GridConfig) -> Decimal:
    bounds = (config.lower_price, config.upper_price)
    given = max(len(tidy(bound).partition(".")[2]) for bound in bounds)
    return Decimal(1).scaleb(-max(8, 7 - config.lower_price.adjusted(), given))


def _check_distinct(levels: list[Price], step: Decimal) -> None:
    if levels[0] <= 0:
        raise PlanRefused(f"level 0 falls on zero at a tick of {tidy(step)}: raise the lower price")
    for index, (low, high) in enumerate(pairwise(levels)):
        if low >= high:
            raise PlanRefused(
                f"levels {index} and {index + 1} both fall on {tidy(low)} at a tick of {tidy(step)}: "
                "use fewer levels or a wider range"
            )
