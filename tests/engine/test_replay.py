"""A bot's life replayed from the exchange's records alone gives the books, the orders and the grid it had (F46)."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide.domain.errors import Defect
from gridtide.domain.journal import BotSnapshot, BotState, FillAdded, OrderPut, OrderRow
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import OrderUpdate, Slot
from gridtide.engine.engine import Engine
from gridtide.engine.replay import REPLAY_GATE, Records, replay
from gridtide.engine.settings import BotIdentity, EngineSettings
from gridtide.strategies.grid.config import GridConfig
from gridtide.strategies.grid.recovery import SeenOrder, recover_plan
from gridtide.strategies.grid.strategy import GridTradingStrategy
from tests.engine.world import ACCOUNT, BTC, FEES, MARKET, SYMBOL, USDT, World, update


def grid(**more: str) -> GridConfig:
    values = {
        "lower_price": "90",
        "upper_price": "110",
        "num_grids": 11,
        "total_investment": "1000",
        "mirror_after_seconds": 30,
        **more,
    }
    return GridConfig.from_settings(SYMBOL, values)


CONFIG = grid()


def grid_world(config: GridConfig = CONFIG) -> World:
    return World(
        lambda: GridTradingStrategy(config), GridTradingStrategy.from_state, quote="5000", allocation="1000"
    )


def traded(seed: int, moves: int) -> World:
    """A grid that traded, with partial fills, cancels of rests and times of quiet."""
    world, rng = grid_world(), random.Random(seed)
    world.start()
    price = Decimal(100)
    for _ in range(moves):
        price = min(max(price + Decimal(rng.randint(-250, 250)) / 100, Decimal(85)), Decimal(115))
        volume = "1000" if rng.random() < 0.7 else str(round(rng.uniform(0.05, 0.6), 4))
        world.move(price, volume=volume)
        if rng.random() < 0.2:
            world.elapse(45)
    return world


def own_orders(world: World) -> tuple[OrderUpdate, ...]:
    found = world.venue.orders(ACCOUNT, SYMBOL, 0, 100_000)
    return tuple(update(order) for order in sorted(found, key=lambda order: order.order_id))


def records(world: World) -> Records:
    fills = world.fills()
    newest = max((fill.trade_id for fill in fills), default=0)
    return Records(own_orders(world), fills, world.venue.balances(ACCOUNT), newest, newest)


def replayed(world: World, found: Records, config: GridConfig = CONFIG) -> tuple[Engine, list[object]]:
    seen = [
        SeenOrder(Slot.parse(order.client_order_id.split("-")[2]), Price(order.price), Amount(order.amount))
        for order in found.orders
    ]
    plan = recover_plan(config, MARKET, FEES, seen)
    identity = BotIdentity("test", ACCOUNT, SYMBOL, 1)
    engine = Engine(
        EngineSettings(identity, world.allocation),
        MARKET,
        FEES,
        GridTradingStrategy.with_plan(config, plan),
        REPLAY_GATE,
        BotSnapshot(generation=1),
    )
    return engine, list(replay(engine, found, plan.start_price, Timestamp(world.now)))


def grid_of(engine: Engine) -> dict[str, object]:
    """What the grid wants, without moments and without how numbers are written."""
    state = dict(engine.strategy.get_state())
    state["to_buy"] = [Decimal(amount) for amount in state["to_buy"]]
    return {name: state[name] for name in ("phase", "to_buy", "open_slots", "round_trips")}


def rows_of(entries: list[object]) -> dict[str, OrderRow]:
    return {entry.row.client_order_id: entry.row for entry in entries if isinstance(entry, OrderPut)}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_a_replay_gives_the_books_and_the_orders_that_were(seed: int) -> None:
    world = traded(seed, 60)
    engine, entries = replayed(world, records(world))
    before, after = world.engine.state, engine.state
    assert after.bot_state is BotState.STOPPED, after.pause_detail
    for asset in (BTC, USDT):
        assert after.ledger.holding(asset) == before.ledger.holding(asset)
    statement = after.statement()
    assert statement is not None
    assert statement.is_balanced
    assert {entry.fill.key for entry in entries if isinstance(entry, FillAdded)} == {
        fill.key for fill in world.fills()
    }
    resting = {name for name, row in rows_of(entries).items() if row.state.rests_at_exchange}
    assert resting == {order.client_order_id for order in world.venue.open_orders(ACCOUNT, SYMBOL)}
    assert all(row.tx_count == 1 for row in rows_of(entries).values())
    assert after.baseline[USDT] == before.baseline[USDT]


@pytest.mark.parametrize("profit", ["quote", "base", "compound"])
@pytest.mark.parametrize("sizing", ["equal_base", "equal_quote", "quote_only"])
def test_without_partial_fills_profit_lots_and_grid_are_the_same_too(sizing: str, profit: str) -> None:
    config = grid(sizing=sizing, profit=profit)
    world, rng = grid_world(config), random.Random(sizing + profit)
    world.start()
    for _ in range(80):
        world.move(Decimal(rng.randint(9000, 11000)) / 100, volume="100000")
    engine, _ = replayed(world, records(world), config)
    before, after = world.engine.state.ledger, engine.state.ledger
    assert after.totals.grid_profit == before.totals.grid_profit
    assert after.totals.fees_value == before.totals.fees_value
    assert sorted((lot.owner, lot.amount, lot.cost) for lot in after.lots()) == sorted(
        (lot.owner, lot.amount, lot.cost) for lot in before.lots()
    )
    assert grid_of(engine) == grid_of(world.engine)


def test_no_id_is_used_again_after_a_replay() -> None:
    """Each slot's counters are at least those of its orders, also of orders that never executed."""
    world = traded(3, 60)
    engine, entries = replayed(world, records(world))
    for row in rows_of(entries).values():
        slot = engine.state.slots.get(Slot.parse(row.slot))
        assert (slot.cycle, slot.attempt) >= (row.cycle, row.attempt)


def test_an_order_ended_without_a_fill_is_only_remembered() -> None:
    world = grid_world()
    world.start()
    victim = world.venue.open_orders(ACCOUNT, SYMBOL)[0].client_order_id
    world.cancel_by_hand(victim)
    engine, entries = replayed(world, records(world))
    assert rows_of(entries)[victim].state is IntentState.SETTLED
    slot = engine.state.slots.get(Slot.parse(victim.split("-")[2]))
    assert slot.live is None
    assert slot.wish is not None, "the next run places it again"


def test_records_that_lack_a_fill_are_told() -> None:
    """An order that executed more than its fills: the records lag, nothing may be made of them (I3)."""
    world = traded(1, 20)
    found = records(world)
    short = Records(found.orders, found.fills[:-1], found.balances, found.newest_trade_id, 0)
    assert found.shortfalls() == []
    assert len(short.shortfalls()) == 1


def test_money_that_was_never_put_in_is_refused() -> None:
    """With less allocated than was spent the books would go below zero (I9)."""
    world = traded(2, 20)
    found = records(world)
    world.allocation = type(world.allocation)(quote=Decimal(10))
    plan = recover_plan(CONFIG, MARKET, FEES, [])
    engine = Engine(
        EngineSettings(BotIdentity("test", ACCOUNT, SYMBOL, 1), world.allocation),
        MARKET,
        FEES,
        GridTradingStrategy.with_plan(CONFIG, plan),
        REPLAY_GATE,
        BotSnapshot(generation=1),
    )
    with pytest.raises(Defect, match="cannot be booked"):
        replay(engine, found, Decimal(100), Timestamp(world.now))
