"""Random sets on random paths, played by the sweep kernel and by the engine: fill for fill the same, or a defect.

Everything follows from one number, a world's seed; what differs is cut down to the shortest data that still show it.
``python -m tests.optimize.equality --sets 20000 --seed 1`` goes on for a night.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from gridtide.bootstrap.sweep import sweeper_of
from gridtide.config.risk import RiskSettings
from gridtide.config.schema import section_of
from gridtide.optimize.confirm import differences, fill_differences, is_close
from gridtide.optimize.engine_sets import EngineRun
from gridtide.optimize.sweep import run_of
from gridtide.optimize.sweep_result import SweepResult

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SETS_A_WORLD = 20
DAY_MS = 86_400_000
START_MS = 1_609_459_200_000
REAL = (
    ("BTC/USDT", "candles/BTCUSDT-1m-2021.parquet"),
    ("BTC/USDT", "candles/BTCUSDT-1m-2018-02-irregular.parquet"),
    ("BTC/USDT", "candles/BTCUSDT-1h-2017-2022.parquet"),
    ("XRP/ETH", "candles/XRPETH-1m-2019-10.parquet"),
    ("SUI/USDT", "candles/SUIUSDT-1m-2023.parquet"),
)

BREAKERS = ("max_daily_loss", "max_drawdown", "max_consecutive_losses", "max_orders_a_minute")
DOUBTS = ("max_jump", "max_spread")
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class World:
    """A market, its data, an account and the sets that are played on them."""

    seed: int
    symbol: str
    data: Arrays
    config: dict[str, Any]
    sets: list[dict[str, Any]]

    def cut(self, first: int, last: int, row: int) -> World:
        """A part of the data and one set alone."""
        part = {name: column[first:last] for name, column in self.data.items()}
        return replace(self, data=part, sets=[self.sets[row]])


# --- worlds ------------------------------------------------------------------------------------------


def drawn_world(seed: int, sets: int = SETS_A_WORLD) -> World:
    """All of it from one number; the same on every machine that has the same data."""
    rng = random.Random(seed)
    symbol, data = _data(rng)
    column = data["open"] if "open" in data else data["price"]
    first, places = float(column[0]), _places(column)
    spread = float(column.max() / column.min())
    config = _config(rng, symbol, first)
    base, quote = (float(config["backtest"]["balance"][asset]) for asset in symbol.split("/"))
    drawn = [_set(rng, symbol, first, spread, places, quote, base) for _ in range(sets)]
    return World(seed, symbol, data, config, drawn)


def _data(rng: random.Random) -> tuple[str, Arrays]:
    kind = rng.choice(["walk", "swinging", "swinging", "trades", "flat", "real"])
    if kind == "real" and DATA.exists():
        symbol, name = rng.choice(REAL)
        columns = _file(name)
        length = rng.randint(60, 500)
        first = rng.randrange(len(columns["timestamp"]) - length)
        return symbol, {key: column[first : first + length] for key, column in columns.items()}
    symbol, price, places = rng.choice(
        [
            ("ABC/USDT", 100.0, 2),
            ("BTC/USDT", 40_000.0, 2),
            ("XRP/ETH", 0.0015, 7),
            ("QQ/BTC", 0.02, 5),
            ("NN/EUR", 300.0, 1),
        ]
    )
    maker = np.random.default_rng(rng.randrange(2**32))
    return symbol, _made(maker, kind, price, places, rng.randint(40, 250))


@cache
def _file(name: str) -> Arrays:
    from gridtide.market_data.load import read_file

    return dict(read_file(DATA / name)[1])


def _made(maker: np.random.Generator, kind: str, price: float, places: int, count: int) -> Arrays:
    """A walk, a price that swings around its mean, one that mostly stands still, or market trades."""
    points = count if kind == "trades" else 4 * count
    step = maker.choice([0.0005, 0.002, 0.006])
    noise = maker.normal(0, step, points)
    if kind == "flat":
        noise *= maker.random(points) < 0.1
    logs = np.zeros(points)
    pull = 0.0 if kind == "walk" else maker.choice([0.01, 0.05])
    for place in range(1, points):
        logs[place] = logs[place - 1] * (1 - pull) + noise[place]
    jumps = np.cumsum((maker.random(points) < 0.002) * maker.normal(0, 10 * step, points))
    prices = np.maximum(np.round(price * np.exp(logs + jumps), places), 10.0**-places)
    timeframe = int(maker.choice([60_000, 3_600_000]))
    gaps = np.cumsum(maker.random(count) < 0.01) * 7
    times = (
        START_MS
        + int(maker.integers(DAY_MS)) // timeframe * timeframe
        + (np.arange(count) + gaps) * timeframe
    )
    amounts = np.round(maker.exponential(50, count), 5)
    if kind == "trades":
        sides = np.where(maker.random(count) < 0.5, "buy", "sell")
        return {"timestamp": times, "price": prices, "amount": amounts + 0.00001, "side": sides}
    rows = prices.reshape(count, 4)
    return {
        "timestamp": times,
        "open": rows[:, 0].copy(),
        "high": rows.max(axis=1),
        "low": rows.min(axis=1),
        "close": rows[:, 3].copy(),
        "volume": amounts,
    }


def _places(column: NDArray[Any]) -> int:
    return next(
        places for places in range(9) if np.allclose(column, np.round(column, places), rtol=0, atol=1e-10)
    )


# --- sets --------------------------------------------------------------------------------------------


def _config(rng: random.Random, symbol: str, price: float) -> dict[str, Any]:
    base, quote = symbol.split("/")
    scale = {"USDT": 1500.0, "EUR": 1500.0, "ETH": 3.0, "BTC": 0.1}[quote]
    money = scale * rng.choice([1, 1, 20])
    balance = {
        quote: _text(money, 8),
        base: rng.choice(["0", _text(money / price, 5)]),
        "BNB": rng.choice(["0", "0.01", "100"]),
    }
    strategy = {
        "name": "grid",
        "lower_price": _text(price * 0.9, 8),
        "upper_price": _text(price * 1.1, 8),
        "num_grids": 11,
        "total_investment": _text(money * 0.6, 8),
    }
    rules = [
        "nearer_extreme_first",
        "nearer_extreme_first",
        "close_direction",
        "close_direction",
        "pessimistic",
    ]
    return {
        "bots": [{"name": "equal", "market": symbol, "strategy": strategy, "risk": limits_alone()}],
        "backtest": {"balance": balance, "candle_path": rng.choice(rules)},
    }


def limits_alone() -> dict[str, Any]:
    """The limits of single orders; stops and circuit breakers, where this version has them, are off."""

    def off(section: type[BaseModel], names: tuple[str, ...]) -> dict[str, str]:
        return {name: "off" for name in names if name in section.model_fields}

    found: dict[str, Any] = off(
        RiskSettings, ("stop_loss", "trailing_stop", "take_profit", "time_limit_hours")
    )
    for name, names in (("circuit_breaker", BREAKERS), ("price_sanity", DOUBTS)):
        if name in RiskSettings.model_fields:
            section = section_of(RiskSettings.model_fields[name].annotation)
            found[name] = off(section, names) if section is not None else {}
    return found


def _set(
    rng: random.Random, symbol: str, price: float, spread: float, places: int, capital: float, base: float
) -> dict[str, Any]:
    """Any grid; most can be placed and trade, some cannot."""
    width = max(spread - 1, 0.002) * rng.choice([0.3, 0.7, 1.2, 2.0])
    middle = price * (1 + rng.uniform(-0.4, 0.4) * width)
    exact = rng.choice([places, 8])
    low, high = middle * (1 - width * rng.uniform(0.2, 0.8)), middle * (1 + width * rng.uniform(0.2, 0.8))
    sizing = rng.choice(
        ["equal_base", "equal_base", "equal_quote", "quote_only", "base_and_quote"][: 5 if base else 4]
    )
    has_base = base > 0 and (sizing == "base_and_quote" or (sizing != "quote_only" and rng.random() < 0.2))
    fee = rng.choice(["0", "0.0001", "0.001", "0.00075", "0.004"])
    asset = rng.choice(["received", "received", "quote", "BNB", symbol.split("/")[1]])
    return {
        "lower_price": _text(low, exact),
        "upper_price": _text(high, exact),
        **rng.choice([{"num_grids": _count(rng)}, {"intervals": _count(rng)}]),
        "total_investment": _text(capital * rng.choice([0.05, 0.3, 0.6, 0.9, 0.9, 1.0]), rng.choice([2, 8])),
        "spacing": rng.choice(["geometric", "arithmetic"]),
        "vacant": rng.choice(["nearest", "above", "below"]),
        "sizing": sizing,
        "profit": rng.choice(["quote", "quote", "base", "compound"]),
        "rounding": rng.choice(["nearest", "down"]),
        "post_only": rng.random() < 0.7,
        "start_outside": rng.choice(["allow", "allow", "refuse"]),
        "price_cap": rng.choice(["0", "0.002", "0.002", "0.1"]),
        "reserve": rng.choice([None, None, None, "0", "0.05", "0.5"]),
        "base_amount": _text(base * rng.choice([0.1, 0.5, 1.0]), 5) if has_base else "0",
        "base_cost": _text(capital * 0.3, 2) if has_base else None,
        "allow_below_break_even": rng.random() < 0.7,
        "risk.enabled": rng.random() < 0.9,
        "risk.max_open_orders": rng.choice([200] * 12 + [9, 3]),
        "risk.max_order_value": rng.choice([None] * 12 + [_text(capital * 0.05, 4), _text(capital, 4)]),
        "fees.maker": fee,
        "fees.taker": rng.choice([fee, "0.001"]),
        "fees.asset": asset,
        "fees.asset_price": _text(capital / 5, 4) if asset == "BNB" else None,
    }


def _count(rng: random.Random) -> int:
    return rng.choice([2, 3, 4, 5, 7, 9, 12, 17, 24, 40])


def _text(value: float, places: int) -> str:
    return f"{value:.{places}f}"


# --- playing -----------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What was seen, so that a run in which nothing happened proves nothing."""

    sets: int = 0
    fills: int = 0
    traded: int = 0
    refused: int = 0
    by_engine: int = 0
    seconds: float = 0.0


