"""Timeframes: what they last, and what is none."""

from __future__ import annotations

import pytest

from gridtide.domain.candle import timeframe_seconds
from gridtide.domain.errors import InvalidValue


@pytest.mark.parametrize(
    "timeframe, seconds",
    [
        ("1s", 1),
        ("1m", 60),
        ("15m", 900),
        ("1h", 3600),
        ("4h", 14400),
        ("1d", 86400),
        ("3d", 259200),
        ("1w", 604800),
    ],
)
def test_timeframes_in_seconds(timeframe: str, seconds: int) -> None:
    assert timeframe_seconds(timeframe) == seconds


@pytest.mark.parametrize(
    "text", ["", "m", "0m", "01m", "1", "1M", "1y", "-1m", "1.5h", "1m ", "m1", "1m\n", "١m", "1١m"]
)
def test_what_is_no_timeframe_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidValue, match="write 1m, 15m, 1h, 1d"):
        timeframe_seconds(text)
