"""Market data as files that many processes map into their memory at once: NumPy's own, a file a column.

Nothing but numbers is in them; what a worker reads back is what was loaded, to the bit.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from gridtide.domain.market import Symbol
from gridtide.market_data.gaps import MissingCandles
from gridtide.market_data.load import LoadedData
from gridtide.price_path.columns import CandleColumns, TradeColumns

_ABOUT = "about.json"
_KINDS: dict[str, type[CandleColumns] | type[TradeColumns]] = {
    "candles": CandleColumns,
    "trades": TradeColumns,
}


def save_data(data: LoadedData, folder: Path) -> None:
    """Write `data` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {field.name: getattr(data.columns, field.name) for field in fields(data.columns)}
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            np.save(folder / f"{name}.npy", value)
    about = {
        "kind": "candles" if isinstance(data.columns, CandleColumns) else "trades",
        "numbers": {name: value for name, value in values.items() if not isinstance(value, np.ndarray)},
        "name": data.name,
        "symbol": data.symbol,
        "checksum": data.checksum,
        "gaps": [list(gap) for gap in data.gaps],
        "notes": data.notes,
    }
    (folder / _ABOUT).write_bytes(orjson.dumps(about))


def load_data(folder: Path) -> LoadedData:
    """What `save_data` wrote, mapped."""
    about = orjson.loads((folder / _ABOUT).read_bytes())
    arrays: dict[str, Any] = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    columns = _KINDS[about["kind"]](**arrays, **about["numbers"])
    gaps = tuple(MissingCandles(*gap) for gap in about["gaps"])
    symbol = None if about["symbol"] is None else Symbol(about["symbol"])
    return LoadedData(about["name"], symbol, columns, about["checksum"], gaps, tuple(about["notes"]))