def unequal(world: World, tally: Tally | None = None) -> Iterator[tuple[int, str]]:
    """Every set of a world for which kernel and engine differ, with what differs."""
    begun = time.perf_counter()
    sweeper = sweeper_of(world.config, world.data)
    result = sweeper.play(world.sets, threads=1, daily=True)
    for row in range(len(result)):
        if not result.engine[row]:  # else it is the engine's own
            run = run_of(sweeper.engine, result.sets, row, None)
            if found := "; ".join(_differences(result, row, run)):
                yield row, found
        if tally is not None:
            _count_in(tally, result, row)
    if tally is not None:
        tally.seconds += time.perf_counter() - begun


def _differences(result: SweepResult, number: int, run: EngineRun | str) -> Iterator[str]:
    row = result.row(number)
    is_refused = row["status"] == "refused"
    if isinstance(run, str) or is_refused:
        if isinstance(run, str) != is_refused:
            yield f"swept: {row['reason'] or 'played'}, the engine: {run if isinstance(run, str) else 'played'}"
        elif _tidied(row["reason"]) not in _tidied(str(run)) and not _is_same_refusal(
            row["reason"], str(run)
        ):
            yield f"refused for {row['reason']!r}, by the engine for {run!r}"
        return
    yield from differences(row, run)
    assert result.world is not None
    assert result.daily is not None
    yield from fill_differences(result.world.fills(result.sets, number, run.walk) or (), run)
    for day, (one, other) in enumerate(zip(result.daily[number], run.daily, strict=True)):
        if not is_close(float(one), float(other), 1e-12 * abs(float(other))):
            yield f"day {day}: {one!r}, the engine has {other!r}"


