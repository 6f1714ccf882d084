"""What a backtest costs is counted, not timed: its steps belong to its fills, and idle data add none."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gridtide.bootstrap.backtest import build_world, prepare
from gridtide.bootstrap.notebook import data_of, settings_of
from gridtide.engine.engine import Engine
from gridtide.price_path.candle_path import PathRule
from tests.backtest.worlds import MINUTE_MS, Candles, config, grid_settings, random_candles

MOST_STEPS_A_FILL, MOST_EVENTS_A_FILL = 1.2, 5.5
"""A fill is a step: the move, the order's update, the counter-order and its answer, the book before and behind."""
FIRST_STEPS, FIRST_EVENTS = 10, 80
"""The initial purchase and the first orders."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one run did."""

    points: int
    fills: int
    steps: int
    events: Counter[str]
    """Events that the engine handled, by type."""
    looked: int
    """Points of the path that were made into something to look at."""


def counted(
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    candles: Candles,
    *,
    looks_everywhere: bool = False,
) -> Counted:
    """Play one market and count."""
    events: Counter[str] = Counter()
    handle = Engine.handle

    def counting(self: Engine, event: Any, now: Any) -> Any:
        events[type(event).__name__] += 1
        return handle(self, event, now)

    loaded = settings_of(settings)
    prepared = prepare(loaded, data_of(loaded, candles), PathRule.NEARER_EXTREME_FIRST)
    looked = 0
    path_type = type(prepared[0].index.path)
    point = path_type.point

    def looking(self: Any, index: int) -> Any:
        nonlocal looked
        looked += 1
        return point(self, index)

    world = build_world(loaded, prepared, looks_everywhere=looks_everywhere)
    (lane,) = world.run.lanes
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "handle", counting)
        patch.setattr(path_type, "point", looking)
        world.run.run()
    return Counted(len(lane.path), len(world.recorder.of(lane).fills), world.run.steps, events, looked)


def waves(count: int) -> Candles:
    """A calm walk without gaps, so that many candles touch no level."""
    return random_candles(random.Random(5), count, step=0.002, gap_chance=0)


def with_idle(candles: Candles, times: int) -> Candles:
    """The same candles at a `times` finer timeframe, each followed by flat ones in which nothing traded."""
    close = candles["close"]
    found = {name: np.repeat(close, times) for name in ("open", "high", "low", "close")}
    found["timestamp"] = np.repeat(candles["timestamp"], times)
    found["volume"] = np.zeros(len(found["timestamp"]))
    for name in ("open", "high", "low", "volume"):
        found[name][::times] = candles[name]
    for part in range(times):
        found["timestamp"][part::times] += part * (MINUTE_MS // times)
    return {name: found[name] for name in candles}


def grid(risk: Any = "off", backtest: Any = None, **strategy: Any) -> dict[str, Any]:
    """Fifty levels, the walk well within them."""
    levels = {"lower_price": "80", "upper_price": "125", "num_grids": 50, "start_outside": "allow"}
    return config(grid_settings(**{**levels, **strategy}), backtest, risk=risk)


WORLDS = {
    "plain": grid(),
    "risk on": grid(risk={}),
    "latency": grid(backtest={"latency_ms": 3_000}),
    "queue": grid(backtest={"fill_model": "queue"}),
    "orders that may take": grid(post_only=False),
    "orders that wait, parked": grid(risk={"max_open_orders": 5}),
    "range above the price": grid(lower_price="104", upper_price="140"),
    "range mostly below the price": grid(lower_price="60", upper_price="97"),
}


@pytest.mark.parametrize("world", WORLDS)
def test_idle_data_cost_no_step(monkeypatch: pytest.MonkeyPatch, world: str) -> None:
    """Six times the points give the same fills, steps, events and looks; only the first seconds may differ a little."""
    candles = waves(2_000)
    short = counted(monkeypatch, WORLDS[world], candles)
    long = counted(monkeypatch, WORLDS[world], with_idle(candles, 6))
    assert long.points == 6 * short.points
    assert long.fills == short.fills > 0
    assert abs(long.steps - short.steps) <= 2
    assert abs(long.events.total() - short.events.total()) <= 10
    assert abs(long.looked - short.looked) <= 10


@pytest.mark.parametrize("risk", ["off", {}], ids=["risk off", "risk on"])
def test_steps_and_events_belong_to_fills(monkeypatch: pytest.MonkeyPatch, risk: Any) -> None:
    """Far fewer steps than points, and no more a fill than a fill needs, whatever the length of the data."""
    for candles in (waves(1_000), waves(4_000)):
        found = counted(monkeypatch, grid(risk), candles)
        assert found.fills > 50
        assert found.steps <= FIRST_STEPS + MOST_STEPS_A_FILL * found.fills < found.points / 2
        assert found.events.total() <= FIRST_EVENTS + MOST_EVENTS_A_FILL * found.fills
        assert found.looked <= FIRST_STEPS + 2 * MOST_STEPS_A_FILL * found.fills


def test_the_plain_loop_is_seen_by_these_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds above are no bounds on nothing: who visits every point breaks them."""
    found = counted(monkeypatch, grid(), waves(1_000), looks_everywhere=True)
    assert found.steps >= found.points
    assert found.steps > FIRST_STEPS + MOST_STEPS_A_FILL * found.fills
    assert found.events.total() > FIRST_EVENTS + MOST_EVENTS_A_FILL * found.fills
