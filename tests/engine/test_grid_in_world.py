"""The grid strategy in the engine against a real venue: random markets, crashes and losses, equal books at rest."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from gridtide.domain import commands as cmd
from gridtide.domain.journal import BotState
from gridtide.domain.money import nearest_to_step
from gridtide.strategies.grid.config import GridConfig
from gridtide.strategies.grid.strategy import GridTradingStrategy
from tests.engine.test_order_life import agree
from tests.engine.world import ACCOUNT, RULES, SYMBOL, World


def grid_world(**settings: object) -> World:
    values: dict[str, object] = {
        "lower_price": "80",
        "upper_price": "120",
        "num_grids": 21,
        "total_investment": "10000",
        "spacing": "geometric",
        **settings,
    }
    config = GridConfig.from_settings(SYMBOL, values)
    return World(lambda: GridTradingStrategy(config), GridTradingStrategy.from_state)


def walk(seed: int, steps: int) -> list[Decimal]:
    rng, price, found = random.Random(seed), Decimal(100), []
    for _ in range(steps):
        drawn = price * Decimal(str(1 + rng.gauss(0, 0.02))) + (100 - price) / 10
        price = nearest_to_step(drawn, RULES.tick_size)
        found.append(price)
    return found


def test_the_grid_stands_after_the_start() -> None:
    """Initial purchase, sells, buys: one order an interval, one level vacant (I13)."""
    place = grid_world()
    place.start()
    place.elapse(1)
    orders = place.venue.open_orders(ACCOUNT)
    assert len(orders) == 20
    assert place.engine.state.slots.parked() == []
    agree(place)


@pytest.mark.parametrize("profit", ["quote", "base", "compound"])
@pytest.mark.parametrize("seed", range(4))
def test_books_and_exchange_agree_after_any_market(profit: str, seed: int) -> None:
    """The identity and I6 to I10 hold to the last unit after a random market, in every profit mode."""
    place = grid_world(profit=profit)
    place.start()
    for price in walk(seed, 150):
        place.move(price)
    place.elapse(120)
    assert place.engine.state.bot_state is BotState.RUNNING
    assert place.engine.state.fill_count > 50
    agree(place)


@pytest.mark.parametrize("seed", range(6))
def test_crashes_at_random_moments_change_nothing(seed: int) -> None:
    """F32, F34, T8: kill -9 between any two steps, deaf streams, lost answers; afterwards everything agrees and no
    interval is without its order."""
    rng = random.Random(seed)
    place = grid_world()
    place.start()
    for price in walk(seed, 120):
        place.hold_stream = rng.random() < 0.2
        losing = rng.random() < 0.1
        place.lose_answer = lambda command, losing=losing: (
            losing
            and isinstance(  # type: ignore[misc]
                command, cmd.SubmitOrder | cmd.CancelOrder
            )
        )
        place.move(price)
        if rng.random() < 0.1:
            place.restart()
        place.elapse(rng.random() * 20)
    place.lose_answer = lambda command: False
    place.move(Decimal(100))
    place.release_stream()
    place.elapse(600)
    state = place.engine.state
    assert state.bot_state is BotState.RUNNING
    assert state.orders.live_count + len(state.slots.parked()) >= 20
    agree(place)
