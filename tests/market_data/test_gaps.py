"""Gaps are found where at least one whole candle is missing, and named; the real files have those they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import DataUnusable
from gridtide.market_data.gaps import GapPolicy, find_missing, gaps_text
from gridtide.market_data.load import load_market_data
from tests.market_data.stored import JANUARY, MINUTE, minutes, span_of
from tests.market_data.writing import real


@given(present=st.sets(st.integers(0, 29)))
def test_gaps_and_candles_together_are_the_whole_time(present: set[int]) -> None:
    gaps = find_missing(minutes(sorted(present)).timestamps, MINUTE, span_of(0, 30))
    missing = {
        number
        for gap in gaps
        for number in range((gap.start - JANUARY) // MINUTE, (gap.end - JANUARY) // MINUTE)
    }
    assert missing == set(range(30)) - present
    assert sum(gap.candles for gap in gaps) == 30 - len(present)


def test_open_times_that_move_off_the_minute_are_no_gap() -> None:
    """As in 2018: the distance is now and then longer, but no candle is missing."""
    times = np.array([0, 60_000, 134_789, 194_789, 240_000]) + JANUARY
    assert find_missing(times, MINUTE) == ()


@pytest.mark.parametrize(
    "name, said",
    [
        ("BTCUSDT-1m-2021", "6 gaps, 993 candles: 2021-02-11 03:41 to 2021-02-11 05:00 (79)"),
        ("BTCUSDT-1m-2018-02-irregular", "3 gaps, 2,058 candles: 2018-02-08 00:29 to 2018-02-09 09:59:14"),
        ("XRPETH-1m-2019-10", "676 gaps, 1,091 candles: "),
    ],
)
def test_the_gaps_of_real_files_are_those_of_their_description(name: str, said: str) -> None:
    data = load_market_data(real(f"candles/{name}.parquet"))
    assert gaps_text(data.gaps).startswith(said)


def test_data_with_gaps_can_be_refused_by_choice() -> None:
    with pytest.raises(DataUnusable, match=r"has 676 gaps, .*; and 666 more; nothing was made up"):
        load_market_data(real("candles/XRPETH-1m-2019-10.parquet"), gaps=GapPolicy.REFUSE)
