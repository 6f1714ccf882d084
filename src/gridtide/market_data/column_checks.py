"""What must hold of every row of a market's columns: the rules of `file_checks`, said in NumPy, with the same words.

The first row that breaks a rule is named, by its first broken rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.domain.errors import DataUnusable
from gridtide.market_data.file_table import FileKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gridtide.market_data.block import Block

    Rule = tuple[str, NDArray[np.bool_]]

_EARLIEST_MS = 1_000_000_000_00
_LATEST_MS = 100_000_000_000_000


def require_rows(kind: FileKind, columns: Mapping[str, NDArray[Any]], what: str) -> None:
    """Raise `DataUnusable` for the first bad row, or where there is none at all; `what` begins the sentence.

    Candles: timestamp, open, high, low, close, volume; market trades: timestamp, price, amount, taker (1 or -1).
    """
    if not len(columns["timestamp"]):
        raise DataUnusable(f"{what} holds no {kind}: fetch it again")
    rules = [*_time_rules(columns), *_rules(kind, columns)]
    broken = [
        (int(np.argmax(is_bad)), order, text) for order, (text, is_bad) in enumerate(rules) if is_bad.any()
    ]
    if broken:
        row, _, problem = min(broken)
        raise DataUnusable(f"{what}, row {row + 1}: {problem}; correct the file or fetch it again")


def require_sound(block: Block, what: str) -> None:
    """The same for rows that came from outside and are sorted already; nothing is nothing bad."""
    if len(block):
        require_rows(block.kind, block.columns, f"{what} {block.kind}")


def _time_rules(columns: Mapping[str, NDArray[Any]]) -> Iterator[Rule]:
    times = columns["timestamp"]
    yield "timestamp looks like seconds: give milliseconds", times < _EARLIEST_MS
    yield "timestamp looks like microseconds: give milliseconds", times > _LATEST_MS


def _rules(kind: FileKind, columns: Mapping[str, NDArray[Any]]) -> Iterator[Rule]:
    numbers = [name for name in columns if name not in {"timestamp", "taker", "id"}]
    for name in numbers:
        yield f"{name} is not a number", ~np.isfinite(columns[name])
    yield from _candle_rules(columns) if kind is FileKind.CANDLES else _trade_rules(columns)


def _candle_rules(columns: Mapping[str, NDArray[Any]]) -> Iterator[Rule]:
    first, high, low, close = (columns[name] for name in ("open", "high", "low", "close"))
    yield "a price is not above zero", np.minimum(np.minimum(first, close), np.minimum(low, high)) <= 0
    yield "high is below low", high < low
    yield "open is not between low and high", (first < low) | (first > high)
    yield "close is not between low and high", (close < low) | (close > high)
    yield "volume is negative", columns["volume"] < 0
    times = columns["timestamp"]
    yield (
        "its time is not after the row before: sort the file and remove duplicates",
        np.append(False, times[1:] <= times[:-1]),
    )


def _trade_rules(columns: Mapping[str, NDArray[Any]]) -> Iterator[Rule]:
    yield "price is not above zero", columns["price"] <= 0
    yield "amount is not above zero", columns["amount"] <= 0
    yield "side is neither buy nor sell", columns["taker"] == 0
    times = columns["timestamp"]
    yield "its time is before the row before: sort the file", np.append(False, times[1:] < times[:-1])
