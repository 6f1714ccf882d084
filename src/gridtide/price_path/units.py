"""Decimal numbers as integers: a column of prices counted in units of its smallest decimal place.

Exact: a float stands for its shortest decimal text, at most 8 places, which is what the exchange had published.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import EXACT, ONE, round_half_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MOST_PLACES = 8
"""Exchanges publish no more decimals; further digits of a float are noise of somebody's arithmetic."""
_SURE = 2.0**52
"""Below it neighbouring counts are different floats, so a count that gives the float back is the shortest decimal."""
_LARGE = 9.0e10
"""Below it a number with 8 decimals is at home in 64 bits."""
_SAMPLE = 1000


class Units(NamedTuple):
    """Columns of int64, each value times ``10**-places``; `places` is the fewest that hold them all."""

    columns: tuple[Integers, ...]
    places: int


def unit_of(places: int) -> Decimal:
    """``10**-places``."""
    return ONE.scaleb(-places)


def units_of_floats(columns: Sequence[Floats]) -> Units:
    """Columns of floats in one common unit, as `Decimal(repr(x))` rounded half up to 8 places gives them.

    Raises `InvalidValue` for what is no finite number, and where 18 digits do not hold the values.
    """
    if any(not np.isfinite(column).all() for column in columns):
        raise InvalidValue("a column holds something that is no finite number: correct the data")
    places = max((_places_of(column[:_SAMPLE]) for column in columns), default=0)
    while places < MOST_PLACES and not all(_fits(column, places) for column in columns):
        places += 1
    if all(_fits(column, places) for column in columns):
        return Units(tuple(np.rint(column * 10.0**places).astype(np.int64) for column in columns), places)
    if all(np.abs(column).max(initial=0.0) < _LARGE for column in columns):
        return _fewest_places([_exact_units(column) for column in columns])
    return units_of_decimals([(Decimal(repr(value)) for value in column.tolist()) for column in columns])


def units_of_decimals(columns: Sequence[Iterable[Decimal]]) -> Units:
    """Columns of decimals in one common unit; more than 8 places are rounded half up. Raises as for floats."""
    counts = [[_count(value) for value in column] for column in columns]
    divisor, places = (
        math.gcd(10**MOST_PLACES, *(count for column in counts for count in column)),
        MOST_PLACES,
    )
    while divisor % 10 ** (MOST_PLACES - places + 1) == 0 and places:
        places -= 1
    step = 10 ** (MOST_PLACES - places)
    try:
        return Units(
            tuple(np.array([count // step for count in column], dtype=np.int64) for column in counts), places
        )
    except OverflowError:
        raise InvalidValue(
            f"a column holds numbers too large for {places} decimals (18 digits in all): correct the data"
        ) from None


def _places_of(column: Floats) -> int:
    return next((places for places in range(MOST_PLACES) if _fits(column, places)), MOST_PLACES)


def _fits(column: Floats, places: int) -> bool:
    """Whether every value surely has at most `places` decimals."""
    scale = 10.0**places
    counts = np.rint(column * scale)
    return bool(((counts / scale == column) & (np.abs(counts) < _SURE)).all())


def _exact_units(column: Floats) -> Integers:
    """Units of the eighth decimal: by arithmetic where it is surely right, through the text where it may not be."""
    scaled = column * 10.0**MOST_PLACES
    counts = np.rint(scaled)
    # The shortest decimal differs from the float by half a step of the float at most, and so does the product.
    is_sure = (np.abs(scaled - counts) < 0.5 - np.abs(scaled) * 2.0**-51) | (
        (counts / 10.0**MOST_PLACES == column) & (np.abs(counts) < _SURE)
    )
    result = np.where(is_sure, counts, 0).astype(np.int64)
    doubtful = np.flatnonzero(~is_sure)
    result[doubtful] = [_count(Decimal(repr(value))) for value in column[doubtful].tolist()]
    return result


def _count(value: Decimal) -> int:
    """How many units of the eighth decimal."""
    exponent = value.as_tuple().exponent
    has_more = isinstance(exponent, int) and exponent < -MOST_PLACES
    return int(EXACT.scaleb(round_half_up(value, MOST_PLACES) if has_more else value, MOST_PLACES))


def _fewest_places(columns: list[Integers]) -> Units:
    """From units of the eighth decimal to the coarsest unit that holds every value."""
    places = MOST_PLACES
    while places and not any((column % 10).any() for column in columns):
        columns = [column // 10 for column in columns]
        places -= 1
    return Units(tuple(columns), places)
