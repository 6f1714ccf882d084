"""A candle as a path of four points, by a stated rule, because nobody recorded the way price really took.

The jump from one close to the next open is a segment of the path too.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Timestamp
from gridtide.domain.money import cut_to_places
from gridtide.price_path.point import PathPoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gridtide.domain.candle import Candle
    from gridtide.domain.money import Price

POINTS = 4
"""Points of a candle's path, and segments that share its volume: the jump to the open and three more."""
VOLUME_PLACES = 8


class PathRule(StrEnum):
    """Which extreme of a candle comes first (design.md 4)."""

    NEARER_EXTREME_FIRST = "nearer_extreme_first"
    """The one nearer to the open; at equal distance the low if the candle closes at or above its open."""
    CLOSE_DIRECTION = "close_direction"
    """The low if the candle closes at or above its open, else the high."""
    PESSIMISTIC = "pessimistic"
    """Both orders as two whole runs, of which the worse is reported: see `runs_of`."""
    LOW_FIRST = "low_first"
    HIGH_FIRST = "high_first"


def runs_of(rule: PathRule) -> tuple[PathRule, ...]:
    """The rules to run a backtest with: one, or for `pessimistic` both orders of the extremes."""
    if rule is PathRule.PESSIMISTIC:
        return PathRule.LOW_FIRST, PathRule.HIGH_FIRST
    return (rule,)


def candle_path(
    candle: Candle, rule: PathRule = PathRule.NEARER_EXTREME_FIRST
) -> tuple[Price, Price, Price, Price]:
    """Open, the two extremes in the rule's order, close. Raises `InvalidValue` for `pessimistic`, which is no
    single path."""
    if _low_comes_first(candle, rule):
        return candle.open, candle.low, candle.high, candle.close
    return candle.open, candle.high, candle.low, candle.close


def _low_comes_first(candle: Candle, rule: PathRule) -> bool:
    closes_up = candle.close >= candle.open
    match rule:
        case PathRule.NEARER_EXTREME_FIRST:
            to_low, to_high = candle.open - candle.low, candle.high - candle.open
            return to_low < to_high or (to_low == to_high and closes_up)
        case PathRule.CLOSE_DIRECTION:
            return closes_up
        case PathRule.LOW_FIRST:
            return True
        case PathRule.HIGH_FIRST:
            return False
        case PathRule.PESSIMISTIC:
            raise InvalidValue("pessimistic means two runs, low_first and high_first: ask `runs_of` for them")


def points_of(
    candle: Candle, timeframe_ms: int, rule: PathRule = PathRule.NEARER_EXTREME_FIRST
) -> tuple[PathPoint, ...]:
    """The candle's four points, spread over its time at 0, 1/3, 2/3 and its last millisecond.

    Each carries a quarter of the volume, cut to 8 decimals; the last one the rest.
    """
    quarter = cut_to_places(candle.volume / POINTS, VOLUME_PLACES)
    volumes = (quarter, quarter, quarter, candle.volume - 3 * quarter)
    return tuple(
        PathPoint(Timestamp(candle.timestamp + time), price, volume)
        for time, price, volume in zip(
            point_times(timeframe_ms), candle_path(candle, rule), volumes, strict=True
        )
    )


def point_times(timeframe_ms: int) -> tuple[int, int, int, int]:
    """When a candle's points are reached, in ms from its open time."""
    return 0, timeframe_ms // 3, timeframe_ms * 2 // 3, timeframe_ms - 1


def path_points(
    candles: Iterable[Candle], timeframe_ms: int, rule: PathRule = PathRule.NEARER_EXTREME_FIRST
) -> Iterator[PathPoint]:
    """The whole path over consecutive candles."""
    for candle in candles:
        yield from points_of(candle, timeframe_ms, rule)
