"""Candles whose days, weeks and other periods begin by another clock than UTC's.

They are folded from the longest UTC candles that fit into both clocks; times stay UTC (rest-api.md, "Klines").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gridtide.sandbox.candles import BASE, LENGTHS, Kline, period
from gridtide.sandbox.errors import invalid_data
from gridtide.sandbox.parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridtide.sandbox.candles import CandleBook, KlineRow

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_FARTHEST_WEST, _FARTHEST_EAST = -12 * _HOUR, 14 * _HOUR
_OFFSET = re.compile(r"([+-]?)(\d{1,2})(?::([0-5]\d))?", re.ASCII)
_PARTS = ("1h", "15m", "1m")
"""What candles are folded from, the longest first."""

AHEAD = 8 * _HOUR
"""The one offset that has streams."""
AHEAD_SUFFIX = "@+08:00"
"""How their names end."""


def time_zone(name: str = "timeZone") -> Parameter[int]:
    """An offset from UTC in milliseconds: ``8``, ``-1:00``, ``05:45``, from -12:00 to +14:00."""

    def decode(name: str, text: str) -> int:
        found = _OFFSET.fullmatch(text.strip())
        if found is None:
            raise invalid_data(name)
        offset = int(found[2]) * _HOUR + int(found[3] or 0) * _MINUTE
        offset = -offset if found[1] == "-" else offset
        if not _FARTHEST_WEST <= offset <= _FARTHEST_EAST:
            raise invalid_data(name)
        return offset

    return Parameter(name, decode)


def zone_of_stream(name: str) -> tuple[str, int] | None:
    """Timeframe and offset of what follows ``kline_`` in a stream's name; None where there is no such stream."""
    timeframe = name.removesuffix(AHEAD_SUFFIX)
    if timeframe not in LENGTHS:
        return None
    return timeframe, 0 if timeframe == name else AHEAD


def period_in_zone(timeframe: str, at: int, offset: int) -> tuple[int, int]:
    """First and last millisecond of the candle that holds `at`, by a clock `offset` ahead of UTC."""
    first, last = period(timeframe, at + offset)
    return first - offset, last - offset


def part_of(timeframe: str, offset: int) -> str:
    """The timeframe that candles by that clock are folded from; `timeframe` itself where they are the same."""
    length = LENGTHS[timeframe]
    if timeframe == BASE or (length and length <= LENGTHS["1d"] and offset % length == 0):
        return timeframe
    return next(part for part in _PARTS if offset % LENGTHS[part] == 0)


def rows_in_zone(candles: CandleBook, timeframe: str, offset: int) -> list[KlineRow]:
    """All candles by that clock that what is kept suffices for, oldest first, the open one last."""
    part = part_of(timeframe, offset)
    rows = candles.rows(part)
    if part == timeframe:
        return rows
    return [whole.row() for whole in _folded(rows, timeframe, offset)]


def current_in_zone(candles: CandleBook, timeframe: str, offset: int) -> Kline | None:
    """The candle by that clock that is still open; None before the first move."""
    part = part_of(timeframe, offset)
    newest = candles.current(part)
    if part == timeframe or newest is None:
        return newest
    return candle_at(candles, timeframe, offset, newest.open_time)


def candle_at(candles: CandleBook, timeframe: str, offset: int, at: int) -> Kline:
    """The candle by that clock that holds `at`, as far as it has grown."""
    first, _ = period_in_zone(timeframe, at, offset)
    rows = [row for row in candles.rows_since(part_of(timeframe, offset), first) if row[0] <= at]
    *_, whole = _folded(rows, timeframe, offset)
    return whole


def _folded(rows: Iterable[KlineRow], timeframe: str, offset: int) -> list[Kline]:
    wholes: list[Kline] = []
    for row in rows:
        part = Kline.from_row(row)
        if wholes and part.open_time <= wholes[-1].close_time:
            wholes[-1].absorb(part)
        else:
            wholes.append(part.within(period_in_zone(timeframe, part.open_time, offset)))
    return wholes
