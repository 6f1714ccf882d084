"""One order from start to settlement: rounding, refusal, outcome, state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridtide.domain.errors import InvalidConfig, PlanRefused
from gridtide.domain.order import OrderType, Side
from gridtide.strategies.protocol import Ending
from gridtide.strategies.single_order import SingleOrderStrategy
from tests.strategies.harness import World
from tests.strategies.markets import SYMBOL, D, at, fees, market


def world(side: Side, amount: str, limit: str | None, **rules: Any) -> World:
    strategy = SingleOrderStrategy(SYMBOL, side, D(amount), None if limit is None else D(limit))
    return World(
        strategy, market(lot="0.001", **rules), fees(), "10000", "50000", base="2", base_cost="15000"
    )


@pytest.mark.parametrize("side, price", [(Side.BUY, "9000.00"), (Side.SELL, "11000.01")])
def test_a_limit_order_rests_at_a_price_no_worse_than_said(side: Side, price: str) -> None:
    """F15: a buy's price goes down to the tick, a sell's up, the amount down to the lot."""
    limit = {Side.BUY: "9000.009", Side.SELL: "11000.001"}[side]
    found = world(side, "1.0009", limit).start()
    assert found.resting() == {f"MAN{side.value[0]}": at(price, "1.000")}
    assert found.placed[0][1] is OrderType.LIMIT
    assert not found.strategy.is_finished
    found.move(price)
    assert found.strategy.is_finished
    assert found.strategy.outcome.ending is Ending.FILLED
    assert found.strategy.outcome.executed_amount == 1


def test_a_market_order_takes_at_once_and_tells_what_came_of_it() -> None:
    found = world(Side.BUY, "1", None).start()
    outcome = found.strategy.outcome
    assert (outcome.ending, outcome.price) == (Ending.FILLED, None)
    assert outcome.executed_quote == D("10000.01")
    assert outcome.received == D("0.999")


def test_a_thin_book_leaves_the_rest_expired() -> None:
    found = world(Side.SELL, "1", None)
    found.taker_liquidity = D("0.25")
    found.start()
    assert found.strategy.outcome.ending is Ending.EXPIRED
    assert found.strategy.outcome.remaining == D("0.75")


@pytest.mark.parametrize(
    "amount, limit, message",
    [
        ("0.0009", "9000", r"BUY 0 BTC: amount 0\.000 is not above zero"),
        (
            "0.001",
            "9000",
            r"value 9\.\d+ is below the minimum of 10 \(rule min_notional of BTC/USDT\); nothing",
        ),
        ("1", "0.004", r"price 0\.00 is not above zero"),
    ],
)
def test_what_the_market_refuses_is_told_before_anything_is_placed(
    amount: str, limit: str, message: str
) -> None:
    found = world(Side.BUY, amount, limit, min_notional="10")
    with pytest.raises(PlanRefused, match=message):
        found.start()
    assert found.placed == []


@pytest.mark.parametrize("amount, limit", [("0", None), ("-1", None), ("1", "0"), ("1", "-5")])
def test_amount_and_limit_are_above_zero(amount: str, limit: str | None) -> None:
    with pytest.raises(InvalidConfig, match="is not above zero"):
        SingleOrderStrategy(SYMBOL, Side.BUY, D(amount), None if limit is None else D(limit))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"side": "buy"}, "amount: a single order cannot do without it"),
        ({"side": "hold", "amount": "1"}, "'HOLD' is not a valid Side"),
        ({"side": "buy", "amount": "x"}, "'x' is not a number"),
        ({"side": "buy", "amount": "1", "price": "5"}, "price: a single order has no such setting"),
    ],
)
def test_settings_that_make_no_order_are_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidConfig, match=message):
        SingleOrderStrategy.from_settings(SYMBOL, settings)


@pytest.mark.parametrize("limit", [None, "9000"])
def test_state_before_and_after_the_end(limit: str | None) -> None:
    found = world(Side.BUY, "1", limit)
    for event in (found.start, lambda: found.move("9000")):
        event()
        state = json.loads(json.dumps(found.strategy.get_state()))
        again = SingleOrderStrategy.from_state(state)
        assert again.get_state() == state
        assert again.outcome == found.strategy.outcome
    assert found.strategy.is_finished
