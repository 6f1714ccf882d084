"""Small markets and configs for backtests: random walks as candles, grids around them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

START_MS = 1_609_459_200_000
MINUTE_MS = 60_000

Candles = dict[str, NDArray[Any]]


def random_candles(
    rng: random.Random, count: int, step: float = 0.004, gap_chance: float = 0.02, price: float = 100.0
) -> Candles:
    """Candles of a random walk to the cent, now and then with minutes missing and a jump, or with no volume."""
    rows: list[tuple[int, float, float, float, float, float]] = []
    opened, last = START_MS, price
    for _ in range(count):
        if rng.random() < gap_chance:
            opened += MINUTE_MS * rng.randint(1, 90)
            last *= 1 + rng.gauss(0, 5 * step)
        first = last * (1 + rng.gauss(0, step / 4))
        close = first * (1 + rng.gauss(0, step))
        high = max(first, close) * (1 + abs(rng.gauss(0, step / 2)))
        low = min(first, close) * (1 - abs(rng.gauss(0, step / 2)))
        first, close, high, low = (round(value, 2) for value in (first, close, high, low))
        volume = 0.0 if rng.random() < 0.05 else round(rng.expovariate(1 / 50), 5)
        rows.append((opened, first, max(high, first, close), min(low, first, close), close, volume))
        opened, last = opened + MINUTE_MS, close
    names = ("timestamp", "open", "high", "low", "close", "volume")
    columns = zip(*rows, strict=True)
    return {
        name: np.array(column, dtype=np.int64 if name == "timestamp" else np.float64)
        for name, column in zip(names, columns, strict=True)
    }


def grid_settings(**changes: Any) -> dict[str, Any]:
    """The settings of a grid from 90 to 110 on ABC/USDT."""
    return {
        "name": "grid",
        "lower_price": "90",
        "upper_price": "110",
        "num_grids": 11,
        "total_investment": "1000",
        "spacing": "geometric",
        **changes,
    }


def config(
    strategy: Mapping[str, Any] | None = None, backtest: Mapping[str, Any] | None = None, **bot: Any
) -> dict[str, Any]:
    """A config with one bot on ABC/USDT."""
    return {
        "bots": [
            {
                "name": "abc",
                "market": "ABC/USDT",
                "strategy": dict(strategy) if strategy is not None else grid_settings(),
                **bot,
            }
        ],
        "backtest": {"balance": {"USDT": "1500"}, **(backtest or {})},
    }
