"""The grid under random prices, partial fills, expiries, cancels by hand, outages and restarts.

The harness checks the books after every booking; here stands what a grid must never do whatever comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide.domain.errors import PlanRefused
from gridtide.domain.market import Asset
from gridtide.domain.order import Side, Slot
from gridtide.strategies.grid import GridTradingStrategy, ProfitMode, Sizing
from gridtide.strategies.protocol import Ending
from tests.strategies.harness import World
from tests.strategies.markets import QUOTE, THIRD, D, at, fees, grid, market

Step = tuple[Any, ...]


@dataclass(frozen=True)
class Setting:
    """One kind of grid on one kind of account."""

    levels: int
    sizing: Sizing
    profit: ProfitMode
    spacing: str
    asset: Asset | None
    lot: str
    min_notional: str
    post_only: bool
    price: str
    liquidity: str | None
    investment: str = "2000"

    def world(self) -> World:
        config = grid(
            "8000",
            "12000",
            self.levels,
            self.investment,
            sizing=self.sizing,
            profit=self.profit,
            spacing=self.spacing,
            post_only=self.post_only,
        )
        found = World(
            GridTradingStrategy(config),
            market(lot=self.lot, min_notional=self.min_notional),
            fees("0.001", asset=self.asset),
            self.price,
            self.investment,
            third="0.001",
        )
        found.taker_liquidity = None if self.liquidity is None else D(self.liquidity)
        return found


SETTINGS = st.builds(
    Setting,
    levels=st.integers(2, 12),
    sizing=st.sampled_from([Sizing.EQUAL_BASE, Sizing.EQUAL_QUOTE, Sizing.QUOTE_ONLY]),
    profit=st.sampled_from(ProfitMode),
    spacing=st.sampled_from(["arithmetic", "geometric"]),
    asset=st.sampled_from([None, QUOTE, THIRD]),
    lot=st.sampled_from(["0.00000001", "0.00001", "0.0007"]),
    min_notional=st.sampled_from(["0", "10", "60"]),
    post_only=st.booleans(),
    price=st.integers(16000, 24000).map(lambda half: str(D(half) / 2)),
    liquidity=st.sampled_from([None, "0.03", "0.0021", "0"]),
)
PRICES = st.integers(15400, 24600).map(lambda half: D(half) / 2)
SHARES = st.sampled_from([D("0.01"), D("0.3"), D("0.5"), D("0.97")])
STEPS = st.one_of(
    st.tuples(st.just("move"), PRICES),
    st.tuples(st.just("move"), PRICES),
    st.tuples(st.just("touch"), st.integers(0, 11), SHARES),
    st.tuples(st.just("mirror"), st.integers(0, 11), SHARES),
    st.tuples(st.just("wait"), st.sampled_from([1, 300, 600])),
    st.tuples(
        st.just("end"), st.integers(0, 20), st.sampled_from([Ending.EXPIRED, Ending.CANCELLED_OUTSIDE])
    ),
    st.tuples(st.just("resume")),
    st.tuples(st.just("outage"), st.lists(PRICES, max_size=4)),
)
JOURNEYS = st.lists(STEPS, min_size=8, max_size=30)


def take(world: World, step: Step) -> None:
    match step:
        case ("move", price):
            world.move(price, split=in_two)
        case ("touch" | "mirror" as kind, index, share):
            levels = world.strategy.levels
            world.move(levels[index % len(levels)], split=in_two, last=share)
            if kind == "mirror":
                world.wait(600)
        case ("wait", seconds):
            world.wait(seconds)
        case ("end", index, ending):
            resting = [slot for slot, order in sorted(world.orders_by_slot.items()) if not order.parked]
            if resting:
                world.end(resting[index % len(resting)], ending)
        case ("resume",):
            world.resume()
        case ("outage", prices):
            world.is_offline = True
            for price in prices:
                world.move(price, split=in_two)
            world.go_online()
        case _:
            raise AssertionError(step)


def in_two(amount: Decimal) -> list[Decimal]:
    """Every execution arrives in two parts where the lot allows it."""
    first = (amount / 3).quantize(D("0.0007") if amount % D("0.0007") == 0 else D("1e-8"), "ROUND_DOWN")
    lot = D("0.0007")
    if amount % lot == 0:
        first = amount / 3 // lot * lot
    elif amount % D("0.00001") == 0:
        first = amount / 3 // D("0.00001") * D("0.00001")
    return [first, amount - first] if first else [amount]


def check_intervals(world: World) -> None:
    """I13, F35: no interval is ever without an order or a parked wish, and none wants more than its plan."""
    state, plan = world.strategy.get_state(), world.strategy.plan
    if state["phase"] != "trading":
        return
    for interval, planned in enumerate(plan.interval_amounts):
        buy = world.order(Slot.level(interval, Side.BUY))
        sell = world.order(Slot.level(interval + 1, Side.SELL))
        assert buy or sell, f"interval {interval} has nothing"
        to_buy = D(state["to_buy"][interval])
        if buy:
            assert buy.price == plan.prices[interval]
            assert buy.amount - buy.executed_amount <= to_buy
        if sell:
            assert sell.price == plan.prices[interval + 1]
        if world.strategy.config.profit is ProfitMode.QUOTE:
            assert to_buy <= planned
    owners = {lot.owner for lot in world.ledger.lots()}
    assert {Slot.parse(key).side for key in owners - {"DUST", "KEPT", "INIB"}} <= {Side.SELL, Side.BUY}


def is_exact(setting: Setting) -> bool:
    """Whether money never runs short: equal quote first sells v for v, less the fees, and a coarse lot leaves
    much of a small amount as dust, so that a first buy may be a lot smaller than planned."""
    return setting.sizing is not Sizing.EQUAL_QUOTE and D(setting.lot) < D("0.0007")


def digest(world: World) -> tuple[object, ...]:
    return world.ledger.state(), world.orders(), world.notices, world.strategy.get_state()


@settings(max_examples=150)
@given(SETTINGS, JOURNEYS)
def test_no_journey_breaks_the_grid_and_restarts_change_nothing(
    setting: Setting, journey: list[Step]
) -> None:
    """Identity at every fill, nothing negative, one order a slot, no interval lost (I1, I9, I10, I13, F12, F35,
    F39, F41); a twin that is rebuilt from its JSON before every callback does exactly the same (F32, F34)."""
    world, twin = setting.world(), setting.world()
    twin.restarts_always = True
    try:
        world.start()
    except PlanRefused:
        return
    twin.start()
    for step in journey:
        take(world, step)
        take(twin, step)
        check_intervals(world)
        assert digest(world) == digest(twin)


@settings(max_examples=100)
@given(SETTINGS, st.lists(PRICES, min_size=1, max_size=20))
def test_whole_fills_keep_exactly_one_order_an_interval(setting: Setting, prices: list[Decimal]) -> None:
    """I13 in the normal state: N − 1 orders, one an interval, and above the range every interval wants its
    planned amount again: `profit: quote` does not melt (AT-18d)."""
    world = setting.world()
    try:
        world.start()
    except PlanRefused:
        return
    for _ in range(6):
        world.wait(1)  # the initial purchase comes to its end
    for price in [*prices, D(12300)]:
        world.move(price)
        check_intervals(world)
        if world.taker_liquidity is None:
            assert len(world.orders()) == setting.levels - 1
    if setting.profit is ProfitMode.QUOTE and world.taker_liquidity is None and is_exact(setting):
        state = world.strategy.get_state()
        assert [D(amount) for amount in state["to_buy"]] == list(world.strategy.plan.interval_amounts)
        assert world.parked() == {}
        assert {key: amount for key, (_, amount) in world.resting().items()} == {
            f"{index:03d}B": amount for index, amount in enumerate(world.strategy.plan.interval_amounts)
        }


@settings(max_examples=60)
@given(SETTINGS, st.lists(st.tuples(st.integers(0, 11), SHARES), min_size=1, max_size=15))
def test_parts_lose_nothing(setting: Setting, touches: list[tuple[int, Decimal]]) -> None:
    """After any sequence of partial fills with mirroring in between, the price above the range brings every
    interval back to its planned amount; only a rest too small to be sold alone may still wait for more."""
    world = setting.world()
    world.taker_liquidity = None
    try:
        world.start()
    except PlanRefused:
        return
    for index, share in touches:
        levels = world.strategy.levels
        world.move(levels[index % len(levels)], last=share)
        world.wait(601)
        check_intervals(world)
    for _ in range(4):  # sells that waited for their slot come one after the other
        world.move("12300")
    if setting.profit is ProfitMode.QUOTE and is_exact(setting):
        plan = world.strategy.plan
        for interval, amount in enumerate(world.strategy.get_state()["to_buy"]):
            rest = world.lot_amount(Slot.level(interval + 1, Side.SELL).key)
            assert D(amount) == plan.interval_amounts[interval] or rest
            assert not world.market.rules.is_tradable(plan.prices[interval + 1], rest)


def test_ten_thousand_cycles_with_fees_in_base_never_oversell() -> None:
    """F39: 10,000 round trips at 0.1 % in base; every sell is covered, the amounts bought never shrink."""
    config = grid("10000", "12000", 2, "1000")
    world = World(GridTradingStrategy(config), market(lot="0.00001"), fees(), "12000", "1000").start()
    planned = world.strategy.plan.interval_amounts[0]
    world.check_books_every = 100
    for _ in range(10_000):
        world.move("10000")
        world.move("12000")
    assert world.strategy.round_trips == 10_000
    assert world.resting() == {"000B": at(10000, planned)}