def _tidied(text: str) -> str:
    """Without the zeros at the end of decimals, which say how a number was written."""
    return re.sub(r"(\.\d*?)0+(?!\d)", r"\1", text).replace(". ", " ")


def _is_same_refusal(said: str, engine: str) -> bool:
    """Rules that look at whole columns name no numbers."""
    return any(
        words in said and words in engine for words in ("backtest.balance has", "asset_price is missing")
    )


def _count_in(tally: Tally, result: SweepResult, row: int) -> None:
    tally.sets += 1
    tally.refused += bool(result.is_refused[row])
    tally.by_engine += bool(result.engine[row])
    if not result.is_refused[row] and not result.engine[row]:
        tally.fills += int(result.figures["fills"][row])
        tally.traded += int(result.figures["fills"][row]) > 1


def shrunk(world: World, row: int) -> World:
    """The shortest run of candles or trades on which the set still differs."""
    first, last = 0, len(world.data["timestamp"])
    step = (last - first) // 2
    while step:
        for start, stop in ((first, last - step), (first + step, last)):
            if stop - start >= 1 and _differs(world.cut(start, stop, row)):
                first, last = start, stop
                break
        else:
            step //= 2
        step = min(step, last - first - 1)
    return world.cut(first, last, row)


def _differs(world: World) -> bool:
    return next(unequal(world), None) is not None


def report(world: World, row: int, found: str) -> str:
    """What a person needs to see the difference again."""
    small = shrunk(world, row)
    told = next(unequal(small), (0, found))[1]
    return (
        f"seed {world.seed}, set {row}: {found}\n"
        f"still unequal on {len(small.data['timestamp'])} rows: {told}\n"
        f"config = {small.config!r}\nset = {small.sets[0]!r}\n"
        f"data = {{{', '.join(f'{name!r}: {column.tolist()!r}' for name, column in small.data.items())}}}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Play world after world until `--sets` are done or `--most` differ; the number of those that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=5_000)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first world; each further one is one higher"
    )
    parser.add_argument("--most", type=int, default=1, help="stop after so many differences")
    asked = parser.parse_args(arguments)
    tally, wrong, seed = Tally(), 0, asked.seed
    while tally.sets < asked.sets and wrong < asked.most:
        world = drawn_world(seed)
        for row, found in unequal(world, tally):
            wrong += 1
            print(report(world, row, found), flush=True)  # noqa: T201  a program for the shell
        seed += 1
    others = f"{tally.refused:,} refused, {tally.by_engine:,} by the engine"
    played = f"{tally.traded:,} traded ({tally.fills:,} fills), {others}"
    seeds = f"{tally.sets:,} sets of seeds {asked.seed} to {seed - 1}"
    print(f"{seeds}: {played}: {wrong} differ; {tally.seconds:.0f} s")  # noqa: T201  the same
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
