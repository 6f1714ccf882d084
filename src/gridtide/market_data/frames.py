"""A dict of arrays or a data frame as columns of ours: pandas and Polars by what they can do, never by an import."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.domain.errors import DataUnusable
from gridtide.market_data.file_table import COLUMNS, FileKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Columns = dict[str, NDArray[Any]]

_SIDES = {"buy": 1, "sell": -1}


def is_frame(source: object) -> bool:
    """Whether it has columns by name: a dict of arrays, a pandas or a Polars frame, a NumPy record array."""
    return isinstance(source, Mapping) or (hasattr(source, "columns") and hasattr(source, "__getitem__"))


def columns_of_frame(source: Any) -> tuple[FileKind, Columns]:
    """The columns we need, by name in any case; a frame's index of times stands for a missing `timestamp`.

    Raises `DataUnusable` for missing columns and for values that are no numbers.
    """
    names = {
        str(name).lower(): name for name in (source.keys() if isinstance(source, Mapping) else source.columns)
    }
    found: dict[str, Any] = {name: source[given] for name, given in names.items()}
    if "timestamp" not in found:
        found |= _times_of_index(source, found)
    kind = FileKind.TRADES if "price" in found else FileKind.CANDLES
    missing = [name for name in COLUMNS[kind] if name not in found]
    if missing:
        raise DataUnusable(
            f"the data lack the column {', '.join(missing)}: {kind} need {', '.join(COLUMNS[kind])}; "
            f"they have {', '.join(names) or 'none'}"
        )
    columns = {name: _array(name, found[name]) for name in COLUMNS[kind]}
    if kind is FileKind.TRADES:
        columns["taker"] = columns.pop("side")
        columns["id"] = _ids(found.get("id"), len(columns["timestamp"]))
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise DataUnusable(
            "the columns of the data have different lengths: give one value of each for each row"
        )
    return kind, columns


def _times_of_index(source: Any, found: Mapping[str, Any]) -> dict[str, Any]:
    """`date`, as freqtrade calls it, or the index of a pandas frame where it holds times."""
    if "date" in found:
        return {"timestamp": found["date"]}
    index = getattr(source, "index", None)
    is_time = getattr(getattr(index, "dtype", None), "kind", "") == "M"
    return {"timestamp": index} if is_time else {}


def _array(name: str, values: Any) -> NDArray[Any]:
    if name == "timestamp":
        return times_of(values)
    if name == "side":
        words = np.char.lower(np.asarray(values).astype(str))
        return np.select([words == word for word in _SIDES], list(_SIDES.values()), 0).astype(np.int8)
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataUnusable(
            f"the column {name} holds something that is not a number: correct the data"
        ) from None


def times_of(values: Any) -> NDArray[np.int64]:
    """Milliseconds of integers, datetimes or NumPy times of any unit; raises `DataUnusable`.

    Times without a zone are UTC; whole numbers are milliseconds already.
    """
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = _of_objects(values, array)
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise DataUnusable("the column timestamp holds something that is no time: correct the data")
        return array.astype("datetime64[ms]").astype(np.int64)
    if array.dtype.kind in "iu" or (array.dtype.kind == "f" and bool(np.isfinite(array).all())):
        return array.astype(np.int64)
    raise DataUnusable("timestamp is no time: give integer milliseconds UTC or a timestamp type")


def _of_objects(values: Any, array: NDArray[Any]) -> NDArray[Any]:
    """What a zone makes of a column of times: pandas gives objects, and knows itself how to leave the zone."""
    to_numpy = getattr(values, "to_numpy", None)
    if to_numpy is not None:
        try:
            return np.asarray(to_numpy(dtype="datetime64[ns]"))
        except (TypeError, ValueError):
            pass
    if len(array) and all(isinstance(value, datetime) for value in array):
        return np.array(
            [round(value.replace(tzinfo=value.tzinfo or UTC).timestamp() * 1000) for value in array], np.int64
        )
    return array


def _ids(values: Any, rows: int) -> NDArray[np.int64]:
    """Ids that are whole numbers; 0 for all where they are not."""
    if values is None:
        return np.zeros(rows, np.int64)
    try:
        return np.asarray(values).astype(np.int64)
    except (TypeError, ValueError):
        return np.zeros(rows, np.int64)
