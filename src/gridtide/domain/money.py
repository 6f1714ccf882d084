"""Exact decimals: the types that keep price, amount and money apart, and the only functions that may round.

Every rounding names its direction. Arithmetic that must not round runs in ``EXACT``, which raises instead.
"""

from __future__ import annotations

from decimal import (
    ROUND_DOWN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import lru_cache
from typing import NewType

from gridtide.domain.errors import InvalidValue

Price = NewType("Price", Decimal)
"""Quote asset per one unit of base asset."""

Amount = NewType("Amount", Decimal)
"""Quantity of the base asset (or of any single asset, in balances and fees)."""

Money = NewType("Money", Decimal)
"""Quantity of the quote asset."""

FeeRate = NewType("FeeRate", Decimal)
"""Fee as a fraction of the traded value: 0.001 is 0.1 %."""

ZERO = Decimal(0)
ONE = Decimal(1)

COST_PLACES = 12
"""Decimals kept when a lot is split (grid-semantics 6)."""

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""The context of money arithmetic: 60 digits, and a digit that would be lost raises."""

_ROUNDING = Context(prec=60, rounding=ROUND_DOWN, traps=[InvalidOperation, DivisionByZero, Overflow])


def parse_decimal(value: str | int | Decimal) -> Decimal:
    """The exact decimal of a text or integer; floats, NaN and infinities are refused with `InvalidValue`."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidValue(f"{value!r} is not a decimal: give a text or an integer, never a float")
    try:
        result = Decimal(value)
    except InvalidOperation:
        raise InvalidValue(f"{value!r} is not a number") from None
    if not result.is_finite():
        raise InvalidValue(f"{value!r} is not a finite number")
    return result


def plain(value: Decimal) -> str:
    """The decimal without exponent, as exchanges and files take it: ``0.00000001``, never ``1E-8``."""
    return format(value, "f")


def tidy(value: Decimal) -> str:
    """Like `plain`, without trailing zeros: for people, not for the wire."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text not in {"-0", ""} else "0"


def multiply_exact(left: Decimal, right: Decimal) -> Decimal:
    """Product without losing a digit; raises `decimal.Inexact` where 60 digits do not hold it."""
    return EXACT.multiply(left, right)


def notional(price: Decimal, amount: Decimal) -> Money:
    """Price times amount, exact, in the quote asset."""
    return Money(EXACT.multiply(price, amount))


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value`; a step of zero means no rule."""
    if not step:
        return value
    result = _ROUNDING.multiply(_ROUNDING.divide_int(value, step), step)
    # Whole steps are counted towards zero, which for a value below zero is up.
    return _ROUNDING.subtract(result, step) if result > value else result


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value`."""
    floored = floor_to_step(value, step)
    return floored if floored == value else _ROUNDING.add(floored, step)


def nearest_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to `value`; a tie goes up."""
    floored = floor_to_step(value, step)
    above = _ROUNDING.subtract(value, floored)
    return _ROUNDING.add(floored, step) if above >= _ROUNDING.subtract(step, above) else floored


def divide_down(numerator: Decimal, denominator: Decimal, places: int = COST_PLACES) -> Decimal:
    """Quotient cut (towards zero) to `places` decimals."""
    return cut_to_places(_ROUNDING.divide(numerator, denominator), places)


def cut_to_places(value: Decimal, places: int) -> Decimal:
    """`value` cut (towards zero) to `places` decimals."""
    return value.quantize(_unit(places), rounding=ROUND_DOWN, context=_ROUNDING)


def round_half_up(value: Decimal, places: int) -> Decimal:
    """`value` rounded to `places` decimals, halves away from zero: for showing, not for booking."""
    return value.quantize(_unit(places), rounding=ROUND_HALF_UP, context=_ROUNDING)


@lru_cache(maxsize=100)
def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)
