"""A small table of equal-length columns that a notebook can take in whichever way it likes.

Money stays `Decimal` in here; whoever asks for NumPy or a data frame gets floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import InvalidInput, InvalidValue

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray


class Table:
    """Rows in order; iterating gives each as a dict. Raises `InvalidValue` for columns of different lengths."""

    __slots__ = ("_columns", "name")

    def __init__(self, name: str, columns: Mapping[str, Sequence[Any]]) -> None:
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise InvalidValue(f"the columns of {name} have different lengths")
        self.name = name
        self._columns = {column: tuple(values) for column, values in columns.items()}

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for values in zip(*self._columns.values(), strict=True):
            yield dict(zip(self._columns, values, strict=True))

    def __getitem__(self, column: str) -> tuple[Any, ...]:
        """The values of one column, as they are."""
        return self._columns[column]

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} rows of {', '.join(self._columns)}>"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def to_numpy(self) -> dict[str, NDArray[Any]]:
        """An array each column: float64 for money, int64 for counts and times (ms), else objects."""
        return {name: _array(values) for name, values in self._columns.items()}

    def to_pandas(self) -> Any:
        """A pandas frame. Raises `InvalidInput` where pandas is not installed."""
        return data_frame("pandas", self.to_numpy())

    def to_polars(self) -> Any:
        """A Polars frame. Raises `InvalidInput` where Polars is not installed."""
        return data_frame("polars", self.to_numpy())

    def relation(self) -> duckdb.DuckDBPyRelation:
        """A DuckDB relation, to query with SQL: ``result.fills.relation().aggregate("side, sum(fee)")``."""
        import duckdb

        table = self.to_numpy()
        connection = duckdb.connect()
        connection.register("rows", table)
        return connection.sql("SELECT * FROM rows")


def _array(values: Sequence[Any]) -> NDArray[Any]:
    import numpy as np

    kinds = {type(value) for value in values}
    if kinds and kinds <= {Decimal, float, int} and kinds != {int}:
        return np.array([float(value) for value in values])
    if kinds == {int}:
        return np.array(values, dtype=np.int64)
    if kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    texts: np.ndarray[Any, Any] = np.array([str(value) for value in values], dtype=object)
    return texts


def data_frame(library: str, columns: Mapping[str, Any]) -> Any:
    """The frame that `library` makes of columns. Raises `InvalidInput` where it is not installed."""
    from importlib import import_module

    try:
        module = import_module(library)
    except ImportError:
        raise InvalidInput(
            f"{library} is not installed: install it, or use to_numpy() or relation()"
        ) from None
    return module.DataFrame(dict(columns))
