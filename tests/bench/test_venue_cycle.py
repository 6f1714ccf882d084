"""What a fill costs at the venue of a backtest: an order placed among fifty, filled by the next move, and the rest.

Nothing is published; the market has a price band and every other rule of a large one.
"""

from __future__ import annotations

import random
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from gridtide.domain.market import Timestamp
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.messages import NewOrder, PriceMoved
from gridtide.venue.settings import VenueSettings
from gridtide.venue.venue import Venue
from tests.venue.world import BTC, FEES, MARKET, NOW, SYMBOL, USDT, D

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

LEVELS = 25
CYCLES = 100


def grid(**settings: Any) -> Venue:
    """A market at 40,000 with 25 buys below and 25 sells above, none within 200."""
    venue = Venue([MARKET], VenueSettings(publishes=False, **settings), random.Random(1))
    venue.add_account("a", {USDT: D(10) ** 9, BTC: D(10_000)}, FEES)
    venue.move_market(SYMBOL, PriceMoved(D(40_000), D(1), NOW), NOW)
    for level in range(2, LEVELS + 2):
        for side, distance in ((Side.BUY, -100 * level), (Side.SELL, 100 * level)):
            _place(venue, side, D(40_000 + distance), f"{side}{level}", NOW)
    return venue


def _place(venue: Venue, side: Side, price: Any, name: str, now: Timestamp) -> None:
    venue.place_order(
        NewOrder("a", SYMBOL, side, "LIMIT", D("0.01"), None, price, TimeInForce.GTC, name), now
    )


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("tells_balances", [False, True])
def test_a_hundred_fills(benchmark: BenchmarkFixture, tells_balances: bool) -> None:
    """Aim: under 20 µs a fill, so 2 ms a round; the requests are made beforehand."""
    venue, numbers = grid(tells_balances=tells_balances), count()

    def prepare() -> tuple[tuple[list[tuple[NewOrder, PriceMoved, Timestamp]]], dict[str, Any]]:
        rows = []
        for number in (next(numbers) for _ in range(CYCLES)):
            side, price = ((Side.BUY, D(39_900)), (Side.SELL, D(40_100)))[number % 2]
            now = Timestamp(NOW + number * 20_000)
            name = f"c{number}"
            asked = NewOrder("a", SYMBOL, side, "LIMIT", D("0.01"), None, price, TimeInForce.GTC, name)
            rows.append((asked, PriceMoved(price, D("1.5"), now), now))
        return (rows,), {}

    def fill(rows: list[tuple[NewOrder, PriceMoved, Timestamp]]) -> None:
        place, move = venue.place_order, venue.move_market
        for asked, moved, now in rows:
            place(asked, now)
            move(SYMBOL, moved, now)

    benchmark.pedantic(fill, setup=prepare, rounds=60, warmup_rounds=5)  # type: ignore[no-untyped-call]  # untyped there
    assert len(venue.fills("a", SYMBOL, limit=10**6)) == next(numbers)


def test_prices_of_interest(benchmark: BenchmarkFixture) -> None:
    """Aim: under a microsecond."""
    venue = grid()
    assert benchmark(venue.prices_of_interest, SYMBOL) == (D(39_800), D(40_200))


def test_a_skip(benchmark: BenchmarkFixture) -> None:
    """Aim: under two microseconds, however many points are passed over."""
    venue = grid()
    benchmark(venue.skip_to, SYMBOL, D(40_050), NOW)
    assert venue.last_price(SYMBOL) == 40_050


def test_a_move_that_meets_nothing(benchmark: BenchmarkFixture) -> None:
    """Aim: under three microseconds."""
    venue = grid()
    assert benchmark(venue.move_market, SYMBOL, PriceMoved(D(40_050), D("1.5"), NOW), NOW) == ()
