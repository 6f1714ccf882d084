"""What all figures of a run cost: three thousand fills over a year of minutes and over twenty million trades."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from gridtide.domain.money import FeeRate
from gridtide.performance.baselines import Baseline, baseline
from gridtide.performance.drawdown import max_drawdown
from gridtide.performance.equity import Equity, Holding
from gridtide.performance.figures import figures_of, time_in_range
from tests.bench.test_price_path import SOURCES, build

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

    from gridtide.price_path.columns import CandleColumns, TradeColumns

FILLS = 3000


@pytest.fixture
def equity(source: Callable[[], CandleColumns | TradeColumns]) -> Equity:
    """A grid that buys and sells by turns, evenly over the walk."""
    index = build(source())
    cash, base = Decimal(50_000), Decimal("1.00000000")
    holdings = [Holding(0, cash, base)]
    for number in range(1, FILLS):
        place = number * (len(index.path) // FILLS)
        amount = Decimal("0.02") if number % 2 else Decimal("-0.02")
        cash, base = cash - amount * index.path.price(place), base + amount
        holdings.append(Holding(place, cash, base))
    return Equity(index, holdings)


@SOURCES
def test_maximum_drawdown(benchmark: BenchmarkFixture, equity: Equity) -> None:
    """Aim: under 20 ms, and no more for twenty million points than for two."""
    benchmark(max_drawdown, equity)


@SOURCES
def test_every_figure(benchmark: BenchmarkFixture, equity: Equity) -> None:
    """Aim: under 40 ms, with drawdown, daily ratios, exposure and time in range."""

    def measure() -> None:
        figures_of(equity)
        path = equity.scan.path
        time_in_range(equity, path.price(0) * Decimal("0.8"), path.price(0) * Decimal("1.5"))

    benchmark(measure)


@SOURCES
def test_every_baseline(benchmark: BenchmarkFixture, equity: Equity) -> None:
    """The four of them, each with its figures."""

    def measure() -> None:
        for kind in Baseline:
            figures_of(baseline(kind, equity.scan, Decimal(100_000), FeeRate(Decimal("0.001"))))

    benchmark(measure)
