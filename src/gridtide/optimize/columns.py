"""One parameter's values for many sets as one array of integers; no Python object a set.

Decimals count in units of 1e-8. What does not fit is kept beside the array, exact, for the few rows that have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gridtide.domain.errors import InvalidInput
from gridtide.domain.money import EXACT, ONE, round_half_up, tidy
from gridtide.optimize.parameters import Kind, Parameter
from gridtide.price_path.units import MOST_PLACES, units_of_floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

SCALE: Final = 10**MOST_PLACES
"""Units of one: decimals count in steps of 1e-8."""
NULL: Final = -(2**63)
"""A setting that is left out."""
LONG: Final = NULL + 1
"""A decimal with more than 8 places, or too large for 64 bits: its value stands beside the array."""
_LARGEST: Final = 9.0e10
"""Floats below it count in 64 bits."""
_UNIT: Final = ONE.scaleb(-MOST_PLACES)


class Absent:
    """A cell that was never written: the config's own value counts."""


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The values of one parameter, one a set."""

    parameter: Parameter
    values: Integers
    """Units of 1e-8, integers, 0 and 1, or places in `words`; `NULL` and `LONG` stand for themselves."""
    words: tuple[Any, ...] = ()
    long: Mapping[int, Decimal] = field(default_factory=dict)
    """By row."""

    def __len__(self) -> int:
        return len(self.values)

    def value(self, row: int) -> Any:
        """The value as the config holds it."""
        code = int(self.values[row])
        if code == NULL:
            return self.parameter.off
        if code == LONG:
            return self.long[row]
        match self.parameter.kind:
            case Kind.DECIMAL:
                return Decimal(tidy(code * _UNIT))
            case Kind.INTEGER:
                return code
            case Kind.FLAG:
                return bool(code)
            case _:
                return self.words[code]

    def take(self, rows: Integers) -> Column:
        """The values of some rows, in that order."""
        values = self.values[rows]
        places = np.flatnonzero(values == LONG) if self.long else ()
        return Column(
            self.parameter, values, self.words, {int(place): self.long[int(rows[place])] for place in places}
        )

    def shown(self) -> NDArray[Any]:
        """For a table of results: floats, integers, flags or texts; what is left out is NaN, or None among texts."""
        kind, is_null = self.parameter.kind, self.values == NULL
        if kind is Kind.DECIMAL or (kind is Kind.INTEGER and is_null.any()):
            shown = self.values / (SCALE if kind is Kind.DECIMAL else 1)
            for row, value in self.long.items():
                shown[row] = float(value)
            shown[is_null] = np.nan
            return shown
        if kind is Kind.INTEGER:
            return self.values
        if kind is Kind.FLAG and not is_null.any():
            return self.values.astype(np.bool_)
        words = (False, True) if kind is Kind.FLAG else self.words
        choices = np.empty(len(words) + 1, object)
        choices[:-1], choices[-1] = words, None
        texts: NDArray[Any] = choices[np.where(is_null, len(words), self.values)]
        return texts


def column_of(parameter: Parameter, values: Sequence[Any] | NDArray[Any]) -> tuple[Column, Flags]:
    """A column of anything, and which rows were `ABSENT` and have the config's own value.

    A float stands for its shortest decimal, rounded half up to 8 places. NaN in an array is an absent cell. Raises
    `InvalidInput` with key and row for the first kind of value that the config would refuse.
    """
    array = _numbers(values)
    if array is not None and parameter.kind in (Kind.DECIMAL, Kind.INTEGER):
        found = _of_numbers(parameter, array)
    elif array is not None and array.dtype.kind == "b" and parameter.kind is Kind.FLAG:
        found = Column(parameter, array.astype(np.int64)), np.zeros(len(array), np.bool_)
    else:
        found = _of_objects(parameter, values)
    column, is_absent = found
    if is_absent.any():
        column = _with_base(column, is_absent)
    return column, is_absent


def constant(parameter: Parameter, value: Any, count: int) -> Column:
    """The same valid value in every row."""
    code, words, long = _encoded(parameter, value)
    rows = dict.fromkeys(range(count), long) if long is not None else {}
    return Column(parameter, np.full(count, code, np.int64), words, rows)


# --- numbers -----------------------------------------------------------------------------------------


def _numbers(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any] | None:
    """Plain numbers as an array; None for anything that must be looked at one by one."""
    if isinstance(values, np.ndarray):
        return values if values.dtype.kind in "iufb" else None
    kinds = {type(value) for value in values}
    if kinds in ({float}, {float, int}):
        return np.array(values, np.float64)
    return None


def _of_numbers(parameter: Parameter, array: NDArray[Any]) -> tuple[Column, Flags]:
    if array.dtype.kind == "b":
        return _of_objects(parameter, array.tolist())
    is_absent = np.isnan(array) if array.dtype.kind == "f" else np.zeros(len(array), np.bool_)
    given = array[~is_absent]
    if not len(given):
        return Column(parameter, np.full(len(array), NULL, np.int64)), is_absent
    # What the config allows of a number is an interval, so the least and the most speak for all between them.
    for extreme in (given.argmin(), given.argmax()):
        _parsed(parameter, given[extreme].item(), int(np.flatnonzero(~is_absent)[extreme]))
    values = np.full(len(array), NULL, np.int64)
    long: dict[int, Decimal] = {}
    if parameter.kind is Kind.INTEGER:
        values[~is_absent] = _whole(parameter, array, is_absent)
    else:
        is_large = ~is_absent & (np.abs(np.where(is_absent, 0, array).astype(np.float64)) >= _LARGEST)
        fits = ~is_absent & ~is_large
        values[fits] = _units(array[fits])
        values[is_large] = LONG
        long = {int(row): _decimal(array[row].item()) for row in np.flatnonzero(is_large)}
    return Column(parameter, values, (), long), is_absent


def _units(array: NDArray[Any]) -> Integers:
    if array.dtype.kind in "iu":
        whole: Integers = array.astype(np.int64) * SCALE
        return whole
    found = units_of_floats([array.astype(np.float64)])
    units: Integers = found.columns[0] * 10 ** (MOST_PLACES - found.places)
    return units


def _whole(parameter: Parameter, array: NDArray[Any], is_absent: Flags) -> Integers:
    given = array[~is_absent]
    whole = given.astype(np.int64)
    wrong = np.flatnonzero(whole != given)
    if len(wrong):
        _parsed(parameter, given[wrong[0]].item(), int(np.flatnonzero(~is_absent)[wrong[0]]))
    return whole


# --- one by one --------------------------------------------------------------------------------------


def _of_objects(parameter: Parameter, values: Sequence[Any] | NDArray[Any]) -> tuple[Column, Flags]:
    """Each different value is checked once."""
    from_array = isinstance(values, np.ndarray)
    codes: dict[Any, tuple[int, Decimal | None]] = {}
    words: dict[str, tuple[int, Any]] = {}
    encoded, long = np.empty(len(values), np.int64), dict[int, Decimal]()
    is_absent = np.zeros(len(values), np.bool_)
    for row, value in enumerate(values):
        if value is ABSENT or (from_array and _is_empty(value)):
            is_absent[row], encoded[row] = True, NULL
            continue
        known = codes.get(key := (type(value), repr(value)))
        if known is None:
            known = codes[key] = _code(parameter, _parsed(parameter, _plain(value), row), words)
        encoded[row] = known[0]
        if known[1] is not None:
            long[row] = known[1]
    return Column(parameter, encoded, tuple(word for _, word in words.values()), long), is_absent


def _code(parameter: Parameter, value: Any, words: dict[str, tuple[int, Any]]) -> tuple[int, Decimal | None]:
    """What stands in the array for a valid value, and beside it."""
    if value is None or value == parameter.off:
        return NULL, None
    match parameter.kind:
        case Kind.DECIMAL:
            units = _exact_units(value)
            return (LONG, value) if units is None else (units, None)
        case Kind.INTEGER | Kind.FLAG:
            return int(value), None
        case _:
            return words.setdefault(repr(value), (len(words), value))[0], None


def _exact_units(value: Decimal) -> int | None:
    """None where they are no whole number, or too many for 64 bits."""
    if value.adjusted() >= 10 or len(value.as_tuple().digits) > EXACT.prec:
        return None
    units = EXACT.scaleb(value, MOST_PLACES)
    return int(units) if units == units.to_integral_value() else None


def _encoded(parameter: Parameter, value: Any) -> tuple[int, tuple[Any, ...], Decimal | None]:
    words: dict[str, tuple[int, Any]] = {}
    code, long = _code(parameter, value, words)
    return code, tuple(word for _, word in words.values()), long


def _with_base(column: Column, is_absent: Flags) -> Column:
    """The config's own value in the rows that were not written."""
    words = {repr(word): (place, word) for place, word in enumerate(column.words)}
    code, long = _code(column.parameter, column.parameter.base, words)
    values = np.where(is_absent, code, column.values)
    beside = dict(column.long)
    if long is not None:
        beside |= {int(row): long for row in np.flatnonzero(is_absent)}
    return Column(column.parameter, values, tuple(word for _, word in words.values()), beside)


def _parsed(parameter: Parameter, value: Any, row: int) -> Any:
    """The value as the config holds it; raises `InvalidInput` with its row, from 0."""
    if parameter.kind is Kind.DECIMAL and isinstance(value, float):
        if not np.isfinite(value):
            raise InvalidInput(f"set {row}, {parameter.key}: {value} is no number; nothing was played")
        value = _decimal(value)
    try:
        return parameter.parse(value)
    except InvalidInput as error:
        raise InvalidInput(f"set {row}, {error}; nothing was played") from None


def _decimal(value: float) -> Decimal:
    """The shortest decimal of a float, rounded half up to 8 places."""
    exact = Decimal(repr(value))
    exponent = exact.as_tuple().exponent
    return (
        round_half_up(exact, MOST_PLACES) if isinstance(exponent, int) and exponent < -MOST_PLACES else exact
    )


def _plain(value: Any) -> Any:
    """A value of NumPy as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _is_empty(value: Any) -> bool:
    """None, NaN, and what data frames have for a missing cell."""
    return (
        value is None
        or (isinstance(value, float) and value != value)  # noqa: PLR0124  NaN is the one value that differs from itself
        or type(value).__name__ in {"NAType", "NaTType"}
    )
