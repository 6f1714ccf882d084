"""Exchange time: median of five samples, monotonic in between, unmoved by the wall clock (F53, F54)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import Transient
from gridtide.exchanges.exchange_clock import ExchangeClock

SERVER_AHEAD_MS = 3_000


class Bench:
    """A monotonic clock that moves when told, and an exchange whose clock runs ahead of it."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.ways: list[tuple[float, float]] = []
        self.failures = 0

    def monotonic(self) -> float:
        return self.seconds

    def clock(self) -> ExchangeClock:
        return ExchangeClock(self.monotonic, lambda: 0.0)

    async def ask(self) -> int:
        if self.failures:
            self.failures -= 1
            raise Transient("no answer")
        there, back = self.ways.pop(0) if self.ways else (0.02, 0.02)
        self.seconds += there
        answer = int(self.seconds * 1_000) + SERVER_AHEAD_MS
        self.seconds += back
        return answer


async def test_the_offset_is_measured_from_the_middle_of_the_way() -> None:
    bench = Bench()
    clock = bench.clock()
    await clock.measure(bench.ask)
    assert abs(clock.now() - bench.seconds * 1_000 - SERVER_AHEAD_MS) <= 1


async def test_two_slow_samples_do_not_move_the_median() -> None:
    """F53: jitter of seconds on two of five samples is not seen."""
    bench = Bench()
    bench.ways = [(0.02, 0.02), (3.0, 0.0), (0.02, 0.02), (0.0, 4.0), (0.02, 0.02)]
    clock = bench.clock()
    await clock.measure(bench.ask)
    assert abs(clock.now() - bench.seconds * 1_000 - SERVER_AHEAD_MS) <= 1


async def test_three_of_five_samples_are_enough_two_are_not() -> None:
    """With too few, the old offset stays."""
    bench = Bench()
    clock = bench.clock()
    bench.failures = 2
    await clock.measure(bench.ask)
    before = clock.now()
    bench.failures = 3
    with pytest.raises(Transient):
        await clock.measure(bench.ask)
    assert 0 <= clock.now() - before <= 200


@given(steps=st.lists(st.floats(0.0, 0.02), min_size=1, max_size=50), errors=st.data())
def test_time_never_runs_back_over_small_corrections(steps: list[float], errors: st.DataObject) -> None:
    """A refresh that finds us 200 ms ahead makes the clock wait, not jump."""
    bench = Bench()
    clock = bench.clock()
    latest = clock.now()
    for step in steps:
        bench.seconds += step
        clock._offset_ms += errors.draw(st.integers(-200, 200))  # noqa: SLF001 - what a refresh does
        moment = clock.now()
        if moment < latest:
            assert latest - moment >= 1_000
        latest = moment
