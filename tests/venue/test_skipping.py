"""Passing over prices at which nothing happens is the same as walking over each of them."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import Defect
from gridtide.domain.market import MarketStatus, Timestamp
from gridtide.domain.order import Side
from gridtide.price_path.point import PathPoint
from gridtide.venue.messages import PriceMoved
from gridtide.venue.settings import FillModel
from gridtide.venue.skipping import EVERY_POINT
from gridtide.venue.tape import Stretch
from gridtide.venue.venue import Venue
from tests.venue.path_life import ListTape, PathLife, random_path
from tests.venue.test_walk import filled_prices
from tests.venue.world import NOW, SYMBOL, D, buy, move, request, sell, venue_at

WORLDS: tuple[dict[str, Any], ...] = (
    {"depth_levels": 2, "depth_quote": D(300)},
    {"fill_model": FillModel.TRADE_THROUGH, "slippage": D("0.0005"), "depth_quote": D(300)},
    {"volume_cap": D("0.05"), "depth_levels": 5, "depth_quote": D(1000), "tells_balances": False},
    {"fill_model": FillModel.QUEUE, "queue_probability": D("0.4"), "volume_slippage": D("0.01")},
    {"fill_model": FillModel.QUEUE, "volume_cap": D("0.3"), "queue_probability": D("0.7")},
)


def twins(seed: int, world: dict[str, Any], length: int) -> tuple[PathLife, PathLife]:
    """The same life over the same path: over every point, and over those that matter."""
    path = random_path(random.Random(seed), length)
    world = {"publishes": False, **world}
    plain, skipping = (PathLife(seed, world, path, skips=skips) for skips in (False, True))
    plain.play()
    skipping.play()
    return plain, skipping


@given(seed=st.integers(0, 2**32), world=st.sampled_from(WORLDS), length=st.integers(1, 150))
def test_skipping_is_the_plain_loop(seed: int, world: dict[str, Any], length: int) -> None:
    """Random paths, orders of every kind, fill models, caps, luck, halts: same answers, same events, same state."""
    plain, skipping = twins(seed, world, length)
    assert skipping.happened == plain.happened
    assert skipping.venue.state() == plain.venue.state()
    skipping.venue.check()


def test_the_random_lives_meet_what_they_should() -> None:
    """The property above is not empty: over some seeds there are fills, expiries, conditional orders and lists, and
    most points are passed over."""
    counts: Counter[str] = Counter()
    walked = points = 0
    for seed in range(20):
        plain, skipping = twins(seed, WORLDS[seed % len(WORLDS)], 150)
        assert skipping.happened == plain.happened
        counts += skipping.counts + skipping.ledger.counts
        walked, points = walked + skipping.walked, points + plain.walked
    assert all(counts[name] > 20 for name in ("fills", "EXPIRED", "place", "place_conditional")), counts
    assert counts["list ALL_DONE"] > 5
    assert walked < points / 2


def quiet(**settings: Any) -> Venue:
    """A market at 40,000 that nobody watches."""
    return venue_at(publishes=False, **settings)


def test_resting_orders_are_the_bounds() -> None:
    venue = quiet()
    assert venue.prices_of_interest(SYMBOL) == (None, None)
    buy(venue, "0.01", "39900")
    sell(venue, "0.01", "40100")
    assert venue.prices_of_interest(SYMBOL) == (D(39_900), D(40_100))


@pytest.mark.parametrize("model", FillModel)
def test_whoever_must_be_gone_through_is_looked_at_when_touched(model: FillModel) -> None:
    """A price between two ticks leaves an order behind, and then any move meets it."""
    venue = quiet(fill_model=model)
    buy(venue, "0.01", "39900")
    assert venue.prices_of_interest(SYMBOL) == (D(39_900), None)


def test_triggers_and_trailing_orders_are_bounds() -> None:
    """A trailing sell hears of every higher price and of the fall that triggers it."""
    venue = quiet()
    venue.place_order(request(Side.SELL, "0.01", kind="STOP_LOSS", stop="39000"), NOW)
    venue.place_order(request(Side.BUY, "0.01", kind="STOP_LOSS", stop="40500"), NOW)
    assert venue.prices_of_interest(SYMBOL) == (D(39_000), D(40_500))
    venue.place_order(request(Side.SELL, "0.01", kind="STOP_LOSS", trailing=100), NOW)
    assert venue.prices_of_interest(SYMBOL) == (D(39_600), D(40_000))
    move(venue, "40400")
    assert venue.prices_of_interest(SYMBOL) == (D(39_996), D(40_400))


def test_where_every_point_matters() -> None:
    """Before the first price, where the public watches, and where a cap left an order behind."""
    assert quiet(volume_cap=D("0.1")).prices_of_interest(SYMBOL) == (None, None)
    assert venue_at(None, publishes=False).prices_of_interest(SYMBOL) == EVERY_POINT
    assert venue_at().prices_of_interest(SYMBOL) == EVERY_POINT
    venue = quiet(volume_cap=D("0.1"))
    buy(venue, "1", "39900")
    move(venue, "39800")
    assert venue.prices_of_interest(SYMBOL) == EVERY_POINT


def test_a_trigger_the_market_stands_at_goes_off_with_any_move() -> None:
    """What was last paid is not where the market stands: between the two an order may wait for a price long reached."""
    venue = quiet()
    sell(venue, "0.01")
    venue.place_order(request(Side.BUY, "0.01", kind="STOP_LOSS", stop="40000"), NOW)
    assert venue.prices_of_interest(SYMBOL) == EVERY_POINT
    assert filled_prices(move(venue, "39950")) == ["40000.01"]
    venue = quiet(depth_quote=D(2000), depth_levels=60)
    buy(venue, "3")
    paid = venue.last_price(SYMBOL)
    assert paid is not None
    assert paid > 40_045
    venue.place_order(request(Side.SELL, "0.01", kind="STOP_LOSS", trailing=10), NOW)
    assert venue.prices_of_interest(SYMBOL) == EVERY_POINT
    assert filled_prices(move(venue, "40010"))


def test_nothing_happens_while_a_market_is_closed() -> None:
    """And with its reopening every move matters to what was passed."""
    venue = quiet()
    buy(venue, "0.01", "39900")
    venue.set_status(SYMBOL, MarketStatus.HALT)
    assert venue.prices_of_interest(SYMBOL) == (None, None)
    venue.skip_to(SYMBOL, D(39_000), NOW)
    venue.set_status(SYMBOL, MarketStatus.TRADING)
    assert venue.prices_of_interest(SYMBOL) == EVERY_POINT


def test_a_skip_over_something_is_a_defect() -> None:
    """Nothing changes."""
    venue = quiet()
    buy(venue, "0.01", "39900")
    before = venue.state()
    with pytest.raises(Defect, match="cannot skip to 39900"):
        venue.skip_to(SYMBOL, D(39_900), NOW)
    assert venue.state() == before
    with pytest.raises(Defect):
        venue_at().skip_to(SYMBOL, D(40_001), NOW)


def test_averages_read_the_skipped_stretch() -> None:
    """Only what is in the window is asked of the tape; without a tape skipped points have no volume."""
    asked: list[tuple[int, int, Timestamp]] = []

    class Watched(ListTape):
        def points(self, start: int, end: int, since: Timestamp) -> list[PathPoint]:
            asked.append((start, end, since))
            return list(super().points(start, end, since))

    minutes = [PathPoint(Timestamp(minute * 60_000), D(100 + minute), D(1)) for minute in range(60)]
    venue = venue_at(None, publishes=False)
    venue.move_market(SYMBOL, PriceMoved(D(100), D(1), Timestamp(0)), NOW)
    venue.skip_to(SYMBOL, D(159), minutes[-1].market_time, Stretch(Watched(minutes), 1, 60))
    assert asked == []
    assert venue.average_price(SYMBOL) == 157
    assert asked == [(1, 60, 55 * 60_000)]
    venue.skip_to(SYMBOL, D(170), Timestamp(minutes[-1].market_time + 60_000))
    assert venue.average_price(SYMBOL) == D("157.5")
