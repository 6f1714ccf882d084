"""The queue where nobody recorded it: a price that only reaches an order fills it with a probability."""

import random
from typing import Any

import pytest

from gridtide.domain.errors import InvalidValue
from gridtide.venue.settings import FillModel, VenueSettings
from gridtide.venue.venue import Venue
from tests.venue.test_walk import filled_prices
from tests.venue.world import SYMBOL, D, buy, move, sell, venue_at


def lucky(probability: str, **more: Any) -> Venue:
    return venue_at(fill_model=FillModel.QUEUE, queue_probability=D(probability), **more)


def test_none_is_trade_through_and_one_is_touch() -> None:
    """The two ends of the scale."""
    for probability, touched in (("0", []), ("1", ["39900"])):
        venue = lucky(probability)
        buy(venue, "0.01", "39900")
        assert filled_prices(move(venue, "39900")) == touched
        assert filled_prices(move(venue, "39899.99")) == ["39900"][len(touched) :]
        sell(venue, "0.01", "40100")
        assert filled_prices(move(venue, "40100.01")) == ["40100"]


def test_as_often_as_its_probability_says() -> None:
    """A thousand touches at 0.3, drawn from the generator handed in: the same again with the same seed."""

    def touches(seed: int) -> int:
        venue, filled = lucky("0.3", seed=seed, publishes=False), 0
        for _ in range(1_000):
            placed = buy(venue, "0.001", "39900")
            filled += len(filled_prices(move(venue, "39900")))
            move(venue, "39950")
            if venue.order("a", SYMBOL, placed.order.order_id).status.value == "NEW":
                venue.cancel_order("a", SYMBOL, order_id=placed.order.order_id, now=placed.order.created_at)
        return filled

    first = touches(1)
    assert 250 < first < 350
    assert touches(1) == first
    assert touches(2) != first


def test_who_stands_behind_an_unlucky_order_waits_with_it() -> None:
    """At one price the older order goes first or nobody does, whatever else stands in the market."""
    for seed in range(40):
        for stop in (False, True):
            venue = lucky("0.5", seed=seed, publishes=False)
            if stop:
                buy(venue, "0.01", kind="STOP_LOSS", stop="45000")
            older = buy(venue, "0.01", "39900").order.order_id
            buy(venue, "0.01", "39900")
            move(venue, "39900")
            filled = [fill.order_id for fill in venue.fills("a", SYMBOL)]
            assert filled in ([], [older], [older, older + 1])


def test_luck_is_saved_with_the_venue() -> None:
    """A restored venue draws what the saved one would have drawn."""
    venue = lucky("0.5", publishes=False)
    for _ in range(30):
        buy(venue, "0.001", "39900")
    twin = Venue.from_state(venue.state(), random.Random(0))
    for price in ("39900", "39950") * 15:
        assert move(twin, price) == move(venue, price)
    assert twin.state() == venue.state()
    assert 0 < len(venue.fills("a", SYMBOL)) < 30 + 1


@pytest.mark.parametrize("value", ["-0.1", "1.1"])
def test_a_probability_lies_between_none_and_one(value: str) -> None:
    with pytest.raises(InvalidValue, match="not between 0 and 1"):
        VenueSettings(queue_probability=D(value))
