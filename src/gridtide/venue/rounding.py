"""The venue's own rounding: commissions and quote amounts are cut, locks are rounded up, both to 8 decimals.

Eight is the precision of every asset on the exchange modelled here (protocol document, 6.9).
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Context, Decimal, InvalidOperation

UNIT = Decimal("0.00000001")
"""The smallest amount of any asset."""

_CUT = Context(prec=60, rounding=ROUND_DOWN, traps=[InvalidOperation])
_CEIL = Context(prec=60, rounding=ROUND_CEILING, traps=[InvalidOperation])
_FLOOR = Context(prec=60, rounding=ROUND_FLOOR, traps=[InvalidOperation])


def cut_to_precision(value: Decimal) -> Decimal:
    """`value` cut (towards zero) to 8 decimals."""
    return value.quantize(UNIT, context=_CUT)


def ceil_to_precision(value: Decimal) -> Decimal:
    """`value` up to 8 decimals."""
    return value.quantize(UNIT, context=_CEIL)


def divide_cut(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Quotient cut to 8 decimals."""
    return _CUT.divide(numerator, denominator).quantize(UNIT, context=_CUT)


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Whether `value` is a whole number of `step` (offset zero, exact)."""
    return not _CUT.remainder(value, step)


def steps_below(value: Decimal, step: Decimal) -> int:
    """How many whole `step` fit into `value`, which is not negative."""
    return int(_FLOOR.divide_int(value, step))


def largest_multiple(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` not above `value`, which is not negative."""
    return value - _CUT.remainder(value, step)
