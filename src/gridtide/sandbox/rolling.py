"""Figures of the last minutes, hours or days, and of the running day (rest-api.md, "Rolling window").

Windows of up to a day begin on a minute, longer ones on an hour, of market time; so they may be that much wider.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gridtide.sandbox.candles import NO_DAY, DayFigures, Kline
from gridtide.sandbox.errors import invalid_data
from gridtide.sandbox.kline_zones import period_in_zone
from gridtide.sandbox.parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridtide.sandbox.candles import KlineRow
    from gridtide.sandbox.record import MarketRecord

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
DAY = 24 * _HOUR

_SIZE = re.compile(r"([1-9]\d?)([mhd])")
_UNITS = {"m": (_MINUTE, 59), "h": (_HOUR, 23), "d": (DAY, 7)}
"""Milliseconds of each unit, and how many of it a window may have."""

STREAM_WINDOWS = {"1h": _HOUR, "4h": 4 * _HOUR, "1d": DAY}
"""The windows that have streams."""


def window_size(name: str = "windowSize") -> Parameter[int]:
    """A window in milliseconds: ``1m`` to ``59m``, ``1h`` to ``23h``, ``1d`` to ``7d``."""

    def decode(name: str, text: str) -> int:
        found = _SIZE.fullmatch(text)
        if found is None:
            raise invalid_data(name)
        (unit, most), count = _UNITS[found[2]], int(found[1])
        if count > most:
            raise invalid_data(name)
        return count * unit

    return Parameter(name, decode)


def window(record: MarketRecord, length: int) -> DayFigures:
    """The last `length` milliseconds of market time."""
    if length == DAY:
        return record.day()
    part, step = ("1m", _MINUTE) if length <= DAY else ("1h", _HOUR)
    since = (record.market_time - length) // step * step
    return _figures(record.candles.rows_since(part, since))


def trading_day(record: MarketRecord, offset: int) -> tuple[DayFigures, tuple[int, int]]:
    """The running day by a clock `offset` milliseconds ahead of UTC, and its first and last millisecond."""
    bounds = period_in_zone("1d", record.market_time, offset)
    return _figures(record.candles.rows_since("1m", bounds[0])), bounds


def _figures(rows: Sequence[KlineRow]) -> DayFigures:
    if not rows:
        return NO_DAY
    first = Kline.from_row(rows[0])
    whole = first.within((first.open_time, first.close_time))
    for row in rows[1:]:
        whole.absorb(Kline.from_row(row))
    return DayFigures(
        whole.open, whole.high, whole.low, whole.close, whole.open,
        whole.volume, whole.quote, whole.trades, whole.first_id, whole.last_id,
    )  # fmt: skip
