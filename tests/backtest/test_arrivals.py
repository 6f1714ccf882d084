"""Recorded arrivals: each request of a backtest takes effect when the one like it did, whatever its id."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from gridtide.bootstrap.backtest import ACCOUNT, World, build_world, prepare
from gridtide.bootstrap.notebook import data_of, settings_of
from gridtide.domain.commands import CancelOrder
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Symbol
from gridtide.domain.order import Side, Slot
from gridtide.engine.order_ids import client_order_id
from gridtide.price_path.candle_path import PathRule
from gridtide.runners.arrivals import Acceptance, Arrivals, RequestKind
from tests.backtest.sandbox_session import SYMBOL, replayed
from tests.backtest.worlds import config, grid_settings, random_candles


def world(arrivals: Arrivals | None = None) -> World:
    grid = grid_settings(lower_price="97", upper_price="103", num_grids=9, price_cap="0.05")
    settings = settings_of(config(grid))
    data = data_of(settings, random_candles(random.Random(5), 60, gap_chance=0))
    return build_world(settings, prepare(settings, data, PathRule.LOW_FIRST), arrivals=arrivals)


def acceptances(of: World, later: int) -> list[Acceptance]:
    """What a run had accepted, each `later` points later than it was, in the order of the points."""
    path = of.run.lanes[0].path
    found = [
        Acceptance(RequestKind.ORDER, order.client_order_id, path.first_at(order.created_at) + later)
        for order in of.venue.orders(ACCOUNT, Symbol("ABC/USDT"), 0, 10**9)
    ]
    return sorted(found, key=lambda accepted: accepted.after)


def test_a_run_with_its_own_arrivals_is_the_same_run() -> None:
    """And they are all taken."""
    first = world()
    first.run.run()
    arrivals = Arrivals(acceptances(first, later=0))
    again = world(arrivals)
    again.run.run()
    assert replayed(again, ACCOUNT) == replayed(first, ACCOUNT)
    assert arrivals.left == ()
    assert len(replayed(first, ACCOUNT).fills) > 10


def test_orders_rest_from_their_recorded_point_on() -> None:
    """Two points late, the purchase pays the price of then; an order that never arrived is never filled."""
    first = world()
    first.run.run()
    recorded = acceptances(first, later=2)
    late = world(Arrivals(recorded[:5]))
    late.run.run()
    orders = replayed(late, ACCOUNT).orders
    assert len(orders) == 5
    assert {order.after for order in orders} == {accepted.after for accepted in recorded[:5]}
    prices = {fill.slot: fill.price for fill in replayed(late, ACCOUNT).fills if not fill.is_maker}
    ask = late.run.lanes[0].path.price(2) + Decimal("0.01")
    assert prices == {"INIB": ask}


def test_the_nth_order_of_a_purpose_is_the_nth_accepted() -> None:
    """Attempts that were never accepted take an id each, and no arrival."""
    names = [client_order_id("AAAAAA", Slot("003", Side.BUY), 1, attempt) for attempt in (1, 4)]
    arrivals = Arrivals(
        [Acceptance(RequestKind.CANCEL, name, after) for name, after in zip(names, (3, 9), strict=True)]
    )
    own = [client_order_id("BBBBBB", Slot("003", Side.BUY), 1, attempt) for attempt in (2, 3, 4)]
    taken = [arrivals.take(CancelOrder(SYMBOL, name, "")) for name in own]
    assert [arrival and arrival.after for arrival in taken] == [3, 9, None]
    assert arrivals.left == ()


def test_a_strangers_order_is_no_arrival() -> None:
    with pytest.raises(InvalidInput, match="no order of a bot of ours"):
        Arrivals([Acceptance(RequestKind.ORDER, "web_1234", 1)])
