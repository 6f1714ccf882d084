"""The venue's own rounding: commissions and quote amounts are cut, locks are rounded up, both to 8 decimals.

Eight is the precision of every asset on the exchange modelled here (protocol document, 6.9).
"""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    InvalidOperation,
)
from functools import cache
from typing import TYPE_CHECKING

from gridtide.domain.money import EXACT, ONE

if TYPE_CHECKING:
    from gridtide.venue.settings import CommissionRounding

PLACES = 8
"""Decimals of every asset."""

UNIT = Decimal("0.00000001")
"""The smallest amount of any asset."""

INFINITE = Decimal("Infinity")
"""A bound that nothing reaches."""

LARGEST = Decimal("1e15")
"""No amount and no price reaches this: what does is a slip, and arithmetic to the last digit ends not far above."""

_CUT = Context(prec=60, rounding=ROUND_DOWN, traps=[InvalidOperation])
_CEIL = Context(prec=60, rounding=ROUND_CEILING, traps=[InvalidOperation])
_FLOOR = Context(prec=60, rounding=ROUND_FLOOR, traps=[InvalidOperation])
_COMMISSION = {
    "truncate": _CUT,
    "round_half_up": Context(prec=60, rounding=ROUND_HALF_UP, traps=[InvalidOperation]),
    "round_up": Context(prec=60, rounding=ROUND_UP, traps=[InvalidOperation]),
}
"""By `CommissionRounding`, whose members are texts; the only place that rounds commissions."""


def cut_to_precision(value: Decimal) -> Decimal:
    """`value` cut (towards zero) to 8 decimals."""
    return value.quantize(UNIT, context=_CUT)


def multiply_ceil(left: Decimal, right: Decimal) -> Decimal:
    """Product up to 8 decimals."""
    return EXACT.multiply(left, right).quantize(UNIT, context=_CEIL)


def multiply_cut(left: Decimal, right: Decimal) -> Decimal:
    """Product cut to 8 decimals."""
    return EXACT.multiply(left, right).quantize(UNIT, context=_CUT)


def divide_cut(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Quotient cut to 8 decimals."""
    return _CUT.divide(numerator, denominator).quantize(UNIT, context=_CUT)


def round_commission(
    numerator: Decimal, denominator: Decimal, places: int, rounding: CommissionRounding
) -> Decimal:
    """Quotient to `places` decimals, rounded by size: cut, half away from zero, or away from zero."""
    quotient = numerator if denominator == ONE else _CUT.divide(numerator, denominator)
    return quotient.quantize(smallest(places), context=_COMMISSION[rounding])


@cache
def smallest(places: int) -> Decimal:
    """The least number above zero with so many decimals."""
    return Decimal(1).scaleb(-places)


def divide_ceil(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Quotient up to 8 decimals."""
    return _CEIL.divide(numerator, denominator).quantize(UNIT, context=_CEIL)


remainder = _CUT.remainder
"""(value, step) -> what is left of `value` after whole steps; exact."""


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Whether `value` is a whole number of `step` (offset zero, exact)."""
    return not _CUT.remainder(value, step)


def steps_below(value: Decimal, step: Decimal) -> int:
    """How many whole `step` fit into `value`, which is not negative."""
    return int(_FLOOR.divide_int(value, step))


def steps_above(value: Decimal, step: Decimal) -> int:
    """How many `step` cover `value`, both above zero."""
    whole = int(_FLOOR.divide_int(value, step))
    return whole if is_multiple(value, step) else whole + 1


def largest_multiple(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` not above `value`, which is not negative."""
    return value - _CUT.remainder(value, step)
