"""Tables as Parquet files and back, to the last digit.

Decimals are DECIMAL columns where 38 digits hold them, else text; they are never floats on the way.
"""

# ruff: noqa: S608 - the SQL is built from our own column names, quoted; paths are parameters or quoted

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from gridtide.domain.money import ZERO, plain
from gridtide.reports.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_DIGITS = 38
"""What a DECIMAL of Parquet and of DuckDB holds."""
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Kind(StrEnum):
    """What the values of a column are, besides None."""

    DECIMAL = "decimal"
    INTEGER = "integer"
    FLOAT = "float"
    FLAG = "flag"
    TEXT = "text"


_SQL = {Kind.INTEGER: "BIGINT", Kind.FLOAT: "DOUBLE", Kind.FLAG: "BOOLEAN", Kind.TEXT: "VARCHAR"}


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory, which asks nobody for extensions."""
    with duckdb.connect(config=_SETTINGS) as connection:
        connection.execute("SET enable_progress_bar = false")
        yield connection


def kind_of(values: Sequence[Any]) -> Kind:
    """The narrowest kind that holds all of them."""
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {Decimal, int}:
        return Kind.DECIMAL if Decimal in kinds else Kind.INTEGER
    if kinds and kinds <= {float, int}:
        return Kind.FLOAT
    return Kind.FLAG if kinds == {bool} else Kind.TEXT


def write_table(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> dict[str, str]:
    """Write `table` and return the kind of each column, which `read_table` needs.

    Raises `duckdb.Error` and `OSError`.
    """
    kinds = {name: kind_of(table[name]) for name in table.columns}
    types = {name: _sql_type(kind, table[name]) for name, kind in kinds.items()}
    rows = {name: _texts(table[name]) for name in table.columns}
    casts = ", ".join(f"CAST({_name(name)} AS {types[name]}) AS {_name(name)}" for name in rows)
    connection.register("rows", rows)
    connection.execute(
        f"COPY (SELECT {casts} FROM rows) TO {_text(str(path))} (FORMAT parquet, COMPRESSION zstd)"
    )
    connection.unregister("rows")
    return {name: kind.value for name, kind in kinds.items()}


def read_table(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path, kinds: Mapping[str, str]
) -> Table:
    """What `write_table` wrote. Raises `duckdb.Error`, `OSError` and `ValueError` for a file that is damaged."""
    wanted = ", ".join(map(_name, kinds))
    rows = connection.execute(f"SELECT {wanted} FROM read_parquet(?)", [str(path)]).fetchall()
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(kinds)
    readers = [_READERS.get(Kind(kind)) for kind in kinds.values()]
    return Table(
        name,
        {
            column: values if reader is None else [None if one is None else reader(one) for one in values]
            for column, values, reader in zip(kinds, columns, readers, strict=True)
        },
    )


def write_arrays(
    connection: duckdb.DuckDBPyConnection, arrays: Mapping[str, NDArray[Any]], path: Path
) -> None:
    """Columns of numbers, bit by bit. Raises `duckdb.Error` and `OSError`."""
    connection.register("rows", dict(arrays))
    connection.execute(f"COPY (SELECT * FROM rows) TO {_text(str(path))} (FORMAT parquet, COMPRESSION zstd)")
    connection.unregister("rows")


def read_arrays(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, NDArray[Any]]:
    """What `write_arrays` wrote. Raises `duckdb.Error`."""
    found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchnumpy()
    return {name: np.asarray(values) for name, values in found.items()}


_READERS: dict[Kind, Callable[[Any], Any]] = {Kind.DECIMAL: Decimal}
"""A decimal may come back as text; what else comes back is what it was."""


def _texts(values: Sequence[Any]) -> NDArray[Any]:
    """Each value as text that DuckDB casts without loss."""
    texts = [None if value is None else _as_text(value) for value in values]
    return np.array(texts, dtype=object) if texts else np.array([], dtype=np.str_)


def _as_text(value: Any) -> str:
    match value:
        case Decimal():
            return plain(value)
        case float():
            return repr(value)
        case _:
            return str(value)


def _sql_type(kind: Kind, values: Sequence[Any]) -> str:
    if kind is not Kind.DECIMAL:
        return _SQL[kind]
    numbers = [Decimal(value) for value in values if value is not None]
    places = max(max(0, -int(number.as_tuple().exponent)) for number in numbers)
    whole = max(max(1, (number or ZERO).adjusted() + 1) for number in numbers)
    return f"DECIMAL({_DIGITS}, {places})" if whole + places <= _DIGITS else "VARCHAR"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
