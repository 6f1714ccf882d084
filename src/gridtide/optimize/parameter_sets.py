"""Many sets of parameters over one config, kept as columns; they come as a product of lists, a table, or a file.

A set that makes no config is kept with its reason; a value that no config may have is refused at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.optimize.columns import ABSENT, NULL, Column, column_of, constant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.parameters import Parameters

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Values = Sequence[Any] | NDArray[Any]

INSTEAD: Final = (("num_grids", "intervals"),)
"""Two ways to write one thing: a set that has one of them leaves out the config's other."""
MOST_SETS: Final = 50_000_000
"""A product is counted before it is built."""


@dataclass(frozen=True, slots=True, eq=False)
class ParameterSets:
    """`columns` by key, all of one length: what differs from set to set. Everything else is the config's own."""

    parameters: Parameters
    columns: Mapping[str, Column]
    given: tuple[str, ...]
    """The keys that somebody wrote; other columns follow from them."""
    count: int

    def __len__(self) -> int:
        return self.count

    def column(self, key: str) -> Column:
        """A parameter's column; where nothing varies one of a single row, the config's own value."""
        return self.columns.get(key) or _base(self.parameters, key, 1)

    def overrides(self, row: int) -> dict[tuple[str, ...], Any]:
        """What a set puts in the place of the config's values, by where it stands."""
        return {column.parameter.path: column.value(row) for column in self.columns.values()}

    def set_of(self, row: int) -> dict[str, Any]:
        """The values that somebody wrote, as the config holds them."""
        return {key: self.columns[key].value(row) for key in self.given}

    def take(self, rows: Integers | slice) -> ParameterSets:
        """Some of the sets, in that order."""
        if isinstance(rows, slice):
            rows = np.arange(self.count)[rows]
        columns = {key: column.take(rows) for key, column in self.columns.items()}
        return ParameterSets(self.parameters, columns, self.given, len(rows))


def sets_of(parameters: Parameters, source: Any) -> ParameterSets:
    """The sets that `source` means.

    A mapping of parameter to a list of values: every combination, the last parameter fastest. A list of dicts, a data
    frame, a NumPy record array, or a CSV or Parquet file: a set a row, an empty cell or a missing key being the
    config's own value. None as a value leaves a setting out. Raises `InvalidInput` for names and values that no config
    may have, and for a source without sets.
    """
    if isinstance(source, ParameterSets):
        return source
    if isinstance(source, Mapping):
        return _product(parameters, source)
    columns = _table(source)
    if not columns or not len(next(iter(columns.values()))):
        raise InvalidInput("there are no sets: give a row for each, with the parameters it varies")
    return _rows(parameters, columns)


def _product(parameters: Parameters, lists: Mapping[str, Any]) -> ParameterSets:
    found = {str(name): _listed(values) for name, values in lists.items()}
    if empty := [name for name, values in found.items() if not len(values)]:
        raise InvalidInput(f"{empty[0]} has no values: give each parameter a list of them")
    count = math.prod(len(values) for values in found.values())
    if not found or count > MOST_SETS:
        said = f"{count:,} sets are more than {MOST_SETS:,}" if found else "there are no parameters"
        raise InvalidInput(f"{said}: name a few parameters with a list of values each; nothing was played")
    columns, inner = {}, count
    for column, _ in _encoded(parameters, found):
        inner //= len(column)
        columns[column.parameter.key] = column.take((np.arange(count) // inner) % len(column))
    return _completed(parameters, columns, {key: np.zeros(count, np.bool_) for key in columns}, count)


def _listed(values: Any) -> Values:
    """A single value is a list of one."""
    if isinstance(values, np.ndarray):
        return values if values.ndim else values.reshape(1)
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        return [values]
    return list(values)


def _rows(parameters: Parameters, table: Mapping[str, Values]) -> ParameterSets:
    encoded = _encoded(parameters, table)
    columns = {column.parameter.key: column for column, _ in encoded}
    absent = {column.parameter.key: is_absent for column, is_absent in encoded}
    return _completed(parameters, columns, absent, len(encoded[0][0]))


def _encoded(parameters: Parameters, table: Mapping[str, Values]) -> list[tuple[Column, Flags]]:
    named = [(parameters.named(name), values) for name, values in table.items()]
    keys = [parameter.key for parameter, _ in named]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise InvalidInput(f"{twice[0]} is named twice: keep one of the columns")
    return [column_of(parameter, values) for parameter, values in named]


def _completed(
    parameters: Parameters, columns: dict[str, Column], absent: Mapping[str, Flags], count: int
) -> ParameterSets:
    """With the columns that follow from those that were written."""
    given = tuple(columns)
    nobody = np.ones(count, np.bool_)
    for one, other in INSTEAD:
        for left, kept in ((one, other), (other, one)):
            if kept in given and left in parameters:
                is_out = ~absent[kept] & absent.get(left, nobody)
                columns[left] = _left_out(columns.get(left) or _base(parameters, left, count), is_out)
    return ParameterSets(parameters, columns, given, count)


def _base(parameters: Parameters, key: str, count: int) -> Column:
    return constant(parameters[key], parameters[key].base, count)


def _left_out(column: Column, rows: Flags) -> Column:
    long = {row: value for row, value in column.long.items() if not rows[row]}
    return Column(column.parameter, np.where(rows, NULL, column.values), column.words, long)


# --- tables ------------------------------------------------------------------------------------------


def _table(source: Any) -> dict[str, Values]:
    """The columns of anything that has rows."""
    if isinstance(source, str | PathLike):
        return _of_file(Path(source))
    names = getattr(getattr(source, "dtype", None), "names", None)
    if names is not None:
        return {name: np.asarray(source[name]) for name in names}
    if hasattr(source, "columns") and hasattr(source, "__getitem__"):
        return {str(name): np.asarray(source[name]) for name in source.columns}
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
        keys = dict.fromkeys(str(key) for row in source for key in row)
        return {key: [row.get(key, ABSENT) for row in source] for key in keys}
    raise InvalidInput(
        f"a {type(source).__name__} is no set of parameters: give a dict of lists, a list of dicts, a data frame, or a "
        "CSV or Parquet file"
    )


def _of_file(path: Path) -> dict[str, Values]:
    """A row a set; numbers are read as floats or integers, everything else as text."""
    import duckdb

    readers = {".csv": "read_csv", ".parquet": "read_parquet"}
    reader = readers.get(path.suffix.lower())
    if reader is None or not path.is_file():
        what = "is neither a .csv nor a .parquet file" if reader is None else "is not there"
        raise DataUnusable(f"the sets {path} {what}: name a table with a column for each parameter")
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET enable_progress_bar = false")
            found = connection.execute(f"SELECT * FROM {reader}(?)", [str(path)]).fetchnumpy()  # noqa: S608  our own word
    except duckdb.Error as error:
        raise DataUnusable(f"the sets {path} cannot be read: {str(error).splitlines()[0]}") from None
    return {name: _unmasked(values) for name, values in found.items()}


def _unmasked(values: Any) -> NDArray[Any]:
    """DuckDB masks what is empty; such a cell is NaN, or None among texts."""
    if not np.ma.is_masked(values):
        return np.asarray(values)
    is_number = values.dtype.kind in "iuf"
    filled = np.array(values.data, np.float64 if is_number else object)
    filled[np.ma.getmaskarray(values)] = np.nan if is_number else None
    return filled
