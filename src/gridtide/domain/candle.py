"""Candles and market trades: what the public sees of a market."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Timestamp
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol
    from gridtide.domain.money import Amount, Price

_FIRST_MONDAY_MS = 4 * 86_400_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def timeframe_seconds(timeframe: str) -> int:
    """Length of a timeframe such as ``1m``, ``4h``, ``1d`` in seconds; raises `InvalidValue`."""
    match = re.fullmatch(r"([1-9][0-9]*)([smhdw])", timeframe)
    if match is None:
        raise InvalidValue(f"{timeframe!r} is not a timeframe: write 1m, 15m, 1h, 1d …")
    return int(match[1]) * _UNITS[match[2]]


def period_start(timeframe: str, at: Timestamp) -> Timestamp:
    """When the candle of `timeframe` that holds the moment `at` (ms) opened, as exchanges count: from 1970-01-01 UTC,
    weeks from the first Monday on. Raises `InvalidValue`."""
    length = timeframe_seconds(timeframe) * 1000
    origin = _FIRST_MONDAY_MS if timeframe.endswith("w") else 0
    return Timestamp((at - origin) // length * length + origin)


@dataclass(frozen=True, slots=True)
class Candle:
    """Open, high, low, close and volume of one timeframe; `timestamp` is its open time."""

    timestamp: Timestamp
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Amount


@dataclass(frozen=True, slots=True)
class MarketTrade:
    """A public print; `side` is the taker's."""

    symbol: Symbol
    timestamp: Timestamp
    price: Price
    amount: Amount
    side: Side
    trade_id: int = 0
