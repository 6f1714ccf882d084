"""Random runs over random walks, and the loops over every point that the fast answers are held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from hypothesis import strategies as st

from gridtide.performance.equity import Equity, Holding
from gridtide.price_path.crossing import CrossingIndex
from tests.price_path.builders import walk, wanderings

STEP_MS = 7_000_000
"""A little under two hours, so that walks span days and points fall on no midnight by habit."""


def run(prices: list[int], holdings: Sequence[Holding], places: int = 0, step_ms: int = STEP_MS) -> Equity:
    return Equity(CrossingIndex(walk(prices, places, step_ms)), holdings)


@st.composite
def runs(draw: st.DrawFn, most: int = 400) -> Equity:
    """Any wandering price and holdings that change at random, several times at one point now and then."""
    prices = draw(wanderings(most))
    places = draw(st.integers(0, 4))
    points = draw(st.lists(st.integers(0, len(prices) - 1), min_size=1, max_size=12))
    cash = st.decimals(0, 2000, places=draw(st.integers(0, 6)))
    base = st.decimals(0, 30, places=draw(st.integers(0, 8)))
    first = Decimal(1) + draw(cash)
    rest = [Holding(point, draw(cash), draw(base)) for point in sorted(points)]
    return run(prices, [Holding(rest[0].from_index, first, draw(base)), *rest], places)


def values(equity: Equity) -> Iterator[Decimal]:
    """Equity at every point of the run, by the plain loop; the opening first."""
    yield equity.opening
    for index in range(equity.start, equity.stop):
        holding = next(each for each in reversed(equity.holdings) if each.from_index <= index)
        yield holding.cash + holding.base * equity.scan.path.price(index)
